import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { FlashSale, MenuDocument, PromoCode } from "./menu.events";

/** The part of a price that a sale takes off, in percent: of the item that it takes most off by today's menu. */
export function saleSize(
  { percent, price_minor, item_ids }: FlashSale,
  menu: MenuDocument | undefined,
): number {
  if (percent !== null) return percent;
  const prices = new Map(
    [...(menu?.pizzas ?? []), ...(menu?.sets ?? [])].map((item) => [item.id, item.price_minor]),
  );
  return Math.max(
    0,
    ...item_ids.map((id) => 100 - (100 * (price_minor ?? 0)) / (prices.get(id) ?? Infinity)),
  );
}

/** The part of an order that a code takes off, in percent: of the smallest order that it is good for. None while it is off. */
export function promoSize({ percent, amount_minor, min_total_minor, active }: PromoCode): number {
  if (!active) return 0;
  if (percent !== null) return percent;
  return Math.min(100, (100 * (amount_minor ?? 0)) / Math.max(1, min_total_minor));
}

/** Why somebody may not give so much; undefined: they may. */
export function tooGenerous(size: number, percent_max: number): Refusal | undefined {
  if (size <= percent_max) return undefined;
  return refuse(
    "forbidden",
    "offer.too_generous",
    `This takes off ${String(Math.ceil(size))} %; you may give ${String(percent_max)} %. Ask a super admin.`,
    { percent: Math.ceil(size), percent_max },
  );
}
