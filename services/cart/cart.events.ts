/**
 * Events of a cart (stream `cart-<cart_id>`). A customer's cart has the customer's id; a guest's has an id that is derived from
 * its token, which itself is written nowhere: who reads the log, a socket message or a metric cannot open the cart.
 */
import { derivedUuid } from "../../mixins/derived-id";

/** What a line wants, apart from how often: two lines never want the same. */
export interface LineContent {
  readonly menu_item_id: string;
  readonly extras: readonly string[];
  /** Russian names, as the menu gives them. */
  readonly exclude_ingredients: readonly string[];
}

export interface CartLine extends LineContent {
  readonly line_id: string;
  /** 1 to {@link QUANTITY_MAX}. */
  readonly quantity: number;
}

/** Everything that is in a cart. Prices are not: they are computed at each reading. */
export interface CartContents {
  readonly lines: readonly CartLine[];
  /** In capitals. */
  readonly promo_code: string | null;
}

export const QUANTITY_MAX = 99;
export const LINES_MAX = 50;

interface OfCart {
  readonly cart_id: string;
  /** Null: a guest's. */
  readonly user_id: string | null;
  readonly at: string;
}

/** Somebody edited the cart; contents are as they are afterwards. */
export type CartChanged = {
  readonly type: "cart.changed";
  readonly data: OfCart &
    CartContents & { readonly change: "added" | "updated" | "removed" | "cleared" | "promo" };
};

/** A guest's cart went to a customer who signed in; it is over, and these were its contents. */
export type CartGiven = {
  readonly type: "cart.given";
  readonly data: OfCart & CartContents & { readonly to_user_id: string };
};

/** What a guest's cart held was added to this one. */
export type CartMerged = {
  readonly type: "cart.merged";
  readonly data: OfCart & CartContents & { readonly from_cart_id: string };
};

/** From now on an order of this number may be in the log. Numbers count from 1; each stands for one order at most. */
export type CheckoutBegun = {
  readonly type: "cart.checkout_begun";
  readonly data: OfCart & { readonly checkout_no: number };
};

/** The order of this number was refused for good. */
export type CheckoutDropped = {
  readonly type: "cart.checkout_dropped";
  readonly data: OfCart & { readonly checkout_no: number };
};

/** What was ordered is out of the cart; contents are what is left. */
export type CartOrdered = {
  readonly type: "cart.ordered";
  readonly data: OfCart & CartContents & { readonly checkout_no: number; readonly order_id: string };
};

/** A guest did not come back, or the customer was forgotten; the cart is over. */
export type CartExpired = { readonly type: "cart.expired"; readonly data: OfCart };

export type CartEvent =
  CartChanged | CartGiven | CartMerged | CheckoutBegun | CheckoutDropped | CartOrdered | CartExpired;

/** How the stream ids of carts begin. */
export const CART_STREAMS = "cart-";
export const cartStream = (cart_id: string): string => `${CART_STREAMS}${cart_id}`;

/** What a cart's token looks like. */
export const CART_TOKEN = /^[A-Za-z0-9_-]{16,64}$/;
/** The cart that a guest's token opens. */
export const cartIdOf = (token: string): string => derivedUuid(`cart ${token}`);
