import * as fc from "fast-check";
import { boardOf, withOffers, withUses, type MenuBoard } from "../../../../services/menu/menu.board";
import { validatorOf } from "../../../../mixins/contract/validation";
import {
  WishedItem,
  type MenuWish,
  type Quote,
  type QuoteWish,
} from "../../../../services/menu/menu.contract";
import type { FlashSale, PromoCode } from "../../../../services/menu/menu.events";
import { contentOf } from "../../../../services/menu/menu.item";
import { quote } from "../../../../services/menu/menu.pricing";
import type { MenuItem } from "../../../../services/menu/menu.schemas";
import { SEED_ITEMS } from "../../../../services/menu/menu.seed-data";

const NOON = Date.parse("2026-03-02T12:00:00.000Z");
const iso = (offset_ms: number): string => new Date(NOON + offset_ms).toISOString();
const item = (ru: string): MenuItem => {
  const found = SEED_ITEMS.find(({ name }) => name.ru === ru);
  if (found === undefined) throw new Error(`no ${ru}`);
  return found;
};
const id = (ru: string): string => item(ru).item_id;
const CRUST = id("Сырный бортик");

function board(change: (item: MenuItem) => Partial<MenuItem> = () => ({})): MenuBoard {
  const items = SEED_ITEMS.map((one) => ({ ...one, ...change(one) }));
  return boardOf({ version: 7, currency: "RUB", updated_at: iso(0), ...contentOf(items) });
}
const sale = (terms: Partial<FlashSale>): FlashSale => ({
  sale_id: "01941f29-7c00-7000-8000-00000000000a",
  name: { ru: "Час", en: "Hour" },
  item_ids: [id("Маргарита")],
  percent: 20,
  price_minor: null,
  starts_at: iso(0),
  ends_at: iso(3_600_000),
  limit_quantity: null,
  ...terms,
});
const promo = (terms: Partial<PromoCode>): PromoCode => ({
  promo_id: "01941f29-7c00-7000-8000-00000000000b",
  code: "TEN",
  percent: 10,
  amount_minor: null,
  min_total_minor: 0,
  valid_from: null,
  valid_until: null,
  active: true,
  ...{ limit_total: null, limit_per_user: null, first_order_only: false },
  ...terms,
});
const priced = (from: MenuBoard, wish: QuoteWish, now = NOON): Quote => {
  const result = quote(from, wish, now);
  if ("refused" in result) throw new Error(`${result.code}: ${result.detail}`);
  return result;
};
const one = (ru: string, more: Partial<MenuWish["items"][number]> = {}): MenuWish => ({
  items: [{ menu_item_id: id(ru), quantity: 1, ...more }],
});

describe("a quote", () => {
  it("takes every price from the menu", () => {
    const quoted = priced(board(), {
      items: [
        { menu_item_id: id("Маргарита"), quantity: 2, extras: [CRUST] },
        { name: "Пицца-пати", quantity: 1 },
      ],
    });
    expect(quoted).toMatchObject({
      menu_version: 7,
      currency: "RUB",
      items_total_minor: 329_600,
      discount_minor: 0,
    });
    expect(quoted.items).toEqual([
      {
        kind: "pizza",
        menu_item_id: id("Маргарита"),
        name: { ru: "Маргарита", en: "Margherita" },
        quantity: 2,
        unit_price_minor: 44_900,
        list_price_minor: 44_900,
        flash_sale_id: null,
        extras: [{ extra_id: CRUST, name: { ru: "Сырный бортик", en: "Cheese crust" }, price_minor: 19_900 }],
        exclude_ingredients: [],
        line_total_minor: 129_600,
      },
      expect.objectContaining({ kind: "set", menu_item_id: id("Пицца-пати"), line_total_minor: 200_000 }),
    ]);
  });

  it.each(["Маргарита", "  МАРГАРИТА ", "margherita", "Margherita"])(
    "finds an item by the name %j",
    (name) => {
      expect(priced(board(), { items: [{ name, quantity: 1 }] }).items[0]?.menu_item_id).toBe(
        id("Маргарита"),
      );
    },
  );

  it("finds an item by its id in capitals too, and lets the id win over a name", () => {
    const wish = { items: [{ menu_item_id: id("Маргарита").toUpperCase(), name: "Мясная", quantity: 1 }] };
    expect(priced(board(), wish).items[0]?.menu_item_id).toBe(id("Маргарита"));
  });

  it("names what is left out in Russian, once, whatever language it was said in", () => {
    const quoted = priced(
      board(),
      one("Английский завтрак", { exclude_ingredients: ["onion", " ЛУК", "Egg"] }),
    );
    expect(quoted.items[0]).toMatchObject({ exclude_ingredients: ["Лук", "Яйцо"], line_total_minor: 59_900 });
  });

  it.each<[string, Partial<MenuWish["items"][number]> & { ru?: string }, string]>([
    ["an unknown id", { menu_item_id: "01941f29-7c00-7000-8000-000000000000" }, "menu.unknown_item"],
    ["an extra as a line of its own", { ru: "Сырный бортик" }, "menu.unknown_item"],
    ["an unknown extra", { extras: ["01941f29-7c00-7000-8000-000000000000"] }, "menu.unknown_extra"],
    ["a pizza as an extra", { extras: [id("Мясная")] }, "menu.unknown_extra"],
    ["an extra on a set", { ru: "Семейный", extras: [CRUST] }, "menu.extra_not_offered"],
    ["an extra twice", { extras: [CRUST, CRUST] }, "menu.duplicate_extra"],
    ["an ingredient that is not in it", { exclude_ingredients: ["Ананас"] }, "menu.unknown_ingredient"],
    [
      "an ingredient left out of a set",
      { ru: "Семейный", exclude_ingredients: ["Лук"] },
      "menu.unknown_ingredient",
    ],
  ])("refuses %s", (_, { ru = "Маргарита", ...wished }, code) => {
    expect(quote(board(), one(ru, wished), NOON)).toMatchObject({
      refused: "unprocessable",
      code,
      data: { item_index: 0 },
    });
  });

  it("takes no line without id and name: its schema refuses that", () => {
    const validate = validatorOf(WishedItem);
    expect(validate({ quantity: 1 })).toMatchObject({ refused: "invalid", code: "input.invalid" });
    for (const named of [{ name: "Пепперони" }, { menu_item_id: "01990000-0000-7000-8000-000000000001" }])
      expect(validate({ ...named, quantity: 1 })).toBeUndefined();
  });

  it("refuses an unknown name and says which", () => {
    expect(quote(board(), { items: [{ name: "Гавайская", quantity: 1 }] }, NOON)).toMatchObject({
      code: "menu.unknown_item",
      detail: expect.stringContaining("Гавайская") as string,
    });
  });

  it("refuses an extra that is on the menu but not offered with this pizza", () => {
    const without = board(({ name }) => (name.ru === "Маргарита" ? { extras: [] } : {}));
    expect(quote(without, one("Маргарита", { extras: [CRUST] }), NOON)).toMatchObject({
      code: "menu.extra_not_offered",
    });
  });

  it.each(["Маргарита", "Сырный бортик"])("refuses what is switched off: %s", (off) => {
    const without = board(({ name }) => (name.ru === off ? { available: false } : {}));
    expect(quote(without, one("Маргарита", { extras: [CRUST] }), NOON)).toMatchObject({
      code: "menu.unavailable",
      detail: expect.stringContaining(off) as string,
    });
  });

  it("refuses a set one of whose pizzas is switched off, and names the pizza", () => {
    const without = board(({ name }) => (name.ru === "Маргарита" ? { available: false } : {}));
    expect(quote(without, one("Семейный"), NOON)).toMatchObject({
      code: "menu.unavailable",
      detail: "Маргарита is not available now.",
    });
    expect(priced(without, one("Мясной")).items_total_minor).toBe(150_000);
  });
});

describe("a flash sale", () => {
  const on = (...sales: FlashSale[]): MenuBoard => withOffers(board(), sales, []);

  it("counts from its first millisecond to before its last", () => {
    const selling = on(sale({ percent: 20 }));
    const at = (offset_ms: number) => priced(selling, one("Маргарита"), NOON + offset_ms).items_total_minor;
    expect([at(-1), at(0), at(3_599_999), at(3_600_000)]).toEqual([44_900, 35_920, 35_920, 44_900]);
  });

  it("shows the list price beside its own, and leaves other items alone", () => {
    const selling = on(sale({ percent: null, price_minor: 30_000 }));
    const [cheap, usual] = priced(selling, {
      items: [
        { name: "Маргарита", quantity: 3 },
        { name: "Мясная", quantity: 1 },
      ],
    }).items;
    expect(cheap).toMatchObject({
      unit_price_minor: 30_000,
      list_price_minor: 44_900,
      line_total_minor: 90_000,
    });
    expect(cheap?.flash_sale_id).toBe(sale({}).sale_id);
    expect(usual).toMatchObject({ unit_price_minor: 74_900, list_price_minor: 74_900, flash_sale_id: null });
  });

  it("gives the best of several, and never raises a price", () => {
    const best = sale({ sale_id: "01941f29-7c00-7000-8000-00000000000c", percent: 50 });
    const dear = sale({
      sale_id: "01941f29-7c00-7000-8000-00000000000d",
      percent: null,
      price_minor: 99_900,
    });
    expect(priced(on(sale({}), best, dear), one("Маргарита")).items[0]?.flash_sale_id).toBe(best.sale_id);
    expect(priced(on(dear), one("Маргарита")).items[0]).toMatchObject({
      unit_price_minor: 44_900,
      flash_sale_id: null,
    });
  });

  it("rounds what is left down to a whole kopeck", () => {
    const odd = withOffers(
      board(({ name }) => (name.ru === "Маргарита" ? { price_minor: 999 } : {})),
      [sale({ percent: 33 })],
      [],
    );
    expect(priced(odd, one("Маргарита")).items_total_minor).toBe(669);
  });

  describe("with so many units", () => {
    const { sale_id } = sale({});
    const selling = (used: number, ...sales: FlashSale[]): MenuBoard =>
      withUses(on(sale({ limit_quantity: 5 }), ...sales), [{ offer_id: sale_id, used, position: 1 }]);
    const lines = (...quantities: number[]): MenuWish => ({
      items: quantities.map((quantity) => ({ name: "Маргарита", quantity })),
    });
    const saleOf = (wish: MenuWish, from: MenuBoard, remaining?: Record<string, number>) => {
      const quoted = priced(from, { ...wish, ...(remaining === undefined ? {} : { remaining }) });
      return [quoted.items.map(({ flash_sale_id }) => flash_sale_id === sale_id), quoted.limited];
    };
    const taken = (units: number) => [{ kind: "sale", offer_id: sale_id, units, first_order_only: false }];

    it("is for whole lines: one that asks for more than are left costs what the menu says", () => {
      expect(saleOf(lines(2), selling(3))).toEqual([[true], taken(2)]);
      expect(saleOf(lines(3), selling(3))).toEqual([[false], []]);
    });

    it("counts the lines of an order one after the other", () => {
      expect(saleOf(lines(3, 3, 2), selling(0))).toEqual([[true, false, true], taken(5)]);
    });

    it("is over when none are left, and the next best sale counts", () => {
      const other = sale({ sale_id: "01941f29-7c00-7000-8000-00000000000c", percent: 10 });
      const quoted = priced(selling(5, other), lines(1));
      expect(quoted.items[0]?.flash_sale_id).toBe(other.sale_id);
      expect(quoted.limited).toEqual([]);
    });

    it("believes its quota more than the board", () => {
      expect(saleOf(lines(2), selling(0), { [sale_id]: 1 })).toEqual([[false], []]);
      expect(saleOf(lines(2), selling(0), { [sale_id]: 2 })).toEqual([[true], taken(2)]);
      expect(saleOf(lines(2), selling(5), { [sale_id]: 2 })).toEqual([[true], taken(2)]);
      expect(saleOf(lines(2), selling(5), {})).toEqual([[true], taken(2)]);
    });
  });

  it("may give something away", () => {
    expect(priced(on(sale({ percent: 100 })), one("Маргарита")).items_total_minor).toBe(0);
  });
});

describe("a promo code", () => {
  const withCode = (terms: Partial<PromoCode>): MenuBoard => withOffers(board(), [], [promo(terms)]);
  const wish = { ...one("Маргарита"), promo_code: " ten " };

  it("is the same however it is typed, and however somebody has written it into its row", () => {
    const decomposed = "й".normalize("NFD");
    for (const code of ["ЙОД-10", `${decomposed}од-10`, "йод‑10"])
      for (const typed of ["йод-10", `${decomposed}од–10`, "ЙОД\u200b−10", " Йод-10\u00a0"])
        expect(priced(withCode({ code }), { ...wish, promo_code: typed }).discount_minor).toBeGreaterThan(0);
    expect(quote(withCode({ code: "ЙОД-10" }), { ...wish, promo_code: "ЙОД10" }, NOON)).toMatchObject({
      code: "promo.unknown",
    });
  });

  it.each([
    [{ percent: 10 }, 4_490],
    [{ percent: 33 }, 14_817],
    [{ percent: null, amount_minor: 10_000 }, 10_000],
    [{ percent: null, amount_minor: 99_999 }, 44_900],
    [{ percent: 100 }, 44_900],
  ])("with %j takes %i off", (terms, discount_minor) => {
    expect(priced(withCode(terms), wish)).toMatchObject({
      items_total_minor: 44_900,
      discount_minor,
      promo_code: "TEN",
    });
  });

  it("counts after the flash sale", () => {
    const both = withOffers(board(), [sale({ percent: 50 })], [promo({ percent: 10 })]);
    expect(priced(both, wish)).toMatchObject({ items_total_minor: 22_450, discount_minor: 2_245 });
  });

  it("is counted only where it has a limit, once an order", () => {
    const { promo_id } = promo({});
    const use = { kind: "promo", offer_id: promo_id, units: 1 };
    const limited = (terms: Partial<PromoCode>) => priced(withCode(terms), wish).limited;
    expect(limited({})).toEqual([]);
    expect(limited({ limit_total: 3 })).toEqual([{ ...use, first_order_only: false }]);
    expect(limited({ limit_per_user: 1 })).toEqual([{ ...use, first_order_only: false }]);
    expect(limited({ first_order_only: true })).toEqual([{ ...use, first_order_only: true }]);
  });

  it("that is used up is refused", () => {
    const from = (used: number) =>
      withUses(withCode({ limit_total: 3 }), [{ offer_id: promo({}).promo_id, used, position: 1 }]);
    expect(priced(from(2), wish).discount_minor).toBe(4_490);
    expect(quote(from(3), wish, NOON)).toMatchObject({ code: "promo.used_up" });
    expect(priced(from(3), { ...wish, remaining: {} }).limited).toHaveLength(1);
  });

  it.each<[string, Partial<PromoCode>, string]>([
    ["unknown", { code: "OTHER" }, "promo.unknown"],
    ["switched off", { active: false }, "promo.expired"],
    ["over", { valid_until: iso(0) }, "promo.expired"],
    ["not valid yet", { valid_from: iso(1) }, "promo.not_started"],
    ["for larger orders", { min_total_minor: 44_901 }, "promo.total_too_small"],
  ])("that is %s is refused", (_, terms, code) => {
    expect(quote(withCode(terms), wish, NOON)).toMatchObject({ refused: "unprocessable", code });
  });

  it("holds from its first millisecond and at its smallest order", () => {
    const edge = withCode({ valid_from: iso(0), valid_until: iso(1), min_total_minor: 44_900 });
    expect(priced(edge, wish).discount_minor).toBe(4_490);
  });
});

describe("whatever is wished", () => {
  const pizzas = SEED_ITEMS.filter(({ kind }) => kind === "pizza");
  const line = fc.record({
    menu_item_id: fc.constantFrom(
      ...SEED_ITEMS.filter(({ kind }) => kind !== "extra").map(({ item_id }) => item_id),
    ),
    quantity: fc.integer({ min: 1, max: 99 }),
    crust: fc.boolean(),
  });
  const wishes = fc.array(line, { minLength: 1, maxLength: 100 }).map((lines) =>
    lines.map(({ crust, ...wished }) => ({
      ...wished,
      extras: crust && pizzas.some(({ item_id }) => item_id === wished.menu_item_id) ? [CRUST] : [],
    })),
  );
  const offers = fc.record({
    prices: fc.array(fc.integer({ min: 0, max: 100_000_000 }), {
      minLength: SEED_ITEMS.length,
      maxLength: SEED_ITEMS.length,
    }),
    percent: fc.integer({ min: 1, max: 100 }),
    promo: fc.oneof(
      fc.record({ percent: fc.integer({ min: 1, max: 100 }), amount_minor: fc.constant(null) }),
      fc.record({ percent: fc.constant(null), amount_minor: fc.integer({ min: 0, max: 100_000_000 }) }),
    ),
  });
  const boardWith = ({
    prices,
    percent,
    promo: terms,
  }: typeof offers extends fc.Arbitrary<infer T> ? T : never) => {
    const priced = board((one) => ({
      price_minor: prices[SEED_ITEMS.findIndex(({ item_id }) => item_id === one.item_id)] ?? 0,
    }));
    return withOffers(
      priced,
      [sale({ percent, item_ids: pizzas.map(({ item_id }) => item_id) })],
      [promo(terms)],
    );
  };

  it("totals are whole, not negative, and the sum of their lines; the discount never exceeds them", () => {
    fc.assert(
      fc.property(offers, wishes, (terms, items) => {
        const quoted = priced(boardWith(terms), { items, promo_code: "ten" });
        const sum = quoted.items.reduce((total, { line_total_minor }) => total + line_total_minor, 0);
        expect(quoted.items_total_minor).toBe(sum);
        for (const { unit_price_minor, list_price_minor, line_total_minor } of quoted.items) {
          expect(Number.isSafeInteger(unit_price_minor) && Number.isSafeInteger(line_total_minor)).toBe(true);
          expect(unit_price_minor).toBeLessThanOrEqual(list_price_minor);
          expect(unit_price_minor).toBeGreaterThanOrEqual(0);
        }
        expect(Number.isSafeInteger(quoted.discount_minor)).toBe(true);
        expect(quoted.discount_minor).toBeGreaterThanOrEqual(0);
        expect(quoted.items_total_minor - quoted.discount_minor).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("the order of the items does not change what they cost", () => {
    const shuffled = wishes.chain((items) =>
      fc.tuple(
        fc.constant(items),
        fc.shuffledSubarray(items, { minLength: items.length, maxLength: items.length }),
      ),
    );
    fc.assert(
      fc.property(offers, shuffled, (terms, [items, others]) => {
        const from = boardWith(terms);
        const [a, b] = [items, others].map((all) => priced(from, { items: all, promo_code: "TEN" }));
        expect([b?.items_total_minor, b?.discount_minor]).toEqual([a?.items_total_minor, a?.discount_minor]);
      }),
    );
  });
});
