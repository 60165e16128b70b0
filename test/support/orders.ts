import type { Caller } from "../../mixins/contract/caller";
import type { OrderCancelled, OrderEvent, OrderLine, OrderPlaced } from "../../services/order/order.events";

/** UUIDs that tests can read: the last digits are the number. */
export const uuidOf = (number: number, kind = "0"): string =>
  `01900000-0000-7000-800${kind}-${number.toString(16).padStart(12, "0")}`;

export const BRANCH = uuidOf(1, "b");
export const OTHER_BRANCH = uuidOf(2, "b");
export const CUSTOMER = uuidOf(1, "c");
export const PLACED_AT = "2026-03-10T09:00:00.000Z";

export const manager: Caller = { role: "manager", user_id: uuidOf(1, "a"), branch_ids: [BRANCH] };
export const cook: Caller = { role: "cook", user_id: uuidOf(2, "a"), branch_ids: [BRANCH] };
export const courier: Caller = { role: "courier", user_id: uuidOf(3, "a"), branch_ids: [BRANCH] };
export const customer: Caller = { role: "customer", user_id: CUSTOMER, branch_ids: null };

export function orderLine(changes: Partial<OrderLine> = {}): OrderLine {
  return {
    kind: "pizza",
    menu_item_id: uuidOf(1, "d"),
    name: { ru: "Пепперони", en: "Pepperoni" },
    quantity: 2,
    unit_price_minor: 54_900,
    list_price_minor: 59_900,
    flash_sale_id: uuidOf(1, "f"),
    extras: [
      { extra_id: uuidOf(1, "e"), name: { ru: "Сырный бортик", en: "Cheese crust" }, price_minor: 19_900 },
    ],
    exclude_ingredients: ["Лук"],
    line_total_minor: 149_600,
    ...changes,
  };
}

/** One line of one piece that costs an amount by the menu. */
export const lineOf = (amount_minor: number): OrderLine =>
  orderLine({
    ...{ quantity: 1, unit_price_minor: amount_minor, list_price_minor: amount_minor },
    ...{ flash_sale_id: null, extras: [], line_total_minor: amount_minor },
  });

/** An order as it was placed: a delivery at a discount, with everything filled in. */
export function placed(number: number, changes: Partial<OrderPlaced["data"]> = {}): OrderPlaced {
  const start = "2026-03-10T09:30:00.000Z";
  const end = "2026-03-10T09:45:00.000Z";
  return {
    type: "order.placed",
    data: {
      order_id: uuidOf(number),
      branch_id: BRANCH,
      channel: "shop",
      fulfilment: "delivery",
      address: "ул. Мира, 7",
      customer: { user_id: CUSTOMER, name: "Анна", phone: "+79231234567" },
      payment_method: "cash",
      notes: "без лука",
      currency: "RUB",
      menu_version: 3,
      items: [orderLine(), orderLine({ kind: "set", extras: [], exclude_ingredients: [] })],
      items_total_minor: 299_200,
      delivery_fee_minor: 19_900,
      discount_minor: 10_000,
      total_minor: 309_100,
      promo_code: "SPRING",
      preferred_time: null,
      track_token: `token-${String(number).padStart(16, "0")}`,
      placed_at: PLACED_AT,
      display_id: `K-${String(number).padStart(3, "0")}`,
      business_date: "2026-03-10",
      shares: [{ slot_id: `${BRANCH}_20260310T0930Z`, start, end, amount_minor: 309_100 }],
      ready_at: end,
      visible_at: PLACED_AT,
      preorder: false,
      ...changes,
    },
  };
}

/** What the later events of an order repeat of it. */
export function refOf({ data }: OrderPlaced) {
  const { order_id, branch_id, display_id, business_date, placed_at, fulfilment, customer } = data;
  const { user_id } = customer;
  return { order_id, branch_id, display_id, business_date, placed_at, fulfilment, user_id };
}

type Status = Extract<OrderEvent, { type: "order.status_changed" }>["data"]["to"];

export function stepped(
  order: OrderPlaced,
  from: Status,
  to: Status,
  at = "2026-03-10T09:10:00.000Z",
): OrderEvent {
  const carried = to === "delivery" || (to === "delivered" && from === "delivery");
  const by = carried ? { courier_id: courier.user_id ?? "" } : {};
  return { type: "order.status_changed", data: { ...refOf(order), from, to, at, ...by } };
}

export function cancelled(order: OrderPlaced, at = "2026-03-10T09:20:00.000Z"): OrderCancelled {
  const data = {
    ...refOf(order),
    from: "pending" as const,
    reason: "передумали",
    at,
    shares: order.data.shares,
  };
  return { type: "order.cancelled", data };
}

/** The steps that lead a delivery from `pending` to this status. */
export function stepsTo(order: OrderPlaced, status: Status): OrderEvent[] {
  const road: Status[] =
    order.data.fulfilment === "delivery"
      ? ["pending", "preparing", "cooking", "ready", "delivery", "delivered"]
      : ["pending", "preparing", "cooking", "ready", "delivered"];
  const end = road.indexOf(status);
  return road.slice(1, end + 1).map((to, index) => stepped(order, road[index] ?? "pending", to));
}
