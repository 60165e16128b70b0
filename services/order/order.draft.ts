import type { ParamsOf } from "../../mixins/contract/contract";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import { deliveryFeeOf, type Branch } from "../branch/branch.events";
import type { CartQuote } from "../menu/menu.contract";
import type { placeOrder } from "./order.contract";
import type { Channel, Fulfilment, OrderDraft, OrderHold } from "./order.events";

/** What a client wished, through whichever door; the phone is read by then. */
export type OrderWish = Omit<ParamsOf<typeof placeOrder>, "channel">;

/** A preferred time may be so old: the clocks of phones differ, and "now" was typed a moment ago. */
const PAST_GRACE_MS = 60_000;
const HOUR_MS = 3_600_000;

/**
 * Says what is wrong with a wish before anything is priced.
 * Refusals: `order.address_required`, `order.time_in_past`.
 */
export function checkWish(wish: OrderWish, now: number): Refusal | undefined {
  if (wish.fulfilment === "delivery" && (wish.address ?? "").trim() === "") {
    return refuse("unprocessable", "order.address_required", "A delivery needs an address.");
  }
  if (wish.preferred_time === undefined) return undefined;
  const wanted = Date.parse(wish.preferred_time);
  if (wanted < now - PAST_GRACE_MS) {
    return refuse(
      "unprocessable",
      "order.time_in_past",
      "preferred_time has passed; leave it out for as soon as possible.",
    );
  }
  return undefined;
}

/** A branch takes orders so far ahead. Refusal: `order.time_too_far`. */
export function checkHorizon(wish: OrderWish, preorder_hours: number, now: number): Refusal | undefined {
  const latest = now + preorder_hours * HOUR_MS;
  if (wish.preferred_time === undefined || Date.parse(wish.preferred_time) <= latest) return undefined;
  return refuse(
    "unprocessable",
    "order.time_too_far",
    `Orders are taken at most ${String(preorder_hours)} hours ahead.`,
    { latest: new Date(latest).toISOString() },
  );
}

/**
 * Whoever says what they expect to pay is not charged anything else. Refusal: `order.price_changed`, with what it would be.
 */
export function checkTotal({ expected_total_minor }: OrderWish, totals: Totals): Refusal | undefined {
  const { items_total_minor, delivery_fee_minor, discount_minor, total_minor } = totals;
  if (expected_total_minor === undefined || expected_total_minor === total_minor) return undefined;
  return refuse(
    "conflict",
    "order.price_changed",
    "The price has changed meanwhile; nothing was ordered. Order again, under a new key, if you agree with it.",
    { expected_total_minor, items_total_minor, delivery_fee_minor, discount_minor, total_minor },
  );
}

export interface Totals {
  readonly items_total_minor: number;
  readonly delivery_fee_minor: number;
  readonly discount_minor: number;
  readonly total_minor: number;
}

/** The money of an order: what the menu says, plus the branch's fee for a delivery below its free threshold. */
export function totalsOf(
  quote: Pick<CartQuote, "items_total_minor" | "discount_minor">,
  branch: Pick<Branch, "delivery_fee_minor" | "free_delivery_from_minor">,
  fulfilment: Fulfilment,
): Totals {
  const { items_total_minor, discount_minor } = quote;
  if (discount_minor < 0 || discount_minor > items_total_minor) {
    throw new Error(`a discount of ${String(discount_minor)} on items of ${String(items_total_minor)}`);
  }
  const delivery_fee_minor = fulfilment === "pickup" ? 0 : deliveryFeeOf(branch, items_total_minor);
  return {
    items_total_minor,
    delivery_fee_minor,
    discount_minor,
    total_minor: items_total_minor + delivery_fee_minor - discount_minor,
  };
}

/** What only the server knows when an order is drafted. */
export interface DraftContext {
  readonly order_id: string;
  readonly track_token: string;
  readonly channel: Channel;
  /** The customer's account; null for guests and for orders taken at the desk. */
  readonly user_id: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly branch: Branch;
  readonly quote: CartQuote;
  /** What was taken of limited offers for it. */
  readonly holds: readonly OrderHold[];
}

/** Everything about an order but its slot. */
export function draftOf(wish: OrderWish, context: DraftContext): OrderDraft {
  const { branch, quote, holds, order_id, track_token, channel, user_id, now } = context;
  return {
    order_id,
    branch_id: branch.branch_id,
    channel,
    fulfilment: wish.fulfilment,
    // A pickup needs no address, and what is not needed about a person is not kept.
    address: wish.fulfilment === "delivery" ? textOrNull(wish.address) : null,
    customer: { user_id, name: textOrNull(wish.customer?.name), phone: wish.customer?.phone ?? null },
    payment_method: wish.payment_method,
    notes: textOrNull(wish.notes),
    currency: quote.currency,
    menu_version: quote.menu_version,
    items: quote.items,
    ...totalsOf(quote, branch, wish.fulfilment),
    promo_code: quote.promo_code,
    ...(holds.length === 0 ? {} : { holds }),
    preferred_time: wish.preferred_time === undefined ? null : new Date(wish.preferred_time).toISOString(),
    track_token,
    placed_at: new Date(now).toISOString(),
  };
}

function textOrNull(text: string | undefined): string | null {
  const trimmed = text?.trim() ?? "";
  return trimmed === "" ? null : trimmed;
}
