import type { CacheName } from "./cache.contract";

/** What was done by hand to the shop's caches (a stream for each time), and the events of a review (stream `review-<review_id>`). */

/** An operator has ended everything that is kept under these names. */
export type CacheInvalidated = {
  readonly type: "cache.invalidated";
  readonly data: {
    /** As in `POST /api/cache/invalidate/{name}`. */
    readonly names: readonly CacheName[];
    /** The node that has done it; others with caches of their own follow. */
    readonly node_id: string;
    readonly by: string | null;
    readonly at: string;
  };
};

/** Whose review of what it is; texts stay in the table `reviews`, where they can be deleted. */
export interface ReviewRef {
  readonly review_id: string;
  readonly menu_item_id: string;
  /** Who wrote it. */
  readonly user_id: string;
  readonly at: string;
}

export type ReviewWritten = {
  readonly type: "review.written";
  readonly data: ReviewRef & {
    readonly rating: number;
    /** The delivered order that entitles to it; null: taken over from elsewhere. */
    readonly order_id: string | null;
  };
};
export type ReviewEdited = {
  readonly type: "review.edited";
  readonly data: ReviewRef & { readonly rating: number };
};
export type ReviewRemoved = { readonly type: "review.removed"; readonly data: ReviewRef };
/** The desk keeps it from the shop; why, stands in the table too. */
export type ReviewHidden = {
  readonly type: "review.hidden";
  readonly data: ReviewRef & { readonly by: string | null };
};
export type ReviewShown = {
  readonly type: "review.shown";
  readonly data: ReviewRef & { readonly by: string | null };
};
/** Somebody found it helpful, or no longer does. */
export type ReviewVoted = {
  readonly type: "review.voted";
  readonly data: ReviewRef & {
    readonly by: string;
    readonly helpful: boolean;
    readonly helpful_count: number;
  };
};
export type ReviewEvent =
  ReviewWritten | ReviewEdited | ReviewRemoved | ReviewHidden | ReviewShown | ReviewVoted;

/** Stream of a review. */
export const reviewStream = (review_id: string): string => `review-${review_id}`;
