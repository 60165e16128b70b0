import type { ParamsOf, ResultOf } from "../../../mixins/contract/contract";
import { RefusedError, refuse } from "../../../mixins/contract/refusal";
import type { placeOrder } from "../../order/order.contract";
import type { OrderStatus } from "../../order/order.events";
import type { OrderLineView, OrderView } from "../../order/order.view";
import type { listSlots } from "../../slot/slot.contract";
import type {
  CreateOrderRequest,
  CreateOrderResponse,
  ProtoEnum,
  ProtoOrder,
  ProtoOrderLine,
  ProtoSlot,
  ProtoSlotRef,
  ProtoTimestamp,
} from "./order-messages";

/** What is set, without what is undefined or null: how an optional field of proto3 is left out. */
type Set<T> = { [K in keyof T]?: Exclude<T[K], undefined | null> };

export function setOnly<T extends object>(fields: T): Set<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as Set<T>;
}

/** RFC 3339 to google.protobuf.Timestamp, with all its fractional digits. */
export function toTimestamp(text: string): ProtoTimestamp {
  const seconds = Math.floor(Date.parse(text) / 1000);
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? "";
  return { seconds, nanos: Number(fraction.padEnd(9, "0")) };
}

/**
 * google.protobuf.Timestamp to RFC 3339, to the millisecond.
 * @throws RefusedError `input.invalid` when it is outside the years that a Date can say.
 */
export function fromTimestamp(field: string, time: ProtoTimestamp | null): string | undefined {
  if (time === null) return undefined;
  const date = new Date(time.seconds * 1000 + Math.floor(time.nanos / 1e6));
  const year = date.getUTCFullYear();
  if (Number.isNaN(year) || year < 1 || year > 9999 || time.nanos < 0 || time.nanos > 999_999_999) {
    throw new RefusedError(
      refuse("invalid", "input.invalid", "The request does not fit its contract; see errors.", {
        errors: [{ path: `/${field}`, message: "is not a valid google.protobuf.Timestamp" }],
      }),
    );
  }
  return date.toISOString();
}

/** `card_online` ↔ `PAYMENT_METHOD_CARD_ONLINE`. */
const toEnum = (prefix: string, word: string): string => `${prefix}_${word.toUpperCase()}`;

/** The word of an enum's name; undefined when it is unspecified or unknown here, which the contract then refuses. */
function fromEnum(prefix: string, name: ProtoEnum): string | undefined {
  const word = String(name).startsWith(`${prefix}_`) ? String(name).slice(prefix.length + 1) : "UNSPECIFIED";
  return word === "UNSPECIFIED" ? undefined : word.toLowerCase();
}

export const toStatus = (status: OrderStatus): string => toEnum("ORDER_STATUS", status);

/** The parameters of a placement. An unset enum stays out, so that the contract says what is missing. */
export function placementOf(request: CreateOrderRequest): ParamsOf<typeof placeOrder> {
  const { branch_id, address, notes, promo_code, expected_total_minor, customer, items } = request;
  const params = {
    ...setOnly({ branch_id, address, notes, promo_code, expected_total_minor }),
    ...setOnly({
      fulfilment: fromEnum("FULFILMENT", request.fulfilment),
      payment_method: fromEnum("PAYMENT_METHOD", request.payment_method),
      preferred_time: fromTimestamp("preferred_time", request.preferred_time),
      customer: customer && setOnly({ name: customer.name, phone: customer.phone }),
    }),
    items: items.map(({ menu_item_id, name, quantity, extras, exclude_ingredients }) => ({
      ...setOnly({ menu_item_id, name }),
      ...{ quantity, extras, exclude_ingredients },
    })),
    channel: "grpc",
  };
  // Not yet what its type says: the action's contract checks it, as it does what REST brings.
  return params as ParamsOf<typeof placeOrder>;
}

export function toCreateOrderResponse(placed: ResultOf<typeof placeOrder>): CreateOrderResponse {
  const { order_id, display_id, items_total_minor, delivery_fee_minor, discount_minor, total_minor } = placed;
  const { currency, track_url, position, preorder } = placed;
  return {
    ...{ order_id, display_id, items_total_minor, delivery_fee_minor, discount_minor, total_minor },
    ...{ currency, track_url, position, preorder },
    status: toStatus(placed.status),
    slot: toSlotRef(placed.slot),
    ready_at: toTimestamp(placed.ready_at),
    visible_at: toTimestamp(placed.visible_at),
    items: placed.items.map(toLine),
  };
}

export function toOrder(view: OrderView): ProtoOrder {
  const { order_id, display_id, preorder, customer, payment_method } = view;
  const { branch_id, notes, address, currency, cancel_reason, track_url } = view;
  const { items_total_minor, delivery_fee_minor, discount_minor, total_minor, refunded_total_minor } = view;
  return {
    ...{ order_id, display_id, preorder },
    status: toStatus(view.status),
    fulfilment: toEnum("FULFILMENT", view.fulfilment),
    items: view.items.map(toLine),
    slot: toSlotRef(view.slot),
    ready_at: toTimestamp(view.ready_at),
    visible_at: toTimestamp(view.visible_at),
    placed_at: toTimestamp(view.placed_at),
    updated_at: toTimestamp(view.updated_at),
    ...setOnly({ branch_id, notes, address, currency, cancel_reason, track_url }),
    ...setOnly({ items_total_minor, delivery_fee_minor, discount_minor, total_minor, refunded_total_minor }),
    ...setOnly({
      customer: customer && setOnly({ name: customer.name, phone: customer.phone }),
      payment_method: payment_method && toEnum("PAYMENT_METHOD", payment_method),
    }),
  };
}

function toLine(line: OrderLineView): ProtoOrderLine {
  const { kind, menu_item_id, name, quantity, exclude_ingredients } = line;
  const { unit_price_minor, list_price_minor, line_total_minor } = line;
  return {
    ...{ kind, menu_item_id, name, quantity, exclude_ingredients },
    extras: line.extras.map((extra) => ({
      ...{ extra_id: extra.extra_id, name: extra.name },
      ...setOnly({ price_minor: extra.price_minor }),
    })),
    ...setOnly({ unit_price_minor, list_price_minor, line_total_minor }),
  };
}

export function toSlotRef({ slot_id, start, end }: OrderView["slot"]): ProtoSlotRef {
  return { slot_id, start: toTimestamp(start), end: toTimestamp(end) };
}

/** A slot of the board; of a free one only the times are known. */
export function toSlot(
  slot: OrderView["slot"] & Partial<ResultOf<typeof listSlots>["items"][number]>,
): ProtoSlot {
  const { branch_id, capacity_minor, load_minor, orders_count, delivery_count, pickup_count } = slot;
  const { delivery_plan, pickup_plan, disabled } = slot;
  return {
    ...toSlotRef(slot),
    ...setOnly({ branch_id, capacity_minor, load_minor, orders_count, delivery_count, pickup_count }),
    ...setOnly({ delivery_plan, pickup_plan, disabled }),
  };
}
