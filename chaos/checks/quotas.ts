import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { MenuPromoChanged, MenuSaleChanged, PromoCode } from "../../services/menu/menu.events";
import type { OrderCancelled, OrderPlaced } from "../../services/order/order.events";
import type { QuotaReturned, QuotaTaken } from "../../services/quota/quota.events";
import type { Evidence, Violation } from "./evidence";

/**
 * No limited offer was ever used more often than its limit at that moment; what an order has of it was taken for this order
 * and nobody else; every sale at such an offer's price is counted; and in the end exactly what live orders have is taken.
 */
export function quotas({ events }: Pick<Evidence, "events">): Violation[] {
  const book = new Book();
  for (const event of events) book.take(event);
  return [...book.violations, ...book.unsettled()];
}

interface Hold {
  readonly quota_id: string;
  readonly units: number;
  returned: boolean;
  order_id: string | undefined;
}

/** The books of all offers, kept apart from the product's own. */
class Book {
  readonly violations: Violation[] = [];
  /** Of offers that have one. */
  readonly #limits = new Map<string, number>();
  readonly #promos = new Map<string, PromoCode>();
  readonly #used = new Map<string, number>();
  readonly #holds = new Map<string, Hold>();
  readonly #cancelled = new Set<string>();

  take({ type, data, position }: RecordedEvent): void {
    switch (type) {
      case "menu.sale_changed": {
        const { sale_id, sale } = data as MenuSaleChanged["data"];
        this.#limit(sale_id, sale?.limit_quantity);
        return;
      }
      case "menu.promo_changed": {
        const { promo_id, promo } = data as MenuPromoChanged["data"];
        this.#limit(promo_id, promo?.limit_total);
        if (promo === null) this.#promos.delete(promo_id);
        else this.#promos.set(promo_id, promo);
        return;
      }
      case "quota.taken":
        this.#taken(data as QuotaTaken["data"], position);
        return;
      case "quota.returned":
        this.#returned(data as QuotaReturned["data"], position);
        return;
      case "order.placed":
        this.#placed(data as OrderPlaced["data"], position);
        return;
      case "order.cancelled":
        this.#cancelled.add((data as OrderCancelled["data"]).order_id);
    }
  }

  /** What is taken and belongs to no live order, and what a live order has lost. */
  unsettled(): Violation[] {
    return [...this.#holds].flatMap(([hold_id, { order_id, returned }]) => {
      const live = order_id !== undefined && !this.#cancelled.has(order_id);
      if (live !== returned) return [];
      const promise = live ? "quota.returned_alive" : "quota.leaked";
      return [{ promise, detail: `${hold_id}, order ${order_id ?? "none"}` }];
    });
  }

  #limit(offer_id: string, limit: number | null | undefined): void {
    if (limit === null || limit === undefined) this.#limits.delete(offer_id);
    else this.#limits.set(offer_id, limit);
  }

  #taken({ quota_id, hold_id, units, used }: QuotaTaken["data"], position: number): void {
    if (this.#holds.has(hold_id)) this.#violate("quota.taken_twice", hold_id, position);
    this.#holds.set(hold_id, { quota_id, units, returned: false, order_id: undefined });
    const now = this.#count(quota_id, units, used, position);
    const limit = this.#limits.get(quota_id) ?? Infinity;
    if (now > limit)
      this.#violate("quota.oversold", `${quota_id} is used ${now} of ${limit} times`, position);
  }

  #returned({ quota_id, hold_id, units, used }: QuotaReturned["data"], position: number): void {
    const hold = this.#holds.get(hold_id);
    if (hold === undefined || hold.units !== units || hold.quota_id !== quota_id)
      this.#violate("quota.returned_untaken", hold_id, position);
    else if (hold.returned) this.#violate("quota.returned_twice", hold_id, position);
    if (hold !== undefined) hold.returned = true;
    this.#count(quota_id, -units, used, position);
  }

  #placed({ order_id, items, promo_code, holds = [] }: OrderPlaced["data"], position: number): void {
    for (const { quota_id, hold_id, units } of holds) {
      const hold = this.#holds.get(hold_id);
      if (hold === undefined || hold.returned || hold.units !== units || hold.quota_id !== quota_id)
        this.#violate("quota.not_held", `${hold_id} of order ${order_id}`, position);
      else if (hold.order_id !== undefined)
        this.#violate("quota.shared", `${hold_id} of ${order_id} and ${hold.order_id}`, position);
      if (hold !== undefined) hold.order_id = order_id;
    }
    const held = new Map(holds.map(({ quota_id, units }) => [quota_id, units]));
    const sold = Map.groupBy(items, ({ flash_sale_id }) => flash_sale_id ?? "");
    for (const [sale_id, lines] of sold)
      this.#compare(
        sale_id,
        lines.reduce((sum, { quantity }) => sum + quantity, 0),
        held,
        order_id,
        position,
      );
    const promo = [...this.#promos.values()].find(({ code }) => code === promo_code);
    if (promo !== undefined) this.#compare(promo.promo_id, 1, held, order_id, position);
  }

  /** Whether an order has of a limited offer what its lines say. */
  #compare(
    offer_id: string,
    units: number,
    held: ReadonlyMap<string, number>,
    order_id: string,
    position: number,
  ): void {
    if (!this.#limits.has(offer_id) || held.get(offer_id) === units) return;
    const has = held.get(offer_id) ?? 0;
    this.#violate("quota.uncounted", `${order_id} uses ${units} of ${offer_id} and has ${has}`, position);
  }

  /** What is used now; the event has to say the same. */
  #count(quota_id: string, units: number, said: number, position: number): number {
    const used = (this.#used.get(quota_id) ?? 0) + units;
    this.#used.set(quota_id, used);
    if (used !== said)
      this.#violate("quota.count", `${quota_id} is said to be used ${said} times, it is ${used}`, position);
    return used;
  }

  #violate(promise: string, what: string, position: number): void {
    this.violations.push({ promise, detail: `${what}, at position ${position}` });
  }
}
