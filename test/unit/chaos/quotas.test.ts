import { quotas } from "../../../chaos/checks/quotas";
import { violationsIn } from "../../../chaos/checks/all-checks";
import { SEED_PROMO, seedSale } from "../../../services/menu/menu.seed-data";
import { quotaStream } from "../../../services/quota/quota.events";
import { BEGAN_MS, goodEvidence, ShortLog } from "../../support/chaos-evidence";
import { cancelled, CUSTOMER, orderLine, placed, uuidOf } from "../../support/orders";

const SALE = uuidOf(1, "f");
const PROMO = uuidOf(2, "f");
const FIRST = uuidOf(3, "f");
const hold = (number: number): string => uuidOf(number, "e");

/** A history of offers, written by hand: a sale of three units and a promo code of one use. */
class Offers {
  readonly log = new ShortLog();
  readonly #used = new Map<string, number>();
  /** When it is judged, after the last event. */
  read_after_ms = 3_600_000;

  constructor() {
    this.limit(3);
    const promo = { ...SEED_PROMO, promo_id: PROMO, code: "SPRING", limit_total: 1 };
    this.log.add(`promo-code-${PROMO}`, "menu.promo_changed", { promo_id: PROMO, promo });
  }

  limit(limit_quantity: number | null): this {
    const sale = { ...seedSale(0), sale_id: SALE, limit_quantity };
    this.log.add(`flash-sale-${SALE}`, "menu.sale_changed", { sale_id: SALE, sale });
    return this;
  }

  take(number: number, units: number, quota_id = SALE, said = 0): this {
    const used = this.#count(quota_id, units) + said;
    const placing = { id: hold(number), fingerprint: "f" };
    const data = { quota_id, hold_id: hold(number), units, used, placing };
    this.log.add(quotaStream(quota_id), "quota.taken", data);
    return this;
  }

  /** A customer's first order. */
  takeFirst(number: number, user_id = CUSTOMER): this {
    const used = this.#count(user_id, 1);
    const data = { quota_id: user_id, hold_id: hold(number), units: 1, used, user_id, first_order: true };
    this.log.add(quotaStream(user_id), "quota.taken", data);
    return this;
  }

  /** An order with a code for first orders. */
  placeFirst(number: number, ...holds: readonly number[]): this {
    const promo = {
      ...SEED_PROMO,
      promo_id: FIRST,
      code: "FIRST",
      limit_total: null,
      first_order_only: true,
    };
    this.log.add(`promo-code-${FIRST}`, "menu.promo_changed", { promo_id: FIRST, promo });
    const { type, data } = placed(number, {
      items: [orderLine({ flash_sale_id: null })],
      promo_code: "FIRST",
      holds: holds.map((of) => ({ quota_id: CUSTOMER, hold_id: hold(of), units: 1 })),
    });
    this.log.add(`order-${data.order_id}`, type, data);
    return this;
  }

  giveBack(number: number, units: number, quota_id = SALE): this {
    const used = this.#count(quota_id, -units);
    const data = { quota_id, hold_id: hold(number), units, used, reason: "cancelled" };
    this.log.add(quotaStream(quota_id), "quota.returned", data);
    return this;
  }

  /** An order that has these holds of the sale. */
  place(
    number: number,
    quantity: number,
    ...holds: readonly (readonly [hold: number, units: number])[]
  ): this {
    const { type, data } = placed(number, {
      items: [orderLine({ quantity, flash_sale_id: quantity > 0 ? SALE : null })],
      promo_code: null,
      holds: holds.map(([of, units]) => ({ quota_id: SALE, hold_id: hold(of), units })),
    });
    this.log.add(`order-${data.order_id}`, type, data);
    return this;
  }

  /** An order with the promo code. */
  placeWithCode(number: number, ...holds: readonly number[]): this {
    const { type, data } = placed(number, {
      items: [orderLine({ flash_sale_id: null })],
      holds: holds.map((of) => ({ quota_id: PROMO, hold_id: hold(of), units: 1 })),
    });
    this.log.add(`order-${data.order_id}`, type, data);
    return this;
  }

  cancel(number: number): this {
    const { type, data } = cancelled(placed(number));
    this.log.add(`order-${data.order_id}`, type, data);
    return this;
  }

  get promises(): string[] {
    return [
      ...new Set(
        quotas({ events: this.log.events, read_at_ms: BEGAN_MS + this.read_after_ms }).map(
          ({ promise }) => promise,
        ),
      ),
    ];
  }

  #count(quota_id: string, units: number): number {
    const used = (this.#used.get(quota_id) ?? 0) + units;
    this.#used.set(quota_id, used);
    return used;
  }
}

it("offers that are used to their limit, given back and used again are fine", () => {
  const offers = new Offers().take(1, 2).place(1, 2, [1, 2]).take(2, 1).place(2, 1, [2, 1]);
  offers.cancel(1).giveBack(1, 2).take(3, 2).place(3, 2, [3, 2]);
  offers.take(4, 1, PROMO).placeWithCode(4, 4).place(5, 0);
  expect(offers.promises).toEqual([]);
});

it("is one of the checks", () => {
  const { events } = new Offers().take(1, 4).log;
  expect(violationsIn({ ...goodEvidence(), events }).map(({ promise }) => promise)).toContain(
    "quota.oversold",
  );
});

it.each<[string, (offers: Offers) => Offers, string[]]>([
  ["more than the limit", (o) => o.take(1, 4).place(1, 4, [1, 4]), ["quota.oversold"]],
  [
    "more than a limit that was lowered before",
    (o) => o.limit(1).take(1, 2).place(1, 2, [1, 2]),
    ["quota.oversold"],
  ],
  ["more than a limit that is lowered after", (o) => o.take(1, 2).place(1, 2, [1, 2]).limit(1), []],
  ["what nobody ordered", (o) => o.take(1, 2), ["quota.leaked"]],
  [
    "what was cancelled and not given back",
    (o) => o.take(1, 2).place(1, 2, [1, 2]).cancel(1),
    ["quota.leaked"],
  ],
  [
    "what a live order has and was given back",
    (o) => o.take(1, 2).place(1, 2, [1, 2]).giveBack(1, 2),
    ["quota.returned_alive"],
  ],
  [
    "what was given back before",
    (o) => o.take(1, 1).giveBack(1, 1).place(1, 1, [1, 1]),
    ["quota.not_held", "quota.returned_alive"],
  ],
  [
    "what was given back twice",
    (o) => o.take(1, 1).place(1, 1, [1, 1]).cancel(1).giveBack(1, 1).giveBack(1, 1),
    ["quota.returned_twice"],
  ],
  ["what was never taken", (o) => o.giveBack(1, 1), ["quota.returned_untaken"]],
  ["what another order has", (o) => o.take(1, 1).place(1, 1, [1, 1]).place(2, 1, [1, 1]), ["quota.shared"]],
  ["the price of a sale without its units", (o) => o.place(1, 1), ["quota.uncounted"]],
  ["fewer units than its lines have", (o) => o.take(1, 1).place(1, 2, [1, 1]), ["quota.uncounted"]],
  ["a promo code that was not counted", (o) => o.placeWithCode(1), ["quota.uncounted"]],
  ["a first order that was not counted", (o) => o.placeFirst(1), ["quota.first_order_uncounted"]],
  [
    "a second first order",
    (o) => o.takeFirst(1).placeFirst(1, 1).takeFirst(2).placeFirst(2, 2),
    ["quota.oversold"],
  ],
  ["(nothing of) a first order that was counted", (o) => o.takeFirst(1).placeFirst(1, 1), []],
  ["another count than there is", (o) => o.take(1, 1, SALE, 1).place(1, 1, [1, 1]), ["quota.count"]],
])("%s is named", (_, write, promises) => {
  expect(write(new Offers()).promises).toEqual(promises);
});

it("what nobody ordered is waited for as long as the job may take that gives it back", () => {
  const offers = new Offers().take(1, 2);
  offers.read_after_ms = 90_000;
  expect(offers.promises).toEqual([]);
  offers.read_after_ms = 121_000;
  expect(offers.promises).toEqual(["quota.leaked"]);
});

it("what is taken twice is named", () => {
  expect(new Offers().take(1, 1).take(1, 1).place(1, 1, [1, 1]).promises).toEqual(["quota.taken_twice"]);
});
