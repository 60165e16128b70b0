import type { PoolClient } from "pg";
import { endNow } from "../../mixins/cache-tags/cached-action";
import type { Ctx } from "../../mixins/contract/caller";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import { callerOf, commandOf, type CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { changeRows } from "../../mixins/crud/row-change";
import type { StreamAppend } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { reviewTags } from "./review.lists";
import * as store from "./review.store";
import { reviewStream, type ReviewEvent, type ReviewRef } from "./shop.events";

/** What becomes of a review: its row as it is from now on (null: it goes), what the log hears, what the caller hears. */
interface Change {
  readonly review: store.ReviewRow | null;
  readonly event: ReviewEvent;
  readonly answer?: object;
}
/** What is done to a review, in its transaction and under its lock; `ref` begins every event of it. */
export type Decide = (
  review: store.ReviewRow,
  ref: ReviewRef,
  tx: PoolClient,
) => Change | Refusal | Promise<Change | Refusal>;

/**
 * Changes one review: its row and the event of that together, then ends what is kept of it.
 * Refusals: `review.unknown`, and those of `decide`.
 */
export async function changeReview(
  runtime: Runtime,
  ctx: Ctx<{ review_id: string }>,
  decide: Decide,
): Promise<CommandOutcome | Refusal> {
  const review_id = ctx.params.review_id.toLowerCase();
  const touched: string[] = [];
  const outcome = await changeRows(runtime, commandOf(ctx), async (tx) => {
    const review = await store.lockedReview(tx, review_id);
    if (review === undefined) return unknownReview();
    const { menu_item_id, user_id, version } = review;
    const at = new Date(runtime.clock.now()).toISOString();
    const change = await decide(review, { review_id, menu_item_id, user_id, at }, tx);
    if (isRefusal(change)) return change;
    if (change.review === null) await store.deleteReview(tx, review_id);
    else await store.updateReview(tx, change.review);
    touched.push(menu_item_id);
    return {
      streams: [{ ...streamOf(review_id), expected_version: version, events: [change.event] }],
      answer: { review_id, ...change.answer },
      meta: eventMetaOf(ctx, "shop"),
    };
  });
  await endNow(runtime, ...touched.flatMap(reviewTags));
  return outcome;
}

/** Writes a new review. Refusal: `review.already_written`, with the one that is there. */
export async function addReview(
  runtime: Pick<Runtime, "pool" | "log" | "broker" | "cache">,
  ctx: Ctx<unknown>,
  review: Parameters<typeof store.insertReview>[1],
): Promise<CommandOutcome | Refusal> {
  const { review_id, menu_item_id } = review;
  const outcome = await changeRows(runtime, commandOf(ctx), async (tx) => {
    const other = await store.insertReview(tx, review);
    if (other !== undefined)
      return refuse(
        "conflict",
        "review.already_written",
        "You have reviewed this dish; change that review instead.",
        other,
      );
    return { ...foundingOf(review), answer: { review_id }, meta: eventMetaOf(ctx, "shop") };
  });
  if (!isRefusal(outcome)) await endNow(runtime, ...reviewTags(menu_item_id));
  return outcome;
}

/** The first event of a review. */
export function foundingOf(review: Parameters<typeof store.insertReview>[1]) {
  const { review_id, menu_item_id, user_id, order_id, rating, written_at } = review;
  const at = written_at.toISOString();
  const event: ReviewEvent = {
    type: "review.written",
    data: { review_id, menu_item_id, user_id, order_id, rating, at },
  };
  return { streams: [{ ...streamOf(review_id), expected_version: 0, events: [event] }] };
}

/** The last event of a review that goes together with its author. */
export function removalOf(
  review: Pick<store.ReviewRow, "review_id" | "menu_item_id" | "user_id">,
  version: number,
  at: Date,
): StreamAppend {
  const event: ReviewEvent = { type: "review.removed", data: { ...review, at: at.toISOString() } };
  return { ...streamOf(review.review_id), expected_version: version, events: [event] };
}

const streamOf = (review_id: string) => ({ stream_id: reviewStream(review_id), stream_type: "review" });

export function unknownReview(): Refusal {
  return refuse("not_found", "review.unknown", "There is no such review.");
}

/** Whether somebody may change or remove a review: it is theirs. */
export function ownRefusal(ctx: Ctx<unknown>, review: store.ReviewRow): Refusal | undefined {
  return callerOf(ctx).user_id === review.user_id
    ? undefined
    : refuse("forbidden", "review.not_yours", "This review is somebody else's.");
}
