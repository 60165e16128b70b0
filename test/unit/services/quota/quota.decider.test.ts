import { isRefusal } from "../../../../mixins/contract/refusal";
import { holdCommand, confirmHold, holdIdOf, returnHold } from "../../../../services/quota/quota.contract";
import {
  Quota,
  quotaDecider,
  type QuotaCommand,
  type QuotaTerms,
} from "../../../../services/quota/quota.decider";
import type { QuotaEvent } from "../../../../services/quota/quota.events";
import { loadQuota, saveQuota } from "../../../../services/quota/quota.snapshot";
import { uuidOf } from "../../../support/orders";

const QUOTA = uuidOf(1, "f");
const AT = "2026-03-10T09:00:00.000Z";
const ANNA = uuidOf(1, "c");
const placing = { id: uuidOf(9), fingerprint: "f" };
const others = { id: uuidOf(8), fingerprint: "f" };

const SALE: QuotaTerms = {
  ...{ kind: "sale", open: true, limit_total: 5, limit_per_user: null, first_order_only: false },
};
const PROMO: QuotaTerms = { ...SALE, kind: "promo" };

type Take = Extract<QuotaCommand, { type: "quota.take" }>;
const take = (hold: number, more: Partial<Take> = {}): Take => ({
  ...{
    type: "quota.take",
    hold_id: uuidOf(hold),
    units: 1,
    user_id: null,
    first_order: false,
    has_ordered: false,
    placing,
    at: AT,
  },
  ...more,
});
const confirm = (hold: number): QuotaCommand => ({
  ...{ type: "quota.confirm", hold_id: uuidOf(hold), order_id: uuidOf(77) },
});
const giveBack = (hold: number): QuotaCommand => ({
  ...{ type: "quota.return", hold_id: uuidOf(hold), reason: "cancelled", at: AT },
});

/** A quota after commands that were all accepted. */
function after(commands: readonly QuotaCommand[], terms: QuotaTerms = { ...SALE, limit_total: null }): Quota {
  return commands.reduce((state, command) => {
    const decided = quotaDecider.decide(command, state, { quota_id: QUOTA, terms });
    if (isRefusal(decided)) throw new Error(decided.code);
    return decided.events.reduce((folded, event) => quotaDecider.evolve(folded, event), state);
  }, quotaDecider.initialState());
}

/** The events that a command leads to, or the code and data of its refusal. */
function given(
  state: Quota,
  terms: QuotaTerms | null,
  command: QuotaCommand,
): readonly QuotaEvent[] | unknown[] {
  const decided = quotaDecider.decide(command, state, { quota_id: QUOTA, terms });
  return isRefusal(decided) ? [decided.code, decided.data] : decided.events;
}

describe("taking", () => {
  it.each([0, -1, 1.5, Number.NaN])("%p units are a defect, not a refusal", (units) => {
    expect(() => given(after([]), SALE, take(1, { units }))).toThrow("units are a whole number above zero");
  });

  it("notes who takes how much, under which command, and what is used then", () => {
    const state = after([take(1, { units: 2 })]);
    expect(given(state, SALE, take(2, { units: 3, user_id: ANNA }))).toEqual([
      {
        type: "quota.taken",
        data: {
          ...{ quota_id: QUOTA, hold_id: uuidOf(2), units: 3, user_id: ANNA, placing },
          ...{ used: 5, limit: 5, at: AT },
        },
      },
    ]);
  });

  it("is refused beyond the limit, and says what is left of a sale", () => {
    const state = after([take(1, { units: 3 })]);
    expect(given(state, SALE, take(2, { units: 3, placing: others }))).toEqual([
      "offer.exhausted",
      { remaining: 2 },
    ]);
    expect(given(state, { ...PROMO, limit_total: 3 }, take(2))).toEqual(["promo.used_up", undefined]);
  });

  it("finds nothing left where the limit was lowered below what is used", () => {
    const state = after([take(1, { units: 4 })]);
    expect(given(state, { ...SALE, limit_total: 2 }, take(2, { placing: others }))).toEqual([
      "offer.exhausted",
      { remaining: 0 },
    ]);
  });

  it("leaves to an order what it has taken itself in an attempt before, until it stands or is given back", () => {
    const before = [take(1, { units: 3 }), take(2, { units: 1 }), take(3, { placing: others })];
    const left = (...more: QuotaCommand[]) => given(after([...before, ...more]), SALE, take(4, { units: 4 }));
    expect(left()).toEqual(["offer.exhausted", { remaining: 3 }]);
    expect(left(giveBack(3))).toEqual(["offer.exhausted", { remaining: 3 }]);
    expect(left(confirm(1))).toEqual(["offer.exhausted", { remaining: 1 }]);
    expect(left(giveBack(1))).toEqual(["offer.exhausted", { remaining: 3 }]);
  });

  it("of an offer that is gone or switched off is refused", () => {
    expect(given(new Quota(), null, take(1))).toEqual(["offer.over", { remaining: 0 }]);
    expect(given(new Quota(), { ...PROMO, open: false }, take(1))).toEqual(["offer.over", { remaining: 0 }]);
  });

  it("goes on where the limit was taken away", () => {
    expect(given(after([take(1)]), { ...SALE, limit_total: null }, take(2))).toMatchObject([
      { data: { used: 2, limit: null } },
    ]);
  });

  it("again does nothing, also when nothing is left by now", () => {
    const state = after([take(1, { units: 5 })]);
    expect(given(state, SALE, take(1, { units: 5 }))).toEqual([]);
  });
});

describe("a customer's first order", () => {
  const first = { user_id: ANNA, first_order: true };
  const own = { quota_id: ANNA, terms: null };
  const decided = (state: Quota, command: QuotaCommand) => quotaDecider.decide(command, state, own);
  const with_one = () => after([take(1, { user_id: ANNA })]);

  it("is one, whatever codes ask for it", () => {
    const taken = decided(new Quota(), take(1, first));
    expect(taken).toMatchObject({ events: [{ type: "quota.taken", data: { first_order: true, used: 1 } }] });
    expect(decided(with_one(), take(2, first))).toMatchObject({ code: "promo.first_order_only" });
    expect(decided(with_one(), take(1, first))).toMatchObject({ events: [] });
    expect(decided(new Quota(), take(1, { ...first, has_ordered: true }))).toMatchObject({
      code: "promo.first_order_only",
    });
  });

  it("can be had again when the order that was it is cancelled", () => {
    expect(decided(with_one(), giveBack(1))).toMatchObject({
      events: [{ type: "quota.returned", data: { first_order: true, used: 0 } }],
    });
    expect(decided(after([take(1, { user_id: ANNA }), giveBack(1)]), take(2, first))).toHaveProperty(
      "events",
    );
  });

  it("is nobody else's", () => {
    expect(() => decided(new Quota(), take(1, { ...first, user_id: uuidOf(2, "c") }))).toThrow(
      "customer's own",
    );
  });
});

describe("a promo code that counts by customer", () => {
  const once: QuotaTerms = { ...PROMO, limit_total: null, limit_per_user: 1 };
  const first: QuotaTerms = { ...PROMO, limit_total: null, first_order_only: true };
  const anna = { user_id: ANNA };

  it.each([once, first])("is not for guests", (terms) => {
    expect(given(new Quota(), terms, take(1))).toEqual(["promo.sign_in_required", undefined]);
  });

  it("is used by each as often as they may, by others all the same", () => {
    const state = after([take(1, anna)]);
    expect(given(state, once, take(2, anna))).toEqual(["promo.used_by_you", { limit_per_user: 1 }]);
    expect(given(state, { ...once, limit_per_user: 2 }, take(2, anna))).toHaveLength(1);
    expect(given(state, once, take(2, { user_id: uuidOf(2, "c") }))).toHaveLength(1);
  });

  it("can be used again when it was given back", () => {
    expect(given(after([take(1, anna), giveBack(1)]), once, take(2, anna))).toHaveLength(1);
  });

  it("for a first order is refused to whoever has ordered, and for a second one that is on its way", () => {
    expect(given(new Quota(), first, take(1, { ...anna, has_ordered: true }))).toEqual([
      "promo.first_order_only",
      undefined,
    ]);
    expect(given(after([take(1, anna)]), first, take(2, anna))).toEqual([
      "promo.first_order_only",
      undefined,
    ]);
    expect(given(new Quota(), first, take(1, anna))).toHaveLength(1);
  });
});

describe("a hold", () => {
  it("is confirmed once", () => {
    const state = after([take(1)]);
    expect(given(state, SALE, confirm(1))).toEqual([
      { type: "quota.confirmed", data: { quota_id: QUOTA, hold_id: uuidOf(1), order_id: uuidOf(77) } },
    ]);
    expect(given(after([take(1), confirm(1)]), SALE, confirm(1))).toEqual([]);
    expect(given(new Quota(), SALE, confirm(1))).toEqual([]);
  });

  it("is given back once, confirmed or not, whatever has become of the offer", () => {
    for (const state of [after([take(1, { units: 2 })]), after([take(1, { units: 2 }), confirm(1)])])
      expect(given(state, null, giveBack(1))).toEqual([
        {
          type: "quota.returned",
          data: { quota_id: QUOTA, hold_id: uuidOf(1), units: 2, reason: "cancelled", used: 0, at: AT },
        },
      ]);
    expect(given(after([take(1), giveBack(1)]), SALE, giveBack(1))).toEqual([]);
  });

  it("has one name for the same wish under the same command, and another for any other", () => {
    const name = holdIdOf(placing, QUOTA, 2);
    expect(holdIdOf({ ...placing, fresh: true }, QUOTA, 2)).toBe(name);
    const others = [
      holdIdOf({ ...placing, id: uuidOf(8) }, QUOTA, 2),
      holdIdOf({ ...placing, fingerprint: "g" }, QUOTA, 2),
      holdIdOf(placing, uuidOf(2, "f"), 2),
      holdIdOf(placing, QUOTA, 3),
    ];
    expect(new Set([name, ...others]).size).toBe(5);
    expect(holdCommand(confirmHold, name).id).not.toBe(holdCommand(returnHold, name).id);
  });
});

it("a quota comes back from its snapshot as it was", () => {
  const state = after([
    take(1, { units: 2, user_id: ANNA }),
    take(2),
    take(3, { user_id: ANNA }),
    confirm(3),
    giveBack(2),
  ]);
  expect(loadQuota(JSON.parse(JSON.stringify(saveQuota(state))))).toEqual(state);
});
