import type { ServiceSchema } from "moleculer";
import type { Ctx } from "../../mixins/contract/caller";
import type { ResultOf } from "../../mixins/contract/contract";
import { callerOf, implementCommand } from "../../mixins/contract/implement";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { metricsOf } from "../../mixins/metrics/metrics";
import type { Runtime } from "../../mixins/runtime";
import { addReview, changeReview, ownRefusal, unknownReview, type Decide } from "./review.changes";
import * as contracts from "./review.contract";
import { orderThatBrought } from "./review.purchase";
import { changeVote } from "./review.store";

/** What authors, readers and the desk do with reviews. */
export function reviewActions(runtime: Runtime): NonNullable<ServiceSchema["actions"]> {
  return { ...authorActions(runtime), ...readerActions(runtime), ...deskActions(runtime) };
}

function authorActions(runtime: Runtime) {
  const { log, clock, ids } = runtime;
  const written = metricsOf(runtime.broker).counter(
    "forno_reviews_written_total",
    "Reviews, by their stars.",
    ["rating"],
  );
  return {
    review_write: implementCommand(log, contracts.writeReview, {
      async run(ctx) {
        const { menu_item_id, order_id, rating, text } = ctx.params;
        const user_id = personOf(ctx);
        if (isRefusal(user_id)) return user_id;
        const order = await orderThatBrought(runtime, ctx, { user_id, menu_item_id, order_id });
        if (isRefusal(order)) return order;
        const outcome = await addReview(runtime, ctx, {
          ...{ review_id: ids.uuid(), menu_item_id: menu_item_id.toLowerCase(), user_id, order_id: order },
          ...{ rating, text: text.trim(), written_at: new Date(clock.now()) },
        });
        if (!isRefusal(outcome) && !outcome.replayed) written.inc({ rating: String(rating) });
        return outcome;
      },
      respond: reviewAnswer,
    }),
    review_edit: implementCommand(log, contracts.editReview, {
      run: (ctx) => changeReview(runtime, ctx, edits(ctx, ctx.params)),
      respond: reviewAnswer,
    }),
    review_remove: implementCommand(log, contracts.removeReview, {
      run: (ctx) =>
        changeReview(
          runtime,
          ctx,
          (review, ref) =>
            ownRefusal(ctx, review) ?? { review: null, event: { type: "review.removed", data: ref } },
        ),
      respond: reviewAnswer,
    }),
  };
}

function edits(
  ctx: Ctx<unknown>,
  { rating, text }: { readonly rating?: number; readonly text?: string },
): Decide {
  return (review, ref) => {
    const refusal = ownRefusal(ctx, review);
    if (refusal !== undefined) return refusal;
    if (rating === undefined && text === undefined)
      return refuse("unprocessable", "review.nothing_named", "Name a rating, a text or both.");
    const edited = {
      ...{ ...review, rating: rating ?? review.rating, text: text?.trim() ?? review.text },
      edited_at: new Date(ref.at),
    };
    return { review: edited, event: { type: "review.edited", data: { ...ref, rating: edited.rating } } };
  };
}

function readerActions(runtime: Runtime) {
  const { log } = runtime;
  return {
    review_vote: implementCommand(log, contracts.voteHelpful, {
      run: (ctx) => changeReview(runtime, ctx, votes(ctx, true)),
      respond: voteAnswer,
    }),
    review_unvote: implementCommand(log, contracts.withdrawVote, {
      run: (ctx) => changeReview(runtime, ctx, votes(ctx, false)),
      respond: voteAnswer,
    }),
  };
}

/** Each person's vote counts once, and nobody's for themselves. */
function votes(ctx: Ctx<unknown>, helpful: boolean): Decide {
  return async (review, ref, tx) => {
    const by = personOf(ctx);
    if (isRefusal(by)) return by;
    if (review.hidden_at !== null) return unknownReview();
    if (by === review.user_id)
      return refuse("unprocessable", "review.own", "Others say whether your review helps them.");
    const { review_id, at } = ref;
    if (!(await changeVote(tx, { review_id, user_id: by, helpful, at: new Date(at) })))
      return helpful
        ? refuse("conflict", "review.already_voted", "You have said so already.")
        : refuse("conflict", "review.not_voted", "You have not said so.");
    const helpful_count = review.helpful_count + (helpful ? 1 : -1);
    return {
      review: { ...review, helpful_count },
      event: { type: "review.voted", data: { ...ref, by, helpful, helpful_count } },
      answer: { helpful_count },
    };
  };
}

function deskActions(runtime: Runtime) {
  const { log } = runtime;
  return {
    review_hide: implementCommand(log, contracts.hideReview, {
      run: (ctx) => changeReview(runtime, ctx, hides(callerOf(ctx).user_id, ctx.params.reason)),
      respond: reviewAnswer,
    }),
    review_show: implementCommand(log, contracts.showReview, {
      run: (ctx) => changeReview(runtime, ctx, shows(callerOf(ctx).user_id)),
      respond: reviewAnswer,
    }),
  };
}

const hides =
  (by: string | null, reason: string): Decide =>
  (review, ref) =>
    review.hidden_at !== null
      ? refuse("conflict", "review.already_hidden", "This review is hidden already.")
      : {
          review: { ...review, hidden_at: new Date(ref.at), hidden_by: by, hidden_reason: reason },
          event: { type: "review.hidden", data: { ...ref, by } },
        };

const shows =
  (by: string | null): Decide =>
  (review, ref) =>
    review.hidden_at === null
      ? refuse("conflict", "review.not_hidden", "This review is not hidden.")
      : {
          review: { ...review, hidden_at: null, hidden_by: null, hidden_reason: null },
          event: { type: "review.shown", data: { ...ref, by } },
        };

/** Reviews and votes are a person's: Forno itself has no opinion. */
function personOf(ctx: Ctx<unknown>): string | Refusal {
  return (
    callerOf(ctx).user_id ??
    refuse("unauthorized", "auth.required", "Sign in first: this is done by a person.")
  );
}

function reviewAnswer(answer: unknown, position: number): ResultOf<typeof contracts.writeReview> {
  return { ...(answer as { review_id: string }), position };
}

function voteAnswer(answer: unknown, position: number): ResultOf<typeof contracts.voteHelpful> {
  return { ...(answer as { review_id: string; helpful_count: number }), position };
}
