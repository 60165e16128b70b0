import type { ServiceSchema } from "moleculer";
import { cachedRead } from "../../mixins/cache-tags/cached-action";
import type { Ctx } from "../../mixins/contract/caller";
import type { ParamsOf } from "../../mixins/contract/contract";
import { callerOf, implement } from "../../mixins/contract/implement";
import { orThrow } from "../../mixins/contract/refusal";
import { pageFrom } from "../../mixins/crud/page";
import { ERASED_EVENT } from "../../mixins/erasure/erased-event";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import * as contracts from "./review.contract";
import { cursorKey, decodeCursor, type ReviewCursor } from "./review.cursor";
import * as store from "./review.store";
import { hidingOf, shownOf, withDish, type ShownReview } from "./review.view";
import { namesOnMenu, unknownDish } from "./shop.dishes";
import type { ReviewEvent, ReviewRef } from "./shop.events";

const PAGE = 50;
const TOP = 10;
/** Names of authors change without an event of ours. */
const KEPT_S = 300;
const TOP_TAG = "reviews:top";
const itemTag = (item_id: string): string => `reviews:item:${item_id}`;

/** What ends with a change of a review of this dish. */
export const reviewTags = (menu_item_id: string): readonly string[] => [TOP_TAG, itemTag(menu_item_id)];

const CHANGES: readonly ReviewEvent["type"][] = [
  "review.written",
  "review.edited",
  "review.removed",
  "review.hidden",
  "review.shown",
  "review.voted",
];
/** Every change of a review ends these tags. */
const onChange = (tagsOf: (ref: ReviewRef) => readonly string[]) =>
  Object.fromEntries(CHANGES.map((type) => [type, ({ data }: RecordedEvent) => tagsOf(data as ReviewRef)]));

/** Lists name their authors, and which of them are in a list nobody knows. */
const AUTHOR_ERASED = { [ERASED_EVENT]: () => "*" };

/** The lists of reviews. Kept is what everybody sees first: the top of all, and the first page and rating of each dish. */
export function reviewLists(runtime: Runtime): NonNullable<ServiceSchema["actions"]> {
  const { pool } = runtime;
  const top = keptTop(runtime);
  const firstPage = keptFirstPage(runtime);
  return {
    comments_top: implement(contracts.topComments, async (ctx) => {
      const names = await namesOnMenu(ctx);
      const reviews = (await top(ctx)).slice(0, ctx.params.limit ?? TOP);
      return { items: reviews.map((review) => withDish(review, names)) };
    }),
    item_reviews: implement(contracts.itemReviews, async (ctx) => {
      const { item_id, sort = "helpful", limit = PAGE, cursor } = ctx.params;
      const names = await namesOnMenu(ctx);
      // Ids come from outside: only those of the menu may become keys of the cache.
      if (!names.has(item_id.toLowerCase())) orThrow(unknownDish(item_id));
      const last = orThrow(decodeCursor(sort, cursor));
      const { rating, reviews } =
        last === null ? await firstPage(ctx) : await pageOfDish(runtime, ctx.params, last);
      const named = reviews.map((review) => withDish(review, names));
      return { rating, ...pageFrom(named, limit, (review) => cursorKey(sort, review)) };
    }),
    my_reviews: implement(contracts.myReviews, async (ctx) => {
      const { limit = PAGE, cursor } = ctx.params;
      const { user_id } = callerOf(ctx);
      // Forno itself tastes nothing.
      if (user_id === null) return { items: [], next_cursor: null };
      const last = orThrow(decodeCursor("newest", cursor));
      const rows = await store.pageOfReviews(pool, { user_id }, { sort: "newest", limit, last });
      const names = await namesOnMenu(ctx);
      const reviews = rows.map((row) => withDish({ ...shownOf(row), ...hidingOf(row) }, names));
      return pageFrom(reviews, limit, (review) => cursorKey("newest", review));
    }),
    review_list: implement(contracts.listReviews, async (ctx) => {
      const { limit = PAGE, cursor, menu_item_id, hidden } = ctx.params;
      const last = orThrow(decodeCursor("newest", cursor));
      const filter = {
        ...(menu_item_id === undefined ? {} : { menu_item_id }),
        ...(hidden === undefined ? {} : { hidden }),
      };
      const rows = await store.pageOfReviews(pool, filter, { sort: "newest", limit, last });
      const names = await namesOnMenu(ctx);
      const reviews = rows.map((row) => {
        const { user_id, order_id, hidden_by } = row;
        return withDish({ ...shownOf(row), ...hidingOf(row), user_id, order_id, hidden_by }, names);
      });
      return pageFrom(reviews, limit, (review) => cursorKey("newest", review));
    }),
  };
}

type TopWish = ParamsOf<typeof contracts.topComments>;

function keptTop(runtime: Runtime): (ctx: Ctx<TopWish>) => Promise<readonly ShownReview[]> {
  return cachedRead(
    runtime,
    contracts.topComments,
    {
      key: ({ sort = "helpful" }: TopWish) => sort,
      ttl_s: KEPT_S,
      tags: () => [TOP_TAG],
      invalidate_on: onChange(() => [TOP_TAG]),
      remove_on: AUTHOR_ERASED,
    },
    async ({ params: { sort = "helpful" } }) => (await store.topReviews(runtime.pool, sort)).map(shownOf),
  );
}

type DishWish = ParamsOf<typeof contracts.itemReviews>;
interface DishPage {
  readonly rating: Rating;
  /** One more than the page holds, where there are more. */
  readonly reviews: readonly ShownReview[];
}

function keptFirstPage(runtime: Runtime): (ctx: Ctx<DishWish>) => Promise<DishPage> {
  return cachedRead(
    runtime,
    contracts.itemReviews,
    {
      key: ({ item_id, sort = "helpful", limit = PAGE }: DishWish) =>
        `${item_id.toLowerCase()}:${sort}:${String(limit)}`,
      ttl_s: KEPT_S,
      tags: ({ item_id }) => [itemTag(item_id.toLowerCase())],
      invalidate_on: onChange(({ menu_item_id }) => [itemTag(menu_item_id)]),
      remove_on: AUTHOR_ERASED,
    },
    ({ params }) => pageOfDish(runtime, params, null),
  );
}

async function pageOfDish(
  { pool }: Pick<Runtime, "pool">,
  { item_id, sort = "helpful", limit = PAGE }: DishWish,
  last: ReviewCursor | null,
): Promise<DishPage> {
  const filter = { menu_item_id: item_id, hidden: false };
  const [stars, rows] = await Promise.all([
    store.starsOf(pool, item_id),
    store.pageOfReviews(pool, filter, { sort, limit, last }),
  ]);
  return { rating: ratingOf(stars), reviews: rows.map(shownOf) };
}

interface Rating {
  readonly average: number | null;
  readonly count: number;
  readonly by_stars: Readonly<Record<string, number>>;
}

/** What so many reviews with so many stars come to. */
export function ratingOf(stars: ReadonlyMap<number, number>): Rating {
  const all = [1, 2, 3, 4, 5].map((rating) => ({ rating, reviews: stars.get(rating) ?? 0 }));
  const count = all.reduce((sum, { reviews }) => sum + reviews, 0);
  const sum = all.reduce((total, { rating, reviews }) => total + rating * reviews, 0);
  return {
    average: count === 0 ? null : Math.round((sum / count) * 100) / 100,
    count,
    by_stars: Object.fromEntries(all.map(({ rating, reviews }) => [String(rating), reviews])),
  };
}
