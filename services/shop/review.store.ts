import type { Pool, PoolClient } from "pg";
import { TOP_MAX, type ReviewSort } from "./review.contract";
import type { ReviewCursor } from "./review.cursor";

/** A row of `reviews`, with the name of its author as the account has it. */
export interface ReviewRow {
  readonly review_id: string;
  readonly menu_item_id: string;
  readonly user_id: string;
  readonly order_id: string | null;
  readonly rating: number;
  readonly text: string;
  readonly helpful_count: number;
  readonly written_at: Date;
  readonly edited_at: Date | null;
  readonly hidden_at: Date | null;
  readonly hidden_by: string | null;
  readonly hidden_reason: string | null;
  readonly version: number;
}
export type NamedReview = ReviewRow & { readonly author_name: string | null };

/** Which reviews a list shows; every criterion that is given must fit. */
export interface ReviewFilter {
  readonly menu_item_id?: string;
  readonly user_id?: string;
  readonly hidden?: boolean;
}

const NAMED = "select r.*, u.name as author_name from reviews r left join users u on u.user_id = r.user_id";

/** Best first. Ties by time, then by id: a total order, which pages need. */
const ORDER: Readonly<Record<ReviewSort, readonly string[]>> = {
  helpful: ["r.helpful_count", "r.written_at", "r.review_id"],
  newest: ["r.written_at", "r.review_id"],
};

/** The best reviews of all dishes that the shop shows. */
export async function topReviews(pool: Pool, sort: ReviewSort): Promise<NamedReview[]> {
  const { rows } = await pool.query<NamedReview>(
    `${NAMED} where r.hidden_at is null order by ${descending(sort)} limit ${String(TOP_MAX)}`,
  );
  return rows;
}

/** One more than `limit`, so that it shows whether there is a next page. */
export async function pageOfReviews(
  pool: Pool,
  { menu_item_id, user_id, hidden }: ReviewFilter,
  page: { readonly sort: ReviewSort; readonly limit: number; readonly last: ReviewCursor | null },
): Promise<NamedReview[]> {
  const values: unknown[] = [];
  const place = (value: unknown): string => `$${String(values.push(value))}`;
  const criteria = [
    ...(menu_item_id === undefined ? [] : [`r.menu_item_id = ${place(menu_item_id)}`]),
    ...(user_id === undefined ? [] : [`r.user_id = ${place(user_id)}`]),
    // Spelled out, not bound: a plan for a parameter could not use the partial indexes.
    ...(hidden === undefined ? [] : [`r.hidden_at is ${hidden ? "not " : ""}null`]),
    ...(page.last === null
      ? []
      : [`(${ORDER[page.sort].join(", ")}) < (${page.last.map(place).join(", ")})`]),
  ];
  const where = criteria.length === 0 ? "" : `where ${criteria.join(" and ")}`;
  const { rows } = await pool.query<NamedReview>(
    `${NAMED} ${where} order by ${descending(page.sort)} limit ${place(page.limit + 1)}`,
    values,
  );
  return rows;
}

const descending = (sort: ReviewSort): string => ORDER[sort].map((column) => `${column} desc`).join(", ");

/** How many reviews of a dish that the shop shows give how many stars. */
export async function starsOf(pool: Pool, menu_item_id: string): Promise<ReadonlyMap<number, number>> {
  const { rows } = await pool.query<{ rating: number; reviews: number }>(
    `select rating, count(*) as reviews from reviews
     where menu_item_id = $1 and hidden_at is null group by rating`,
    [menu_item_id],
  );
  return new Map(rows.map(({ rating, reviews }) => [rating, reviews]));
}

/** Held until the transaction ends. */
export async function lockedReview(tx: PoolClient, review_id: string): Promise<ReviewRow | undefined> {
  const { rows } = await tx.query<ReviewRow>("select * from reviews where review_id = $1 for update", [
    review_id,
  ]);
  return rows[0];
}

/** Inserts a review with the first event of its stream; the one that is there already, if its author has one. */
export async function insertReview(
  tx: PoolClient,
  review: Pick<
    ReviewRow,
    "review_id" | "menu_item_id" | "user_id" | "order_id" | "rating" | "text" | "written_at"
  >,
): Promise<{ readonly review_id: string } | undefined> {
  const { review_id, menu_item_id, user_id, order_id, rating, text, written_at } = review;
  const { rowCount } = await tx.query(
    `insert into reviews (review_id, menu_item_id, user_id, order_id, rating, text, written_at, version)
     values ($1, $2, $3, $4, $5, $6, $7, 1) on conflict do nothing`,
    [review_id, menu_item_id, user_id, order_id, rating, text, written_at],
  );
  if (rowCount === 1) return undefined;
  const { rows } = await tx.query<{ review_id: string }>(
    "select review_id from reviews where user_id = $1 and menu_item_id = $2",
    [user_id, menu_item_id],
  );
  return rows[0] ?? { review_id };
}

/** Writes a locked review back, with one more event in its stream. */
export async function updateReview(tx: PoolClient, review: ReviewRow): Promise<void> {
  await tx.query(
    `update reviews set rating = $2, text = $3, helpful_count = $4, edited_at = $5, hidden_at = $6, hidden_by = $7,
       hidden_reason = $8, version = version + 1
     where review_id = $1`,
    [
      review.review_id,
      review.rating,
      review.text,
      review.helpful_count,
      review.edited_at,
      review.hidden_at,
      review.hidden_by,
      review.hidden_reason,
    ],
  );
}

export async function deleteReview(tx: PoolClient, review_id: string): Promise<void> {
  await tx.query("delete from review_votes where review_id = $1", [review_id]);
  await tx.query("delete from reviews where review_id = $1", [review_id]);
}

/** Gives or takes back a vote; whether that changed anything. */
export async function changeVote(
  tx: PoolClient,
  vote: {
    readonly review_id: string;
    readonly user_id: string;
    readonly helpful: boolean;
    readonly at: Date;
  },
): Promise<boolean> {
  const { review_id, user_id, helpful, at } = vote;
  const { rowCount } = helpful
    ? await tx.query(
        "insert into review_votes (review_id, user_id, voted_at) values ($1, $2, $3) on conflict do nothing",
        [review_id, user_id, at],
      )
    : await tx.query("delete from review_votes where review_id = $1 and user_id = $2", [review_id, user_id]);
  return rowCount === 1;
}
