import type { Role } from "../../mixins/contract/caller";
import type {
  Channel,
  Fulfilment,
  OrderEvent,
  OrderExtra,
  OrderLine,
  OrderPlaced,
  OrderStatus,
  PaymentMethod,
} from "./order.events";

/**
 * What each role sees of an order: the one place that decides it, for REST, gRPC and sockets alike; which orders, is decided in
 * `order.reach.ts`. The caller's role comes from a verified token, never from a parameter.
 *
 * - desk (super_admin, manager, system): everything
 * - kitchen (cook, technologist): what to cook and by when; no person, phone, address, payment or price, and no free text of
 *   a delivery, where people write their door codes
 * - courier: where to, whom to call and what to collect; no discount, promo code or price by line
 * - customer: everything of their order, but what the desk noted about a refund
 * - guest: the public view of a tracking link; status, items and times
 */
type Audience = "desk" | "kitchen" | "courier" | "customer" | "public";

const AUDIENCE: Readonly<Record<Role, Audience>> = {
  super_admin: "desk",
  manager: "desk",
  system: "desk",
  cook: "kitchen",
  technologist: "kitchen",
  courier: "courier",
  customer: "customer",
  guest: "public",
};

/** What happened to an order after it was placed. */
export interface OrderProgress {
  readonly status: OrderStatus;
  readonly updated_at: string;
  readonly processed_at: string | null;
  readonly processed_by: string | null;
  readonly cancel_reason: string | null;
  readonly refunded_total_minor: number;
  readonly closed_at: string | null;
  readonly courier_id: string | null;
}

/** An order as it was placed, with what is known of its progress (absent: as just placed). */
export type OrderFacts = OrderPlaced["data"] & Partial<OrderProgress>;

/** One line; the money is there for those who may see it. */
export interface OrderLineView {
  kind: OrderLine["kind"];
  menu_item_id: string;
  name: { ru: string; en: string };
  quantity: number;
  extras: { extra_id: string; name: { ru: string; en: string }; price_minor?: number }[];
  exclude_ingredients: string[];
  unit_price_minor?: number;
  list_price_minor?: number;
  flash_sale_id?: string | null;
  line_total_minor?: number;
}

/** An order as one role sees it. The first block is public; an optional field that is absent is not for this role. */
export interface OrderView {
  order_id: string;
  branch_id: string;
  display_id: string;
  status: OrderStatus;
  fulfilment: Fulfilment;
  items: OrderLineView[];
  slot: { slot_id: string; start: string; end: string };
  ready_at: string;
  visible_at: string;
  placed_at: string;
  updated_at: string;
  preorder: boolean;

  business_date?: string;
  channel?: Channel;
  notes?: string | null;
  processed_at?: string | null;
  cancel_reason?: string | null;
  closed_at?: string | null;

  customer?: { user_id?: string | null; name: string | null; phone: string | null };
  address?: string | null;
  payment_method?: PaymentMethod;
  currency?: string;
  items_total_minor?: number;
  delivery_fee_minor?: number;
  discount_minor?: number;
  total_minor?: number;
  refunded_total_minor?: number;
  promo_code?: string | null;
  preferred_time?: string | null;
  menu_version?: number;
  track_url?: string;
  processed_by?: string | null;
  courier_id?: string | null;
}

/** A later event of an order as one role sees it. */
export interface OrderChangeView {
  order_id: string;
  display_id: string;
  branch_id: string;
  business_date: string;
  placed_at: string;
  at: string;
  from?: OrderStatus;
  /** Status after the event, where it changes the status. */
  status?: OrderStatus;
  reason?: string;
  amount_minor?: number;
  refunded_total_minor?: number;
  user_id?: string | null;
  by?: string | null;
}

/** Where a customer follows an order. */
export const trackUrl = (track_token: string): string => `/track/${track_token}`;

/** One order as a role sees it. Whether the order is the caller's business is asked before, by `maySee`. */
export function orderViewFor(role: Role, order: OrderFacts): OrderView {
  const audience = AUDIENCE[role];
  switch (audience) {
    case "public":
      return publicView(order);
    case "kitchen":
      return kitchenView(order);
    case "courier":
      return courierView(order);
    case "customer":
      return fullView(order);
    case "desk":
      return {
        ...fullView(order),
        processed_by: order.processed_by ?? null,
        courier_id: order.courier_id ?? null,
      };
  }
}

/**
 * One event as a role hears of it the moment it happens; null when it is none of its business. A delivery becomes a courier's
 * when it is ready; then they read where to.
 */
export function newsViewFor(role: Role, event: OrderEvent): OrderView | OrderChangeView | null {
  return AUDIENCE[role] === "courier" && !isCouriersNews(event) ? null : eventViewFor(role, event);
}

function isCouriersNews(event: OrderEvent): boolean {
  if (event.data.fulfilment !== "delivery") return false;
  if (event.type === "order.cancelled") return event.data.from === "ready";
  return event.type === "order.status_changed" && ["ready", "delivery", "delivered"].includes(event.data.to);
}

/** One event of an order that a caller may see, as their role sees it; null when it is none of its business. */
export function eventViewFor(role: Role, event: OrderEvent): OrderView | OrderChangeView | null {
  const audience = AUDIENCE[role];
  const seesPerson = audience === "desk" || audience === "customer";
  if (event.type === "order.placed") return orderViewFor(role, event.data);
  const { order_id, display_id, branch_id, business_date, placed_at, user_id, at } = event.data;
  const base = {
    ...{ order_id, display_id, branch_id, business_date, placed_at, at },
    ...(seesPerson ? { user_id } : {}),
  };
  switch (event.type) {
    case "order.status_changed":
      return { ...base, from: event.data.from, status: event.data.to };
    case "order.cancelled": {
      const { from, reason } = event.data;
      return { ...base, from, status: "cancelled", ...(seesPerson ? { reason } : {}) };
    }
    case "order.processed":
      if (audience === "public" || audience === "customer") return null;
      return { ...base, ...(audience === "desk" ? { by: event.data.by } : {}) };
    case "order.refunded": {
      if (!seesPerson) return null;
      const { amount_minor, refunded_total_minor, reason } = event.data;
      return { ...base, amount_minor, refunded_total_minor, ...(audience === "desk" ? { reason } : {}) };
    }
    case "order.archived":
      return audience === "desk" ? { ...base, from: event.data.from, status: "archived" } : null;
  }
}

function publicView(order: OrderFacts): OrderView {
  const first = order.shares[0];
  if (first === undefined) throw new Error(`order ${order.order_id} holds no slot`);
  return {
    order_id: order.order_id,
    branch_id: order.branch_id,
    display_id: order.display_id,
    status: order.status ?? "pending",
    fulfilment: order.fulfilment,
    items: order.items.map(plainLine),
    slot: { slot_id: first.slot_id, start: first.start, end: first.end },
    ready_at: order.ready_at,
    visible_at: order.visible_at,
    placed_at: order.placed_at,
    updated_at: order.updated_at ?? order.placed_at,
    preorder: order.preorder,
  };
}

function kitchenView(order: OrderFacts): OrderView {
  return {
    ...publicView(order),
    business_date: order.business_date,
    channel: order.channel,
    ...(order.fulfilment === "pickup" ? { notes: order.notes } : {}),
    processed_at: order.processed_at ?? null,
    closed_at: order.closed_at ?? null,
  };
}

function courierView(order: OrderFacts): OrderView {
  return {
    ...kitchenView(order),
    notes: order.notes,
    customer: { name: order.customer.name, phone: order.customer.phone },
    address: order.address,
    payment_method: order.payment_method,
    currency: order.currency,
    total_minor: order.total_minor,
  };
}

function fullView(order: OrderFacts): OrderView {
  return {
    ...courierView(order),
    items: order.items.map(pricedLine),
    customer: { ...order.customer },
    cancel_reason: order.cancel_reason ?? null,
    items_total_minor: order.items_total_minor,
    delivery_fee_minor: order.delivery_fee_minor,
    discount_minor: order.discount_minor,
    refunded_total_minor: order.refunded_total_minor ?? 0,
    promo_code: order.promo_code,
    preferred_time: order.preferred_time,
    menu_version: order.menu_version,
    track_url: trackUrl(order.track_token),
  };
}

function plainLine(line: OrderLine): OrderLineView {
  return {
    kind: line.kind,
    menu_item_id: line.menu_item_id,
    name: { ...line.name },
    quantity: line.quantity,
    extras: line.extras.map(({ extra_id, name }: OrderExtra) => ({ extra_id, name: { ...name } })),
    exclude_ingredients: [...line.exclude_ingredients],
  };
}

/** A line with its prices, as the answer to a placement shows it too. */
export interface PricedLineView extends Required<OrderLineView> {
  extras: { extra_id: string; name: { ru: string; en: string }; price_minor: number }[];
}

export function pricedLine(line: OrderLine): PricedLineView {
  return {
    ...plainLine(line),
    extras: line.extras.map((extra) => ({ ...extra, name: { ...extra.name } })),
    unit_price_minor: line.unit_price_minor,
    list_price_minor: line.list_price_minor,
    flash_sale_id: line.flash_sale_id,
    line_total_minor: line.line_total_minor,
  };
}
