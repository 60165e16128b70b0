import { GUEST } from "../../../../mixins/contract/caller";
import { act } from "../../../../mixins/contract/implement";
import * as offers from "../../../../services/menu/menu-offer.contract";
import { quoteCart, type CartQuote } from "../../../../services/menu/menu.contract";
import type { FlashSale } from "../../../../services/menu/menu.events";
import { SEED_ITEMS, SEED_PROMO, seedSale } from "../../../../services/menu/menu.seed-data";
import { seedMenu } from "../../../../services/menu/menu.seed";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { eventually } from "../../../support/eventually";
import { freshCommand, keyedCommand, MenuNode } from "./menu-node";

jest.setTimeout(60_000);

let database: TestDatabase;
let node: MenuNode;

beforeAll(async () => {
  database = await startTestDatabase();
  node = await MenuNode.start(database, (runtime) => seedMenu(runtime, freshCommand()));
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});

const NOON = Date.parse("2026-03-02T12:00:00.000Z");
const iso = (offset_ms: number): string => new Date(NOON + offset_ms).toISOString();
const id = (ru: string): string => SEED_ITEMS.find(({ name }) => name.ru === ru)?.item_id ?? "";
const name = { ru: "Час", en: "Hour" };
const quoted = (on: MenuNode, ru: string, promo_code?: string): Promise<CartQuote> =>
  on.ask(quoteCart, {
    items: [{ name: ru, quantity: 1 }],
    ...(promo_code === undefined ? {} : { promo_code }),
  });
const plan = async (ru: string, terms: Partial<FlashSale> = {}): Promise<FlashSale> => {
  const { starts_at = iso(1_000), ends_at = iso(2_000) } = terms;
  return (await node.ask(offers.createSale, { name, item_ids: [id(ru)], percent: 50, starts_at, ends_at }))
    .sale;
};

beforeEach(() => {
  node.now = NOON;
});

describe("a flash sale", () => {
  it("of the first start counts from then on, for a week", async () => {
    expect((await quoted(node, "Солянка Злодейская")).items_total_minor).toBe(63_920);
    expect(await node.ask(offers.activeSales, {})).toEqual({
      items: [{ ...seedSale(NOON), remaining: null }],
    });
    node.now = NOON + 7 * 86_400_000;
    expect((await quoted(node, "Солянка Злодейская")).items_total_minor).toBe(79_900);
  });

  it("begins and ends at its very millisecond by the clock, with nobody telling the node", async () => {
    await plan("Маргарита");
    const at = async (offset_ms: number): Promise<number> => {
      node.now = NOON + offset_ms;
      return (await quoted(node, "Маргарита")).items_total_minor;
    };
    expect([await at(999), await at(1_000), await at(1_999), await at(2_000)]).toEqual([
      44_900, 22_450, 22_450, 44_900,
    ]);
  });

  it("is announced to everybody while it runs and before, the next one first, until it is over", async () => {
    const later = await plan("Маргарита", { starts_at: iso(8_000), ends_at: iso(9_000) });
    const soon = await plan("Маргарита", { starts_at: iso(5_000), ends_at: iso(6_000) });
    const announced = async (offset_ms: number): Promise<unknown[]> => {
      node.now = NOON + offset_ms;
      const { items } = await act(node.runtime.broker, offers.shopSales, {}, { meta: { caller: GUEST } });
      return items.filter(({ sale_id }) => [later, soon].some((sale) => sale.sale_id === sale_id));
    };
    expect(await announced(0)).toEqual([
      { ...soon, remaining: null, running: false },
      { ...later, remaining: null, running: false },
    ]);
    expect(await announced(5_000)).toEqual([
      { ...soon, remaining: null, running: true },
      { ...later, remaining: null, running: false },
    ]);
    expect(await announced(6_000)).toEqual([{ ...later, remaining: null, running: false }]);
    expect(await announced(9_000)).toEqual([]);
  });

  it("is changed by what is named, ends at once when it is removed, and every node follows", async () => {
    const other = await MenuNode.start(database);
    const { sale_id } = await plan("Мясная", { starts_at: iso(0), ends_at: iso(9_000) });
    expect((await quoted(node, "Мясная")).items_total_minor).toBe(37_450);
    const { sale } = await node.ask(offers.changeSale, { sale_id, price_minor: 0 });
    expect(sale).toMatchObject({ percent: null, price_minor: 0, starts_at: iso(0), ends_at: iso(9_000) });
    await eventually(async () => {
      expect((await quoted(other, "Мясная")).items_total_minor).toBe(0);
    });
    await node.ask(offers.deleteSale, { sale_id });
    expect((await quoted(node, "Мясная")).items_total_minor).toBe(74_900);
    await eventually(async () => {
      expect((await quoted(other, "Мясная")).items_total_minor).toBe(74_900);
    });
    expect(await node.refused(offers.getSale, { sale_id })).toMatchObject({
      refused: "not_found",
      code: "sale.unknown",
    });
    const events = await node.runtime.log.readStream(`flash-sale-${sale_id}`);
    expect(events.map(({ type, version }) => [type, version])).toEqual([
      ["menu.sale_changed", 1],
      ["flash_sale.started", 2],
      ["menu.sale_changed", 3],
      ["menu.sale_changed", 4],
      ["flash_sale.ended", 5],
    ]);
    await other.stop();
  });

  it("keeps its times in UTC, whatever offset they came with", async () => {
    const { sale } = await node.ask(offers.createSale, {
      name,
      item_ids: [id("Пепперони")],
      price_minor: 1,
      starts_at: "2026-04-01T00:00:00+07:00",
      ends_at: "2026-04-01T01:00:00+07:00",
    });
    expect(sale).toMatchObject({
      starts_at: "2026-03-31T17:00:00.000Z",
      ends_at: "2026-03-31T18:00:00.000Z",
    });
    expect(await node.ask(offers.getSale, { sale_id: sale.sale_id })).toEqual({ ...sale, remaining: null });
  });

  it.each([
    ["an end before its start", { percent: 1, ends_at: iso(0), starts_at: iso(1) }, "sale.invalid_interval"],
    ["no length", { percent: 1, ends_at: iso(0), starts_at: iso(0) }, "sale.invalid_interval"],
    ["a start before 1970", { percent: 1, starts_at: "1969-12-31T23:59:59Z" }, "sale.invalid_interval"],
    ["two benefits", { percent: 1, price_minor: 1 }, "sale.one_benefit"],
    ["no benefit", {}, "sale.one_benefit"],
    ["an item that is not sold", { percent: 1, item_ids: [id("Сырный бортик")] }, "menu.unknown_item"],
    ["0 percent", { percent: 0 }, "input.invalid"],
  ])("with %s is refused", async (_, terms, code) => {
    const wish = { name, item_ids: [id("Маргарита")], starts_at: iso(0), ends_at: iso(1), ...terms };
    expect((await node.refused(offers.createSale, wish)).code).toBe(code);
  });
});

describe("a promo code", () => {
  it("of the first start takes a tenth off larger orders", async () => {
    expect(await quoted(node, "Пицца-пати", "forno10")).toMatchObject({
      discount_minor: 20_000,
      promo_code: "FORNO10",
    });
    expect(
      await node.refused(quoteCart, { items: [{ name: "Маргарита", quantity: 1 }], promo_code: "FORNO10" }),
    ).toMatchObject({
      code: "promo.total_too_small",
      data: { min_total_minor: SEED_PROMO.min_total_minor },
    });
  });

  it("is made, changed by what is named (false and 0 too) and removed", async () => {
    const { promo } = await node.ask(offers.createPromo, {
      code: "лето-26",
      amount_minor: 5_000,
      min_total_minor: 10,
    });
    expect(promo).toMatchObject({
      code: "ЛЕТО-26",
      percent: null,
      amount_minor: 5_000,
      active: true,
      valid_from: null,
    });
    const { promo_id } = promo;
    expect((await quoted(node, "Маргарита", "Лето-26")).discount_minor).toBe(5_000);

    const changed = await node.ask(offers.changePromo, {
      promo_id,
      active: false,
      min_total_minor: 0,
      amount_minor: 0,
    });
    expect(changed.promo).toEqual({ ...promo, active: false, min_total_minor: 0, amount_minor: 0 });
    expect(
      await node.refused(quoteCart, { items: [{ name: "Маргарита", quantity: 1 }], promo_code: "ЛЕТО-26" }),
    ).toMatchObject({ code: "promo.expired" });

    await node.ask(offers.deletePromo, { promo_id });
    expect(
      await node.refused(quoteCart, { items: [{ name: "Маргарита", quantity: 1 }], promo_code: "ЛЕТО-26" }),
    ).toMatchObject({ code: "promo.unknown" });
  });

  it("is made once by the same command", async () => {
    const command = keyedCommand();
    const first = await node.ask(offers.createPromo, { code: "ONCE", percent: 5 }, command);
    expect(await node.ask(offers.createPromo, { code: "ONCE", percent: 5 }, command)).toEqual(first);
  });

  it("belongs to one promo, also when two ask at once", async () => {
    const both = await Promise.allSettled(
      ["TWICE", "twice"].map((code) => node.ask(offers.createPromo, { code, percent: 5 })),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(both.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { type: "promo.code_taken" },
    });
  });

  it.each([
    [
      "an end before its start",
      { percent: 1, valid_from: iso(1), valid_until: iso(0) },
      "promo.invalid_interval",
    ],
    ["two benefits", { percent: 1, amount_minor: 1 }, "promo.one_benefit"],
    ["no benefit", {}, "promo.one_benefit"],
    ["a space in it", { code: "A B", percent: 1 }, "input.invalid"],
  ])("with %s is refused", async (_, terms, code) => {
    expect((await node.refused(offers.createPromo, { code: "WRONG", ...terms })).code).toBe(code);
  });

  it("is listed in pages", async () => {
    for (const code of ["P1", "P2", "P3"]) await node.ask(offers.createPromo, { code, percent: 1 });
    const first = await node.ask(offers.listPromos, { limit: 2 });
    expect(first.items.map(({ code }) => code)).toEqual(["P3", "P2"]);
    const second = await node.ask(offers.listPromos, { limit: 1, cursor: first.next_cursor ?? "" });
    expect(second.items.map(({ code }) => code)).toEqual(["P1"]);
  });
});
