import { codeOf, nameKey } from "../../mixins/text/forms";
import type { FlashSale, MenuDocument, MenuExtra, MenuPizza, MenuSet, PromoCode } from "./menu.events";
import type { OfferUse } from "./menu.offer-uses";
import { unitsLeft } from "./menu.sale-phase";

/**
 * Everything that this node knows of the menu, as one immutable object: whoever holds a board sees one menu, whole, for as
 * long as he holds it. A node follows the chain by putting a new board in the old one's place, with one assignment.
 */
export interface MenuBoard {
  /** As customers see it: a set one of whose pizzas is not available is not available. */
  readonly document: MenuDocument;
  readonly index: MenuIndex;
  /** By item, sales that have not ended. */
  readonly sales: ReadonlyMap<string, readonly TimedSale[]>;
  /** By the one form of the code, whatever somebody has written into its row. */
  readonly promos: ReadonlyMap<string, TimedPromo>;
  /** How often limited offers are used, by their ids; an offer that is not there was never used. */
  readonly uses: ReadonlyMap<string, OfferUse>;
}

/** What can be a line of an order. */
export interface Sellable {
  readonly kind: "pizza" | "set";
  readonly item: MenuPizza | MenuSet;
  /** Russian name of what is missing: the item itself, or a pizza of the set; null: it can be ordered. */
  readonly missing: string | null;
  /** Extras offered with it; a set has none. */
  readonly extras: ReadonlySet<string>;
  /** Russian names of its ingredients, by name key in either language. */
  readonly ingredients: ReadonlyMap<string, string>;
}

/** Look-ups made once a version, so that pricing takes microseconds. */
interface MenuIndex {
  readonly byId: ReadonlyMap<string, Sellable>;
  /** By {@link nameKey} in either language. */
  readonly byName: ReadonlyMap<string, Sellable>;
  readonly extras: ReadonlyMap<string, MenuExtra>;
}

/** A flash sale with its times as milliseconds. */
interface TimedSale {
  readonly sale: FlashSale;
  readonly starts_ms: number;
  readonly ends_ms: number;
}
/** A promo code with its times as milliseconds; open ends are infinite. */
export interface TimedPromo {
  readonly promo: PromoCode;
  readonly from_ms: number;
  readonly until_ms: number;
}

/** The menu of a chain that has not published one yet. */
export const EMPTY_MENU: MenuDocument = {
  version: 0,
  currency: "RUB",
  updated_at: new Date(0).toISOString(),
  pizzas: [],
  extras: [],
  sets: [],
};

/** Makes a board of a version's document; the offers carry over from the board before, if there is one. */
export function boardOf(published: MenuDocument, before?: MenuBoard): MenuBoard {
  const document = deepFreeze(shown(published));
  return {
    document,
    index: indexOf(document),
    sales: before?.sales ?? new Map<string, readonly TimedSale[]>(),
    promos: before?.promos ?? new Map<string, TimedPromo>(),
    uses: before?.uses ?? new Map<string, OfferUse>(),
  };
}

/** The same menu under other offers. */
export function withOffers(
  board: MenuBoard,
  sales: readonly FlashSale[],
  promos: readonly PromoCode[],
): MenuBoard {
  return {
    ...board,
    sales: salesByItem(sales),
    promos: new Map(promos.map((promo) => [codeOf(promo.code), timedPromo(promo)])),
  };
}

/** The same menu under the newest word on how often each offer is used, whichever word came first. */
export function withUses(board: MenuBoard, told: readonly OfferUse[]): MenuBoard {
  const newer = told.filter(({ offer_id, position }) => position > (board.uses.get(offer_id)?.position ?? 0));
  if (newer.length === 0) return board;
  return { ...board, uses: new Map([...board.uses, ...newer.map((use) => [use.offer_id, use] as const)]) };
}

/** How often an offer is used, as far as this node knows. */
export const usedOf = ({ uses }: MenuBoard, offer_id: string): number => uses.get(offer_id)?.used ?? 0;

/** Units of an offer that are left, as far as this node knows; infinite without a limit. */
export const leftOf = (board: MenuBoard, offer_id: string, limit: number | null): number =>
  unitsLeft(limit, usedOf(board, offer_id));

/** Whether a sale that has not ended has no unit left. */
export function isSoldOut(board: MenuBoard, sale_id: string): boolean {
  for (const ofItem of board.sales.values())
    for (const { sale } of ofItem)
      if (sale.sale_id === sale_id) return leftOf(board, sale_id, sale.limit_quantity) === 0;
  return false;
}

/** Members in one fixed order, whatever order the database gave them in: the same version has the same bytes on every node. */
function shown({ version, currency, updated_at, pizzas, extras, sets }: MenuDocument): MenuDocument {
  const cookable = new Set(pizzas.filter(({ available }) => available).map(({ id }) => id));
  return {
    version,
    currency,
    updated_at,
    pizzas: pizzas.map(({ id, name, price_minor, ingredients, extras: offered, available, image }) => ({
      id,
      name: { ru: name.ru, en: name.en },
      price_minor,
      ingredients: ingredients.map((one) => ({
        name: { ru: one.name.ru, en: one.name.en },
        grams: one.grams,
      })),
      extras: [...offered],
      available,
      image,
    })),
    extras: extras.map(({ id, name, price_minor, available }) => ({
      id,
      name: { ru: name.ru, en: name.en },
      price_minor,
      available,
    })),
    sets: sets.map(({ id, name, price_minor, items, available, image }) => ({
      id,
      name: { ru: name.ru, en: name.en },
      price_minor,
      items: items.map(({ pizza_id, quantity }) => ({ pizza_id, quantity })),
      available: available && items.every(({ pizza_id }) => cookable.has(pizza_id)),
      image,
    })),
  };
}

function indexOf({ pizzas, extras, sets }: MenuDocument): MenuIndex {
  const pizzaById = new Map(pizzas.map((pizza) => [pizza.id, pizza]));
  const sellables: Sellable[] = [
    ...pizzas.map((pizza) => ({
      kind: "pizza" as const,
      item: pizza,
      missing: pizza.available ? null : pizza.name.ru,
      extras: new Set(pizza.extras),
      ingredients: new Map(
        pizza.ingredients.flatMap(({ name }) =>
          [name.ru, name.en].map((text) => [nameKey(text), name.ru] as const),
        ),
      ),
    })),
    ...sets.map((set) => ({
      kind: "set" as const,
      item: set,
      missing: set.available ? null : missingOf(set, pizzaById),
      extras: new Set<string>(),
      ingredients: new Map<string, string>(),
    })),
  ];
  return {
    byId: new Map(sellables.map((one) => [one.item.id, one])),
    byName: new Map(
      sellables.flatMap((one) => [one.item.name.en, one.item.name.ru].map((name) => [nameKey(name), one])),
    ),
    extras: new Map(extras.map((extra) => [extra.id, extra])),
  };
}

function missingOf(set: MenuSet, pizzaById: ReadonlyMap<string, MenuPizza>): string {
  const pizza = set.items
    .map(({ pizza_id }) => pizzaById.get(pizza_id))
    .find((one) => one?.available === false);
  return (pizza ?? set).name.ru;
}

function salesByItem(sales: readonly FlashSale[]): Map<string, readonly TimedSale[]> {
  const byItem = new Map<string, TimedSale[]>();
  for (const sale of sales) {
    const timed = { sale, starts_ms: Date.parse(sale.starts_at), ends_ms: Date.parse(sale.ends_at) };
    for (const item_id of sale.item_ids) {
      const others = byItem.get(item_id);
      if (others === undefined) byItem.set(item_id, [timed]);
      else others.push(timed);
    }
  }
  return byItem;
}

function timedPromo(promo: PromoCode): TimedPromo {
  return {
    promo,
    from_ms: promo.valid_from === null ? -Infinity : Date.parse(promo.valid_from),
    until_ms: promo.valid_until === null ? Infinity : Date.parse(promo.valid_until),
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
