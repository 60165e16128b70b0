/**
 * What an order shows to whom, field by field: written from the documents, so that the product is held against it. A path
 * like `items[].name.ru` is a member of each line; gRPC leaves out what is null.
 */

/** With whose eyes an order is seen. The order is a delivery: its free text, where door codes stand, is not the kitchen's. */
export type Sight = "public" | "kitchen" | "courier" | "customer" | "desk";
type Paths = readonly string[];
type Event =
  "order.placed" | "order.status_changed" | "order.processed" | "order.refunded" | "order.cancelled";

const words = (text: string): Paths => text.split(/\s+/).filter((word) => word !== "");

const PUBLIC =
  words(`order_id branch_id display_id status fulfilment ready_at visible_at placed_at updated_at preorder
  slot.slot_id slot.start slot.end items[].kind items[].menu_item_id items[].name.ru items[].name.en items[].quantity
  items[].extras[].extra_id items[].extras[].name.ru items[].extras[].name.en items[].exclude_ingredients[]`);
const KITCHEN = [...PUBLIC, ...words("business_date channel processed_at closed_at")];
const COURIER = [
  ...KITCHEN,
  ...words("notes customer.name customer.phone address payment_method currency total_minor"),
];
const CUSTOMER = [
  ...COURIER,
  ...words(`cancel_reason customer.user_id items_total_minor delivery_fee_minor discount_minor refunded_total_minor promo_code
    preferred_time menu_version track_url items[].extras[].price_minor items[].unit_price_minor items[].list_price_minor
    items[].flash_sale_id items[].line_total_minor`),
];

/** Fields of an order. */
export const ORDER: Readonly<Record<Sight, Paths>> = {
  public: PUBLIC,
  kitchen: KITCHEN,
  courier: COURIER,
  customer: CUSTOMER,
  desk: [...CUSTOMER, "processed_by", "courier_id"],
};

const CHANGE = words("order_id display_id branch_id business_date placed_at at");
const STEP = [...CHANGE, "from", "status"];
const REFUND = [...CHANGE, ...words("user_id amount_minor refunded_total_minor")];

/** Fields of what is told of each event; an event that is not there is not told. */
export const EVENTS: Readonly<Record<Sight, Partial<Record<Event, Paths>>>> = {
  public: { "order.placed": PUBLIC, "order.status_changed": STEP, "order.cancelled": STEP },
  kitchen: {
    ...{ "order.placed": KITCHEN, "order.status_changed": STEP },
    ...{ "order.processed": CHANGE, "order.cancelled": STEP },
  },
  courier: {
    ...{ "order.placed": COURIER, "order.status_changed": STEP },
    ...{ "order.processed": CHANGE, "order.cancelled": STEP },
  },
  customer: {
    ...{ "order.placed": CUSTOMER, "order.status_changed": [...STEP, "user_id"], "order.refunded": REFUND },
    "order.cancelled": [...STEP, "user_id", "reason"],
  },
  desk: {
    "order.placed": ORDER.desk,
    "order.status_changed": [...STEP, "user_id"],
    "order.processed": [...CHANGE, "user_id", "by"],
    "order.refunded": [...REFUND, "reason"],
    "order.cancelled": [...STEP, "user_id", "reason"],
  },
};

const WIRE_PUBLIC = PUBLIC;
const WIRE_COURIER = words("notes customer.name customer.phone address payment_method currency total_minor");
const WIRE_CUSTOMER =
  words(`items_total_minor delivery_fee_minor discount_minor refunded_total_minor track_url
  items[].extras[].price_minor items[].unit_price_minor items[].list_price_minor items[].line_total_minor`);

/** Fields of a gRPC `Order` that was just placed. */
export const WIRE_ORDER: Readonly<Record<Sight, Paths>> = {
  public: WIRE_PUBLIC,
  kitchen: WIRE_PUBLIC,
  courier: [...WIRE_PUBLIC, ...WIRE_COURIER],
  customer: [...WIRE_PUBLIC, ...WIRE_COURIER, ...WIRE_CUSTOMER],
  desk: [...WIRE_PUBLIC, ...WIRE_COURIER, ...WIRE_CUSTOMER],
};

/** What `WatchOrder` tells of each event beside position, type, time and status. */
export const WIRE_EVENTS: Readonly<Record<Sight, Partial<Record<Event, Paths>>>> = {
  public: { "order.placed": inOrder("public"), "order.status_changed": [], "order.cancelled": [] },
  kitchen: {
    ...{ "order.placed": inOrder("kitchen"), "order.status_changed": [], "order.processed": [] },
    "order.cancelled": [],
  },
  courier: {
    ...{ "order.placed": inOrder("courier"), "order.status_changed": [], "order.processed": [] },
    "order.cancelled": [],
  },
  customer: {
    ...{ "order.placed": inOrder("customer"), "order.status_changed": [], "order.cancelled": ["reason"] },
    "order.refunded": ["refunded_total_minor"],
  },
  desk: {
    ...{ "order.placed": inOrder("desk"), "order.status_changed": [], "order.processed": [] },
    ...{ "order.refunded": ["reason", "refunded_total_minor"], "order.cancelled": ["reason"] },
  },
};

function inOrder(sight: Sight): Paths {
  return WIRE_ORDER[sight].map((path) => `order.${path}`);
}

/** The members of some data, as paths, sorted. A protobuf timestamp is one member. */
export function pathsOf(
  value: unknown,
  path = "",
  counts: (member: unknown) => boolean = () => true,
): string[] {
  if (Array.isArray(value))
    return [...new Set(value.flatMap((each) => pathsOf(each, `${path}[]`, counts)))].sort();
  if (typeof value !== "object" || value === null || "nanos" in value) return [path];
  return Object.entries(value)
    .filter(([, member]) => counts(member))
    .flatMap(([name, member]) => pathsOf(member, path === "" ? name : `${path}.${name}`, counts))
    .sort();
}

/** The same of a protobuf message, whose absent messages read as null. */
export function wirePathsOf(message: unknown): string[] {
  return pathsOf(message, "", (member) => member !== null);
}

/** The same paths in the order of {@link pathsOf}, for comparing. */
export const sorted = (paths: Paths): string[] => [...paths].sort();
