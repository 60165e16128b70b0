import { SYSTEM, type CommandIdentity, type Ctx } from "../../mixins/contract/caller";
import { act, commandOf, settle, type CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, refusalOf, type Refusal } from "../../mixins/contract/refusal";
import type { Logger } from "../../mixins/logger";
import type { Runtime } from "../../mixins/runtime";
import type { LimitedUse, Quote } from "../menu/menu.contract";
import { confirmHold, holdCommand, holdIdOf, returnHold, takeQuota } from "../quota/quota.contract";
import type { OrderHold, OrderPlaced } from "./order.events";

/** A sale that sells out under the customer's hands is asked again for what is left so often, then it is left. */
const ASKED_AGAIN_MAX = 4;

/** Units that are left of flash sales, as their quotas said. */
export type Remaining = Readonly<Record<string, number>>;

export interface OfferDeps {
  readonly runtime: Pick<Runtime, "broker" | "log">;
  readonly logger: Logger;
  /** Whether a customer has an order that is not cancelled. */
  readonly hasOrdered: (user_id: string) => Promise<boolean>;
}

/** What an order needs that is limited: units of an offer, or to be its customer's first. */
type Use = Omit<LimitedUse, "kind"> & { readonly kind: LimitedUse["kind"] | "first_order" };

/** Who orders, by account; null for guests and at the desk. */
export type Customer = string | null;

/**
 * What one order takes of limited offers, from taking to the end of the order's placement.
 *
 * Whatever is taken is given back only when the log has settled that the placing command is refused: until then another
 * attempt of the same command, on another node, may still place the order with the very same holds. Where this node dies in
 * the middle, the sweep of `services/quota` comes to the same end.
 */
export class OrderOffers {
  readonly #taken = new Map<string, OrderHold>();

  constructor(
    private readonly deps: OfferDeps,
    private readonly ctx: Ctx<unknown>,
    private readonly customer: Customer,
  ) {}

  /**
   * Takes what a quote needs, one offer after the other. A sale that has not enough left loses its price for a line, or all:
   * then `requote` says what the order costs without it, and what that needs is taken. Resolves with the quote whose needs are
   * met, or with the refusal of a promo code.
   */
  async take(first: Quote, requote: (remaining: Remaining) => Promise<Quote>): Promise<Quote | Refusal> {
    let quote = first;
    const remaining: Record<string, number> = {};
    for (let asked = 0; ; asked += 1) {
      const refused = await this.#takeAll(this.#usesOf(quote));
      if (refused === undefined) return quote;
      const { use, refusal } = refused;
      if (use.kind !== "sale") return refusal;
      const left = asked < ASKED_AGAIN_MAX ? Number(refusal.data?.["remaining"] ?? 0) : 0;
      remaining[use.offer_id] = Math.min(left, use.units - 1);
      quote = await requote(remaining);
    }
  }

  /** What an order at this quote's prices has. What was taken for another price is left to the sweep. */
  holdsOf(quote: Quote): OrderHold[] {
    return this.#usesOf(quote).flatMap((use) => this.#taken.get(this.#holdId(use)) ?? []);
  }

  /** What a quote needs: before a code for a first order, that first order itself. A guest has none; the code's quota says so. */
  #usesOf({ limited }: Quote): Use[] {
    const customer = this.customer;
    if (customer === null || !limited.some(({ first_order_only }) => first_order_only)) return [...limited];
    return [{ kind: "first_order", offer_id: customer, units: 1, first_order_only: true }, ...limited];
  }

  /** Places the order; when that is refused, or was refused, settles the command and gives everything back. */
  async orGiveBack(place: () => Promise<CommandOutcome | Refusal>): Promise<CommandOutcome | Refusal> {
    const outcome = await place().catch((error: unknown) => {
      const refusal = refusalOf(error);
      // Anything else leaves the outcome open: a repetition will know, or the sweep.
      if (refusal === undefined) throw error;
      return refusal;
    });
    if (this.#taken.size === 0) return outcome;
    const settled = isRefusal(outcome)
      ? await settle(this.deps.runtime.log, commandOf(this.ctx), outcome)
      : outcome;
    if (isRefusal(settled)) await this.#giveBack();
    else this.#confirm(settled.answer as OrderPlaced["data"]);
    return settled;
  }

  async #takeAll(
    uses: readonly Use[],
  ): Promise<{ readonly use: Use; readonly refusal: Refusal } | undefined> {
    for (const use of uses) {
      const refusal = await this.#takeOne(use);
      if (refusal !== undefined) return { use, refusal };
    }
    return undefined;
  }

  async #takeOne(use: Use): Promise<Refusal | undefined> {
    const hold_id = this.#holdId(use);
    if (this.#taken.has(hold_id)) return undefined;
    const { id, fingerprint } = commandOf(this.ctx);
    const { offer_id: quota_id, units } = use;
    const user_id = this.customer;
    const has_ordered = use.first_order_only && user_id !== null && (await this.deps.hasOrdered(user_id));
    const whose = { user_id, first_order: use.kind === "first_order", has_ordered };
    const params = { quota_id, hold_id, units, ...whose, placing: { id, fingerprint } };
    try {
      await act(this.deps.runtime.broker, takeQuota, params, this.#as({ id: hold_id, fingerprint }));
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return refusal;
    }
    this.#taken.set(hold_id, { quota_id, hold_id, units });
    return undefined;
  }

  /** What cannot be given back now, the sweep gives back. */
  async #giveBack(): Promise<void> {
    await Promise.all(
      Array.from(this.#taken.values(), async ({ quota_id, hold_id }) => {
        const params = { quota_id, hold_id, reason: "not_placed" as const };
        await act(this.deps.runtime.broker, returnHold, params, {
          meta: { caller: SYSTEM, command: holdCommand(returnHold, hold_id) },
        }).catch((error: unknown) => {
          this.deps.logger.warn(`hold ${hold_id} of ${quota_id} will be given back later: ${String(error)}`);
        });
      }),
    );
  }

  /** Nobody waits for it: what is not said now, the sweep finds out. */
  #confirm({ order_id, holds = [] }: OrderPlaced["data"]): void {
    for (const { quota_id, hold_id } of holds)
      act(
        this.deps.runtime.broker,
        confirmHold,
        { quota_id, hold_id, order_id },
        {
          meta: { caller: SYSTEM, command: holdCommand(confirmHold, hold_id) },
        },
      ).catch((error: unknown) => {
        this.deps.logger.debug(`hold ${hold_id} of ${quota_id} will be confirmed later: ${String(error)}`);
      });
  }

  #holdId({ offer_id, units }: Use): string {
    return holdIdOf(commandOf(this.ctx), offer_id, units);
  }

  /** Through the broker, not the context: what a callee finds in `meta` would come back as the order's own command. */
  #as(command: CommandIdentity): { meta: object } {
    const { caller, request_id, traceparent } = this.ctx.meta;
    return { meta: { caller, command, request_id, traceparent } };
  }
}
