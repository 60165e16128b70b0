import type { PersonalRecords } from "../../mixins/erasure/personal-records";
import { removalOf } from "./review.changes";
import { deleteReview } from "./review.store";

interface OwnReview {
  readonly review_id: string;
  readonly menu_item_id: string;
  readonly user_id: string;
  readonly version: number;
}

/** Reviews are their author's own words, so they go as a whole. What they said of others' reviews still counts, as nobody's. */
export const reviewRecords: PersonalRecords = {
  name: "reviews",
  async known({ pool }, { user_id }) {
    if (user_id === null) return [];
    return (await pool.query<object>(KNOWN, [user_id])).rows;
  },
  async forget(tx, { user_id }, at) {
    if (user_id === null) return [];
    const { rows } = await tx.query<OwnReview>(OWN, [user_id]);
    for (const { review_id } of rows) await deleteReview(tx, review_id);
    return rows.map(({ version, ...review }) => removalOf(review, version, at));
  },
};

/** Whose reviews somebody found helpful. */
export const voteRecords: PersonalRecords = {
  name: "votes",
  async known({ pool }, { user_id }) {
    if (user_id === null) return [];
    return (await pool.query<object>(VOTES, [user_id])).rows;
  },
  async forget(tx, { user_id }) {
    if (user_id !== null) await tx.query(NOBODYS_VOTES, [user_id]);
    return [];
  },
};

const VOTES = "select review_id, voted_at from review_votes where user_id = $1 order by voted_at";
const KNOWN = `
  select review_id, menu_item_id, order_id, rating, text, helpful_count, written_at, edited_at, hidden_at, hidden_reason
  from reviews where user_id = $1 order by written_at`;
const OWN = `
  select review_id, menu_item_id, user_id, version from reviews where user_id = $1 order by review_id for update`;
const NOBODYS_VOTES = "update review_votes set user_id = gen_random_uuid() where user_id = $1";
