import type { CommandIdentity } from "../../mixins/contract/caller";

/**
 * Events of a quota (stream `quota-<id>`): how often a limited offer is used. The quota has the id of its flash sale or
 * promo code; that of a customer's first order has the customer's. What an order takes is a *hold*. `used` is the sum of all holds after the event.
 */

/** An order that is about to be placed takes its part. */
export type QuotaTaken = {
  readonly type: "quota.taken";
  readonly data: {
    readonly quota_id: string;
    /** Derived from the placing command, so that its repetition takes nothing twice. */
    readonly hold_id: string;
    readonly units: number;
    /** The customer's account; null for a guest and at the desk. */
    readonly user_id: string | null;
    /** The command that is to place the order: whether it did is asked of the log. */
    readonly placing: CommandIdentity;
    readonly used: number;
    /** The limit in force; null: there was none any more. */
    readonly limit: number | null;
    readonly at: string;
    /** A customer's first order, not an offer. */
    readonly first_order?: true;
  };
};

/** The order stands in the log. */
export type QuotaConfirmed = {
  readonly type: "quota.confirmed";
  readonly data: { readonly quota_id: string; readonly hold_id: string; readonly order_id: string };
};

/** The order was cancelled, or never placed and never will be. */
export type QuotaReturned = {
  readonly type: "quota.returned";
  readonly data: {
    readonly quota_id: string;
    readonly hold_id: string;
    readonly units: number;
    readonly reason: ReturnReason;
    readonly used: number;
    readonly at: string;
    readonly first_order?: true;
  };
};
export type ReturnReason = "cancelled" | "not_placed";
export type QuotaEvent = QuotaTaken | QuotaConfirmed | QuotaReturned;

/** How the streams of quotas begin. */
export const QUOTA_STREAMS = "quota-";

/** Stream of a quota. */
export const quotaStream = (quota_id: string): string => `${QUOTA_STREAMS}${quota_id}`;

/** The quota whose stream this is. */
export const quotaOf = (stream_id: string): string => stream_id.slice(QUOTA_STREAMS.length);
