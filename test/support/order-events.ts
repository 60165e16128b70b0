import { randomUUID } from "node:crypto";
import {
  orderStream,
  type OrderPlaced,
  type OrderStatus,
  type OrderStatusChanged,
} from "../../services/order/order.events";
import { kitchenDayStream, type SlotView } from "../../services/slot/slot.events";

export const BRANCH_A = "01990000-0000-7000-8000-00000000000a";
export const BRANCH_B = "01990000-0000-7000-8000-00000000000b";
/** What no cook may ever see on the wire. */
export const PHONE = "+79135550123";
export const ADDRESS = "Lenin street 5, flat 17";

export interface SampleOrder {
  readonly order_id: string;
  readonly branch_id: string;
  readonly user_id: string | null;
  readonly notes?: string;
}

export const sampleOrder = (order: Partial<SampleOrder> = {}): SampleOrder => ({
  order_id: randomUUID(),
  branch_id: BRANCH_A,
  user_id: null,
  ...order,
});

export function placed({
  order_id,
  branch_id,
  user_id,
  notes,
}: SampleOrder): OrderPlaced & { stream_id: string } {
  const at = "2026-01-01T10:00:00.000Z";
  const slot = {
    slot_id: `${branch_id}_20260101T1030Z`,
    start: "2026-01-01T10:30:00.000Z",
    end: "2026-01-01T10:45:00.000Z",
  };
  const name = { ru: "Пепперони", en: "Pepperoni" };
  return {
    type: "order.placed",
    stream_id: orderStream(order_id),
    data: {
      ...{ order_id, branch_id, channel: "shop", fulfilment: "delivery", address: ADDRESS },
      customer: { user_id, name: "Anna", phone: PHONE },
      ...{ payment_method: "cash", notes: notes ?? null, currency: "RUB", menu_version: 1 },
      items: [
        {
          ...{ kind: "pizza", menu_item_id: "01990000-0000-7000-8000-000000000001", name, quantity: 2 },
          ...{ unit_price_minor: 54_900, list_price_minor: 54_900, flash_sale_id: null },
          ...{ extras: [], exclude_ingredients: ["basil"], line_total_minor: 109_800 },
        },
      ],
      ...{ items_total_minor: 109_800, delivery_fee_minor: 0, discount_minor: 0, total_minor: 109_800 },
      ...{ promo_code: null, preferred_time: null, track_token: `track-${order_id}`, placed_at: at },
      ...{ display_id: "K-1", business_date: "2026-01-01", shares: [{ ...slot, amount_minor: 109_800 }] },
      ...{ ready_at: slot.end, visible_at: at, preorder: false },
    },
  };
}

const refOf = ({ order_id, branch_id, user_id }: SampleOrder) => ({
  ...{ order_id, branch_id, user_id, display_id: "K-1", business_date: "2026-01-01" },
  fulfilment: "delivery" as const,
  ...{ placed_at: "2026-01-01T10:00:00.000Z", at: "2026-01-01T10:05:00.000Z" },
});

export function stepped(
  order: SampleOrder,
  from: OrderStatus,
  to: OrderStatus,
): OrderStatusChanged & { stream_id: string } {
  return {
    type: "order.status_changed",
    stream_id: orderStream(order.order_id),
    data: { ...refOf(order), from, to },
  };
}

export const cancelled = (order: SampleOrder) => ({
  type: "order.cancelled" as const,
  stream_id: orderStream(order.order_id),
  data: { ...refOf(order), from: "pending" as const, reason: "changed their mind", shares: [] },
});

export const refunded = (order: SampleOrder) => ({
  type: "order.refunded" as const,
  stream_id: orderStream(order.order_id),
  data: { ...refOf(order), amount_minor: 100, refunded_total_minor: 100, reason: "cold pizza" },
});

export function slotBooked(branch_id: string, load_minor = 109_800) {
  const slot: SlotView = {
    ...{ slot_id: `${branch_id}_20260101T1030Z`, branch_id, start: "2026-01-01T10:30:00.000Z" },
    ...{
      end: "2026-01-01T10:45:00.000Z",
      capacity_minor: 1_000_000,
      load_minor,
      orders_count: 1,
      delivery_count: 1,
    },
    ...{ pickup_count: 0, delivery_plan: null, pickup_plan: null, disabled: false },
  };
  return {
    type: "slot.booked" as const,
    stream_id: kitchenDayStream(branch_id, "2026-01-01"),
    data: {
      ...{ branch_id, business_date: "2026-01-01", slots: [slot], order_id: randomUUID(), number: 1 },
      ...{ fulfilment: "delivery", shares: [], visible_at: "2026-01-01T10:00:00.000Z" },
    },
  };
}

export const menuPublished = (version: number) => ({
  type: "menu.published" as const,
  stream_id: "menu",
  data: {
    version,
    published_at: "2026-01-01T09:00:00.000Z",
    published_by: "boss",
    note: "secret",
    restored_from: null,
    changed: ["x"],
  },
});
