import { told, type Hold as Taken, type LogEvent, type Placed, type Promo } from "../model/events";
import type { Evidence, Violation } from "./evidence";

/**
 * No limited offer was ever used more often than its limit at that moment; what an order has of it was taken for this order
 * and nobody else; every sale at such an offer's price is counted; and in the end exactly what live orders have is taken. A customer has one first order.
 */
export function quotas({ events, read_at_ms }: Pick<Evidence, "events" | "read_at_ms">): Violation[] {
  const book = new Book();
  for (const event of events) book.take(event);
  return [...book.violations, ...book.unsettled(read_at_ms - SWEPT_WITHIN_MS)];
}

/** What no order has is given back after a minute, by a job that comes twice a minute. */
const SWEPT_WITHIN_MS = 120_000;

interface Hold {
  readonly taken_ms: number;
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
  readonly #promos = new Map<string, Promo>();
  readonly #used = new Map<string, number>();
  readonly #holds = new Map<string, Hold>();
  readonly #cancelled = new Set<string>();

  take(event: LogEvent): void {
    const { type, data, position } = told(event);
    switch (type) {
      case "menu.sale_changed":
        this.#limit(data.sale_id, data.sale?.limit_quantity);
        return;
      case "menu.promo_changed": {
        const { promo_id, promo } = data;
        this.#limit(promo_id, promo?.limit_total);
        if (promo === null) this.#promos.delete(promo_id);
        else this.#promos.set(promo_id, promo);
        return;
      }
      case "quota.taken":
        // The quota of a customer's first order has the customer's id.
        if (data.quota_id === data.user_id) this.#limits.set(data.quota_id, 1);
        this.#taken(data, data.used, event);
        return;
      case "quota.returned":
        this.#returned(data, data.used, position);
        return;
      case "order.placed":
        this.#placed(data, position);
        return;
      case "order.cancelled":
        this.#cancelled.add(data.order_id);
        return;
      default:
    }
  }

  /** What is taken and belongs to no live order, and what a live order has lost. What was taken later may still be waited for. */
  unsettled(taken_until_ms: number): Violation[] {
    return [...this.#holds].flatMap(([hold_id, { order_id, returned, taken_ms }]) => {
      const live = order_id !== undefined && !this.#cancelled.has(order_id);
      if (live !== returned) return [];
      if (order_id === undefined && taken_ms > taken_until_ms) return [];
      const promise = live ? "quota.returned_alive" : "quota.leaked";
      return [{ promise, detail: `${hold_id}, order ${order_id ?? "none"}` }];
    });
  }

  #limit(offer_id: string, limit: number | null | undefined): void {
    if (limit === null || limit === undefined) this.#limits.delete(offer_id);
    else this.#limits.set(offer_id, limit);
  }

  #taken(
    { quota_id, hold_id, units }: Taken,
    used: number,
    { position, recorded_at }: Pick<LogEvent, "position" | "recorded_at">,
  ): void {
    const taken_ms = Date.parse(recorded_at);
    if (this.#holds.has(hold_id)) this.#violate("quota.taken_twice", hold_id, position);
    this.#holds.set(hold_id, { quota_id, units, taken_ms, returned: false, order_id: undefined });
    const now = this.#count(quota_id, units, used, position);
    const limit = this.#limits.get(quota_id) ?? Infinity;
    if (now > limit)
      this.#violate("quota.oversold", `${quota_id} is used ${now} of ${limit} times`, position);
  }

  #returned({ quota_id, hold_id, units }: Taken, used: number, position: number): void {
    const hold = this.#holds.get(hold_id);
    if (hold === undefined || hold.units !== units || hold.quota_id !== quota_id)
      this.#violate("quota.returned_untaken", hold_id, position);
    else if (hold.returned) this.#violate("quota.returned_twice", hold_id, position);
    if (hold !== undefined) hold.returned = true;
    this.#count(quota_id, -units, used, position);
  }

  #placed({ order_id, items, promo_code, customer, holds = [] }: Placed, position: number): void {
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
    if (promo === undefined) return;
    this.#compare(promo.promo_id, 1, held, order_id, position);
    if (promo.first_order_only && (customer.user_id === null || held.get(customer.user_id) !== 1))
      this.#violate("quota.first_order_uncounted", order_id, position);
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
