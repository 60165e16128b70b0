import type { ServiceSchema } from "moleculer";
import type { Pool } from "pg";
import { cachedRead, endNow } from "../../mixins/cache-tags/cached-action";
import type { Ctx } from "../../mixins/contract/caller";
import type { ParamsOf } from "../../mixins/contract/contract";
import { implement, implementCommand, type CommandOutcome } from "../../mixins/contract/implement";
import { orThrow, type Refusal } from "../../mixins/contract/refusal";
import { keyOf, pageFrom } from "../../mixins/crud/page";
import { readsOf } from "../../mixins/replica/reads";
import type { Runtime } from "../../mixins/runtime";
import * as contracts from "./menu-offer.contract";
import { leftOf, usedOf, type MenuBoard } from "./menu.board";
import { changeMenu, withPosition, type ChangeWork } from "./menu.change";
import type { FlashSale, PromoCode } from "./menu.events";
import * as store from "./menu.offer-store";
import { readTerms } from "./menu.offer-uses";
import * as offers from "./menu.offers";
import type { CountedPromo, CountedSale } from "./menu.schemas";

const PAGE = 50;
const SALES_TAG = "menu-sales";
/** Sales that have not ended are kept; which of them run now is asked anew each time, so that they begin and end in time. */
const SALES_CACHE = {
  key: () => "all",
  // Rows that were changed by hand have no event.
  ttl_s: 300,
  tags: () => [SALES_TAG],
  invalidate_on: {
    "menu.sale_changed": () => [SALES_TAG],
    "flash_sale.started": () => [SALES_TAG],
    "flash_sale.ended": () => [SALES_TAG],
  },
};

/** This node's menu. */
interface Follower {
  readonly board: MenuBoard;
  reached(position: number | undefined): Promise<void>;
}

/** Actions for flash sales and promo codes. `show` puts a change on this node's board before its caller hears of it. */
export function offerActions(
  runtime: Runtime,
  follower: Follower,
  show: () => Promise<void>,
): NonNullable<ServiceSchema["actions"]> {
  const change = async (ctx: Ctx<unknown>, work: ChangeWork): Promise<CommandOutcome | Refusal> => {
    const outcome = await changeMenu(runtime, ctx, work);
    await Promise.all([show(), endNow(runtime, SALES_TAG)]);
    return outcome;
  };
  return { ...offerReads(runtime, follower), ...saleEdits(runtime, change), ...promoEdits(runtime, change) };
}

type Change = (ctx: Ctx<unknown>, work: ChangeWork) => Promise<CommandOutcome | Refusal>;

function offerReads(runtime: Runtime, follower: Follower) {
  const { pool, clock, log } = runtime;
  const counted = (sale: FlashSale): CountedSale => ({
    ...sale,
    remaining: finite(leftOf(follower.board, sale.sale_id, sale.limit_quantity)),
  });
  const countedPromo = (promo: PromoCode): CountedPromo => ({
    ...promo,
    used: usedOf(follower.board, promo.promo_id),
    remaining: finite(leftOf(follower.board, promo.promo_id, promo.limit_total)),
  });
  const reads = readsOf(runtime);
  const readSales = (from: Pool): Promise<FlashSale[]> => store.readSales(from, new Date(clock.now()));
  const salesInForce = cachedRead(runtime, contracts.activeSales, SALES_CACHE, () => readSales(pool));
  const salesToShow = cachedRead(
    runtime,
    contracts.shopSales,
    SALES_CACHE,
    async ({ params: { after } }: Ctx<ParamsOf<typeof contracts.shopSales>>) =>
      // What is kept must hold every event that would have ended it, whichever server it comes from.
      reads.read("flash_sales", readSales, { after: after ?? (await log.head()) }),
  );
  return {
    shop_sales: implement(contracts.shopSales, async (ctx) => {
      const sales = await salesToShow(ctx);
      await follower.reached(ctx.params.after);
      const now = new Date(clock.now()).toISOString();
      const items = sales
        .filter(({ ends_at }) => now < ends_at)
        .toSorted((a, b) => a.starts_at.localeCompare(b.starts_at))
        .slice(0, contracts.SHOP_SALES_MAX)
        .map(counted)
        .map((sale) => ({ ...sale, running: sale.starts_at <= now && sale.remaining !== 0 }));
      return { items };
    }),
    active_sales: implement(contracts.activeSales, async (ctx) => {
      const sales = await salesInForce(ctx);
      const now = new Date(clock.now()).toISOString();
      const running = sales.filter(({ starts_at, ends_at }) => starts_at <= now && now < ends_at);
      return { items: running.map(counted).filter(({ remaining }) => remaining !== 0) };
    }),
    list_sales: implement(contracts.listSales, async ({ params }) => {
      const { limit = PAGE, cursor } = params;
      const sales = await store.pageSales(pool, orThrow(keyOf(cursor, "id")), limit + 1);
      const page = pageFrom(sales, limit, ({ sale_id }) => sale_id);
      return { ...page, items: page.items.map(counted) };
    }),
    get_sale: implement(contracts.getSale, async ({ params: { sale_id } }) =>
      counted(orThrow((await store.readSale(pool, sale_id))?.sale ?? offers.unknownSale(sale_id))),
    ),
    list_promos: implement(contracts.listPromos, async ({ params }) => {
      const { limit = PAGE, cursor } = params;
      const promos = await store.pagePromos(pool, orThrow(keyOf(cursor, "id")), limit + 1);
      const page = pageFrom(promos, limit, ({ promo_id }) => promo_id);
      return { ...page, items: page.items.map(countedPromo) };
    }),
    get_promo: implement(contracts.getPromo, async ({ params: { promo_id } }) =>
      countedPromo(orThrow((await store.readPromo(pool, promo_id)) ?? offers.unknownPromo(promo_id))),
    ),
    offer_terms: implement(contracts.offerTerms, async ({ params: { offer_id } }) => ({
      terms: (await readTerms(pool, offer_id)) ?? null,
    })),
  };
}

/** JSON knows no infinity: null means without limit. */
const finite = (left: number): number | null => (left === Infinity ? null : left);

function saleEdits({ log, ids }: Runtime, change: Change) {
  return {
    create_sale: implementCommand(log, contracts.createSale, {
      run: (ctx) => change(ctx, (tx, sign) => offers.createSale(tx, ids.uuid(), ctx.params, sign)),
      respond: withPosition,
    }),
    change_sale: implementCommand(log, contracts.changeSale, {
      run(ctx) {
        const { sale_id, ...terms } = ctx.params;
        return change(ctx, (tx, sign) => offers.changeSale(tx, sale_id.toLowerCase(), terms, sign));
      },
      respond: withPosition,
    }),
    delete_sale: implementCommand(log, contracts.deleteSale, {
      run: (ctx) => change(ctx, (tx, sign) => offers.deleteSale(tx, ctx.params.sale_id.toLowerCase(), sign)),
      respond: withPosition,
    }),
  };
}

function promoEdits({ log, ids }: Runtime, change: Change) {
  return {
    create_promo: implementCommand(log, contracts.createPromo, {
      run: (ctx) => change(ctx, (tx, sign) => offers.createPromo(tx, ids.uuid(), ctx.params, sign)),
      respond: withPosition,
    }),
    change_promo: implementCommand(log, contracts.changePromo, {
      run(ctx) {
        const { promo_id, ...terms } = ctx.params;
        return change(ctx, (tx, sign) => offers.changePromo(tx, promo_id.toLowerCase(), terms, sign));
      },
      respond: withPosition,
    }),
    delete_promo: implementCommand(log, contracts.deletePromo, {
      run: (ctx) =>
        change(ctx, (tx, sign) => offers.deletePromo(tx, ctx.params.promo_id.toLowerCase(), sign)),
      respond: withPosition,
    }),
  };
}
