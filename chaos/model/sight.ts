import type { Facts, Line } from "./events";
import type { Order } from "./order";

/**
 * With whose eyes an order is seen: a tracking link shows the public view, cooks see what to cook, a customer their own order
 * but for what the desk notes of a refund, the desk everything.
 */
export type Sight = "public" | "kitchen" | "customer" | "desk";

type Fields = Readonly<Record<string, unknown>>;

/** An order as `GET /api/v1/erp/orders/:id` and `order:created` show it. */
export function orderSeen(sight: Sight, order: Order): Fields {
  const { placed, status, updated_at, processed_at, closed_at } = order;
  const { fulfilment, ready_at, visible_at, placed_at, preorder, shares } = placed;
  const [first] = shares;
  const seenByAll = {
    ...idsOf(order),
    ...{ status, fulfilment, ready_at, visible_at, placed_at, updated_at, preorder },
    slot: first && { slot_id: first.slot_id, start: first.start, end: first.end },
    items: placed.items.map(plainLine),
  };
  if (sight === "public") return seenByAll;
  const { business_date, channel, notes } = placed;
  const seenInside = { ...seenByAll, business_date, channel, processed_at, closed_at };
  // People write the codes of their doors into a delivery's notes.
  if (sight === "kitchen") return { ...seenInside, ...(fulfilment === "pickup" ? { notes } : {}) };
  const { customer, address, payment_method, currency, promo_code, preferred_time, menu_version } = placed;
  const { items_total_minor, delivery_fee_minor, discount_minor, total_minor, track_token } = placed;
  const { cancel_reason, refunded_total_minor, processed_by, courier_id } = order;
  return {
    ...{ ...seenInside, notes, customer, address, payment_method, currency, promo_code, preferred_time },
    ...{ menu_version, items_total_minor, delivery_fee_minor, discount_minor, total_minor },
    ...{ cancel_reason, refunded_total_minor, track_url: `/track/${track_token}` },
    items: placed.items.map(pricedLine),
    ...(sight === "desk" ? { processed_by, courier_id } : {}),
  };
}

function idsOf({ placed: { order_id, branch_id, display_id } }: Order): Fields {
  return { order_id, branch_id, display_id };
}

function plainLine({ kind, menu_item_id, name, quantity, extras, exclude_ingredients }: Line): Fields {
  const named = extras.map((extra) => ({ extra_id: extra.extra_id, name: extra.name }));
  return { kind, menu_item_id, name, quantity, extras: named, exclude_ingredients };
}

/** A line with its prices. */
export function pricedLine(line: Line): Fields {
  const { unit_price_minor, list_price_minor, flash_sale_id, line_total_minor, extras } = line;
  return {
    ...plainLine(line),
    extras,
    ...{ unit_price_minor, list_price_minor, flash_sale_id, line_total_minor },
  };
}

type ChangeType = "order.status_changed" | "order.cancelled" | "order.processed" | "order.refunded";

/** What `order:status:changed` says of an event; null: nothing to these eyes. */
export function changeSeen<Type extends ChangeType>(
  sight: Sight,
  type: Type,
  data: Facts[Type],
  refunded_total_minor: number,
): Fields | null {
  const { order_id, display_id, branch_id, business_date, placed_at, at, user_id } = data;
  const knowsWho = sight === "desk" || sight === "customer";
  const base = {
    ...{ order_id, display_id, branch_id, business_date, placed_at, at },
    ...(knowsWho ? { user_id } : {}),
  };
  if (type === "order.status_changed") {
    const { from, to } = data as Facts["order.status_changed"];
    return { ...base, from, status: to };
  }
  if (type === "order.cancelled") {
    const { from, reason } = data as Facts["order.cancelled"];
    return { ...base, from, status: "cancelled", ...(knowsWho ? { reason } : {}) };
  }
  if (type === "order.processed") {
    if (sight === "public" || sight === "customer") return null;
    return sight === "desk" ? { ...base, by: (data as Facts["order.processed"]).by } : base;
  }
  if (!knowsWho) return null;
  const { amount_minor, reason } = data as Facts["order.refunded"];
  return { ...base, amount_minor, refunded_total_minor, ...(sight === "desk" ? { reason } : {}) };
}
