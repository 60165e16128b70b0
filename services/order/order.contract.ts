import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import {
  AfterParam,
  LocalDate,
  nullable,
  PageParams,
  pageOf,
  strictObject,
  Timestamp,
  Uuid,
} from "../../mixins/contract/schemas";
import { PartOfPhone, Phone } from "../../mixins/text/phone";
import { GivenCode, quoteMenu, WishedItem } from "../menu/menu.contract";
import { NOT_PLACED_REFUSAL, PROMO_REFUSALS } from "../quota/quota.contract";
import { placeInSlot } from "../slot/slot.contract";
import {
  DeskChannel,
  DisplayId,
  FreeText,
  FulfilmentSchema,
  HistoryEntry,
  OpenStatusSchema,
  OrderChangeSchema,
  OrderViewSchema,
  PaymentMethodSchema,
  PlacedOrderSchema,
  RefundSchema,
  ShopChannel,
  StepSchema,
  TrackToken,
} from "./order.schemas";

/** What people may order themselves has limits; see order.limits.ts. */
const LIMIT_REFUSALS: readonly string[] = [
  ...["order.confirmation_needed", "order.too_many_open", "order.too_much_unpaid", "order.too_fast"],
];
const PLACE_REFUSALS = [
  "order.address_required",
  "order.phone_invalid",
  "order.time_in_past",
  "order.price_changed",
  ...LIMIT_REFUSALS,
  NOT_PLACED_REFUSAL,
  ...PROMO_REFUSALS.filter((code) => code !== "promo.used_up"),
  "offer.over",
  ...(quoteMenu.refusals ?? []),
  // An unknown branch among them.
  ...(placeInSlot.refusals ?? []),
];

/** What a client may say about an order. Prices, fees and discounts are not among it: the server computes them. */
const Wish = {
  preferred_time: Type.Optional(Timestamp),
  branch_id: Type.Optional(Uuid),
  fulfilment: FulfilmentSchema,
  address: Type.Optional(FreeText(500)),
  customer: Type.Optional(strictObject({ name: Type.Optional(FreeText(100)), phone: Type.Optional(Phone) })),
  payment_method: PaymentMethodSchema,
  notes: Type.Optional(FreeText(1000)),
  items: Type.Array(WishedItem, { minItems: 1, maxItems: 100 }),
  promo_code: Type.Optional(GivenCode),
  expected_total_minor: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: "What the customer was shown as the total: any other is refused as order.price_changed",
    }),
  ),
};

/** A customer or a guest orders. The customer is the caller, whatever name and phone are to be called. */
export const placeOrder = contract({
  name: "order.place",
  summary: "Place an order from the shop",
  kind: "command",
  permission: "order.place",
  rate_per_minute: 30,
  params: strictObject({ ...Wish, channel: ShopChannel }),
  result: PlacedOrderSchema,
  rest: [{ method: "POST", path: "/api/v1/order", status: 201, fixed: { channel: "shop" } }],
  refusals: PLACE_REFUSALS,
});

/** The desk orders for somebody, by phone or at the till. It answers for what it takes: no limits on orders hold here. */
export const placeOrderAtDesk = contract({
  name: "order.place_at_desk",
  summary: "Place an order for a customer",
  kind: "command",
  permission: "order.place_for_others",
  params: strictObject({ ...Wish, channel: Type.Optional(DeskChannel) }),
  result: PlacedOrderSchema,
  rest: [{ method: "POST", path: "/api/v1/erp/orders", status: 201 }],
  refusals: [...PLACE_REFUSALS.filter((code) => !LIMIT_REFUSALS.includes(code)), "order.not_yours"],
});

/** The order that a command has placed, for rooms that derive command ids and lost the answer; null: none. */
export const orderPlacedBy = contract({
  name: "order.placed_by",
  summary: "The order that a command has placed",
  kind: "query",
  permission: "internal",
  params: strictObject({ command_id: Uuid }),
  result: strictObject({ order: nullable(PlacedOrderSchema) }),
});

const Page = { ...PageParams, ...AfterParam };
const OfBranch = { branch_id: Type.Optional(Uuid) };
const OneOrder = strictObject({ order_id: Uuid, ...AfterParam });

/**
 * Orders in work, oldest first. Kitchen roles and couriers get those that are visible to the kitchen by now; the desk gets
 * every open order, each with its `visible_at`.
 */
export const listActiveOrders = contract({
  name: "order.list_active",
  summary: "Active orders",
  kind: "query",
  permission: "order.read",
  params: strictObject({ ...OfBranch, status: Type.Optional(OpenStatusSchema), ...Page }),
  result: pageOf(OrderViewSchema),
  rest: [{ method: "GET", path: "/api/v1/erp/orders" }],
  refusals: ["order.not_yours", "input.cursor_malformed"],
});

export const listPendingOrders = contract({
  name: "order.list_pending",
  summary: "Open orders that are not yet visible to the kitchen",
  kind: "query",
  permission: "order.read",
  params: strictObject({ ...OfBranch, ...Page }),
  result: pageOf(OrderViewSchema),
  rest: [{ method: "GET", path: "/api/v1/erp/orders/pending" }],
  refusals: ["order.not_yours", "input.cursor_malformed"],
});

/** Pages of 50 of all orders whatever their status, oldest first: for those who copy them elsewhere. */
export const listOrderBatches = contract({
  name: "order.list_batch",
  summary: "All orders in pages of 50",
  kind: "query",
  permission: "order.read",
  params: strictObject({
    ...OfBranch,
    from: Type.Optional(Timestamp),
    cursor: PageParams.cursor,
    ...AfterParam,
  }),
  result: pageOf(OrderViewSchema),
  rest: [{ method: "GET", path: "/api/v1/erp/orders/batch" }],
  refusals: ["order.not_yours", "input.cursor_malformed"],
});

/** Newest first. Every criterion that is given must fit; a phone fits by its first or last digits, four at least. */
export const searchOrders = contract({
  name: "order.search",
  summary: "Find orders by phone, display id or date",
  kind: "query",
  permission: "order.search",
  params: strictObject({
    ...OfBranch,
    phone: Type.Optional(PartOfPhone),
    display_id: Type.Optional(DisplayId),
    date: Type.Optional(LocalDate),
    ...Page,
  }),
  result: pageOf(OrderViewSchema),
  rest: [{ method: "GET", path: "/api/v1/erp/orders/search" }],
  refusals: ["order.not_yours", "input.cursor_malformed"],
});

export const getOrder = contract({
  name: "order.get",
  summary: "One order, as the caller's role sees it",
  kind: "query",
  permission: "order.read",
  params: OneOrder,
  result: OrderViewSchema,
  rest: [{ method: "GET", path: "/api/v1/erp/orders/:order_id" }],
  refusals: ["order.unknown", "order.not_yours"],
});

export const getOrderHistory = contract({
  name: "order.history",
  summary: "The events of one order, as the caller's role sees them",
  kind: "query",
  permission: "order.read",
  params: strictObject({ order_id: Uuid }),
  result: strictObject({ order_id: Uuid, items: Type.Array(HistoryEntry) }),
  rest: [{ method: "GET", path: "/api/v1/erp/orders/:order_id/history" }],
  refusals: ["order.unknown", "order.not_yours"],
});

/** The desk has dealt with the order. A repetition under another key is refused, so that two people do not both do it. */
export const processOrder = contract({
  name: "order.process",
  summary: "Mark an order as processed by the desk",
  kind: "command",
  permission: "order.process",
  params: strictObject({ order_id: Uuid }),
  result: OrderChangeSchema,
  rest: [{ method: "POST", path: "/api/v1/erp/orders/:order_id/processed" }],
  refusals: ["order.unknown", "order.not_yours", "order.already_processed", "order.already_closed"],
});

export const advanceOrder = contract({
  name: "order.advance",
  summary: "Take an order to its next status",
  kind: "command",
  permission: "order.advance",
  params: strictObject({ order_id: Uuid, status: StepSchema }),
  result: OrderChangeSchema,
  rest: [{ method: "POST", path: "/api/v1/erp/orders/:order_id/status" }],
  refusals: [
    "order.unknown",
    "order.not_yours",
    "order.step_not_yours",
    "order.illegal_step",
    "order.already_closed",
  ],
});

const CANCEL_REFUSALS = ["order.unknown", "order.not_yours", "order.illegal_step", "order.already_closed"];

export const cancelOrder = contract({
  name: "order.cancel",
  summary: "Cancel an order and give its slot back",
  kind: "command",
  permission: "order.cancel",
  params: strictObject({ order_id: Uuid, reason: FreeText(500) }),
  result: OrderChangeSchema,
  rest: [{ method: "POST", path: "/api/v1/erp/orders/:order_id/cancel" }],
  refusals: CANCEL_REFUSALS,
});

/** Without `amount_minor`: everything that has not been refunded yet. */
export const refundOrder = contract({
  name: "order.refund",
  summary: "Record money given back",
  kind: "command",
  permission: "order.refund",
  params: strictObject({
    order_id: Uuid,
    amount_minor: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    reason: FreeText(500),
  }),
  result: RefundSchema,
  rest: [{ method: "POST", path: "/api/v1/erp/orders/:order_id/refund" }],
  refusals: [
    "order.unknown",
    "order.not_yours",
    "order.nothing_paid",
    "order.nothing_to_refund",
    "order.refund_too_large",
    "order.already_closed",
  ],
});

export const listMyOrders = contract({
  name: "order.list_mine",
  summary: "The orders that the caller placed, newest first",
  kind: "query",
  permission: "session",
  params: strictObject(Page),
  result: pageOf(OrderViewSchema),
  rest: [
    { method: "GET", path: "/api/v1/orders" },
    { method: "GET", path: "/api/orders" },
  ],
  refusals: ["input.cursor_malformed"],
});

export const getMyOrder = contract({
  name: "order.get_mine",
  summary: "One order that the caller placed",
  kind: "query",
  permission: "session",
  params: OneOrder,
  result: OrderViewSchema,
  rest: [{ method: "GET", path: "/api/v1/orders/:order_id" }],
  refusals: ["order.unknown", "order.not_yours"],
});

export const cancelMyOrder = contract({
  name: "order.cancel_mine",
  summary: "Cancel an order that the caller placed",
  kind: "command",
  permission: "session",
  params: strictObject({ order_id: Uuid, reason: Type.Optional(FreeText(500)) }),
  result: OrderChangeSchema,
  rest: [{ method: "POST", path: "/api/v1/orders/:order_id/cancel" }],
  refusals: CANCEL_REFUSALS,
});

/** Status, items and times for whoever holds the link; no personal data. */
export const trackOrder = contract({
  name: "order.track",
  summary: "Follow an order by its tracking token",
  kind: "query",
  permission: "public",
  params: strictObject({ token: TrackToken, ...AfterParam }),
  result: OrderViewSchema,
  rest: [{ method: "GET", path: "/api/v1/track/:token" }],
  refusals: ["order.unknown"],
});

export const cancelTrackedOrder = contract({
  name: "order.cancel_tracked",
  summary: "Cancel an order by its tracking token",
  kind: "command",
  permission: "public",
  rate_per_minute: 30,
  params: strictObject({ token: TrackToken, reason: Type.Optional(FreeText(500)) }),
  result: OrderChangeSchema,
  rest: [{ method: "POST", path: "/api/v1/track/:token/cancel" }],
  refusals: CANCEL_REFUSALS,
});

/** Every operation of this room; fixed paths stand before those with a parameter in the same place. */
export const orderContracts = [
  placeOrder,
  placeOrderAtDesk,
  listActiveOrders,
  listPendingOrders,
  listOrderBatches,
  searchOrders,
  getOrder,
  getOrderHistory,
  processOrder,
  advanceOrder,
  cancelOrder,
  refundOrder,
  listMyOrders,
  getMyOrder,
  cancelMyOrder,
  trackOrder,
  cancelTrackedOrder,
] as const;
