import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import Redis from "ioredis";
import { redisServer, type RedisServer } from "../../../../fleet/servers/redis-server";
import { systemClock } from "../../../../boot";
import type { KeyWrite, Message } from "../../../../services/mirror/mirror.keys";
import { MirrorLostError, MirrorStore } from "../../../../services/mirror/mirror.store";

const GENERATION = "g";
const LOG_LENGTH = 24;
const KEYS = ["a", "b", "c"] as const;

let folder: string;
let redis: RedisServer;
let client: Redis;
let subscriber: Redis;
let heard: number[];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "forno-mirror-"));
  redis = await redisServer(folder);
  await redis.process.start();
  client = new Redis(redis.url);
  subscriber = new Redis(redis.url);
  await subscriber.subscribe("order:created");
  subscriber.on("message", (_channel, text) => heard.push(Number(text)));
});
afterAll(async () => {
  client.disconnect();
  subscriber.disconnect();
  await redis.process.kill();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => (heard = []));

const far_ms = Date.now() + 3_600_000;

/** What position p of this log says of a key: kinds of value as the mirror has them. */
function writeOf(key: string, position: number): KeyWrite {
  if (key === "a") return { key, field: "f", guard: position, value: `{"x":1,"position":${position}}` };
  if (key === "b") return { key, guard: position, value: `{"version":${position},"x":[]}` };
  const beside = { key: "c:status", value: String(position) };
  return { key, guard: position, value: `{"position":${position}}`, expires_at_ms: far_ms, beside };
}

const carried = async (): Promise<number[]> => {
  const values = await Promise.all([
    client.hget("a", "f"),
    client.get("b"),
    client.get("c"),
    client.get("c:status"),
  ]);
  return values.map((value) => Number(/\d+(?=[,}]|$)/.exec(value?.replace('"x":1,', "") ?? "0")?.[0]));
};

test("whatever the order and however often, each key ends with the newest and never goes back", async () => {
  const write = fc.record({ key: fc.constantFrom(...KEYS), position: fc.integer({ min: 1, max: 30 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(write, { maxLength: 6 }), { minLength: 1, maxLength: 12 }),
      async (scripts) => {
        const store = new MirrorStore(client, systemClock);
        await client.flushall();
        await store.begin(GENERATION);
        let before = [0, 0, 0, 0];
        for (const writes of scripts) {
          await store.fill(
            GENERATION,
            writes.map(({ key, position }) => writeOf(key, position)),
          );
          const now = await carried();
          now.forEach((position, index) => expect(position).toBeGreaterThanOrEqual(before[index]!));
          before = now;
        }
        const newest = KEYS.map((key) =>
          Math.max(
            0,
            ...scripts
              .flat()
              .filter((one) => one.key === key)
              .map(({ position }) => position),
          ),
        );
        expect(await carried()).toEqual([...newest, newest[2]]);
      },
    ),
    { numRuns: 60 },
  );
});

/** One node's way along the log; it holds its next step ready, as one that was frozen in the middle does. */
class Writer {
  #at = 0;
  #ready: { after: number; through: number } | undefined;

  constructor(
    private readonly store: MirrorStore,
    private readonly keyAt: readonly string[],
  ) {}

  get done(): boolean {
    return this.#at >= LOG_LENGTH;
  }

  prepare(size: number): void {
    this.#ready ??= { after: this.#at, through: Math.min(LOG_LENGTH, this.#at + size) };
  }

  async write(): Promise<void> {
    const step = this.#ready;
    if (step === undefined || step.through === step.after) return;
    this.#ready = undefined;
    const positions = Array.from({ length: step.through - step.after }, (_, index) => step.after + index + 1);
    const writes = positions.map((position) => writeOf(this.keyAt[position - 1]!, position));
    const messages: Message[] = positions.map((position) => ({
      channel: "order:created",
      text: String(position),
      position,
    }));
    try {
      await this.store.step(GENERATION, { ...step, event_id: "", writes, messages });
      this.#at = step.through;
    } catch (error) {
      if (!(error instanceof MirrorLostError)) throw error;
      this.#at = (await this.store.marker())?.position ?? 0;
    }
  }

  /** As a node that takes over. */
  async look(): Promise<void> {
    this.#ready = undefined;
    this.#at = (await this.store.marker())?.position ?? 0;
  }
}

test("any interleaving of two writers ends in the newest value, and says everything once and in order", async () => {
  const move = fc.record({
    who: fc.nat({ max: 1 }),
    what: fc.constantFrom("prepare", "write", "look"),
    size: fc.integer({ min: 1, max: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...KEYS), { minLength: LOG_LENGTH, maxLength: LOG_LENGTH }),
      fc.array(move, { maxLength: 40 }),
      async (keyAt, moves) => {
        const store = new MirrorStore(client, systemClock);
        await client.flushall();
        heard = [];
        await store.begin(GENERATION);
        await store.finish(GENERATION, 0, "");
        const writers = [new Writer(store, keyAt), new Writer(store, keyAt)] as const;
        let before = [0, 0, 0, 0];
        for (const { who, what, size } of moves) {
          const writer = writers[who]!;
          if (what === "prepare") writer.prepare(size);
          else if (what === "look") await writer.look();
          else await writer.write();
          const now = await carried();
          now.forEach((position, index) => expect(position).toBeGreaterThanOrEqual(before[index]!));
          before = now;
        }
        while (!writers[0].done) {
          writers[0].prepare(5);
          await writers[0].write();
        }
        const newest = KEYS.map((key) => keyAt.lastIndexOf(key) + 1);
        expect(await carried()).toEqual([...newest, newest[2]]);
        // One connection hears in order: its own PING comes back behind every message before.
        await subscriber.ping();
        expect(heard).toEqual(Array.from({ length: LOG_LENGTH }, (_, index) => index + 1));
      },
    ),
    { numRuns: 60 },
  );
});

test("a writer of another generation writes nothing", async () => {
  const store = new MirrorStore(client, systemClock);
  await client.flushall();
  await store.begin(GENERATION);
  await store.begin("h");
  await expect(store.fill(GENERATION, [writeOf("b", 1)])).rejects.toBeInstanceOf(MirrorLostError);
  await store.finish("h", 5, "e");
  await expect(store.fill("h", [writeOf("b", 1)])).rejects.toBeInstanceOf(MirrorLostError);
  const step = { after: 5, through: 6, event_id: "", writes: [writeOf("b", 6)], messages: [] };
  await expect(store.step(GENERATION, step)).rejects.toBeInstanceOf(MirrorLostError);
  expect(await client.exists("b")).toBe(0);
  expect(await store.marker()).toEqual({ generation: "h", state: "following", position: 5, event_id: "e" });
});

test("a step that does not follow on what Redis still holds writes nothing: something in between was lost", async () => {
  const store = new MirrorStore(client, systemClock);
  await client.flushall();
  await store.begin(GENERATION);
  await store.finish(GENERATION, 5, "");
  const step = { after: 7, through: 8, event_id: "", writes: [writeOf("b", 8)], messages: [] };
  await expect(store.step(GENERATION, step)).rejects.toThrow("gone back to position 5, from 7");
  expect(await client.exists("b")).toBe(0);
});
