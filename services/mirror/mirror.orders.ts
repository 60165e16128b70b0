import { LRUCache } from "lru-cache";
import type { EventLog, Position, RecordedEvent } from "../../mixins/event-log/event-log";
import { orderStream, type OrderEvent } from "../order/order.events";
import type { OrderFacts } from "../order/order.view";

/** Orders kept in memory, some 3 KB each; one that was forgotten is read from its stream again, in about a millisecond. */
const ORDERS_MAX = 10_000;
const READS_AT_ONCE = 8;

interface KnownOrder {
  readonly facts: OrderFacts;
  /** Of its stream: what the facts are folded from. */
  readonly version: number;
}

/** An order, and the last event that made it what it is. */
export interface FollowedOrder {
  readonly facts: OrderFacts;
  readonly last: RecordedEvent;
}

/** Orders as folded from the log, up to the event that was followed last. */
export class OrderMemory {
  readonly #known = new LRUCache<string, KnownOrder>({ max: ORDERS_MAX });

  constructor(private readonly log: Pick<EventLog, "readStream">) {}

  /** What these events, given in order, make of each order that they touch; with the last event of each. */
  async follow(events: readonly RecordedEvent[]): Promise<readonly FollowedOrder[]> {
    const orders = [...Map.groupBy(events, ({ stream_id }) => stream_id).values()];
    return eachOf(orders, async (own) => {
      const last = own.at(-1);
      return last === undefined ? undefined : { facts: await this.#after(own, last), last };
    });
  }

  /** Orders as they are read from the log now, up to a position: what was remembered of them may not be known any more. */
  readAnew(streams: readonly string[], through: Position): Promise<readonly FollowedOrder[]> {
    return eachOf(streams, async (stream_id) => {
      const events = await this.log.readStream(stream_id);
      const own = events.filter(({ position }) => position <= through);
      const [first, last] = [own[0], own.at(-1)];
      if (first === undefined || last === undefined) return undefined;
      this.#known.delete((first.data as OrderEvent["data"]).order_id);
      return { facts: await this.#after(own, last), last };
    });
  }

  async #after(own: readonly RecordedEvent[], last: RecordedEvent): Promise<OrderFacts> {
    const { order_id } = last.data as OrderEvent["data"];
    const known = this.#known.get(order_id);
    const first = own[0]?.version ?? 0;
    const follows = first === 1 || known?.version === first - 1;
    const read = follows ? own : await this.log.readStream(orderStream(order_id));
    const facts = read
      .filter(({ version }) => version <= last.version)
      .reduce(
        (before: OrderFacts | undefined, event) => factsAfter(before, event as unknown as OrderEvent),
        follows ? known?.facts : undefined,
      );
    if (facts === undefined) throw new Error(`The stream of order ${order_id} does not begin.`);
    this.#known.set(order_id, { facts, version: last.version });
    return facts;
  }
}

/** Works on some at a time. */
async function eachOf<T>(
  items: readonly T[],
  follow: (item: T) => Promise<FollowedOrder | undefined>,
): Promise<FollowedOrder[]> {
  const followed: FollowedOrder[] = [];
  const waiting = items.values();
  const work = async (): Promise<void> => {
    for (const item of waiting) {
      const order = await follow(item);
      if (order !== undefined) followed.push(order);
    }
  };
  await Promise.all(Array.from({ length: READS_AT_ONCE }, work));
  return followed;
}

/** An order after one of its events. */
export function factsAfter(before: OrderFacts | undefined, event: OrderEvent): OrderFacts {
  if (event.type === "order.placed") return event.data;
  const { order_id, at } = event.data;
  if (before === undefined) throw new Error(`Order ${order_id} changes before it was placed.`);
  const facts = { ...before, updated_at: at };
  switch (event.type) {
    case "order.status_changed": {
      const status = event.data.to;
      return { ...facts, status, ...(status === "delivered" ? { closed_at: at } : {}) };
    }
    case "order.cancelled":
      return { ...facts, status: "cancelled", cancel_reason: event.data.reason, closed_at: at };
    case "order.processed":
      return { ...facts, processed_at: at, processed_by: event.data.by };
    case "order.refunded":
      return { ...facts, refunded_total_minor: event.data.refunded_total_minor };
    case "order.archived":
      return { ...facts, status: "archived" };
  }
}
