import { nameKey } from "../../../../mixins/text/forms";
import { contentOf, itemsOf, parseItem } from "../../../../services/menu/menu.item";
import { problemsOf, usersOf } from "../../../../services/menu/menu.rules";
import type { MenuItem } from "../../../../services/menu/menu.schemas";
import { SEED_ITEMS, SEED_PROMO, seedSale } from "../../../../services/menu/menu.seed-data";

const changed = (ru: string, change: Partial<MenuItem>): MenuItem[] =>
  SEED_ITEMS.map((item) => (item.name.ru === ru ? { ...item, ...change } : item));
const id = (ru: string): string => SEED_ITEMS.find(({ name }) => name.ru === ru)?.item_id ?? "";

describe("the seeded menu", () => {
  it("has nine pizzas, three sets and an extra, and nothing wrong with it", () => {
    const { pizzas, sets, extras } = contentOf(SEED_ITEMS);
    expect([pizzas.length, sets.length, extras.length]).toEqual([9, 3, 1]);
    expect(problemsOf(SEED_ITEMS)).toEqual([]);
    expect(
      SEED_ITEMS.flatMap((item) => ("problems" in parseItem({ ...item }) ? [item.name.ru] : [])),
    ).toEqual([]);
  });

  it("puts 150 g of mozzarella and 80 g of sauce on every pizza", () => {
    for (const { ingredients } of contentOf(SEED_ITEMS).pizzas)
      expect(ingredients.slice(0, 2).map(({ name, grams }) => [name.en, grams])).toEqual([
        ["Mozzarella", 150],
        ["Sauce", 80],
      ]);
  });

  it("sells each set for less than its pizzas one by one", () => {
    const { pizzas, sets } = contentOf(SEED_ITEMS);
    for (const set of sets) {
      const apart = set.items.reduce(
        (sum, { pizza_id, quantity }) =>
          sum + quantity * (pizzas.find((pizza) => pizza.id === pizza_id)?.price_minor ?? 0),
        0,
      );
      expect(set.price_minor).toBeLessThan(apart);
    }
  });

  it("has ids of its own that never change", () => {
    const ids = [...SEED_ITEMS.map(({ item_id }) => item_id), seedSale(0).sale_id, SEED_PROMO.promo_id];
    expect(new Set(ids).size).toBe(15);
    for (const one of ids) expect(one).toMatch(/^01941f29-7c00-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(id("Маргарита")).toMatchInlineSnapshot(`"01941f29-7c00-70d7-862f-1d08a1d1d230"`);
  });

  it("comes back from its own document", () => {
    expect(contentOf(itemsOf(contentOf(SEED_ITEMS)))).toEqual(contentOf(SEED_ITEMS));
  });
});

describe("a menu is wrong when", () => {
  it.each<[string, MenuItem[], string, string]>([
    [
      "an extra is gone",
      SEED_ITEMS.filter(({ kind }) => kind !== "extra"),
      "menu.unknown_reference",
      "/extras",
    ],
    [
      "a set names a pizza that is not there",
      SEED_ITEMS.filter(({ name }) => name.ru !== "Маргарита"),
      "menu.unknown_reference",
      "/items",
    ],
    [
      "a set names a set",
      changed("Семейный", { items: [{ pizza_id: id("Мясной"), quantity: 1 }] }),
      "menu.unknown_reference",
      "/items",
    ],
    [
      "a pizza offers a pizza as an extra",
      changed("Мясная", { extras: [id("Маргарита")] }),
      "menu.unknown_reference",
      "/extras",
    ],
    [
      "a Russian name is taken",
      changed("Мясная", { name: { ru: " маргарита", en: "Meat" } }),
      "menu.name_taken",
      "/name/ru",
    ],
    [
      "an English name is taken",
      changed("Мясная", { name: { ru: "Мясная", en: "MARGHERITA" } }),
      "menu.name_taken",
      "/name/en",
    ],
    [
      "a name is another one's in the other language",
      changed("Мясная", { name: { ru: "Pepperoni", en: "Meat" } }),
      "menu.name_taken",
      "/name/ru",
    ],
    ["a set is empty", changed("Семейный", { items: [] }), "menu.invalid_item", "/items"],
    [
      "a set has ingredients",
      changed("Семейный", { ingredients: [{ name: { ru: "Лук", en: "Onion" }, grams: 1 }] }),
      "menu.invalid_item",
      "/ingredients",
    ],
    [
      "a set has extras",
      changed("Семейный", { extras: [id("Сырный бортик")] }),
      "menu.invalid_item",
      "/extras",
    ],
    [
      "a pizza has pizzas",
      changed("Мясная", { items: [{ pizza_id: id("Маргарита"), quantity: 1 }] }),
      "menu.invalid_item",
      "/items",
    ],
    [
      "an extra has an image",
      changed("Сырный бортик", { image: "/crust.png" }),
      "menu.invalid_item",
      "/image",
    ],
    [
      "an extra is offered twice",
      changed("Мясная", { extras: [id("Сырный бортик"), id("Сырный бортик")] }),
      "menu.invalid_item",
      "/extras",
    ],
    [
      "a set counts a pizza twice",
      changed("Семейный", {
        items: [id("Маргарита"), id("Маргарита")].map((pizza_id) => ({ pizza_id, quantity: 1 })),
      }),
      "menu.invalid_item",
      "/items",
    ],
    [
      "an ingredient is there twice",
      changed("Мясная", {
        ingredients: ["Лук", "лук "].map((ru) => ({ name: { ru, en: ru + "x" }, grams: 1 })),
      }),
      "menu.invalid_item",
      "/ingredients",
    ],
  ])("%s", (_, items, code, path) => {
    expect(problemsOf(items)).toContainEqual(expect.objectContaining({ code, path }));
  });

  it("nothing but what is wrong is complained about: one name may serve both languages of an item", () => {
    expect(problemsOf(changed("New York", { name: { ru: "New York", en: "new york" } }))).toEqual([]);
  });
});

describe("a row edited by hand", () => {
  const row = { ...SEED_ITEMS[0] };
  it.each<[string, object, string]>([
    ["a negative price", { price_minor: -1 }, "/price_minor"],
    ["a fractional price", { price_minor: 1.5 }, "/price_minor"],
    ["a price beyond all measure", { price_minor: 9e18 }, "/price_minor"],
    ["an empty name", { name: { ru: " ", en: "x" } }, "/name/ru"],
    ["ingredients that are no list", { ingredients: "cheese" }, "/ingredients"],
    [
      "an ingredient without grams",
      { ingredients: [{ name: { ru: "Сыр", en: "Cheese" } }] },
      "/ingredients/0/grams",
    ],
    [
      "an ingredient with negative grams",
      { ingredients: [{ name: { ru: "Сыр", en: "Cheese" }, grams: -5 }] },
      "/ingredients/0/grams",
    ],
    ["an extra that is no id", { extras: [null] }, "/extras/0"],
    ["a script as image", { image: "javascript:alert(1)" }, "/image"],
    ["a name with a control character", { name: { ru: "a\u0000b", en: "x" } }, "/name/ru"],
  ])("with %s is named with its field", (_, change, path) => {
    expect(parseItem({ ...row, ...change })).toMatchObject({
      problems: expect.arrayContaining([
        expect.objectContaining({ code: "menu.invalid_item", item_id: row.item_id, path }),
      ]) as unknown,
    });
  });

  it("is tidied: ids in small letters, names without outer spaces", () => {
    const parsed = parseItem({
      ...row,
      item_id: row.item_id?.toUpperCase(),
      name: { ru: " Новая ", en: "New" },
    });
    expect(parsed).toMatchObject({ item: { item_id: row.item_id, name: { ru: "Новая", en: "New" } } });
  });
});

it("names are compared without case and extra spaces", () => {
  expect(nameKey("  New   YORK ")).toBe(nameKey("new york"));
});

it("an item knows who is made of it", () => {
  expect(usersOf(id("Маргарита"), SEED_ITEMS).map(({ name }) => name.ru)).toEqual(["Семейный", "Пицца-пати"]);
  expect(usersOf(id("Сырный бортик"), SEED_ITEMS)).toHaveLength(9);
  expect(usersOf(id("Семейный"), SEED_ITEMS)).toEqual([]);
});
