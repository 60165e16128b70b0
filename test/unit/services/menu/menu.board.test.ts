import {
  boardOf,
  EMPTY_MENU,
  leftOf,
  usedOf,
  withOffers,
  withUses,
} from "../../../../services/menu/menu.board";
import { PublicDocuments, readyDocuments } from "../../../../services/menu/menu.documents";
import type { MenuDocument } from "../../../../services/menu/menu.events";
import { contentOf } from "../../../../services/menu/menu.item";
import type { SalePrice } from "../../../../services/menu/menu.sale-prices";
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

const NO_SALES: ReadonlyMap<string, SalePrice> = new Map();

describe("a board", () => {
  it("has the public documents ready, each with the version", () => {
    const { document } = boardOf(menu(3));
    const ready = readyDocuments(document, NO_SALES);
    expect(JSON.parse(ready.menu.body.toString())).toEqual(document);
    const head = { version: 3, currency: "RUB", updated_at: "2026-03-02T12:00:00.000Z" };
    expect(JSON.parse(ready.pizzas.body.toString())).toEqual({ ...head, pizzas: document.pizzas });
    expect(JSON.parse(ready.extras.body.toString())).toEqual({ ...head, extras: document.extras });
    expect(JSON.parse(ready.sets.body.toString())).toEqual({ ...head, sets: document.sets });
  });

  it("has a strong tag that depends on the bytes alone: the same on every node, another one for every version", () => {
    const tag = (document: MenuDocument) => readyDocuments(boardOf(document).document, NO_SALES).menu.etag;
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
    expect(JSON.parse(readyDocuments(EMPTY_MENU, NO_SALES).pizzas.body.toString())).toEqual({
      version: 0,
      currency: "RUB",
      updated_at: "1970-01-01T00:00:00.000Z",
      pizzas: [],
    });
  });
});

describe("what is known of uses", () => {
  const offer_id = SEED_PROMO.promo_id;
  const use = (used: number, position: number) => ({ offer_id, used, position });

  it("is the newest word, whichever comes first", () => {
    const board = withUses(boardOf(menu(3)), [use(2, 20)]);
    expect(usedOf(withUses(board, [use(1, 10)]), offer_id)).toBe(2);
    expect(usedOf(withUses(board, [use(1, 30)]), offer_id)).toBe(1);
    expect(withUses(board, [use(1, 20)])).toBe(board);
  });

  it("leaves what the limit leaves, and nothing when the limit was lowered below it", () => {
    const board = withUses(boardOf(menu(3)), [use(2, 20)]);
    expect([5, 2, 1, null].map((limit) => leftOf(board, offer_id, limit))).toEqual([3, 0, 0, Infinity]);
    expect(leftOf(board, "another", 5)).toBe(5);
  });

  it("carries over when the menu or its offers change", () => {
    const board = withUses(boardOf(menu(3)), [use(2, 20)]);
    expect(usedOf(boardOf(menu(4), withOffers(board, [], [])), offer_id)).toBe(2);
  });
});

describe("the public documents", () => {
  const HOUR = 3_600_000;
  const [item] = SEED_ITEMS;
  const sale = {
    ...seedSale(HOUR),
    item_ids: [item!.item_id],
    ends_at: new Date(2 * HOUR).toISOString(),
    limit_quantity: 2,
  };
  const board = withOffers(boardOf(menu(3)), [sale], []);
  const saleIn = (documents: PublicDocuments, on = board, now_ms = HOUR): unknown => {
    const { body } = documents.at(on, now_ms).pizzas;
    const { pizzas } = JSON.parse(body.toString()) as { pizzas: { id: string; sale?: unknown }[] };
    return pizzas.find(({ id }) => id === item!.item_id)?.sale;
  };
  const price = { flash_sale_id: sale.sale_id, price_minor: 39_920, ends_at: sale.ends_at };

  it("show a sale's price from its first millisecond to before its last, whichever way the clock goes", () => {
    const documents = new PublicDocuments();
    for (const [at, shown] of [
      [0, undefined],
      [HOUR - 1, undefined],
      [HOUR, price],
      [2 * HOUR - 1, price],
      [2 * HOUR, undefined],
      [HOUR, price],
    ] as const)
      expect(saleIn(documents, board, at)).toEqual(shown);
  });

  it("show it while units are left, and again when some come back", () => {
    const documents = new PublicDocuments();
    const used = (units: number, position: number) =>
      withUses(board, [{ offer_id: sale.sale_id, used: units, position }]);
    expect(saleIn(documents, used(1, 1))).toEqual(price);
    expect(saleIn(documents, used(2, 2))).toBeUndefined();
    expect(saleIn(documents, used(1, 3))).toEqual(price);
  });

  it("are made anew only when a price is another", () => {
    const documents = new PublicDocuments();
    const shown = documents.at(board, HOUR);
    expect(documents.at(board, HOUR + 1)).toBe(shown);
    const bought = withUses(board, [{ offer_id: sale.sale_id, used: 1, position: 1 }]);
    expect(documents.at(bought, HOUR + 1)).toBe(shown);
    expect(documents.at(board, 2 * HOUR)).not.toBe(shown);
    expect(documents.at(board, 2 * HOUR).menu.etag).not.toBe(shown.menu.etag);
  });
});
