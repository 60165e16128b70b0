import type { Caller, Ctx } from "../../mixins/contract/caller";
import type { ResultOf } from "../../mixins/contract/contract";
import { act, callerOf, type CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, refusalOf, UnavailableError, type Refusal } from "../../mixins/contract/refusal";
import type { Position } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { withPhone } from "../../mixins/text/phone";
import { placeInSlot } from "../slot/slot.contract";
import type { placeOrder } from "./order.contract";
import { notYours } from "./order.decider";
import type { AskedNow, OrderAdmission } from "./order.admission";
import { checkHorizon, checkTotal, checkWish, draftOf, type OrderWish } from "./order.draft";
import type { Channel, OrderDraft, OrderPlaced } from "./order.events";
import { OrderOffers, type OfferDeps } from "./order.offers";
import { OrderPrices } from "./order.prices";
import { pricedLine, trackUrl } from "./order.view";

/** So often an order is priced; a node that is too slow each time leaves it to others. */
const PRICED_MAX = 3;

/** Through which door an order comes, and for whom. */
export interface Door {
  readonly channel: Channel;
  /** The desk orders for others, at its own branches; everybody else orders for themselves, anywhere. */
  readonly for_others: boolean;
}

/** What a placement works with. */
export interface PlacementDeps extends OfferDeps {
  readonly runtime: Pick<Runtime, "broker" | "log" | "clock" | "ids" | "settings">;
  /** Undefined: people may order as much as they like. */
  readonly admission: OrderAdmission | undefined;
}

/**
 * Places an order: checks the wish, has it priced, adds the branch's fee, takes what it needs of limited offers, and asks the
 * kitchen-day for a slot, which founds the order in the same append. Comes back when that is durable, with what the log keeps
 * as the answer.
 * @throws UnavailableError `order.prices_old` when its prices were too old each time by when it could be placed.
 */
export async function place(
  deps: PlacementDeps,
  ctx: Ctx<OrderWish>,
  { channel, for_others }: Door,
): Promise<CommandOutcome | Refusal> {
  const { clock, ids, settings } = deps.runtime;
  // Read before any call: what a callee puts into meta comes back into ours.
  const caller = callerOf(ctx);
  const { client_address: address } = ctx.meta;
  const customer = withPhone(ctx.params.customer ?? {}, settings.PHONE_COUNTRY, "order.phone_invalid");
  if (isRefusal(customer)) return customer;
  const wish = { ...ctx.params, customer };
  const malformed = checkWish(wish, clock.now());
  if (malformed !== undefined) return malformed;

  const branch_id = wish.branch_id ?? (for_others ? caller.branch_ids?.[0] : undefined);
  const prices = new OrderPrices(deps.runtime, ctx, branch_id);
  const user_id = for_others ? null : caller.user_id;
  const offers = new OrderOffers(deps, ctx, user_id);
  return offers.orGiveBack(async () => {
    for (let asked = 0; asked < PRICED_MAX; asked += 1) {
      const priced = await (asked === 0 ? prices.ask() : prices.askAnew());
      const { now, branch } = priced;
      const wrong =
        (for_others ? branchRefusal(caller, branch.branch_id) : undefined) ??
        checkHorizon(wish, branch.slot_rules.preorder_hours, now);
      if (wrong !== undefined) return wrong;
      const quote = await offers.take(priced.quote, (remaining) => prices.quote({ remaining }));
      if (isRefusal(quote)) return quote;
      if (prices.isOld(priced)) continue;
      const order = { order_id: ids.uuid(), track_token: ids.token(), channel, user_id, now };
      const draft = draftOf(wish, { ...order, branch, quote, holds: offers.holdsOf(quote) });
      const unexpected = checkTotal(wish, draft);
      if (unexpected !== undefined) return unexpected;
      // What people order for themselves has limits; the desk answers for what it takes, and Forno for its own.
      const limited = for_others || caller.role === "system" ? undefined : deps.admission;
      return placeWithin(limited, ctx, { draft, address, branch_phone: branch.phone });
    }
    throw new UnavailableError(
      "order.prices_old",
      "This node is too slow to place the order at prices of this moment; try again.",
    );
  });
}

/** Places an order that its limits let through. One that did not come to be, or had been there before, counts no more. */
async function placeWithin(
  admission: OrderAdmission | undefined,
  ctx: Ctx<unknown>,
  { draft, ...from }: { readonly draft: OrderDraft } & Pick<AskedNow, "address" | "branch_phone">,
): Promise<CommandOutcome | Refusal> {
  const { order_id, branch_id, total_minor, customer } = draft;
  const { user_id, phone } = customer;
  const asked: AskedNow = { order_id, branch_id, user_id, phone, total_minor, ...from };
  const refused = await admission?.refusalOf(asked);
  if (refused !== undefined) return refused;
  try {
    const { placed, position } = await act(ctx, placeInSlot, { draft });
    if (placed.order_id !== order_id) admission?.withdraw(asked);
    return { answer: placed, position, replayed: ctx.meta.replayed === true };
  } catch (error) {
    // Whatever is no refusal leaves it open whether the order stands; for a minute it counts as if it did.
    if (refusalOf(error) !== undefined) admission?.withdraw(asked);
    throw error;
  }
}

/** The desk works for its own branches. Refusal: `order.not_yours`. */
export function branchRefusal({ branch_ids }: Caller, branch_id: string): Refusal | undefined {
  return branch_ids === null || branch_ids.includes(branch_id) ? undefined : notYours();
}

/** The answer to a placement, always from what the log keeps, so that a repetition gets the same. */
export function placedAnswer(answer: unknown, position: Position): ResultOf<typeof placeOrder> {
  const placed = answer as OrderPlaced["data"];
  const [first] = placed.shares;
  if (first === undefined) throw new Error(`order ${placed.order_id} was placed into no slot`);
  return {
    order_id: placed.order_id,
    display_id: placed.display_id,
    status: "pending",
    items: placed.items.map(pricedLine),
    items_total_minor: placed.items_total_minor,
    delivery_fee_minor: placed.delivery_fee_minor,
    discount_minor: placed.discount_minor,
    total_minor: placed.total_minor,
    currency: placed.currency,
    slot: { slot_id: first.slot_id, start: first.start, end: first.end },
    ready_at: placed.ready_at,
    visible_at: placed.visible_at,
    track_url: trackUrl(placed.track_token),
    position,
    preorder: placed.preorder,
  };
}
