import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { orderKey, orderStatusKey, slotKey } from "../../services/mirror/mirror.keys";
import type { Evidence, MirrorDifference } from "./evidence";

/** A mirror that lost everything is filled again within seconds. */
const SETTLE_MS = 30_000;

type ReadModel = Pick<Evidence, "orders" | "slots">;
/** What a key holds, or would have to hold. */
type Held = Readonly<Record<string, unknown>>;

/** Where Redis differs from the read model, once it had time to follow. */
export async function mirrorDifferences(
  redis_url: string,
  read_model: ReadModel,
): Promise<MirrorDifference[]> {
  const redis = new Redis(redis_url);
  try {
    for (const deadline = performance.now() + SETTLE_MS; ;) {
      const differences = compareMirror(read_model, await mirrored(redis, read_model));
      if (differences.length === 0 || performance.now() > deadline) return differences;
      await pause(500);
    }
  } finally {
    redis.disconnect();
  }
}

/** Where the keys of orders and slots differ from the read model. */
export function compareMirror(
  read_model: ReadModel,
  mirror: ReadonlyMap<string, string | null>,
): MirrorDifference[] {
  const differences: MirrorDifference[] = [];
  const compare = (key: string, wanted: Held, read: (text: string) => Held): void => {
    const text = mirror.get(key) ?? null;
    const held = text === null ? null : read(text);
    if (JSON.stringify(held) !== JSON.stringify(wanted))
      differences.push({ key, mirror: held, read_model: wanted });
  };
  for (const { order_id, status } of read_model.orders) {
    compare(orderKey(order_id), { order_id, status }, (text) => only(text, "order_id", "status"));
    compare(orderStatusKey(order_id), { status }, (text) => ({ status: text }));
  }
  for (const { slot_id, load_minor } of read_model.slots)
    compare(slotKey(slot_id), { slot_id, load_minor }, (text) => only(text, "slot_id", "load_minor"));
  return differences;
}

async function mirrored(redis: Redis, { orders, slots }: ReadModel): Promise<Map<string, string | null>> {
  const keys = [
    ...orders.flatMap(({ order_id }) => [orderKey(order_id), orderStatusKey(order_id)]),
    ...slots.map(({ slot_id }) => slotKey(slot_id)),
  ];
  const values = keys.length === 0 ? [] : await redis.mget(keys);
  return new Map(keys.map((key, at) => [key, values[at] ?? null]));
}

function only(text: string, ...names: readonly string[]): Held {
  const whole = JSON.parse(text) as Held;
  return Object.fromEntries(names.map((name) => [name, whole[name]]));
}
