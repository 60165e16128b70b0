import { hash } from "node:crypto";
import type { ParamsOf } from "../mixins/contract/contract";
import type { MenuDocument } from "../services/menu/menu.events";
import type { placeOrder } from "../services/order/order.contract";

/** A branch, as far as its customers' habits depend on it. */
export interface SoldAt {
  readonly branch_id: string;
  /** Part of the chain's sales, 0 to 1. */
  readonly share: number;
  /** Hours of the day at which it takes orders, local, without the last one. */
  readonly hours: readonly number[];
  /** Local midnight of the day. */
  readonly midnight_ms: number;
  readonly delivery_fee_minor: number;
  readonly free_delivery_from_minor: number | null;
}

/** One order of a made-up day: when and what, and how it ends. */
export interface PlannedOrder {
  readonly placed_ms: number;
  /** Among the seeded customers; undefined: somebody without an account. */
  readonly customer: number | undefined;
  readonly wish: ParamsOf<typeof placeOrder>;
  readonly cancelled: boolean;
}

/** Numbers from 0 to 1, always the same ones for the same name. */
export type Chance = () => number;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Roubles a day. The last order of a day goes a little beyond: the upper ends leave room for it. */
const RANGES = { quiet: [252_000, 294_000], busy: [453_000, 540_000] } as const;
const FRIDAY = 5;
const SATURDAY = 6;
/** How much is ordered in each hour of the day: lunch at one, dinner at seven, and a few at night. */
const APPETITE = [2, 1, 1, 1, 1, 1, 1, 2, 3, 4, 6, 9, 13, 14, 10, 7, 7, 10, 15, 17, 15, 11, 7, 4];
const STREETS = ["Ленина", "Мира", "Горького", "Садовая", "Парковая", "Весны", "Кирова"];
const NAMES = ["Ирина", "Сергей", "Дарья", "Павел", "Юлия", "Артём", "Наталья", "Илья"];

export function chanceOf(name: string): Chance {
  let n = 0;
  return () => parseInt(hash("sha256", `${name} ${String(n++)}`, "hex").slice(0, 12), 16) / 2 ** 48;
}

/** Sales of the chain on a date, in minor units: twice as much on Friday and Saturday. */
export function targetOf(date: string, chance: Chance): number {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  const [least, most] = weekday === FRIDAY || weekday === SATURDAY ? RANGES.busy : RANGES.quiet;
  return Math.round(least + (most - least) * chance()) * 100;
}

/**
 * Orders of one branch and day, in the order of time: those that are not cancelled come to its share of `target_minor`, at
 * the menu's prices and the branch's fee. What each really costs, the server says when it is placed.
 */
export function plannedDay(
  at: SoldAt,
  menu: MenuDocument,
  target_minor: number,
  chance: Chance,
): PlannedOrder[] {
  const orders: PlannedOrder[] = [];
  for (let sum_minor = 0; sum_minor < target_minor * at.share;) {
    const { order, worth_minor } = plannedOrder(at, menu, chance);
    orders.push(order);
    if (!order.cancelled) sum_minor += worth_minor;
  }
  return orders.sort((a, b) => a.placed_ms - b.placed_ms);
}

function plannedOrder(
  at: SoldAt,
  menu: MenuDocument,
  chance: Chance,
): { order: PlannedOrder; worth_minor: number } {
  const { items, worth_minor } = basket(menu, chance);
  const delivered = chance() < 0.6;
  const known = chance() < 0.1;
  const shop = known || chance() < 0.8;
  const order: PlannedOrder = {
    placed_ms: at.midnight_ms + Math.round(hourOf(at, chance) * HOUR_MS + chance() * HOUR_MS),
    customer: known ? Math.floor(chance() * 3) : undefined,
    cancelled: chance() < 0.03,
    wish: {
      channel: shop ? "shop" : "grpc",
      branch_id: at.branch_id,
      fulfilment: delivered ? "delivery" : "pickup",
      ...(delivered
        ? { address: `ул. ${pick(STREETS, chance)}, ${String(1 + Math.floor(chance() * 120))}` }
        : {}),
      customer: {
        name: pick(NAMES, chance),
        phone: `+7900${String(Math.floor(chance() * 1e7)).padStart(7, "0")}`,
      },
      payment_method: pick(["card_online", "card_online", "card", "cash"], chance),
      items,
    },
  };
  const { delivery_fee_minor, free_delivery_from_minor } = at;
  const free = !delivered || (free_delivery_from_minor !== null && worth_minor >= free_delivery_from_minor);
  return { order, worth_minor: worth_minor + (free ? 0 : delivery_fee_minor) };
}

function basket(
  menu: MenuDocument,
  chance: Chance,
): { items: PlannedOrder["wish"]["items"]; worth_minor: number } {
  const pizzas = menu.pizzas.filter(({ available }) => available);
  const sets = menu.sets.filter(({ available }) => available);
  if (pizzas.length === 0) throw new Error("There is no pizza on the menu to order.");
  if (sets.length > 0 && chance() < 0.12) {
    const set = pick(sets, chance);
    return { items: [{ menu_item_id: set.id, quantity: 1 }], worth_minor: set.price_minor };
  }
  const lines = 1 + Math.floor(chance() * 2.4);
  const chosen = Array.from({ length: lines }, () => ({
    pizza: popular(pizzas, chance),
    quantity: chance() < 0.15 ? 2 : 1,
  }));
  return {
    items: chosen.map(({ pizza, quantity }) => ({ menu_item_id: pizza.id, quantity })),
    worth_minor: chosen.reduce((sum, { pizza, quantity }) => sum + pizza.price_minor * quantity, 0),
  };
}

/** The first ones of the menu sell best, so that bestsellers are worth asking for. */
function popular<T>(items: readonly T[], chance: Chance): T {
  return nth(items, Math.floor(items.length * chance() ** 1.6));
}

function hourOf({ hours }: SoldAt, chance: Chance): number {
  const total = hours.reduce((sum, hour) => sum + (APPETITE[hour] ?? 0), 0);
  let left = chance() * total;
  return hours.find((hour) => (left -= APPETITE[hour] ?? 0) < 0) ?? nth(hours, hours.length - 1);
}

const pick = <T>(from: readonly T[], chance: Chance): T => nth(from, Math.floor(from.length * chance()));

function nth<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error("There is nothing to choose from.");
  return item;
}
