/** Events of an order (stream `order-<order_id>`). The first one is written by the kitchen-day, in the same append that takes the capacity. */
import { personalData, type DataSubject, type PersonalData } from "../../mixins/event-log/personal-data";
import type { SlotShare } from "../slot/slot.events";

export type OrderStatus =
  "pending" | "preparing" | "cooking" | "ready" | "delivery" | "delivered" | "cancelled" | "archived";
export type Fulfilment = "pickup" | "delivery";
export type PaymentMethod = "cash" | "card" | "card_online";
export type Channel = "shop" | "erp" | "grpc" | "till";

/** Who ordered. Name and phone are sealed in the log, see {@link orderPersonalData}. */
export interface OrderCustomer {
  readonly user_id: string | null;
  readonly name: string | null;
  /** E.164 where it could be read as such. */
  readonly phone: string | null;
}

export interface OrderExtra {
  readonly extra_id: string;
  readonly name: { readonly ru: string; readonly en: string };
  readonly price_minor: number;
}

/** One line as priced by the server. `line_total_minor = quantity * (unit_price_minor + extras)`. */
export interface OrderLine {
  readonly kind: "pizza" | "set";
  readonly menu_item_id: string;
  readonly name: { readonly ru: string; readonly en: string };
  readonly quantity: number;
  /** Price of one without extras, flash sale already applied. */
  readonly unit_price_minor: number;
  /** Menu price before a flash sale; equal to `unit_price_minor` without one. */
  readonly list_price_minor: number;
  readonly flash_sale_id: string | null;
  readonly extras: readonly OrderExtra[];
  /** Names of ingredients to leave out. */
  readonly exclude_ingredients: readonly string[];
  readonly line_total_minor: number;
}

/**
 * What lines cost by the menu, extras included, before any sale or discount: the kitchen's work, which is what they take of
 * a slot's capacity.
 */
export function listTotalOf(
  items: readonly Pick<OrderLine, "quantity" | "list_price_minor" | "extras">[],
): number {
  return items.reduce(
    (sum, { quantity, list_price_minor, extras }) =>
      sum + quantity * extras.reduce((one, { price_minor }) => one + price_minor, list_price_minor),
    0,
  );
}

/** What an order has taken of a limited offer, a flash sale or a promo code; see `quota.events.ts`. */
export interface OrderHold {
  /** The id of the sale or the promo code. */
  readonly quota_id: string;
  readonly hold_id: string;
  readonly units: number;
}

/** What the order room knows before a slot is found. */
export interface OrderDraft {
  readonly order_id: string;
  readonly branch_id: string;
  readonly channel: Channel;
  readonly fulfilment: Fulfilment;
  readonly address: string | null;
  readonly customer: OrderCustomer;
  readonly payment_method: PaymentMethod;
  readonly notes: string | null;
  readonly currency: string;
  readonly menu_version: number;
  readonly items: readonly OrderLine[];
  readonly items_total_minor: number;
  readonly delivery_fee_minor: number;
  readonly discount_minor: number;
  readonly total_minor: number;
  readonly promo_code: string | null;
  /** Absent: nothing that is limited. */
  readonly holds?: readonly OrderHold[];
  readonly preferred_time: string | null;
  readonly track_token: string;
  readonly placed_at: string;
}

export type OrderPlaced = {
  readonly type: "order.placed";
  readonly data: OrderDraft & {
    readonly display_id: string;
    readonly business_date: string;
    /** In time order; one, unless the order was larger than a slot. */
    readonly shares: readonly SlotShare[];
    readonly ready_at: string;
    readonly visible_at: string;
    /** Placed outside opening hours or for another business day. */
    readonly preorder: boolean;
  };
};

/** Carried by every later event, so that sockets and projections need no look-up. */
interface OrderRef {
  readonly order_id: string;
  readonly branch_id: string;
  readonly display_id: string;
  readonly business_date: string;
  /** Of the order; the read model's partition key. */
  readonly placed_at: string;
  readonly fulfilment: Fulfilment;
  readonly user_id: string | null;
}

export type OrderStatusChanged = {
  readonly type: "order.status_changed";
  readonly data: OrderRef & {
    readonly from: OrderStatus;
    readonly to: OrderStatus;
    readonly at: string;
    /** The courier who has taken the delivery; absent: somebody else took the step. */
    readonly courier_id?: string;
  };
};
export type OrderCancelled = {
  readonly type: "order.cancelled";
  readonly data: OrderRef & {
    readonly from: OrderStatus;
    readonly reason: string;
    readonly at: string;
    readonly shares: readonly SlotShare[];
    /** What it had of limited offers. */
    readonly holds?: readonly OrderHold[];
  };
};
export type OrderProcessed = {
  readonly type: "order.processed";
  readonly data: OrderRef & { readonly by: string | null; readonly at: string };
};
export type OrderRefunded = {
  readonly type: "order.refunded";
  readonly data: OrderRef & {
    readonly amount_minor: number;
    readonly refunded_total_minor: number;
    readonly reason: string;
    readonly at: string;
  };
};
export type OrderArchived = {
  readonly type: "order.archived";
  readonly data: OrderRef & { readonly from: OrderStatus; readonly at: string };
};
export type OrderEvent =
  OrderPlaced | OrderStatusChanged | OrderCancelled | OrderProcessed | OrderRefunded | OrderArchived;

/** What of an order's events is about a person. Free text too: people write names, door codes and illnesses into it. */
export const orderPersonalData: readonly PersonalData[] = [
  personalData<OrderPlaced>(
    "order.placed",
    ["customer.name", "customer.phone", "address", "notes"],
    ({ customer }) => ({ person_id: customer.user_id, phone: customer.phone }),
  ),
  personalData<OrderCancelled>("order.cancelled", ["reason"], ofCustomer),
  personalData<OrderRefunded>("order.refunded", ["reason"], ofCustomer),
];

/** An order that had nothing personal until then gave no phone either. */
function ofCustomer({ user_id }: OrderRef): DataSubject {
  return { person_id: user_id, phone: null };
}

/** How the streams of orders begin. */
export const ORDER_STREAMS = "order-";

/** Stream of an order. */
export const orderStream = (order_id: string): string => `${ORDER_STREAMS}${order_id}`;
