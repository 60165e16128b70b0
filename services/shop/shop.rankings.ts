import type { ServiceSchema } from "moleculer";
import { cachedRead } from "../../mixins/cache-tags/cached-action";
import type { Ctx } from "../../mixins/contract/caller";
import { act, callerOf, implement } from "../../mixins/contract/implement";
import { orThrow } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import { getBranch } from "../branch/branch.contract";
import type { OrderCancelled, OrderPlaced } from "../order/order.events";
import { bestsellers, recommendations } from "./shop.contract";
import { dishesOf, namesOnMenu, unknownDish } from "./shop.dishes";
import { pairsProjection } from "./shop.pairs.projection";
import { alsoOrdered, bestSold, orderedLately, SALES_DAYS, type Sold } from "./shop.sales";

const LIMIT = 10;
const HOUR_S = 3_600;
/** A chain that has sold nothing yet is asked again soon. */
const NOTHING_SOLD_S = 10;

/** What sells best, and what goes with what. Rankings are kept; names and prices are put to them at each answer. */
export function rankingActions(runtime: Runtime): NonNullable<ServiceSchema["actions"]> {
  const ranking = keptRanking(runtime);
  const together = keptCompany(runtime);
  return {
    bestsellers: implement(bestsellers, async (ctx) => {
      const { branch_id, limit = LIMIT } = ctx.params;
      if (branch_id !== undefined) await act(ctx, getBranch, { branch_id: branch_id.toLowerCase() });
      const kept = await ranking(ctx);
      const shown = await dishesOf(ctx, kept?.sold ?? [], { limit });
      return { days: SALES_DAYS, counted_at: kept?.counted_at ?? null, ...shown };
    }),
    recommendations: implement(recommendations, async (ctx) => {
      const { item_id, limit = LIMIT } = ctx.params;
      if (item_id !== undefined && !(await namesOnMenu(ctx)).has(item_id.toLowerCase()))
        orThrow(unknownDish(item_id));
      // First, so that the headers of the answer are those of what was asked for.
      const popular = (await ranking(ctx))?.sold ?? [];
      const { also } = await together(ctx);
      const known = new Set([item_id?.toLowerCase(), ...also.map((one) => one.item_id)]);
      const wanted = [
        ...also.map((one) => ({ ...one, reason: "ordered_together" as const })),
        ...popular
          .filter((one) => !known.has(one.item_id))
          .map(({ item_id, orders_count }) => ({ item_id, orders_count, reason: "popular" as const })),
      ];
      return dishesOf(ctx, wanted, { limit, orderable: true });
    }),
  };
}

interface Where {
  branch_id?: string;
  limit?: number;
}
interface Ranking {
  readonly counted_at: string;
  readonly sold: readonly Sold[];
}

/** The best sold dishes of a branch or, where none is named, of the chain; null while nothing is sold. */
function keptRanking(runtime: Runtime): (ctx: Ctx<Where>) => Promise<Ranking | null> {
  const { pool, clock } = runtime;
  return cachedRead(
    runtime,
    bestsellers,
    {
      key: ({ branch_id }: Where) => branch_id?.toLowerCase() ?? "chain",
      ttl_s: HOUR_S,
      null_ttl_s: NOTHING_SOLD_S,
    },
    async ({ params }): Promise<Ranking | null> => {
      const now_ms = clock.now();
      const sold = await bestSold(pool, params.branch_id ?? null, now_ms);
      return sold.length === 0 ? null : { counted_at: new Date(now_ms).toISOString(), sold };
    },
  );
}

interface Company {
  /** Whose orders it was looked for with; null: with a dish, or for a guest. */
  readonly user_id: string | null;
  readonly also: readonly { readonly item_id: string; readonly orders_count: number }[];
}
interface Wish {
  item_id?: string;
}

const userTag = (user_id: string): string => `recommendations:user:${user_id}`;
const itemTag = (item_id: string): string => `item:${item_id}`;

/** What goes with the dish that is named, else with the caller's latest orders. */
function keptCompany(runtime: Runtime): (ctx: Ctx<Wish>) => Promise<Company> {
  const { pool } = runtime;
  return cachedRead(
    runtime,
    recommendations,
    {
      key({ item_id }: Wish, { user_id }) {
        if (item_id !== undefined) return `item:${item_id.toLowerCase()}`;
        return user_id === null ? "guest" : `user:${user_id}`;
      },
      ttl_s: HOUR_S,
      strategy: "tag",
      tags({ item_id }, result?: Company) {
        if (item_id !== undefined) return [itemTag(item_id.toLowerCase())];
        return result === undefined || result.user_id === null ? [] : [userTag(result.user_id)];
      },
      invalidate_on: {
        "order.placed": ({ data }) => tagsOfOrder(data as OrderPlaced["data"]),
        "order.cancelled": ({ data }) => {
          const { user_id } = data as OrderCancelled["data"];
          return user_id === null ? [] : [userTag(user_id)];
        },
      },
      reads: ["orders", pairsProjection.name],
    },
    async (ctx): Promise<Company> => {
      const { item_id } = ctx.params;
      if (item_id !== undefined) return { user_id: null, also: await alsoOrdered(pool, [item_id]) };
      const { user_id } = callerOf(ctx);
      if (user_id === null) return { user_id, also: [] };
      return { user_id, also: await alsoOrdered(pool, await orderedLately(pool, user_id)) };
    },
  );
}

/** A new order says more of who placed it, and of each of its dishes where there are several. */
function tagsOfOrder({ customer, items }: OrderPlaced["data"]): string[] {
  const dishes = new Set(items.map(({ menu_item_id }) => menu_item_id));
  return [
    ...(customer.user_id === null ? [] : [userTag(customer.user_id)]),
    ...(dishes.size > 1 ? [...dishes].map(itemTag) : []),
  ];
}
