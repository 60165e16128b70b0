import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import {
  AfterParam,
  PageParams,
  pageOf,
  PositionSchema,
  strictObject,
  Timestamp,
  Uuid,
} from "../../mixins/contract/schemas";
import { readAs } from "../../mixins/text/forms";
import type { OfferTerms } from "./menu.offer-uses";
import {
  AnnouncedSaleSchema,
  CountedPromoSchema,
  CountedSaleSchema,
  FlashSaleSchema,
  ItemName,
  ItemPrice,
  nullable,
  Percent,
  PromoCodeSchema,
  UseLimit,
} from "./menu.schemas";

/** Flash sales and promo codes. They take effect at once on every node; their own times say when they count. */

/** So many sales at once are more than anybody announces. */
export const SHOP_SALES_MAX = 500;

const change = { kind: "command", permission: "menu.publish", reach: "chain" } as const;
const look = { kind: "query", permission: "menu.edit" } as const;

const saleTerms = {
  name: ItemName,
  item_ids: Type.Array(Uuid, {
    minItems: 1,
    maxItems: 200,
    uniqueItems: true,
    description: "Pizzas and sets",
  }),
  starts_at: Timestamp,
  ends_at: Timestamp,
};
/** Counts from when it was set; units that are given back are sold again. */
const saleLimit = { limit_quantity: Type.Optional(nullable(UseLimit)) };
/** Naming one of the two takes the other's place. */
const saleBenefit = { percent: Type.Optional(Percent), price_minor: Type.Optional(ItemPrice) };
const SaleAnswer = strictObject({ sale: FlashSaleSchema, position: PositionSchema });
const saleRefusals = [
  "sale.invalid_interval",
  "sale.one_benefit",
  "menu.unknown_item",
  "offer.too_generous",
] as const;

/** Sales of this moment, for everybody who shows prices; those that are sold out are not among them. */
export const activeSales = contract({
  name: "menu.active_sales",
  summary: "Flash sales in force now",
  kind: "query",
  permission: "menu.read",
  rest: [{ method: "GET", path: "/api/v1/menu/flash-sales/active" }],
  params: strictObject({}),
  result: strictObject({ items: Type.Array(CountedSaleSchema) }),
});

/** What the shop announces, kept until a sale changes. May come from a replica that has all there was; with `after`, up to there. */
export const shopSales = contract({
  name: "menu.shop_sales",
  summary: "Flash sales in force and to come, the earliest start first",
  kind: "query",
  permission: "menu.read",
  rest: [{ method: "GET", path: "/api/flash-sales" }],
  params: strictObject({ ...AfterParam }),
  result: strictObject({
    items: Type.Array(AnnouncedSaleSchema, { maxItems: SHOP_SALES_MAX }),
  }),
});

export const listSales = contract({
  ...look,
  name: "menu.list_sales",
  summary: "Flash sales, the newest first",
  rest: [{ method: "GET", path: "/api/v1/menu/flash-sales" }],
  params: strictObject({ ...PageParams }),
  result: pageOf(CountedSaleSchema),
});

export const getSale = contract({
  ...look,
  name: "menu.get_sale",
  summary: "One flash sale",
  rest: [{ method: "GET", path: "/api/v1/menu/flash-sales/:sale_id" }],
  params: strictObject({ sale_id: Uuid }),
  result: CountedSaleSchema,
  refusals: ["sale.unknown"],
});

export const createSale = contract({
  ...change,
  name: "menu.create_sale",
  summary: "Plan a flash sale",
  rest: [{ method: "POST", path: "/api/v1/menu/flash-sales", status: 201 }],
  params: strictObject({ ...saleTerms, ...saleBenefit, ...saleLimit }),
  result: SaleAnswer,
  refusals: saleRefusals,
});

export const changeSale = contract({
  ...change,
  name: "menu.change_sale",
  summary: "Change what is named of a flash sale",
  rest: [{ method: "PUT", path: "/api/v1/menu/flash-sales/:sale_id" }],
  params: strictObject({
    sale_id: Uuid,
    name: Type.Optional(saleTerms.name),
    item_ids: Type.Optional(saleTerms.item_ids),
    starts_at: Type.Optional(Timestamp),
    ends_at: Type.Optional(Timestamp),
    ...saleBenefit,
    ...saleLimit,
  }),
  result: SaleAnswer,
  refusals: [...saleRefusals, "sale.unknown"],
});

export const deleteSale = contract({
  ...change,
  name: "menu.delete_sale",
  summary: "Remove a flash sale; it ends at once",
  rest: [{ method: "DELETE", path: "/api/v1/menu/flash-sales/:sale_id" }],
  params: strictObject({ sale_id: Uuid }),
  result: strictObject({ sale_id: Uuid, position: PositionSchema }),
  refusals: ["sale.unknown"],
});

const Code = Type.String({
  ...readAs("code"),
  ...{ minLength: 1, maxLength: 40, pattern: "^[A-ZА-ЯЁ0-9_-]+$" },
  description: "Kept in capitals",
});
const promoTerms = {
  percent: Type.Optional(Percent),
  amount_minor: Type.Optional(ItemPrice),
  min_total_minor: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  valid_from: Type.Optional(nullable(Timestamp)),
  valid_until: Type.Optional(nullable(Timestamp)),
  active: Type.Optional(Type.Boolean()),
  limit_total: Type.Optional(nullable(UseLimit)),
  limit_per_user: Type.Optional(nullable(UseLimit)),
  first_order_only: Type.Optional(Type.Boolean()),
};
const PromoAnswer = strictObject({ promo: PromoCodeSchema, position: PositionSchema });
const promoRefusals = [
  "promo.code_taken",
  "promo.invalid_interval",
  "promo.one_benefit",
  "offer.too_generous",
] as const;

export const listPromos = contract({
  ...look,
  name: "menu.list_promos",
  summary: "Promo codes, the newest first",
  rest: [{ method: "GET", path: "/api/v1/menu/promo-codes" }],
  params: strictObject({ ...PageParams }),
  result: pageOf(CountedPromoSchema),
});

export const getPromo = contract({
  ...look,
  name: "menu.get_promo",
  summary: "One promo code",
  rest: [{ method: "GET", path: "/api/v1/menu/promo-codes/:promo_id" }],
  params: strictObject({ promo_id: Uuid }),
  result: CountedPromoSchema,
  refusals: ["promo.unknown"],
});

export const createPromo = contract({
  ...change,
  name: "menu.create_promo",
  summary: "Make a promo code",
  rest: [{ method: "POST", path: "/api/v1/menu/promo-codes", status: 201 }],
  params: strictObject({ code: Code, ...promoTerms }),
  result: PromoAnswer,
  refusals: promoRefusals,
});

export const changePromo = contract({
  ...change,
  name: "menu.change_promo",
  summary: "Change what is named of a promo code",
  rest: [{ method: "PUT", path: "/api/v1/menu/promo-codes/:promo_id" }],
  params: strictObject({ promo_id: Uuid, code: Type.Optional(Code), ...promoTerms }),
  result: PromoAnswer,
  refusals: [...promoRefusals, "promo.unknown"],
});

export const deletePromo = contract({
  ...change,
  name: "menu.delete_promo",
  summary: "Remove a promo code; it is void at once",
  rest: [{ method: "DELETE", path: "/api/v1/menu/promo-codes/:promo_id" }],
  params: strictObject({ promo_id: Uuid }),
  result: strictObject({ promo_id: Uuid, position: PositionSchema }),
  refusals: ["promo.unknown"],
});

/** The limits of a sale or a promo code as its row has them now, for its quota; null: there is no such offer any more. */
export const offerTerms = contract({
  name: "menu.offer_terms",
  summary: "Limits of an offer",
  kind: "query",
  permission: "internal",
  params: strictObject({ offer_id: Uuid }),
  result: Type.Unsafe<{ readonly terms: OfferTerms | null }>(Type.Object({})),
});

export const menuOfferContracts = [
  activeSales,
  shopSales,
  listSales,
  getSale,
  createSale,
  changeSale,
  deleteSale,
  listPromos,
  getPromo,
  createPromo,
  changePromo,
  deletePromo,
] as const;
