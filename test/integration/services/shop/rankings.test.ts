import { randomUUID } from "node:crypto";
import { MemoryTagCache } from "../../../../mixins/cache-tags/memory-tag-cache";
import { GUEST, type Caller } from "../../../../mixins/contract/caller";
import { reloadMenu } from "../../../../services/menu/menu.contract";
import { consumersOf } from "../../../../mixins/projection/consumer-registry";
import { createSale } from "../../../../services/menu/menu-offer.contract";
import { bestsellers, recommendations } from "../../../../services/shop/shop.contract";
import { eventually } from "../../../support/eventually";
import { BRANCH, OTHER_BRANCH } from "../../../support/orders";
import type { TestDatabase } from "../../../support/postgres";
import { newCustomer, shopDatabase, ShopNode } from "./shop-node";

const DAY_MS = 86_400_000;
let database: TestDatabase;
let shop: ShopNode;

/** How much further the cache's clock is than the time that the tests take. */
let later_ms = 0;

beforeAll(async () => {
  database = await shopDatabase();
  shop = await ShopNode.start(database, new MemoryTagCache(() => performance.now() + later_ms));
});
afterAll(async () => {
  await shop.stop();
  await database.stop();
});
/** A chain that has sold nothing yet. */
beforeEach(async () => {
  const { log } = shop.orders.runtime;
  const head = await log.head();
  await eventually(() => {
    for (const name of ["orders", "item-pairs"])
      expect(consumersOf(log).get(name)?.position).toBeGreaterThanOrEqual(head);
  });
  await database.pool.query("truncate orders, order_items, item_pairs, open_baskets");
  await forget();
});

const forget = () => shop.orders.runtime.cache.invalidatePattern("*");
/** Places of the pizzas on the menu, with a figure of each. */
const ranked = (items: readonly { item_id: string }[], figure: string) =>
  items.map((item) => [
    shop.menu.pizzas.findIndex(({ id }) => id === item.item_id),
    (item as unknown as Record<string, unknown>)[figure],
  ]);
/** What sold best, counted anew. */
async function sold(params: object = {}) {
  await forget();
  return ranked((await shop.call(bestsellers, params)).items, "sold_count");
}
async function recommended(who: Caller, params: object = {}) {
  const { items } = await shop.call(recommendations, params, who);
  return items.map(({ item_id, reason, orders_count }) => [
    shop.menu.pizzas.findIndex(({ id }) => id === item_id),
    reason,
    orders_count,
  ]);
}

describe("bestsellers", () => {
  it("are counted from the orders: by pieces, without cancelled ones, by branch", async () => {
    await shop.order([0, 1]);
    await shop.order([1], undefined, OTHER_BRANCH);
    await shop.order([1, 2], undefined, OTHER_BRANCH);
    const gone = await shop.order([0, 3]);
    await shop.cancel(gone);
    const none = await shop.order([2], undefined, OTHER_BRANCH);
    await shop.deliver(none);
    await eventually(async () => {
      expect(await sold()).toEqual([
        [1, 3],
        [2, 2],
        [0, 1],
      ]);
    });
    expect((await sold({ branch_id: OTHER_BRANCH })).sort()).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect((await sold({ branch_id: BRANCH.toUpperCase() })).sort()).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(await sold({ limit: 1 })).toEqual([[1, 3]]);
    expect(await shop.refusal(bestsellers, { branch_id: randomUUID() })).toBe("branch.unknown");
  });

  it("are those of the last thirty days", async () => {
    await shop.order([0]);
    shop.orders.now += 29 * DAY_MS;
    await shop.order([1]);
    await eventually(async () => {
      expect(await sold()).toHaveLength(2);
    });
    shop.orders.now += 2 * DAY_MS;
    expect(await sold()).toEqual([[1, 1]]);
  });

  it("are kept for an hour, with the prices of the moment", async () => {
    await shop.order([0]);
    await eventually(async () => {
      expect(await sold()).toHaveLength(1);
    });
    await shop.order([1]);
    const { result, headers } = await shop.answer(bestsellers, {});
    expect(headers).toMatchObject({ "X-Cache": "HIT", "X-Cache-Strategy": "ttl" });
    const list_price_minor = shop.menu.pizzas[0]?.price_minor ?? 0;
    expect(result.items).toMatchObject([
      { price_minor: list_price_minor, flash_sale_id: null, orders_count: 1 },
    ]);
    const { sale } = await shop.call(createSale, {
      ...{ name: { ru: "Час", en: "Hour" }, item_ids: [shop.pizza(0)], percent: 50 },
      starts_at: new Date(shop.orders.now).toISOString(),
      ends_at: new Date(shop.orders.now + 3_600_000).toISOString(),
    });
    const now = await shop.answer(bestsellers, {});
    expect(now.headers).toMatchObject({ "X-Cache": "HIT" });
    expect(now.result.items).toMatchObject([
      { price_minor: list_price_minor / 2, list_price_minor, flash_sale_id: sale.sale_id },
    ]);
    shop.orders.now += 3_600_000;
    expect((await shop.call(bestsellers, {})).items).toMatchObject([{ price_minor: list_price_minor }]);
  });

  it("are asked of the database once, however many ask at once", async () => {
    await shop.order([0]);
    await eventually(async () => {
      expect(await sold()).toHaveLength(1);
    });
    await forget();
    const { pool } = database;
    const asked = jest.spyOn(pool, "query");
    const answers = await Promise.all(Array.from({ length: 300 }, () => shop.answer(bestsellers, {}, GUEST)));
    const queries = asked.mock.calls.filter(([text]) => JSON.stringify(text).includes("sum(i.quantity)"));
    asked.mockRestore();
    expect(queries).toHaveLength(1);
    for (const { result } of answers) expect(result.items).toHaveLength(1);
  });

  it("show nothing while nothing is sold, and do not keep that for an hour", async () => {
    expect(await shop.call(bestsellers, {})).toMatchObject({ items: [], counted_at: null, days: 30 });
    const { hits } = shop.orders.runtime.cache.figures;
    await shop.order([0]);
    expect(await shop.call(bestsellers, {})).toMatchObject({ items: [] });
    expect(shop.orders.runtime.cache.figures.hits).toBe(hits + 1);
    await eventually(async () => {
      later_ms += 10_000;
      expect((await shop.call(bestsellers, {})).items).toHaveLength(1);
    });
  });
});

describe("recommendations", () => {
  it("are what is ordered together with a dish, then what sells best", async () => {
    await shop.order([0, 1, 2]);
    await shop.order([0, 1]);
    await shop.order([3]);
    await eventually(async () => {
      await forget();
      expect(await recommended(GUEST, { item_id: shop.pizza(0) })).toEqual([
        [1, "ordered_together", 2],
        [2, "ordered_together", 1],
        [3, "popular", 1],
      ]);
    });
    expect(await recommended(GUEST, { item_id: shop.pizza(0), limit: 1 })).toHaveLength(1);
    expect(await shop.refusal(recommendations, { item_id: randomUUID() }, GUEST)).toBe("menu.unknown_item");
  });

  it("go by one's own latest orders, and are each person's own", async () => {
    const [anna, boris] = [await newCustomer(database), await newCustomer(database)];
    await shop.order([0, 1]);
    await shop.order([2, 3]);
    await shop.order([0], anna);
    await shop.order([2], boris);
    const together = async (who: Caller) =>
      (await recommended(who)).filter(([, reason]) => reason === "ordered_together");
    await eventually(async () => {
      expect(await together(anna)).toEqual([[1, "ordered_together", 1]]);
      expect(await together(boris)).toEqual([[3, "ordered_together", 1]]);
    });
    expect(await together(GUEST)).toEqual([]);
    await eventually(async () => {
      const { headers } = await shop.answer(recommendations, {}, anna);
      expect(headers).toMatchObject({ "X-Cache": "HIT", "X-Cache-Strategy": "tag" });
    });
    expect((await shop.answer(recommendations, {}, await newCustomer(database))).headers).toMatchObject({
      "X-Cache": "MISS",
    });
  });

  it("are looked for anew after one's next order, and after its cancellation", async () => {
    const anna = await newCustomer(database);
    await shop.order([0, 1]);
    const together = async () =>
      (await recommended(anna)).filter(([, reason]) => reason === "ordered_together");
    expect(await together()).toEqual([]);
    const mine = await shop.order([0], anna);
    await eventually(async () => {
      expect(await together()).toEqual([[1, "ordered_together", 1]]);
    });
    await shop.cancel(mine);
    await eventually(async () => {
      expect(await together()).toEqual([]);
    });
  });

  it("of a dish are looked for anew when it is ordered with another one", async () => {
    const wish = { item_id: shop.pizza(0) };
    expect(await recommended(GUEST, wish)).toEqual([]);
    await shop.order([0, 4]);
    await eventually(async () => {
      expect(await recommended(GUEST, wish)).toEqual([[4, "ordered_together", 1]]);
    });
  });

  it("keep away from what cannot be ordered now", async () => {
    await shop.order([0, 1]);
    const wish = { item_id: shop.pizza(0) };
    await eventually(async () => {
      expect(await recommended(GUEST, wish)).toHaveLength(1);
    });
    await database.pool.query("update menu_items set available = false where item_id = $1", [shop.pizza(1)]);
    await shop.call(reloadMenu, {});
    expect(await recommended(GUEST, wish)).toEqual([]);
  });
});
