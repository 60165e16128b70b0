import type { Caller, Ctx } from "../../mixins/contract/caller";
import type { ResultOf } from "../../mixins/contract/contract";
import { act, callerOf, type CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, type Refusal } from "../../mixins/contract/refusal";
import type { Position } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { getBranch } from "../branch/branch.contract";
import { quoteMenu } from "../menu/menu.contract";
import { placeInSlot } from "../slot/slot.contract";
import type { placeOrder } from "./order.contract";
import { notYours } from "./order.decider";
import { checkHorizon, checkWish, draftOf, type OrderWish } from "./order.draft";
import type { Channel, OrderPlaced } from "./order.events";
import { pricedLine, trackUrl } from "./order.view";

/** Through which door an order comes, and for whom. */
export interface Door {
  readonly channel: Channel;
  /** The desk orders for others, at its own branches; everybody else orders for themselves, anywhere. */
  readonly for_others: boolean;
}

/**
 * Places an order: checks the wish, has it priced, adds the branch's fee, and asks the kitchen-day for a slot, which founds
 * the order in the same append. Comes back when that is durable, with what the log keeps as the answer.
 */
export async function place(
  { clock, ids }: Pick<Runtime, "clock" | "ids">,
  ctx: Ctx<OrderWish>,
  { channel, for_others }: Door,
): Promise<CommandOutcome | Refusal> {
  // Read before any call: what a callee puts into meta comes back into ours.
  const caller = callerOf(ctx);
  const wish = ctx.params;
  const now = clock.now();
  const malformed = checkWish(wish, now);
  if (malformed !== undefined) return malformed;

  const branch_id = wish.branch_id ?? (for_others ? caller.branch_ids?.[0] : undefined);
  const [branch, quote] = await Promise.all([
    act(ctx, getBranch, branch_id === undefined ? {} : { branch_id }),
    act(ctx, quoteMenu, {
      items: wish.items,
      ...(wish.promo_code === undefined ? {} : { promo_code: wish.promo_code }),
    }),
  ]);
  const wrong =
    (for_others ? branchRefusal(caller, branch.branch_id) : undefined) ??
    checkHorizon(wish, branch.slot_rules.preorder_hours, now);
  if (isRefusal(wrong)) return wrong;

  const order_id = ids.uuid();
  const user_id = for_others ? null : caller.user_id;
  const draft = draftOf(wish, { order_id, track_token: ids.token(), channel, user_id, now, branch, quote });
  const { placed, position } = await act(ctx, placeInSlot, { draft });
  return { answer: placed, position, replayed: ctx.meta.replayed === true };
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
