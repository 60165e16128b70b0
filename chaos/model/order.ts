import { told, type Line, type LogEvent, type Placed } from "./events";

/** An order after some of its events, as every screen has to show it. */
export interface Order {
  readonly placed: Placed;
  readonly status: string;
  readonly updated_at: string;
  readonly processed_at: string | null;
  readonly processed_by: string | null;
  readonly cancel_reason: string | null;
  readonly closed_at: string | null;
  readonly courier_id: string | null;
  /** What was given back so far, added up here. */
  readonly refunded_total_minor: number;
  /** Of its newest event. */
  readonly position: number;
}

/** Each order through all of its events, in order; the last one is how it stands. */
export type Orders = ReadonlyMap<string, readonly Order[]>;

/** Folds the log into orders. Events of an order that was never placed make none. */
export function ordersOf(events: readonly LogEvent[]): Orders {
  const orders = new Map<string, Order[]>();
  for (const event of events) {
    if (!event.type.startsWith("order.")) continue;
    const { order_id } = event.data as { order_id: string };
    const past = orders.get(order_id);
    const now = after(past?.at(-1), event);
    if (now === undefined) continue;
    if (past === undefined) orders.set(order_id, [now]);
    else past.push(now);
  }
  return orders;
}

/** How each order stands. */
export const standing = (orders: Orders): Order[] =>
  [...orders.values()].flatMap((past) => past.at(-1) ?? []);

function after(before: Order | undefined, event: LogEvent): Order | undefined {
  const { type, data, position } = told(event);
  if (type === "order.placed") return placed(data, position);
  if (before === undefined) return undefined;
  switch (type) {
    case "order.status_changed": {
      const { to, at, courier_id = before.courier_id } = data;
      const closed_at = to === "delivered" ? at : before.closed_at;
      return { ...before, position, status: to, updated_at: at, closed_at, courier_id };
    }
    case "order.cancelled": {
      const { at, reason } = data;
      return {
        ...{ ...before, position, status: "cancelled", updated_at: at },
        ...{ closed_at: at, cancel_reason: reason },
      };
    }
    case "order.processed":
      return { ...before, position, updated_at: data.at, processed_at: data.at, processed_by: data.by };
    case "order.refunded": {
      const refunded_total_minor = before.refunded_total_minor + data.amount_minor;
      return { ...before, position, updated_at: data.at, refunded_total_minor };
    }
    default:
      return undefined;
  }
}

function placed(data: Placed, position: number): Order {
  return {
    placed: data,
    status: "pending",
    updated_at: data.placed_at,
    ...{ processed_at: null, processed_by: null, cancel_reason: null, closed_at: null, courier_id: null },
    refunded_total_minor: 0,
    position,
  };
}

/** What the menu asks for these lines, before any sale: the kitchen's work, and so what an order takes of slots. */
export function listPriceOf(
  items: readonly Pick<Line, "quantity" | "list_price_minor" | "extras">[],
): number {
  let sum = 0;
  for (const { quantity, list_price_minor, extras } of items) {
    sum += quantity * list_price_minor;
    for (const extra of extras) sum += quantity * extra.price_minor;
  }
  return sum;
}
