import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { strictObject } from "../../mixins/contract/schemas";
import type { OrderLine } from "../order/order.events";

/** One wished line: a pizza or a set, by id or by its name in either language. */
export const WishedItem = strictObject({
  menu_item_id: Type.Optional(Type.String({ format: "uuid" })),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  quantity: Type.Integer({ minimum: 1, maximum: 99 }),
  extras: Type.Optional(Type.Array(Type.String({ format: "uuid" }), { maxItems: 20 })),
  exclude_ingredients: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 20 }),
  ),
});

/** Lines priced from the menu in force at `at`, flash sales and promo code applied. */
export interface Quote {
  readonly menu_version: number;
  readonly currency: string;
  readonly items: readonly OrderLine[];
  readonly items_total_minor: number;
  readonly discount_minor: number;
}

/**
 * Prices a wish from this node's menu in memory. Refusals (422): `menu.unknown_item`, `menu.unknown_extra`,
 * `menu.extra_not_offered`, `menu.unavailable`, `menu.unknown_ingredient`, `promo.unknown`, `promo.expired`.
 */
export const quoteMenu = contract({
  name: "menu.quote",
  summary: "Price a wish from the menu in force",
  kind: "query",
  permission: "internal",
  params: strictObject({
    items: Type.Array(WishedItem, { minItems: 1, maxItems: 100 }),
    promo_code: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
  }),
  result: Type.Unsafe<Quote>(Type.Object({})),
  refusals: [
    "menu.unknown_item",
    "menu.unknown_extra",
    "menu.extra_not_offered",
    "menu.unavailable",
    "menu.unknown_ingredient",
    "promo.unknown",
    "promo.expired",
  ],
});
