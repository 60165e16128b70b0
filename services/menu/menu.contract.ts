import { Type, type Static, type TObject } from "@sinclair/typebox";
import { contract, type RawDocument } from "../../mixins/contract/contract";
import {
  AfterParam,
  Minor,
  PositionSchema,
  strictObject,
  Timestamp,
  Uuid,
} from "../../mixins/contract/schemas";
import { readAs } from "../../mixins/text/forms";
import type { OrderLine } from "../order/order.events";
import { menuDeskContracts } from "./menu-desk.contract";
import { menuOfferContracts } from "./menu-offer.contract";
import { menuVersionContracts } from "./menu-version.contract";
import {
  documentSchemas,
  ItemName,
  MenuDocumentSchema,
  nullable,
  type MenuDocumentPart,
} from "./menu.schemas";

export type { MenuDocumentPart } from "./menu.schemas";

/** A promo code as customers type it. */
export const GivenCode = Type.String({
  ...readAs("code"),
  ...{ minLength: 1, maxLength: 40, description: "In any case, with any kind of dash" },
});

/** One wished line: a pizza or a set, by id or, where no id is given, by its name in either language. */
export const WishedItem = Type.Object(
  {
    menu_item_id: Type.Optional(Uuid),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    quantity: Type.Integer({ minimum: 1, maximum: 99 }),
    extras: Type.Optional(Type.Array(Uuid, { maxItems: 20 })),
    exclude_ingredients: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 20 }),
    ),
  },
  { additionalProperties: false, anyOf: [{ required: ["menu_item_id"] }, { required: ["name"] }] },
);

const wish = {
  items: Type.Array(WishedItem, { minItems: 1, maxItems: 100 }),
  promo_code: Type.Optional(GivenCode),
};
const MenuWishSchema = strictObject(wish);
/** What somebody would like to order. */
export type MenuWish = Static<typeof MenuWishSchema>;

const QuoteWishSchema = strictObject({
  ...wish,
  remaining: Type.Optional(
    Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
      description:
        "By flash sale: units left, where its quota has said so just now. Given, if empty: this node's count of uses says " +
        "nothing, because what the order has taken itself is part of it; whoever asks will ask the quotas",
    }),
  ),
  ...AfterParam,
});
/** The same, by somebody who is about to take what it needs of limited offers. */
export type QuoteWish = Static<typeof QuoteWishSchema>;

/** What an order would take of a limited offer. */
export interface LimitedUse {
  readonly kind: "sale" | "promo";
  /** The id of the sale or the promo code, and of its quota. */
  readonly offer_id: string;
  readonly units: number;
  /** The quota needs to know whether the customer has ordered before. */
  readonly first_order_only: boolean;
}

/** Lines priced from the menu in force at `at`, flash sales and promo code applied. */
export interface CartQuote {
  readonly menu_version: number;
  readonly currency: string;
  readonly items: readonly OrderLine[];
  /** Sum of the lines. */
  readonly items_total_minor: number;
  /** What the promo code takes off that sum; never more than it. */
  readonly discount_minor: number;
  /** The promo code in capitals. */
  readonly promo_code: string | null;
}

/** A quote that an order can be made of. */
export interface Quote extends CartQuote {
  /** What must be taken before that order is placed; the promo code first, then sales by id. Empty: nothing is limited. */
  readonly limited: readonly LimitedUse[];
}

const OrderLineSchema = strictObject({
  kind: Type.Union([Type.Literal("pizza"), Type.Literal("set")]),
  menu_item_id: Uuid,
  name: ItemName,
  quantity: Type.Integer({ minimum: 1, maximum: 99 }),
  unit_price_minor: Minor,
  list_price_minor: Minor,
  flash_sale_id: nullable(Uuid),
  extras: Type.Array(strictObject({ extra_id: Uuid, name: ItemName, price_minor: Minor })),
  exclude_ingredients: Type.Array(Type.String()),
  line_total_minor: Minor,
});
const quoteFields = {
  menu_version: Type.Integer(),
  currency: Type.String(),
  items: Type.Array(OrderLineSchema),
  items_total_minor: Minor,
  discount_minor: Minor,
  promo_code: nullable(Type.String()),
};
const CartQuoteSchema = Type.Unsafe<CartQuote>(strictObject(quoteFields));
const QuoteSchema = Type.Unsafe<Quote>(
  strictObject({
    ...quoteFields,
    limited: Type.Array(
      strictObject({
        kind: Type.Union([Type.Literal("sale"), Type.Literal("promo")]),
        offer_id: Uuid,
        units: Type.Integer({ minimum: 1 }),
        first_order_only: Type.Boolean(),
      }),
    ),
  }),
);

const quoteRefusals = [
  "menu.unknown_item",
  "menu.unknown_extra",
  "menu.extra_not_offered",
  "menu.duplicate_extra",
  "menu.unavailable",
  "menu.unknown_ingredient",
  "promo.unknown",
  "promo.expired",
  "promo.not_started",
  "promo.used_up",
  "promo.total_too_small",
] as const;

/**
 * Prices a wish from this node's menu in memory. Refusals (422) carry `item_index`: `menu.unknown_item`,
 * `menu.unknown_extra`, `menu.extra_not_offered`, `menu.duplicate_extra`, `menu.unavailable`, `menu.unknown_ingredient`;
 * or `promo_code`: `promo.unknown`, `promo.expired`, `promo.not_started`, `promo.used_up`, `promo.total_too_small`.
 */
export const quoteMenu = contract({
  name: "menu.quote",
  summary: "Price a wish from the menu in force",
  kind: "query",
  permission: "internal",
  params: QuoteWishSchema,
  result: QuoteSchema,
  refusals: quoteRefusals,
});

/** The same for carts: shows what an order would cost now, before fees. Promises nothing. */
export const quoteCart = contract({
  name: "menu.quote_cart",
  summary: "Price a cart without ordering",
  kind: "query",
  permission: "menu.read",
  rate_per_minute: 300,
  rest: [{ method: "POST", path: "/api/v1/menu/quote" }],
  params: MenuWishSchema,
  result: CartQuoteSchema,
  refusals: quoteRefusals,
});

/** The menu in force as an object, for other rooms. It is shared and frozen: do not change it. */
export const getMenu = contract({
  name: "menu.get",
  summary: "The menu in force",
  kind: "query",
  permission: "menu.read",
  params: strictObject({ ...AfterParam }),
  result: MenuDocumentSchema,
});

/**
 * A public document as ready bytes. The HTTP server answers it from {@link hotDocumentsOf}; this action is the way for
 * requests with a token or `?after=`. Between nodes the body is a string.
 */
function documentContract(name: string, part: MenuDocumentPart, path: string, summary: string) {
  return contract({
    name,
    summary,
    kind: "query",
    permission: "menu.read",
    rest: [{ method: "GET", path }],
    raw: true,
    cacheable: true,
    params: strictObject({ ...AfterParam }),
    result: Type.Unsafe<RawDocument>(documentSchemas[part] as TObject),
  });
}

/** The four public documents; `menu` is the whole one. */
export const menuDocuments = {
  menu: documentContract("menu.document", "menu", "/api/v1/menu", "The whole menu"),
  pizzas: documentContract("menu.pizzas", "pizzas", "/api/v1/menu/pizzas", "Pizzas"),
  extras: documentContract("menu.extras", "extras", "/api/v1/menu/extras", "Extras"),
  sets: documentContract("menu.sets", "sets", "/api/v1/menu/sets", "Sets"),
} as const satisfies Record<MenuDocumentPart, unknown>;

const ReloadResult = strictObject({
  message: Type.String(),
  last_update: Timestamp,
  version: Type.Integer(),
  method: Type.String({ description: "How the nodes hear of it: event_log" }),
  position: PositionSchema,
});

/** Reads the live rows again, hand-made changes included, and makes a version when something differs. */
export const reloadMenu = contract({
  name: "menu.reload",
  summary: "Reload the menu from its rows",
  kind: "command",
  permission: "menu.publish",
  reach: "chain",
  rest: [{ method: "POST", path: "/api/v1/admin/update-menu" }],
  params: strictObject({}),
  result: ReloadResult,
  refusals: ["menu.invalid_rows"],
});

const NodeMenu = { version: Type.Integer(), last_update: Timestamp, position: PositionSchema };

/** Which menu one node shows. Asked of each by its name. */
export const nodeMenu = contract({
  name: "menu.node",
  summary: "Which menu this node shows",
  kind: "query",
  permission: "internal",
  params: strictObject({}),
  result: strictObject(NodeMenu),
});

export const menuStatus = contract({
  name: "menu.status",
  summary: "Which menu is in force, and on which nodes",
  kind: "query",
  permission: "menu.edit",
  rest: [{ method: "GET", path: "/api/v1/admin/menu-status" }],
  params: strictObject({ ...AfterParam }),
  result: strictObject({
    last_update: Timestamp,
    version: Type.Integer(),
    pizzas_count: Type.Integer(),
    sets_count: Type.Integer(),
    extras_count: Type.Integer(),
    nodes: Type.Array(
      strictObject({
        node_id: Type.String(),
        status: Type.Union([Type.Literal("up"), Type.Literal("silent")], {
          description: "silent: it did not answer in time; the rest is not known",
        }),
        ...Type.Partial(Type.Object(NodeMenu)).properties,
      }),
      { description: "Every live node that runs the menu, by its name" },
    ),
  }),
});

/** Every contract of the room. */
export const menuContracts = [
  quoteMenu,
  quoteCart,
  getMenu,
  menuDocuments.menu,
  menuDocuments.pizzas,
  menuDocuments.extras,
  menuDocuments.sets,
  reloadMenu,
  menuStatus,
  ...menuDeskContracts,
  ...menuVersionContracts,
  ...menuOfferContracts,
] as const;
