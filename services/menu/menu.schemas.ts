import { Type, type Static, type TSchema } from "@sinclair/typebox";
import { strictObject, Timestamp, Uuid } from "../../mixins/contract/schemas";
import type {
  FlashSale,
  LocalizedName,
  MenuDocument,
  MenuIngredient,
  MenuSet,
  PromoCode,
} from "./menu.events";
import { Address, Line, LINE } from "../../mixins/text/lines";

/** Shapes that the contracts of the menu share; the same ones check rows that were edited by hand. */

/** 1 000 000 of the major unit: with at most 100 lines of 99 and 20 extras each, a hundredfold total is still exact. */
const PRICE_MINOR_MAX = 100_000_000;

export const ItemPrice = Type.Integer({ minimum: 0, maximum: PRICE_MINOR_MAX, description: "Minor units" });

export const LineOfText = Type.String({ minLength: 1, maxLength: 500, pattern: `^${LINE}$` });

export const ItemName = strictObject({ ru: Line(200), en: Line(200) });

const Ingredient = strictObject({
  name: ItemName,
  grams: Type.Integer({ minimum: 0, maximum: 100_000 }),
});
const SetContent = strictObject({
  pizza_id: Uuid,
  quantity: Type.Integer({ minimum: 1, maximum: 99 }),
});
const Image = nullable(Address(500));

export const ItemKind = Type.Union([Type.Literal("pizza"), Type.Literal("set"), Type.Literal("extra")]);

/** What a person may say about an item. `ingredients` and `extras` are for pizzas, `items` for sets, empty elsewhere. */
export const itemFields = {
  name: ItemName,
  price_minor: ItemPrice,
  available: Type.Boolean(),
  image: Image,
  sort_order: Type.Integer({ minimum: 0, maximum: 1_000_000, description: "Place in the list of its kind" }),
  ingredients: Type.Array(Ingredient, { maxItems: 50 }),
  extras: Type.Array(Uuid, { maxItems: 50, description: "Extras that may be added" }),
  items: Type.Array(SetContent, { maxItems: 20, description: "Pizzas of the set" }),
};

/** One item with everything that is known of it. */
export interface MenuItem extends ItemFields {
  readonly item_id: string;
  readonly kind: MenuKind;
}
export type MenuKind = Static<typeof ItemKind>;
/** Fields in any mixture, as an edit names them. */
export type ItemChange = { readonly [F in keyof ItemFields]?: ItemFields[F] };

interface ItemFields {
  readonly name: LocalizedName;
  readonly price_minor: number;
  readonly available: boolean;
  readonly image: string | null;
  readonly sort_order: number;
  readonly ingredients: readonly MenuIngredient[];
  readonly extras: readonly string[];
  readonly items: MenuSet["items"];
}

export const MenuItemSchema = Type.Unsafe<MenuItem>(
  strictObject({ item_id: Uuid, kind: ItemKind, ...itemFields }),
);

const common = { id: Uuid, name: ItemName, price_minor: ItemPrice };
/** In public documents, while a sale lowers the item's price. */
const sale = Type.Optional(strictObject({ flash_sale_id: Uuid, price_minor: ItemPrice, ends_at: Timestamp }));
const PizzaSchema = strictObject({
  ...common,
  sale,
  ingredients: itemFields.ingredients,
  extras: itemFields.extras,
  available: Type.Boolean(),
  image: Image,
});
const ExtraSchema = strictObject({ ...common, available: Type.Boolean() });
const SetSchema = strictObject({
  ...common,
  sale,
  items: itemFields.items,
  available: Type.Boolean(),
  image: Image,
});

const versioned = {
  version: Type.Integer({ minimum: 0 }),
  currency: Type.String({ description: "ISO 4217" }),
  updated_at: Timestamp,
};

/** The public documents, by part. */
export const documentSchemas = {
  menu: strictObject({
    ...versioned,
    pizzas: Type.Array(PizzaSchema),
    extras: Type.Array(ExtraSchema),
    sets: Type.Array(SetSchema),
  }),
  pizzas: strictObject({ ...versioned, pizzas: Type.Array(PizzaSchema) }),
  extras: strictObject({ ...versioned, extras: Type.Array(ExtraSchema) }),
  sets: strictObject({ ...versioned, sets: Type.Array(SetSchema) }),
} as const;
/** Which of the public documents. */
export type MenuDocumentPart = keyof typeof documentSchemas;

export const MenuDocumentSchema = Type.Unsafe<MenuDocument>(documentSchemas.menu);

export const Percent = Type.Integer({ minimum: 1, maximum: 100 });

/** A whole number of times, at least once. */
export const UseLimit = Type.Integer({ minimum: 1, maximum: 1_000_000 });

const saleFields = {
  sale_id: Uuid,
  name: ItemName,
  item_ids: Type.Array(Uuid),
  percent: nullable(Percent),
  price_minor: nullable(ItemPrice),
  starts_at: Timestamp,
  ends_at: Timestamp,
  limit_quantity: Type.Union([UseLimit, Type.Null()], {
    description: "Units sold at the sale's price, in all orders together; null: no limit",
  }),
};
export const FlashSaleSchema = Type.Unsafe<FlashSale>(strictObject(saleFields));

const remaining = Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
  description: "How often it can still be used; null: no limit",
});
/** A sale, and how many units are left. */
export type CountedSale = FlashSale & { remaining: number | null };
const countedSale = { ...saleFields, remaining };
export const CountedSaleSchema = Type.Unsafe<CountedSale>(strictObject(countedSale));

/** A sale as the shop announces it. */
export const AnnouncedSaleSchema = Type.Unsafe<CountedSale & { running: boolean }>(
  strictObject({
    ...countedSale,
    running: Type.Boolean({ description: "Its prices are in force, by the server's clock" }),
  }),
);

const promoFields = {
  promo_id: Uuid,
  code: Type.String(),
  percent: nullable(Percent),
  amount_minor: nullable(ItemPrice),
  min_total_minor: Type.Integer({ minimum: 0 }),
  valid_from: nullable(Timestamp),
  valid_until: nullable(Timestamp),
  active: Type.Boolean(),
  limit_total: Type.Union([UseLimit, Type.Null()], { description: "Orders that may use it; null: no limit" }),
  limit_per_user: Type.Union([UseLimit, Type.Null()], {
    description: "Orders of one customer, who has to be signed in; null: no limit",
  }),
  first_order_only: Type.Boolean({ description: "Only for a customer's first order" }),
};
export const PromoCodeSchema = Type.Unsafe<PromoCode>(strictObject(promoFields));

/** A promo code, and how many orders use it. One without any limit is not counted. */
export type CountedPromo = PromoCode & { used: number; remaining: number | null };
export const CountedPromoSchema = Type.Unsafe<CountedPromo>(
  strictObject({
    ...promoFields,
    used: Type.Integer({ minimum: 0, description: "Orders that use it; counted while it has a limit" }),
    remaining,
  }),
);

/** A value or null. */
export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}
