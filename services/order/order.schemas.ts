import { Type } from "@sinclair/typebox";
import {
  literals,
  LocalDate,
  Minor,
  PositionSchema,
  strictObject,
  Timestamp,
  Uuid,
} from "../../mixins/contract/schemas";
import { readAs } from "../../mixins/text/forms";
import type { OrderChangeView, OrderView } from "./order.view";

/** Text that people type. */
export const FreeText = (maxLength: number) => Type.String({ minLength: 1, maxLength });

export const TrackToken = Type.String({ pattern: "^[A-Za-z0-9_-]{16,64}$", description: "From track_url" });
export const DisplayId = Type.String({
  ...readAs("display-id"),
  pattern: "^([A-Z]{1,2}-)?[0-9]{1,10}$",
  description: "The short number on the receipt, M-2339, or its digits alone",
});

export const FulfilmentSchema = literals("pickup", "delivery");
export const PaymentMethodSchema = literals("cash", "card", "card_online");
export const ChannelSchema = literals("shop", "erp", "grpc", "till");
/** Ways in through which people order for themselves. */
export const ShopChannel = literals("shop", "grpc");
/** Ways in through which the desk orders for others. */
export const DeskChannel = literals("erp", "till", "grpc");
/** The statuses that a step can lead to; cancelling and archiving are commands of their own. */
export const StepSchema = literals("preparing", "cooking", "ready", "delivery", "delivered");
export const OpenStatusSchema = literals("pending", "preparing", "cooking", "ready", "delivery");
export const StatusSchema = literals(
  "pending",
  "preparing",
  "cooking",
  "ready",
  "delivery",
  "delivered",
  "cancelled",
  "archived",
);

const Name = strictObject({ ru: Type.String(), en: Type.String() });
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

export const SlotRef = strictObject({ slot_id: Type.String(), start: Timestamp, end: Timestamp });

/** A line with its prices, as the answer to a placement shows it. */
export const PricedLine = strictObject({
  kind: literals("pizza", "set"),
  menu_item_id: Uuid,
  name: Name,
  quantity: Type.Integer(),
  extras: Type.Array(strictObject({ extra_id: Uuid, name: Name, price_minor: Minor })),
  exclude_ingredients: Type.Array(Type.String()),
  unit_price_minor: Minor,
  list_price_minor: Minor,
  flash_sale_id: Nullable(Uuid),
  line_total_minor: Minor,
});

const LineView = strictObject({
  ...PricedLine.properties,
  extras: Type.Array(strictObject({ extra_id: Uuid, name: Name, price_minor: Type.Optional(Minor) })),
  unit_price_minor: Type.Optional(Minor),
  list_price_minor: Type.Optional(Minor),
  flash_sale_id: Type.Optional(Nullable(Uuid)),
  line_total_minor: Type.Optional(Minor),
});

/** An order as the caller's role sees it; see `order.view.ts` for who sees what. */
export const OrderViewSchema = Type.Unsafe<OrderView>(
  strictObject({
    order_id: Uuid,
    branch_id: Uuid,
    display_id: Type.String(),
    status: StatusSchema,
    fulfilment: FulfilmentSchema,
    items: Type.Array(LineView),
    slot: SlotRef,
    ready_at: Timestamp,
    visible_at: Timestamp,
    placed_at: Timestamp,
    updated_at: Timestamp,
    preorder: Type.Boolean(),
    business_date: Type.Optional(LocalDate),
    channel: Type.Optional(ChannelSchema),
    notes: Type.Optional(Nullable(Type.String())),
    processed_at: Type.Optional(Nullable(Timestamp)),
    cancel_reason: Type.Optional(Nullable(Type.String())),
    closed_at: Type.Optional(Nullable(Timestamp)),
    customer: Type.Optional(
      strictObject({
        user_id: Type.Optional(Nullable(Uuid)),
        name: Nullable(Type.String()),
        phone: Nullable(Type.String()),
      }),
    ),
    address: Type.Optional(Nullable(Type.String())),
    payment_method: Type.Optional(PaymentMethodSchema),
    currency: Type.Optional(Type.String()),
    items_total_minor: Type.Optional(Minor),
    delivery_fee_minor: Type.Optional(Minor),
    discount_minor: Type.Optional(Minor),
    total_minor: Type.Optional(Minor),
    refunded_total_minor: Type.Optional(Minor),
    promo_code: Type.Optional(Nullable(Type.String())),
    preferred_time: Type.Optional(Nullable(Timestamp)),
    menu_version: Type.Optional(Type.Integer()),
    track_url: Type.Optional(Type.String()),
    processed_by: Type.Optional(Nullable(Uuid)),
    courier_id: Type.Optional(Nullable(Uuid)),
  }),
);

/** One event of an order as the caller's role sees it. */
export const HistoryEntry = strictObject({
  position: PositionSchema,
  version: Type.Integer({ minimum: 1 }),
  type: Type.String({ description: "E.g. order.status_changed" }),
  recorded_at: Timestamp,
  actor: Type.Optional(Type.String({ description: "User id, or system:<process>; for the desk only" })),
  data: Type.Unsafe<OrderView | OrderChangeView>(Type.Object({})),
});

/** What a command on an order came to. */
export const OrderChangeSchema = strictObject({
  order_id: Uuid,
  display_id: Type.String(),
  status: StatusSchema,
  at: Timestamp,
  position: PositionSchema,
});

export const RefundSchema = strictObject({
  ...OrderChangeSchema.properties,
  amount_minor: Minor,
  refunded_total_minor: Minor,
});

/** The answer to a placement. */
export const PlacedOrderSchema = strictObject({
  order_id: Uuid,
  display_id: Type.String({ description: "Short, readable, unique per branch and day" }),
  status: StatusSchema,
  items: Type.Array(PricedLine),
  items_total_minor: Minor,
  delivery_fee_minor: Minor,
  discount_minor: Minor,
  total_minor: Minor,
  currency: Type.String({ description: "ISO 4217" }),
  slot: SlotRef,
  ready_at: Timestamp,
  visible_at: Timestamp,
  track_url: Type.String(),
  position: PositionSchema,
  preorder: Type.Boolean({ description: "Placed outside opening hours or for another business day" }),
});
