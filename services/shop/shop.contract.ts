import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { literals, Minor, nullable, strictObject, Timestamp, Uuid } from "../../mixins/contract/schemas";
import { cacheContracts } from "./cache.contract";
import { LocalizedText, reviewContracts } from "./review.contract";

/** Rankings of this many dishes are kept; a list shows the first ones of them that are on the menu. */
export const RANKED_MAX = 50;

const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: RANKED_MAX, default: 10 }));

/** A pizza or a set as the menu in force has it, at the prices of this moment. */
const dish = {
  item_id: Uuid,
  kind: literals("pizza", "set"),
  name: LocalizedText,
  image: nullable(Type.String()),
  available: Type.Boolean(),
  price_minor: Minor,
  list_price_minor: Type.Integer({ ...Minor, description: "Before a flash sale; equal without one" }),
  flash_sale_id: nullable(Uuid),
};

/** Of the last 30 days, cancelled orders left out. Counted anew once an hour; names and prices are those of this moment. */
export const bestsellers = contract({
  name: "shop.bestsellers",
  summary: "What sells best, in the whole chain or at one branch",
  kind: "query",
  permission: "public",
  params: strictObject({ branch_id: Type.Optional(Uuid), limit: Limit }),
  result: strictObject({
    days: Type.Integer(),
    currency: Type.String(),
    counted_at: nullable(Timestamp),
    items: Type.Array(
      strictObject({
        ...dish,
        sold_count: Type.Integer({ minimum: 1, description: "Pieces" }),
        orders_count: Type.Integer({ minimum: 1 }),
      }),
    ),
  }),
  rest: [{ method: "GET", path: "/api/bestsellers" }],
  refusals: ["branch.unknown"],
});

/**
 * With `item_id`: what is ordered together with that dish. Without: with what the caller ordered lately; for guests, and
 * where that is too little, what sells best. Only what can be ordered now.
 */
export const recommendations = contract({
  name: "shop.recommendations",
  summary: "What people who ordered this also ordered",
  kind: "query",
  permission: "public",
  params: strictObject({ item_id: Type.Optional(Uuid), limit: Limit }),
  result: strictObject({
    currency: Type.String(),
    items: Type.Array(
      strictObject({
        ...dish,
        reason: literals("ordered_together", "popular"),
        orders_count: Type.Integer({ minimum: 1, description: "Orders that hold both, or just this one" }),
      }),
    ),
  }),
  rest: [{ method: "GET", path: "/api/recommendations" }],
  refusals: ["menu.unknown_item"],
});

/** Every operation of the room. */
export const shopContracts = [bestsellers, recommendations, ...reviewContracts, ...cacheContracts] as const;
