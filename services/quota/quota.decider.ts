import assert from "node:assert/strict";
import type { Decider, Decision } from "../../mixins/actor/decider";
import type { CommandIdentity } from "../../mixins/contract/caller";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { QuotaEvent, QuotaReturned, QuotaTaken, ReturnReason } from "./quota.events";

/** Commands on a quota; `at` is RFC 3339 UTC. */
export type QuotaCommand =
  | ({ readonly type: "quota.take" } & Take)
  | { readonly type: "quota.confirm"; readonly hold_id: string; readonly order_id: string }
  | {
      readonly type: "quota.return";
      readonly hold_id: string;
      readonly reason: ReturnReason;
      readonly at: string;
    };

/** What an order wants of a quota. */
interface Take {
  readonly hold_id: string;
  readonly units: number;
  readonly user_id: string | null;
  /** What is taken is the customer's first order; the quota is the customer's own. */
  readonly first_order: boolean;
  /** Whether the customer has an order that is not cancelled. */
  readonly has_ordered: boolean;
  readonly placing: CommandIdentity;
  readonly at: string;
}

/** The offer as it stands now; null: it is gone. */
export interface QuotaTerms {
  readonly kind: "sale" | "promo";
  readonly open: boolean;
  readonly limit_total: number | null;
  readonly limit_per_user: number | null;
  readonly first_order_only: boolean;
}

/** What a quota decides by, beside its own state. */
export interface QuotaGiven {
  readonly quota_id: string;
  readonly terms: QuotaTerms | null;
}

interface Hold {
  readonly units: number;
  readonly user_id: string | null;
}

/** What is taken, by hold and by customer. */
export class Quota {
  used = 0;
  readonly holds = new Map<string, Hold>();
  /** Holds whose order is not known to stand, with the command that is to place it. */
  readonly open = new Map<string, string>();
  /** Units that each customer holds. */
  readonly of_user = new Map<string, number>();

  /** @param placing_id the command that is to place the order; null: the order stands. */
  hold(hold_id: string, hold: Hold, placing_id: string | null): void {
    assert(!this.holds.has(hold_id), "a hold is taken once");
    this.holds.set(hold_id, hold);
    if (placing_id !== null) this.open.set(hold_id, placing_id);
    this.#add(hold.user_id, hold.units);
  }

  confirm(hold_id: string): void {
    this.open.delete(hold_id);
  }

  /** The largest number of units that a command has taken for its order at once. */
  heldBy(placing_id: string): number {
    const own = [...this.open].filter(([, id]) => id === placing_id);
    return own.reduce((most, [hold_id]) => Math.max(most, this.holds.get(hold_id)?.units ?? 0), 0);
  }

  giveBack(hold_id: string): void {
    const hold = this.holds.get(hold_id);
    if (hold === undefined) return;
    this.holds.delete(hold_id);
    this.open.delete(hold_id);
    this.#add(hold.user_id, -hold.units);
  }

  #add(user_id: string | null, units: number): void {
    this.used += units;
    if (user_id === null) return;
    const held = (this.of_user.get(user_id) ?? 0) + units;
    if (held === 0) this.of_user.delete(user_id);
    else this.of_user.set(user_id, held);
  }
}

/**
 * The rules of a quota: the one place where a limited offer is given away.
 *
 * A take that was done is accepted again without a trace, so is a return or a confirmation that finds nothing left to do:
 * whoever sends them, sends them until they went through.
 */
export const quotaDecider: Decider<Quota, QuotaCommand, QuotaEvent, QuotaGiven> = {
  initialState: () => new Quota(),
  decide,
  evolve,
};

function decide(command: QuotaCommand, state: Quota, given: QuotaGiven): Decision<QuotaEvent> | Refusal {
  switch (command.type) {
    case "quota.take":
      return take(command, state, given);
    case "quota.confirm":
      return confirm(command, state, given);
    case "quota.return":
      return giveBack(command, state, given);
  }
}

/** Of a customer's first order: there is one. */
const FIRST_ORDER: QuotaTerms = {
  ...{ kind: "promo", open: true, limit_total: null, limit_per_user: null, first_order_only: true },
};

const NOTHING_TO_DO: Decision<QuotaEvent> = { events: [], answer: {} };

function take(
  wanted: Take,
  state: Quota,
  { quota_id, terms: offered }: QuotaGiven,
): Decision<QuotaEvent> | Refusal {
  assert(Number.isSafeInteger(wanted.units) && wanted.units > 0, "units are a whole number above zero");
  assert(!wanted.first_order || quota_id === wanted.user_id, "a first order is its customer's own");
  if (state.holds.has(wanted.hold_id)) return NOTHING_TO_DO;
  const terms = wanted.first_order ? FIRST_ORDER : offered;
  if (terms === null || !terms.open) return offerOver();
  const refused = notForThem(wanted, state, terms);
  if (refused !== undefined) return refused;
  const left = terms.limit_total === null ? Infinity : terms.limit_total - state.used;
  // What the same order has taken in an attempt before, at other prices, is left for it.
  if (wanted.units > left)
    return terms.kind === "sale" ? exhausted(Math.max(left, state.heldBy(wanted.placing.id))) : usedUp();
  const { hold_id, units, user_id, placing, at } = wanted;
  const { id, fingerprint } = placing;
  const data: QuotaTaken["data"] = {
    ...{ quota_id, hold_id, units, user_id, placing: { id, fingerprint } },
    ...{ used: state.used + units, limit: terms.limit_total, at },
    ...(wanted.first_order ? { first_order: true } : {}),
  };
  return { events: [{ type: "quota.taken", data }], answer: {} };
}

/** Why this customer may not use the offer, whoever else may. */
function notForThem({ units, user_id, has_ordered }: Take, state: Quota, terms: QuotaTerms) {
  const { limit_per_user, first_order_only } = terms;
  if (limit_per_user === null && !first_order_only) return undefined;
  if (user_id === null)
    return refuse(
      "unprocessable",
      "promo.sign_in_required",
      "This promo code counts by customer: sign in to use it.",
    );
  const held = state.of_user.get(user_id) ?? 0;
  if (first_order_only && (has_ordered || held > 0))
    return refuse(
      "unprocessable",
      "promo.first_order_only",
      "This promo code is for a customer's first order.",
    );
  if (limit_per_user !== null && held + units > limit_per_user)
    return refuse(
      "unprocessable",
      "promo.used_by_you",
      "You have used this promo code as often as you may.",
      {
        limit_per_user,
      },
    );
  return undefined;
}

function confirm(
  { hold_id, order_id }: Extract<QuotaCommand, { type: "quota.confirm" }>,
  state: Quota,
  { quota_id }: QuotaGiven,
): Decision<QuotaEvent> {
  if (!state.open.has(hold_id)) return NOTHING_TO_DO;
  return { events: [{ type: "quota.confirmed", data: { quota_id, hold_id, order_id } }], answer: {} };
}

function giveBack(
  { hold_id, reason, at }: Extract<QuotaCommand, { type: "quota.return" }>,
  state: Quota,
  { quota_id }: QuotaGiven,
): Decision<QuotaEvent> {
  const hold = state.holds.get(hold_id);
  if (hold === undefined) return NOTHING_TO_DO;
  const { units, user_id } = hold;
  const used = state.used - units;
  const data: QuotaReturned["data"] = {
    ...{ quota_id, hold_id, units, reason, used, at },
    ...(quota_id === user_id ? { first_order: true } : {}),
  };
  return { events: [{ type: "quota.returned", data }], answer: {} };
}

function evolve(state: Quota, event: QuotaEvent): Quota {
  const { hold_id } = event.data;
  switch (event.type) {
    case "quota.taken": {
      const { units, user_id, placing } = event.data;
      state.hold(hold_id, { units, user_id }, placing.id);
      break;
    }
    case "quota.confirmed":
      state.confirm(hold_id);
      break;
    case "quota.returned":
      state.giveBack(hold_id);
      break;
  }
  return state;
}

const offerOver = (): Refusal =>
  refuse("unprocessable", "offer.over", "This offer is over.", { remaining: 0 });

const exhausted = (remaining: number): Refusal =>
  refuse("unprocessable", "offer.exhausted", `${String(remaining)} are left at the price of this sale.`, {
    remaining,
  });

/** A promo code was used as often as it may be. */
const usedUp = (): Refusal =>
  refuse("unprocessable", "promo.used_up", "This promo code has been used as often as it may be.");
