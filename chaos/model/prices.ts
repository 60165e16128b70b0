import { told, toldOf, type LogEvent, type MenuDocument, type Promo, type Sale } from "./events";

/** Something that was in force from a moment and a position on, until the next one. */
interface Since<T> {
  readonly what: T;
  readonly position: number;
  readonly at_ms: number;
}

/** From when on something may have been known, and the position before which it must have been. */
export interface Window {
  readonly since_ms: number;
  readonly position: number;
}

/** What was in force at some moment of a window: what was so when it began, and what came within. */
function inForce<T>(history: readonly Since<T>[], { since_ms, position }: Window): T[] {
  const known = history.filter((each) => each.position < position);
  const first = known.findLastIndex(({ at_ms }) => at_ms <= since_ms);
  return known.slice(Math.max(0, first)).map(({ what }) => what);
}

/** Menus, sales and promo codes, each as it was in force when. */
export class PriceBook {
  readonly #menus: readonly Since<number>[];
  readonly #documents: ReadonlyMap<number, MenuDocument>;
  readonly #sales = new Map<string, Since<Sale | null>[]>();
  readonly #promos = new Map<string, Since<Promo | null>[]>();
  readonly #fees: readonly Since<{ readonly branch_id: string; readonly terms: FeeTerms }>[];

  constructor(events: readonly LogEvent[], documents: readonly MenuDocument[]) {
    this.#documents = new Map(documents.map((document) => [document.version, document]));
    this.#menus = toldOf(events, "menu.published").map((event) => since(event, event.data.version));
    this.#fees = feesIn(events);
    for (const event of toldOf(events, "menu.sale_changed"))
      append(this.#sales, event.data.sale_id, since(event, event.data.sale));
    for (const event of toldOf(events, "menu.promo_changed"))
      append(this.#promos, event.data.promo_id, since(event, event.data.promo));
  }

  menu(version: number): MenuDocument | undefined {
    return this.#documents.get(version);
  }

  /** Versions that an order of this window may have been priced by. */
  versions(window: Window): number[] {
    return inForce(this.#menus, window);
  }

  /** How a sale's terms were at some moment of a window. */
  sale(sale_id: string, window: Window): Sale[] {
    return inForce(this.#sales.get(sale_id) ?? [], window).flatMap((sale) => sale ?? []);
  }

  /** Sales without a limit that were in force, for an item, all through a window: whoever bought it had to get their price. */
  certainSales(item_id: string, window: Window, until_ms: number): Sale[] {
    return [...this.#sales.values()].flatMap((history) => {
      const terms = inForce(history, window);
      const isCertain =
        history.some(({ at_ms, position }) => at_ms <= window.since_ms && position < window.position) &&
        terms.every((sale) => sale !== null && isCertainly(sale, item_id, window.since_ms, until_ms));
      const last = terms.at(-1);
      return isCertain && last ? [last] : [];
    });
  }

  /** How the terms of a code were at some moment of a window. */
  promo(code: string, window: Window): Promo[] {
    return [...this.#promos.values()]
      .flatMap((history) => inForce(history, window))
      .flatMap((promo) => (promo?.code === code ? [promo] : []));
  }

  /** What a branch takes for bringing items of this sum; exactly that of the order's position, on whose rules it was placed. */
  fee(branch_id: string, items_total_minor: number, position: number): number {
    const terms = this.#fees
      .filter((each) => each.what.branch_id === branch_id && each.position < position)
      .reduce<FeeTerms>((all, { what }) => ({ ...all, ...what.terms }), {});
    const { delivery_fee_minor = 0, free_delivery_from_minor = null } = terms;
    const isFree = free_delivery_from_minor !== null && items_total_minor >= free_delivery_from_minor;
    return isFree ? 0 : delivery_fee_minor;
  }
}

/** What an item costs in a sale, from its price on the menu; the rest of a percentage is rounded down. */
export function salePrice({ percent, price_minor }: Sale, list_minor: number): number {
  return price_minor ?? percentOf(list_minor, 100 - (percent ?? 0));
}

/** What a code takes off a sum. */
export function discountBy({ percent, amount_minor }: Promo, total_minor: number): number {
  return Math.min(total_minor, amount_minor ?? percentOf(total_minor, percent ?? 0));
}

const percentOf = (amount_minor: number, percent: number): number =>
  Number((BigInt(amount_minor) * BigInt(percent)) / 100n);

function isCertainly(sale: Sale, item_id: string, since_ms: number, until_ms: number): boolean {
  return (
    sale.limit_quantity === null &&
    sale.item_ids.includes(item_id) &&
    Date.parse(sale.starts_at) <= since_ms &&
    Date.parse(sale.ends_at) > until_ms
  );
}

interface FeeTerms {
  readonly delivery_fee_minor?: number;
  readonly free_delivery_from_minor?: number | null;
}

function feesIn(events: readonly LogEvent[]): Since<{ branch_id: string; terms: FeeTerms }>[] {
  return events.flatMap((event) => {
    const { type, data } = told(event);
    if (type !== "branch.opened" && type !== "branch.changed") return [];
    const { delivery_fee_minor, free_delivery_from_minor } = data.details;
    const terms = {
      ...(delivery_fee_minor === undefined ? {} : { delivery_fee_minor }),
      ...(free_delivery_from_minor === undefined ? {} : { free_delivery_from_minor }),
    };
    return [since(event, { branch_id: data.branch_id, terms })];
  });
}

const since = <T>(
  { position, recorded_at }: Pick<LogEvent, "position" | "recorded_at">,
  what: T,
): Since<T> => ({
  ...{ what, position, at_ms: Date.parse(recorded_at) },
});

function append<T>(to: Map<string, T[]>, key: string, value: T): void {
  const known = to.get(key);
  if (known === undefined) to.set(key, [value]);
  else known.push(value);
}
