import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import {
  AfterParam,
  literals,
  nullable,
  pageOf,
  PageParams,
  PositionSchema,
  strictObject,
  Timestamp,
  Uuid,
} from "../../mixins/contract/schemas";
import { Lines } from "../../mixins/text/lines";

export const LocalizedText = strictObject({ ru: Type.String(), en: Type.String() });

/** Of the top of all reviews so many are kept; a list shows the first ones. */
export const TOP_MAX = 50;

const Rating = Type.Integer({ minimum: 1, maximum: 5 });
const Text = Lines(2000);
const Sort = literals("helpful", "newest");
export type ReviewSort = "helpful" | "newest";

const shown = {
  review_id: Uuid,
  menu_item_id: Uuid,
  item_name: nullable({ ...LocalizedText, description: "null: no longer on the menu" }),
  author: nullable(Type.String({ description: "First name and initial" })),
  verified: Type.Boolean({ description: "By somebody who received it from us" }),
  rating: Rating,
  text: Type.String(),
  helpful_count: Type.Integer({ minimum: 0 }),
  written_at: Timestamp,
  edited_at: nullable(Timestamp),
};
const ShownReview = strictObject(shown);
const Hiding = { hidden_at: nullable(Timestamp), hidden_reason: nullable(Type.String()) };
const OwnReview = strictObject({ ...shown, ...Hiding });
const DeskReview = strictObject({
  ...shown,
  ...Hiding,
  user_id: Uuid,
  order_id: nullable(Uuid),
  hidden_by: nullable(Uuid),
});

export const topComments = contract({
  name: "shop.comments_top",
  summary: "The most helpful or the newest reviews of all dishes",
  kind: "query",
  permission: "public",
  params: strictObject({
    sort: Type.Optional(Sort),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: TOP_MAX, default: 10 })),
    ...AfterParam,
  }),
  result: strictObject({ items: Type.Array(ShownReview) }),
  rest: [{ method: "GET", path: "/api/comments/top" }],
});

export const itemReviews = contract({
  name: "shop.item_reviews",
  summary: "What people say of a dish, and its rating",
  kind: "query",
  permission: "public",
  params: strictObject({ item_id: Uuid, sort: Type.Optional(Sort), ...PageParams, ...AfterParam }),
  result: strictObject({
    rating: strictObject({
      average: nullable(Type.Number({ minimum: 1, maximum: 5, description: "To two decimals" })),
      count: Type.Integer({ minimum: 0 }),
      by_stars: strictObject(
        Object.fromEntries(["1", "2", "3", "4", "5"].map((stars) => [stars, Type.Integer({ minimum: 0 })])),
      ),
    }),
    ...pageOf(ShownReview).properties,
  }),
  rest: [{ method: "GET", path: "/api/menu/:item_id/reviews" }],
  refusals: ["menu.unknown_item", "input.cursor_malformed"],
});

export const myReviews = contract({
  name: "shop.my_reviews",
  summary: "The caller's own reviews, newest first",
  kind: "query",
  permission: "session",
  params: strictObject({ ...PageParams }),
  result: pageOf(OwnReview),
  rest: [{ method: "GET", path: "/api/reviews" }],
  refusals: ["input.cursor_malformed"],
});

const command = { kind: "command", permission: "session" } as const;
const OneReview = strictObject({ review_id: Uuid });
const ReviewAnswer = strictObject({ review_id: Uuid, position: PositionSchema });

/** One review a person and dish, and only of a dish that an order has brought them; `order_id` says which. */
export const writeReview = contract({
  ...command,
  name: "shop.review_write",
  summary: "Review a dish that you have received",
  params: strictObject({ menu_item_id: Uuid, order_id: Type.Optional(Uuid), rating: Rating, text: Text }),
  result: ReviewAnswer,
  rate_per_minute: 30,
  rest: [{ method: "POST", path: "/api/reviews", status: 201 }],
  refusals: ["order.unknown", "review.not_bought", "review.not_delivered", "review.already_written"],
});

export const editReview = contract({
  ...command,
  name: "shop.review_edit",
  summary: "Change what is named of your review",
  params: strictObject({ review_id: Uuid, rating: Type.Optional(Rating), text: Type.Optional(Text) }),
  result: ReviewAnswer,
  rate_per_minute: 30,
  rest: [{ method: "PUT", path: "/api/reviews/:review_id" }],
  refusals: ["review.unknown", "review.not_yours", "review.nothing_named"],
});

export const removeReview = contract({
  ...command,
  name: "shop.review_remove",
  summary: "Take your review back",
  params: OneReview,
  result: ReviewAnswer,
  rest: [{ method: "DELETE", path: "/api/reviews/:review_id" }],
  refusals: ["review.unknown", "review.not_yours"],
});

const HelpfulAnswer = strictObject({
  review_id: Uuid,
  helpful_count: Type.Integer({ minimum: 0 }),
  position: PositionSchema,
});

export const voteHelpful = contract({
  ...command,
  name: "shop.review_vote",
  summary: "Say that somebody's review has helped you",
  params: OneReview,
  result: HelpfulAnswer,
  rate_per_minute: 120,
  rest: [{ method: "POST", path: "/api/reviews/:review_id/helpful" }],
  refusals: ["review.unknown", "review.own", "review.already_voted"],
});

export const withdrawVote = contract({
  ...command,
  name: "shop.review_unvote",
  summary: "Take that back",
  params: OneReview,
  result: HelpfulAnswer,
  rest: [{ method: "DELETE", path: "/api/reviews/:review_id/helpful" }],
  refusals: ["review.unknown", "review.own", "review.not_voted"],
});

const moderation = { permission: "review.moderate" } as const;

export const listReviews = contract({
  ...moderation,
  name: "shop.review_list",
  summary: "All reviews, newest first, hidden ones among them",
  kind: "query",
  params: strictObject({
    menu_item_id: Type.Optional(Uuid),
    hidden: Type.Optional(Type.Boolean()),
    ...PageParams,
  }),
  result: pageOf(DeskReview),
  rest: [{ method: "GET", path: "/api/v1/erp/reviews" }],
  refusals: ["input.cursor_malformed"],
});

export const hideReview = contract({
  ...moderation,
  name: "shop.review_hide",
  summary: "Keep a review from the shop",
  kind: "command",
  params: strictObject({ review_id: Uuid, reason: Type.String({ minLength: 1, maxLength: 500 }) }),
  result: ReviewAnswer,
  rest: [{ method: "POST", path: "/api/v1/erp/reviews/:review_id/hide" }],
  refusals: ["review.unknown", "review.already_hidden"],
});

export const showReview = contract({
  ...moderation,
  name: "shop.review_show",
  summary: "Show a hidden review again",
  kind: "command",
  params: OneReview,
  result: ReviewAnswer,
  rest: [{ method: "POST", path: "/api/v1/erp/reviews/:review_id/show" }],
  refusals: ["review.unknown", "review.not_hidden"],
});

export const reviewContracts = [
  topComments,
  itemReviews,
  myReviews,
  writeReview,
  editReview,
  removeReview,
  voteHelpful,
  withdrawVote,
  listReviews,
  hideReview,
  showReview,
] as const;
