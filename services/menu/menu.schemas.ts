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

/** Shapes that the contracts of the menu share; the same ones check rows that were edited by hand. */

/** 1 000 000 of the major unit: with at most 100 lines of 99 and 20 extras each, a hundredfold total is still exact. */
const PRICE_MINOR_MAX = 100_000_000;

export const ItemPrice = Type.Integer({ minimum: 0, maximum: PRICE_MINOR_MAX, description: "Minor units" });

/** One line of text that PostgreSQL and JSON can both hold: no control characters, no half of a surrogate pair. */
const LINE = "[^\\p{Cc}\\p{Cs}]";
export const LineOfText = Type.String({ minLength: 1, maxLength: 500, pattern: `^${LINE}*$` });

const NameText = Type.String({ minLength: 1, maxLength: 200, pattern: `^ *[^\\s\\p{Cc}\\p{Cs}]${LINE}*$` });
export const ItemName = strictObject({ ru: NameText, en: NameText });

const Ingredient = strictObject({
  name: ItemName,
  grams: Type.Integer({ minimum: 0, maximum: 100_000 }),
});
const SetContent = strictObject({
  pizza_id: Uuid,
  quantity: Type.Integer({ minimum: 1, maximum: 99 }),
});
const Image = Type.Union(
  [Type.String({ minLength: 1, maxLength: 500, pattern: `^(https?://|/)${LINE}*$` }), Type.Null()],
  {
    description: "URL or absolute path",
  },
);

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
const PizzaSchema = strictObject({
  ...common,
  ingredients: itemFields.ingredients,
  extras: itemFields.extras,
  available: Type.Boolean(),
  image: Image,
});
const ExtraSchema = strictObject({ ...common, available: Type.Boolean() });
const SetSchema = strictObject({
  ...common,
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

const saleFields = {
  sale_id: Uuid,
  name: ItemName,
  item_ids: Type.Array(Uuid),
  percent: nullable(Percent),
  price_minor: nullable(ItemPrice),
  starts_at: Timestamp,
  ends_at: Timestamp,
};
export const FlashSaleSchema = Type.Unsafe<FlashSale>(strictObject(saleFields));

/** A sale as the shop announces it. */
export const AnnouncedSaleSchema = Type.Unsafe<FlashSale & { running: boolean }>(
  strictObject({
    ...saleFields,
    running: Type.Boolean({ description: "Has begun, by the server's clock" }),
  }),
);

export const PromoCodeSchema = Type.Unsafe<PromoCode>(
  strictObject({
    promo_id: Uuid,
    code: Type.String(),
    percent: nullable(Percent),
    amount_minor: nullable(ItemPrice),
    min_total_minor: Type.Integer({ minimum: 0 }),
    valid_from: nullable(Timestamp),
    valid_until: nullable(Timestamp),
    active: Type.Boolean(),
  }),
);

/** A value or null. */
export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}
