import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { Channel, OrderEvent } from "./order.events";
import { isClosed } from "./order.states";

/** An order that stands in the log, is not paid for as far as anybody knows, and that no person of the house has dealt with. */
export interface OpenOrder {
  readonly order_id: string;
  readonly branch_id: string;
  readonly user_id: string | null;
  readonly phone: string | null;
  readonly total_minor: number;
}

/** Orders that customers and guests place themselves; what the desk takes, it answers for. */
export const COUNTED_CHANNELS: readonly Channel[] = ["shop", "grpc"];

/** A closed order is remembered for so long, because one that was just noted may have been closed since. */
const CLOSED_KEPT_MS = 120_000;

/** Orders and their money, together. */
export interface Sum {
  readonly orders: number;
  readonly minor: number;
}

const NOTHING: ReadonlyMap<string, OpenOrder> = new Map();

/**
 * The open orders of the chain, by whom they count against: each node keeps them all, as the feed tells them. An order counts
 * from its placement until it is delivered, cancelled, or marked as processed by the desk.
 */
export class OpenBook {
  readonly #orders = new Map<string, OpenOrder>();
  readonly #byAccount = new Map<string, Map<string, OpenOrder>>();
  readonly #byPhone = new Map<string, Map<string, OpenOrder>>();
  readonly #byBranch = new Map<string, { orders: number; minor: number }>();
  /** When they were closed, the longest ago first. */
  readonly #closed = new Map<string, number>();

  /** @param now milliseconds since the epoch */
  constructor(private readonly now: () => number) {}

  /** What comes twice changes nothing. */
  learn(events: readonly RecordedEvent[]): void {
    for (const { type, data } of events) {
      const event = { type, data } as OrderEvent;
      switch (event.type) {
        case "order.placed": {
          const { order_id, branch_id, channel, customer, total_minor } = event.data;
          const { user_id, phone } = customer;
          if (COUNTED_CHANNELS.includes(channel))
            this.open({ order_id, branch_id, user_id, phone, total_minor });
          break;
        }
        case "order.status_changed":
          if (isClosed(event.data.to)) this.#close(event.data.order_id);
          break;
        case "order.cancelled":
        case "order.processed":
        case "order.archived":
          this.#close(event.data.order_id);
          break;
        case "order.refunded":
          break;
      }
    }
  }

  /** Everything may be untrue: it is told anew. */
  forget(): void {
    this.#orders.clear();
    this.#byAccount.clear();
    this.#byPhone.clear();
    this.#byBranch.clear();
    this.#closed.clear();
  }

  open(order: OpenOrder): void {
    const { order_id, branch_id, user_id, phone, total_minor } = order;
    if (this.#orders.has(order_id)) return;
    this.#orders.set(order_id, order);
    if (user_id !== null) put(this.#byAccount, user_id, order);
    if (phone !== null) put(this.#byPhone, phone, order);
    const sum = this.#byBranch.get(branch_id) ?? { orders: 0, minor: 0 };
    this.#byBranch.set(branch_id, { orders: sum.orders + 1, minor: sum.minor + total_minor });
  }

  has(order_id: string): boolean {
    return this.#orders.has(order_id);
  }

  get(order_id: string): OpenOrder | undefined {
    return this.#orders.get(order_id);
  }

  /** Whether it was open and is not any more, as far back as {@link CLOSED_KEPT_MS}. */
  hasClosed(order_id: string): boolean {
    return this.#closed.has(order_id);
  }

  ofAccount(user_id: string): ReadonlyMap<string, OpenOrder> {
    return this.#byAccount.get(user_id) ?? NOTHING;
  }

  ofPhone(phone: string): ReadonlyMap<string, OpenOrder> {
    return this.#byPhone.get(phone) ?? NOTHING;
  }

  ofBranch(branch_id: string): Sum {
    return this.#byBranch.get(branch_id) ?? { orders: 0, minor: 0 };
  }

  get size(): number {
    return this.#orders.size;
  }

  #close(order_id: string): void {
    const now_ms = this.now();
    this.#closed.set(order_id, now_ms);
    for (const [id, at_ms] of this.#closed) {
      if (at_ms > now_ms - CLOSED_KEPT_MS) break;
      this.#closed.delete(id);
    }
    const order = this.#orders.get(order_id);
    if (order === undefined) return;
    const { branch_id, user_id, phone, total_minor } = order;
    this.#orders.delete(order_id);
    if (user_id !== null) take(this.#byAccount, user_id, order_id);
    if (phone !== null) take(this.#byPhone, phone, order_id);
    const sum = this.#byBranch.get(branch_id);
    if (sum === undefined || sum.orders <= 1) this.#byBranch.delete(branch_id);
    else this.#byBranch.set(branch_id, { orders: sum.orders - 1, minor: sum.minor - total_minor });
  }
}

function put(index: Map<string, Map<string, OpenOrder>>, key: string, order: OpenOrder): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, new Map([[order.order_id, order]]));
  else known.set(order.order_id, order);
}

function take(index: Map<string, Map<string, OpenOrder>>, key: string, order_id: string): void {
  const known = index.get(key);
  known?.delete(order_id);
  if (known?.size === 0) index.delete(key);
}
