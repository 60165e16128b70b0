import { Type, type Static } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import {
  Minor,
  nullable,
  PositionSchema,
  strictObject,
  Timestamp,
  Uuid,
} from "../../mixins/contract/schemas";
import { GivenCode, quoteMenu, WishedItem } from "../menu/menu.contract";
import { placeOrder } from "../order/order.contract";
import { LINES_MAX, QUANTITY_MAX, type CartContents } from "./cart.events";

const Name = strictObject({ ru: Type.String(), en: Type.String() });

/** Why something of the cart cannot be ordered now. */
const Problem = strictObject({
  code: Type.String({ description: "Name of the refusal, e.g. menu.unavailable" }),
  detail: Type.String(),
});

const CartLineView = strictObject({
  line_id: Uuid,
  menu_item_id: Uuid,
  quantity: Type.Integer({ minimum: 1, maximum: QUANTITY_MAX }),
  extras: Type.Array(Uuid),
  exclude_ingredients: Type.Array(Type.String()),
  available: Type.Boolean({
    description: "False: it counts in no total, and keeps the cart from being ordered",
  }),
  problem: nullable(Problem),
  name: nullable(Name),
  unit_price_minor: nullable(Minor),
  list_price_minor: nullable(Minor),
  flash_sale_id: nullable(Uuid),
  line_total_minor: nullable(Minor),
});

/** A cart at this moment's prices; nothing in it is a promise before it is ordered. */
export const CartSchema = strictObject({
  items: Type.Array(CartLineView, { maxItems: LINES_MAX }),
  items_count: Type.Integer({ minimum: 0, description: "Pieces, unavailable ones too" }),
  currency: nullable(Type.String({ description: "ISO 4217; null while nothing can be ordered" })),
  items_total_minor: Minor,
  discount_minor: Minor,
  total_minor: Type.Integer({ minimum: 0, description: "For pickup" }),
  promo: nullable(
    strictObject({ code: Type.String(), accepted: Type.Boolean(), problem: nullable(Problem) }),
  ),
  delivery: nullable(
    strictObject({
      branch_id: Uuid,
      fee_minor: Minor,
      free_from_minor: nullable(Minor),
      total_minor: Type.Integer({ minimum: 0, description: "For delivery by this branch" }),
    }),
  ),
  position: PositionSchema,
});
export type CartView = Static<typeof CartSchema>;

const shop = { permission: "cart.use", cart_token: true } as const;
const command = { ...shop, kind: "command" } as const;
const { extras, exclude_ingredients } = WishedItem.properties;
const itemRefusals = (quoteMenu.refusals ?? []).filter((code) => code.startsWith("menu."));
const promoRefusals = (quoteMenu.refusals ?? []).filter((code) => code.startsWith("promo."));
const sizeRefusals = ["cart.too_many_lines", "cart.quantity_too_large"] as const;

/** For a signed-in customer who still carries a guest's token, that cart is merged first. */
export const getCart = contract({
  ...shop,
  name: "cart.get",
  summary: "The caller's cart at this moment's prices",
  kind: "query",
  rest: [{ method: "GET", path: "/api/cart" }],
  params: strictObject({
    branch_id: Type.Optional({ ...Uuid, description: "Whose delivery fee; else the default branch's" }),
  }),
  result: CartSchema,
  refusals: ["branch.unknown"],
});

/** A guest without a cart gets one, and its token: in the cookie `forno_cart` and in the header `X-Cart-Token`. */
export const addToCart = contract({
  ...command,
  name: "cart.add",
  summary: "Put a pizza or a set into the cart",
  rest: [{ method: "POST", path: "/api/cart/add/:menu_item_id" }],
  params: strictObject({
    menu_item_id: Uuid,
    quantity: Type.Optional(Type.Integer({ minimum: 1, maximum: QUANTITY_MAX, default: 1 })),
    extras,
    exclude_ingredients,
  }),
  result: CartSchema,
  refusals: [...itemRefusals, ...sizeRefusals],
});

/** Changes what it names of one line. */
export const updateCart = contract({
  ...command,
  name: "cart.update",
  summary: "Change quantity, extras or left-out ingredients of a line; quantity 0 removes it",
  rest: [{ method: "PUT", path: "/api/cart/update" }],
  params: strictObject({
    line_id: Uuid,
    quantity: Type.Optional(Type.Integer({ minimum: 0, maximum: QUANTITY_MAX })),
    extras,
    exclude_ingredients,
  }),
  result: CartSchema,
  refusals: ["cart.unknown_line", ...itemRefusals, ...sizeRefusals],
});

export const removeFromCart = contract({
  ...command,
  name: "cart.remove",
  summary: "Take a line out of the cart, or all lines of a menu item",
  rest: [{ method: "DELETE", path: "/api/cart/remove/:id" }],
  params: strictObject({ id: { ...Uuid, description: "line_id or menu_item_id" } }),
  result: CartSchema,
  refusals: ["cart.unknown_line"],
});

export const clearCart = contract({
  ...command,
  name: "cart.clear",
  summary: "Empty the cart",
  rest: [{ method: "DELETE", path: "/api/cart" }],
  params: strictObject({}),
  result: CartSchema,
});

/** Refused by name when it does not hold for the cart as it is. A code that ceases to hold later stays, and says so. */
export const setCartPromo = contract({
  ...command,
  name: "cart.set_promo",
  summary: "Put a promo code on the cart",
  rate_per_minute: 30,
  rest: [{ method: "POST", path: "/api/cart/promo" }],
  params: strictObject({ code: GivenCode }),
  result: CartSchema,
  refusals: ["cart.empty", ...itemRefusals, ...promoRefusals],
});

export const removeCartPromo = contract({
  ...command,
  name: "cart.remove_promo",
  summary: "Take the promo code off the cart",
  rest: [{ method: "DELETE", path: "/api/cart/promo" }],
  params: strictObject({}),
  result: CartSchema,
});

/** Done once, however often it is asked for. Every other request with both a login and a guest's token does it as well. */
export const mergeCart = contract({
  ...command,
  name: "cart.merge",
  summary: "Add the guest's cart of this token to the caller's own",
  permission: "session",
  rest: [{ method: "POST", path: "/api/cart/merge" }],
  params: strictObject({}),
  result: CartSchema,
});

/**
 * One order of what is in the cart, whoever asks how often from how many tabs: who comes while a checkout is under way joins
 * it. Its refusals are those of an order, and leave the cart as it is.
 */
export const checkoutCart = contract({
  ...command,
  name: "cart.checkout",
  summary: "Order what is in the cart",
  rate_per_minute: 30,
  rest: [{ method: "POST", path: "/api/cart/checkout", status: 201 }],
  params: Type.Omit(placeOrder.params, ["items", "promo_code", "channel"], { additionalProperties: false }),
  result: placeOrder.result,
  refusals: ["cart.empty", "cart.checkout_given_up", ...(placeOrder.refusals ?? [])],
});

/** At today's prices. What the menu does not have any more is named and left out. */
export const reorder = contract({
  ...command,
  name: "cart.reorder",
  summary: "Put the lines of one's earlier order into the cart",
  permission: "session",
  rest: [{ method: "POST", path: "/api/orders/:order_id/reorder" }],
  params: strictObject({ order_id: Uuid }),
  result: strictObject({
    cart: CartSchema,
    missing: Type.Array(strictObject({ menu_item_id: Uuid, name: Name, ...Problem.properties })),
  }),
  refusals: ["order.unknown", "order.not_yours", "cart.nothing_to_reorder", ...sizeRefusals],
});

const inside = { kind: "command", permission: "internal" } as const;

/** Adds what a guest's cart held; once for each guest's cart, since the command's id is derived from it. */
export const takeGuestsCart = contract({
  ...inside,
  name: "cart.take",
  summary: "Add what a guest's cart held to a customer's",
  params: strictObject({
    user_id: Uuid,
    from_cart_id: Uuid,
    contents: Type.Unsafe<CartContents>(Type.Object({})),
  }),
  result: strictObject({}),
});

/** Finds out what became of a checkout that somebody left in the middle. */
export const settleCart = contract({
  ...inside,
  name: "cart.settle",
  summary: "Bring a checkout that was left to its end",
  params: strictObject({ cart_id: Uuid, user_id: nullable(Uuid) }),
  result: strictObject({}),
});

export const expireCart = contract({
  ...inside,
  name: "cart.expire",
  summary: "End a guest's cart that nobody has come back to",
  params: strictObject({ cart_id: Uuid, unless_after: Timestamp }),
  result: strictObject({}),
});

export const closeCart = contract({
  ...inside,
  name: "cart.close",
  summary: "End the cart of a customer who was forgotten",
  params: strictObject({ user_id: Uuid }),
  result: strictObject({}),
});

/** Every contract of the room. */
export const cartContracts = [
  getCart,
  addToCart,
  updateCart,
  removeFromCart,
  clearCart,
  setCartPromo,
  removeCartPromo,
  mergeCart,
  checkoutCart,
  reorder,
] as const;
