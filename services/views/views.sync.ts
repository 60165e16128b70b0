import type { Pool } from "pg";
import { inTransaction } from "../../mixins/postgres/transaction";

/** Notes that one transaction takes, and rows of deleted posts that one statement removes: some tenths of a second. */
const CHUNK = 20_000;

/**
 * Brings the counts by day up to date: every note in the inbox goes into `post_view_days` once, whoever does it, however many
 * at a time, and wherever it is broken off. Ends early, between two steps, when `stopping` is aborted.
 * @returns how many posts had new views.
 */
export async function syncViews(pool: Pool, stopping?: AbortSignal): Promise<number> {
  const posts = new Set<string>();
  for (let more = true; more && stopping?.aborted !== true;) {
    const { rows } = await inTransaction(pool, async (tx) => {
      // Two at once would find the same notes, and wait for each other's days in any order.
      await tx.query("select pg_advisory_xact_lock(hashtextextended('views sync', 0))");
      return tx.query<{ post_id: string; notes: number }>(FOLD, [CHUNK]);
    });
    for (const { post_id } of rows) posts.add(post_id);
    more = rows.reduce((sum, { notes }) => sum + notes, 0) === CHUNK;
  }
  return posts.size;
}

/** Removes the views of posts that were deleted, bit by bit; a post's sum goes last, because it says what is left to do. */
export async function purgeViews(pool: Pool, stopping?: AbortSignal): Promise<void> {
  const { rows } = await pool.query<{ post_id: string }>(DELETED);
  for (const { post_id } of rows) {
    for (let left = true; left;) {
      if (stopping?.aborted === true) return;
      const { rowCount } = await pool.query(PURGE_VIEWS, [post_id, CHUNK]);
      left = rowCount === CHUNK;
    }
    await pool.query("delete from post_view_inbox where post_id = $1", [post_id]);
    await pool.query("delete from post_view_days where post_id = $1", [post_id]);
    await pool.query("delete from post_view_counts where post_id = $1", [post_id]);
  }
}

const FOLD = `
  with taken as (
    delete from post_view_inbox
    where inbox_id in (select inbox_id from post_view_inbox order by inbox_id limit $1)
    returning post_id, day, views),
  days as (
    insert into post_view_days as d (post_id, day, views)
    select post_id, day, sum(views) from taken group by post_id, day
    on conflict (post_id, day) do update set views = d.views + excluded.views)
  select post_id, count(*)::integer as notes from taken group by post_id`;

const DELETED = `
  select post_id from post_view_counts c
  where not exists (select from posts p where p.post_id = c.post_id) limit 1000`;

const PURGE_VIEWS = `
  delete from post_views
  where ctid = any (array(select ctid from post_views where post_id = $1 limit $2)) and post_id = $1`;
