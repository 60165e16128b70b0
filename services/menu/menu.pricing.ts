import { refuse, type Refusal } from "../../mixins/contract/refusal";
import { codeOf, nameKey } from "../../mixins/text/forms";
import type { OrderExtra, OrderLine } from "../order/order.events";
import { leftOf, type MenuBoard, type Sellable, type TimedPromo } from "./menu.board";
import type { LimitedUse, MenuWish, Quote, QuoteWish } from "./menu.contract";
import type { FlashSale, PromoCode } from "./menu.events";
import { cheapestSale, percentOf } from "./menu.sale-prices";

/**
 * Prices a wish from a board at a moment: pure, whole minor units only, a few microseconds.
 *
 * An item is found by id, or without one by its name in either language. Every extra counts once: naming one twice is
 * refused, because charging once and charging twice would each surprise somebody. An ingredient left out lowers no price.
 * The cheapest flash sale in force applies to a line, if it has enough units for the whole of it: no line is sold at two
 * prices. A promo code then takes its part off the sum, never below zero.
 *
 * With `remaining` the board's count of uses says nothing: what this very order has taken, in this attempt or in one before,
 * is part of it. Whatever no quota has spoken of is taken to be left, for the quota to decide.
 */
export function quote(board: MenuBoard, wish: QuoteWish, now_ms: number): Quote | Refusal {
  const units = new SaleUnits(board, wish.remaining);
  const items: OrderLine[] = [];
  let items_total_minor = 0;
  for (const [index, wished] of wish.items.entries()) {
    const line = priceLine({ board, units, now_ms }, wished, index);
    if ("refused" in line) return line;
    items.push(line);
    items_total_minor += line.line_total_minor;
  }
  const promo =
    wish.promo_code === undefined ? null : findPromo(board, wish, wish.promo_code, items_total_minor, now_ms);
  if (promo !== null && "refused" in promo) return promo;
  return {
    menu_version: board.document.version,
    currency: board.document.currency,
    items,
    items_total_minor,
    discount_minor: promo === null ? 0 : discountOf(promo, items_total_minor),
    promo_code: promo === null ? null : promo.promo.code,
    limited: [...(promo === null ? [] : promoUse(promo.promo)), ...units.taken()],
  };
}

/** What a wish takes of limited sales while it is priced, line by line. */
class SaleUnits {
  readonly #taken = new Map<string, number>();

  /** @param told what quotas have said, by sale; undefined: the board says it. */
  constructor(
    private readonly board: MenuBoard,
    private readonly told: QuoteWish["remaining"],
  ) {}

  has({ sale_id, limit_quantity }: FlashSale, quantity: number): boolean {
    if (limit_quantity === null) return true;
    const left =
      this.told === undefined
        ? leftOf(this.board, sale_id, limit_quantity)
        : (this.told[sale_id] ?? Infinity);
    return quantity <= left - (this.#taken.get(sale_id) ?? 0);
  }

  take({ sale_id, limit_quantity }: FlashSale, quantity: number): void {
    if (limit_quantity !== null) this.#taken.set(sale_id, (this.#taken.get(sale_id) ?? 0) + quantity);
  }

  /** By id. */
  taken(): LimitedUse[] {
    const sales = [...this.#taken].sort(([a], [b]) => (a < b ? -1 : 1));
    return sales.map(([offer_id, units]) => ({ kind: "sale", offer_id, units, first_order_only: false }));
  }
}

/** An order uses a code once; one without any limit is not counted. */
function promoUse({ promo_id, limit_total, limit_per_user, first_order_only }: PromoCode): LimitedUse[] {
  if (limit_total === null && limit_per_user === null && !first_order_only) return [];
  return [{ kind: "promo", offer_id: promo_id, units: 1, first_order_only }];
}

/** Where and when a line is priced, and what the lines before it have taken. */
interface Pricing {
  readonly board: MenuBoard;
  readonly units: SaleUnits;
  readonly now_ms: number;
}

function no(code: string, detail: string, index: number, data?: Readonly<Record<string, unknown>>): Refusal {
  return refuse("unprocessable", code, detail, { ...data, item_index: index });
}

function priceLine(pricing: Pricing, wished: MenuWish["items"][number], index: number): OrderLine | Refusal {
  const { board } = pricing;
  const sellable = findSellable(board, wished, index);
  if ("refused" in sellable) return sellable;
  const { kind, item, missing } = sellable;
  if (missing !== null)
    return no("menu.unavailable", `${missing} is not available now.`, index, { item_id: item.id });
  const extras = priceExtras(board, sellable, wished.extras ?? [], index);
  if ("refused" in extras) return extras;
  const excluded = findExcluded(sellable, wished.exclude_ingredients ?? [], index);
  if ("refused" in excluded) return excluded;
  const { unit_price_minor, flash_sale_id } = salePrice(pricing, item, wished.quantity);
  const one_minor = extras.reduce((sum, { price_minor }) => sum + price_minor, unit_price_minor);
  return {
    kind,
    menu_item_id: item.id,
    name: item.name,
    quantity: wished.quantity,
    unit_price_minor,
    list_price_minor: item.price_minor,
    flash_sale_id,
    extras,
    exclude_ingredients: excluded,
    line_total_minor: wished.quantity * one_minor,
  };
}

function findSellable(
  { index: menu }: MenuBoard,
  wished: MenuWish["items"][number],
  index: number,
): Sellable | Refusal {
  const { menu_item_id, name } = wished;
  const found =
    menu_item_id === undefined
      ? menu.byName.get(nameKey(name ?? ""))
      : menu.byId.get(menu_item_id.toLowerCase());
  return (
    found ?? no("menu.unknown_item", `The menu has no pizza or set "${menu_item_id ?? name ?? ""}".`, index)
  );
}

function priceExtras(
  board: MenuBoard,
  to: Sellable,
  ids: readonly string[],
  index: number,
): OrderExtra[] | Refusal {
  const extras: OrderExtra[] = [];
  for (const id of ids) {
    const extra_id = id.toLowerCase();
    const extra = board.index.extras.get(extra_id);
    if (extra === undefined)
      return no("menu.unknown_extra", `The menu has no extra ${id}.`, index, { extra_id });
    const { name, price_minor, available } = extra;
    if (!to.extras.has(extra_id))
      return no("menu.extra_not_offered", `${name.ru} is not offered with ${to.item.name.ru}.`, index, {
        extra_id,
      });
    if (!available) return no("menu.unavailable", `${name.ru} is not available now.`, index, { extra_id });
    if (extras.some((other) => other.extra_id === extra_id))
      return no("menu.duplicate_extra", `${name.ru} is named twice for one item; name it once.`, index, {
        extra_id,
      });
    extras.push({ extra_id, name, price_minor });
  }
  return extras;
}

/** Russian names, each once: what the kitchen reads. */
function findExcluded(from: Sellable, names: readonly string[], index: number): string[] | Refusal {
  const excluded = new Set<string>();
  for (const name of names) {
    const ingredient = from.ingredients.get(nameKey(name));
    if (ingredient === undefined)
      return no(
        "menu.unknown_ingredient",
        `${from.item.name.ru} has no ingredient "${name}" to leave out.`,
        index,
      );
    excluded.add(ingredient);
  }
  return [...excluded];
}

function salePrice(
  { board, units, now_ms }: Pricing,
  { id, price_minor }: Sellable["item"],
  quantity: number,
): Pick<OrderLine, "unit_price_minor" | "flash_sale_id"> {
  const found = cheapestSale(board, id, price_minor, now_ms, (sale) => units.has(sale, quantity));
  if (found === undefined) return { unit_price_minor: price_minor, flash_sale_id: null };
  units.take(found.sale, quantity);
  return { unit_price_minor: found.price_minor, flash_sale_id: found.sale.sale_id };
}

function findPromo(
  board: MenuBoard,
  { remaining }: QuoteWish,
  typed: string,
  total_minor: number,
  now_ms: number,
): TimedPromo | Refusal {
  const code = codeOf(typed);
  const found = board.promos.get(code);
  const say = (reason: string, detail: string) =>
    refuse("unprocessable", reason, detail, { promo_code: code });
  if (found === undefined) return say("promo.unknown", `There is no promo code ${code}.`);
  const { promo, from_ms, until_ms } = found;
  if (!promo.active || now_ms >= until_ms)
    return say("promo.expired", `The promo code ${code} is no longer valid.`);
  if (now_ms < from_ms) return say("promo.not_started", `The promo code ${code} is not valid yet.`);
  if (remaining === undefined && leftOf(board, promo.promo_id, promo.limit_total) === 0)
    return say("promo.used_up", `The promo code ${code} has been used as often as it may be.`);
  if (total_minor < promo.min_total_minor)
    return refuse("unprocessable", "promo.total_too_small", `The promo code ${code} needs a larger order.`, {
      promo_code: code,
      min_total_minor: promo.min_total_minor,
    });
  return found;
}

function discountOf({ promo }: TimedPromo, total_minor: number): number {
  return Math.min(total_minor, promo.amount_minor ?? percentOf(total_minor, promo.percent ?? 0));
}
