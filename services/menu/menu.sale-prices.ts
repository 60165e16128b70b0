import { leftOf, type MenuBoard } from "./menu.board";
import type { FlashSale } from "./menu.events";

/** What an item costs in a sale. */
export interface SalePrice {
  readonly flash_sale_id: string;
  readonly price_minor: number;
  readonly ends_at: string;
}

/** The prices of a moment, by item, and the stretch of time in which they are these unless somebody changes or buys something. */
export interface PricesInForce {
  readonly prices: ReadonlyMap<string, SalePrice>;
  readonly from_ms: number;
  /** Exclusive. */
  readonly until_ms: number;
}

/** `part` percent of an amount, rounded down. */
export function percentOf(amount_minor: number, percent: number): number {
  const hundredfold = amount_minor * percent;
  return (hundredfold - (hundredfold % 100)) / 100;
}

/** The sale under which an item is cheapest at a moment, of those with enough units; undefined: none is cheaper than the menu. */
export function cheapestSale(
  board: MenuBoard,
  item_id: string,
  list_minor: number,
  now_ms: number,
  hasEnough: (sale: FlashSale) => boolean,
): { readonly sale: FlashSale; readonly price_minor: number } | undefined {
  let best: { readonly sale: FlashSale; readonly price_minor: number } | undefined;
  for (const { sale, starts_ms, ends_ms } of board.sales.get(item_id) ?? []) {
    if (now_ms < starts_ms || now_ms >= ends_ms || !hasEnough(sale)) continue;
    const price_minor = sale.price_minor ?? percentOf(list_minor, 100 - (sale.percent ?? 0));
    if (price_minor < (best?.price_minor ?? list_minor)) best = { sale, price_minor };
  }
  return best;
}

/** What the sales make of the menu's prices at a moment, for one unit. */
export function pricesAt(board: MenuBoard, now_ms: number): PricesInForce {
  const prices = new Map<string, SalePrice>();
  const isLeft = ({ sale_id, limit_quantity }: FlashSale): boolean =>
    leftOf(board, sale_id, limit_quantity) > 0;
  for (const { id, price_minor } of [...board.document.pizzas, ...board.document.sets]) {
    const found = cheapestSale(board, id, price_minor, now_ms, isLeft);
    if (found === undefined) continue;
    const { sale_id, ends_at } = found.sale;
    prices.set(id, { flash_sale_id: sale_id, price_minor: found.price_minor, ends_at });
  }
  let from_ms = Number.NEGATIVE_INFINITY;
  let until_ms = Number.POSITIVE_INFINITY;
  for (const ofItem of board.sales.values())
    for (const { starts_ms, ends_ms } of ofItem)
      for (const edge_ms of [starts_ms, ends_ms])
        if (edge_ms <= now_ms) from_ms = Math.max(from_ms, edge_ms);
        else until_ms = Math.min(until_ms, edge_ms);
  return { prices, from_ms, until_ms };
}
