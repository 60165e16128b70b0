import type { Caller, Ctx } from "../../mixins/contract/caller";
import type { ResultOf } from "../../mixins/contract/contract";
import { act, callerOf, type CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, type Refusal } from "../../mixins/contract/refusal";
import type { Position } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { getBranch } from "../branch/branch.contract";
import { quoteMenu, type Quote } from "../menu/menu.contract";
import { placeInSlot } from "../slot/slot.contract";
import type { placeOrder } from "./order.contract";
import { notYours } from "./order.decider";
import { checkHorizon, checkTotal, checkWish, draftOf, type OrderWish } from "./order.draft";
import type { Channel, OrderPlaced } from "./order.events";
import { OrderOffers, type OfferDeps, type Remaining } from "./order.offers";
import { pricedLine, trackUrl } from "./order.view";

/** Through which door an order comes, and for whom. */
export interface Door {
  readonly channel: Channel;
  /** The desk orders for others, at its own branches; everybody else orders for themselves, anywhere. */
  readonly for_others: boolean;
}

/** What a placement works with. */
export interface PlacementDeps extends OfferDeps {
  readonly runtime: Pick<Runtime, "broker" | "log" | "clock" | "ids">;
}

/**
 * Places an order: checks the wish, has it priced, adds the branch's fee, takes what it needs of limited offers, and asks the
 * kitchen-day for a slot, which founds the order in the same append. Comes back when that is durable, with what the log keeps
 * as the answer.
 */
export async function place(
  deps: PlacementDeps,
  ctx: Ctx<OrderWish>,
  { channel, for_others }: Door,
): Promise<CommandOutcome | Refusal> {
  const { clock, ids } = deps.runtime;
  // Read before any call: what a callee puts into meta comes back into ours.
  const caller = callerOf(ctx);
  const wish = ctx.params;
  const now = clock.now();
  const malformed = checkWish(wish, now);
  if (malformed !== undefined) return malformed;

  const branch_id = wish.branch_id ?? (for_others ? caller.branch_ids?.[0] : undefined);
  const quote = (remaining?: Remaining): Promise<Quote> =>
    act(ctx, quoteMenu, {
      items: wish.items,
      ...(wish.promo_code === undefined ? {} : { promo_code: wish.promo_code }),
      ...(remaining === undefined ? {} : { remaining }),
    });
  const [branch, first] = await Promise.all([
    act(ctx, getBranch, branch_id === undefined ? {} : { branch_id }),
    quote(),
  ]);
  const wrong =
    (for_others ? branchRefusal(caller, branch.branch_id) : undefined) ??
    checkHorizon(wish, branch.slot_rules.preorder_hours, now);
  if (isRefusal(wrong)) return wrong;

  const user_id = for_others ? null : caller.user_id;
  const offers = new OrderOffers(deps, ctx, user_id);
  return offers.orGiveBack(async () => {
    const taken = await offers.take(first, quote);
    if (isRefusal(taken)) return taken;
    const order = { order_id: ids.uuid(), track_token: ids.token(), channel, user_id, now };
    const draft = draftOf(wish, { ...order, branch, quote: taken, holds: offers.holdsOf(taken) });
    const unexpected = checkTotal(wish, draft);
    if (unexpected !== undefined) return unexpected;
    const { placed, position } = await act(ctx, placeInSlot, { draft });
    return { answer: placed, position, replayed: ctx.meta.replayed === true };
  });
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
