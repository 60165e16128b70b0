import { boardOf, EMPTY_MENU, withOffers } from "../../../../services/menu/menu.board";
import type { MenuDocument } from "../../../../services/menu/menu.events";
import { contentOf } from "../../../../services/menu/menu.item";
import { SEED_ITEMS, SEED_PROMO, seedSale } from "../../../../services/menu/menu.seed-data";

const menu = (version: number): MenuDocument => ({
  version,
  currency: "RUB",
  updated_at: "2026-03-02T12:00:00.000Z",
  ...contentOf(SEED_ITEMS),
});
const shuffled = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value), (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).reverse())
      : part,
  ) as T;

describe("a board", () => {
  it("has the public documents ready, each with the version", () => {
    const { ready, document } = boardOf(menu(3));
    expect(JSON.parse(ready.menu.body.toString())).toEqual(document);
    const head = { version: 3, currency: "RUB", updated_at: "2026-03-02T12:00:00.000Z" };
    expect(JSON.parse(ready.pizzas.body.toString())).toEqual({ ...head, pizzas: document.pizzas });
    expect(JSON.parse(ready.extras.body.toString())).toEqual({ ...head, extras: document.extras });
    expect(JSON.parse(ready.sets.body.toString())).toEqual({ ...head, sets: document.sets });
  });

  it("has a strong tag that depends on the bytes alone: the same on every node, another one for every version", () => {
    const tag = (document: MenuDocument) => boardOf(document).ready.menu.etag;
    expect(tag(menu(3))).toMatch(/^"[\w-]+"$/);
    expect(tag(shuffled(menu(3)))).toBe(tag(menu(3)));
    expect(tag(menu(4))).not.toBe(tag(menu(3)));
  });

  it("cannot be changed by whoever holds it", () => {
    const { document } = boardOf(menu(3));
    expect(() => ((document.pizzas[0] as { price_minor: number }).price_minor = 1)).toThrow(TypeError);
    expect(() => (document.pizzas as unknown[]).push(1)).toThrow(TypeError);
  });

  it("shows a set as not available while one of its pizzas is not", () => {
    const document = menu(3);
    const off = document.pizzas.map((pizza) =>
      pizza.name.ru === "Маргарита" ? { ...pizza, available: false } : pizza,
    );
    const { sets } = boardOf({ ...document, pizzas: off }).document;
    expect(sets.map(({ name, available }) => [name.ru, available])).toEqual([
      ["Семейный", false],
      ["Мясной", true],
      ["Пицца-пати", false],
    ]);
  });

  it("keeps its offers when the menu under them changes", () => {
    const offered = withOffers(boardOf(menu(3)), [seedSale(0)], [SEED_PROMO]);
    const next = boardOf(menu(4), offered);
    expect([...next.promos.keys()]).toEqual(["FORNO10"]);
    expect(next.sales).toBe(offered.sales);
  });

  it("is empty before the first publish", () => {
    expect(JSON.parse(boardOf(EMPTY_MENU).ready.pizzas.body.toString())).toEqual({
      version: 0,
      currency: "RUB",
      updated_at: "1970-01-01T00:00:00.000Z",
      pizzas: [],
    });
  });
});
