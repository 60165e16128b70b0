import { derivedUuid } from "../../mixins/derived-id";
import type { FlashSale, LocalizedName, PromoCode } from "./menu.events";
import type { MenuItem } from "./menu.schemas";

/** The menu of a first start: nine pizzas, three sets, one extra, a flash sale and two promo codes. */

const SORT_STEP = 10;
const DAY_MS = 86_400_000;

const idOf = (name: string): string => derivedUuid(`menu ${name}`);
const text = (ru: string, en: string): LocalizedName => ({ ru, en });
const roubles = (amount: number): number => amount * 100;

const INGREDIENTS = {
  mozzarella: text("Моцарелла", "Mozzarella"),
  sauce: text("Соус", "Sauce"),
  tomato: text("Помидоры", "Tomatoes"),
  basil: text("Базилик", "Basil"),
  pepperoni: text("Пепперони", "Pepperoni"),
  bacon: text("Бекон", "Bacon"),
  egg: text("Яйцо", "Egg"),
  onion: text("Лук", "Onion"),
  mushrooms: text("Грибы", "Mushrooms"),
  hunter_sausage: text("Охотничьи колбаски", "Hunter sausages"),
  sausage: text("Колбаса", "Sausage"),
  ham: text("Ветчина", "Ham"),
  pickles: text("Солёные огурцы", "Pickles"),
  olives: text("Оливки", "Olives"),
  hot_pepper: text("Острый перец", "Hot pepper"),
  chicken: text("Курица", "Chicken"),
} as const;
type Grams = Partial<Record<keyof typeof INGREDIENTS, number>>;

/** On every pizza. */
const BASE: Grams = { mozzarella: 150, sauce: 80 };

const PIZZAS: readonly (readonly [name: LocalizedName, roubles: number, grams: Grams])[] = [
  [text("Классическая", "Classic"), 499, { tomato: 120, basil: 10 }],
  [text("Пепперони", "Pepperoni"), 549, { pepperoni: 100 }],
  [text("Английский завтрак", "English Breakfast"), 599, { bacon: 80, egg: 100, tomato: 120, onion: 60 }],
  [text("New York", "New York"), 699, { pepperoni: 100, mushrooms: 100, onion: 60 }],
  [text("Охотничья", "Hunter"), 699, { hunter_sausage: 100, mushrooms: 100, onion: 60 }],
  [text("Мясная", "Meat"), 749, { bacon: 80, sausage: 100, ham: 80 }],
  [
    text("Солянка Злодейская", "Villain's Solyanka"),
    799,
    { sausage: 100, pickles: 80, olives: 50, pepperoni: 100, bacon: 80, hot_pepper: 30 },
  ],
  [text("Курица и Грибы", "Chicken and Mushrooms"), 899, { chicken: 120, mushrooms: 100 }],
  [text("Маргарита", "Margherita"), 449, { tomato: 100 }],
];

/** Contents by Russian name: each set is cheaper than its pizzas one by one. */
const SETS: readonly (readonly [name: LocalizedName, roubles: number, pizzas: readonly string[]])[] = [
  [text("Семейный", "Family"), 1200, ["Классическая", "Пепперони", "Маргарита"]],
  [text("Мясной", "Meat Lovers"), 1500, ["Мясная", "Охотничья", "Пепперони"]],
  [text("Пицца-пати", "Pizza Party"), 2000, ["Пепперони", "New York", "Классическая", "Маргарита"]],
];

const CHEESE_CRUST = idOf("Сырный бортик");

function item(kind: MenuItem["kind"], name: LocalizedName, price: number, index: number): MenuItem {
  return {
    item_id: idOf(name.ru),
    kind,
    name,
    price_minor: roubles(price),
    available: true,
    image: null,
    sort_order: (index + 1) * SORT_STEP,
    ingredients: [],
    extras: [],
    items: [],
  };
}

function recipe(grams: Grams): MenuItem["ingredients"] {
  const names = Object.keys(INGREDIENTS) as (keyof typeof INGREDIENTS)[];
  const all = { ...BASE, ...grams };
  return names.flatMap((key) =>
    all[key] === undefined ? [] : [{ name: INGREDIENTS[key], grams: all[key] }],
  );
}

/** Every item of the seeded menu; the same ones each time. */
export const SEED_ITEMS: readonly MenuItem[] = [
  ...PIZZAS.map(([name, price, grams], index) => ({
    ...item("pizza", name, price, index),
    ingredients: recipe(grams),
    extras: [CHEESE_CRUST],
  })),
  ...SETS.map(([name, price, pizzas], index) => ({
    ...item("set", name, price, index),
    items: pizzas.map((pizza) => ({ pizza_id: idOf(pizza), quantity: 1 })),
  })),
  item("extra", text("Сырный бортик", "Cheese crust"), 199, 0),
];

/** A week of a fifth off one pizza, from the first start on. */
export function seedSale(now_ms: number): FlashSale {
  return {
    sale_id: idOf("Злодейская неделя"),
    name: text("Злодейская неделя", "Villain's week"),
    item_ids: [idOf("Солянка Злодейская")],
    percent: 20,
    price_minor: null,
    starts_at: new Date(now_ms).toISOString(),
    ends_at: new Date(now_ms + 7 * DAY_MS).toISOString(),
    limit_quantity: null,
  };
}

export const SEED_PROMO: PromoCode = {
  promo_id: idOf("FORNO10"),
  code: "FORNO10",
  percent: 10,
  amount_minor: null,
  min_total_minor: roubles(1000),
  valid_from: null,
  valid_until: null,
  active: true,
  limit_total: null,
  limit_per_user: null,
  first_order_only: false,
};

/** For the first order of a customer, while there are any left. */
export const SEED_LIMITED_PROMO: PromoCode = {
  ...SEED_PROMO,
  ...{ promo_id: idOf("WELCOME15"), code: "WELCOME15", percent: 15, min_total_minor: 0 },
  ...{ limit_total: 500, first_order_only: true },
};
