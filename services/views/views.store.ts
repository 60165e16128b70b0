import { setTimeout as pause } from "node:timers/promises";
import type { Pool } from "pg";
import { UnavailableError } from "../../mixins/contract/refusal";
import { isOutage } from "../../mixins/event-log/database-fault";
import type { EventLog } from "../../mixins/event-log/event-log";

/** A user's look at a post. */
export interface View {
  readonly post_id: string;
  readonly user_id: string;
}

/** What is known of a published post's views. */
export interface PostViews {
  readonly post_id: string;
  readonly author_id: string | null;
  /** Exact, as of a moment after the question. */
  readonly views: number;
}

/** A server that is being started again is there after a second or two; who has waited longer hears 503. */
const PATIENCE_MS = 2_000;
const RETRY_EVERY_MS = 50;
/** For one statement; a batch takes some milliseconds. */
const STATEMENT_MS_MAX = 3_000;

/**
 * Views in PostgreSQL. Everything here may be done twice: rows that are there already change nothing, so a statement whose
 * outcome is unknown, because its connection broke, is simply sent again. A statement that finds all of its rows there writes
 * nothing, and its commit waits for nobody: what it has found is made sure of before anybody hears of it.
 */
export class ViewsStore {
  constructor(
    private readonly pool: Pool,
    private readonly log: Pick<EventLog, "durable">,
  ) {}

  /**
   * Counts views, durably. Returns the published posts among theirs; what is not published counts nothing, and neither do
   * authors. @throws UnavailableError `database.unavailable`, `log.unavailable`; then the views may be counted or not.
   */
  async count(views: readonly View[], at: Date): Promise<PostViews[]> {
    const found = await this.read([...new Set(views.map(({ post_id }) => post_id))]);
    const posts = new Map(found.map((post) => [post.post_id, post]));
    const wanted = views.filter(({ post_id, user_id }) => {
      const post = posts.get(post_id);
      return post !== undefined && post.author_id !== user_id;
    });
    if (wanted.length === 0) return found;
    const counted = await this.#insert(wanted, at);
    const asked = Map.groupBy(wanted, ({ post_id }) => post_id);
    // Who was counted already may have been so by a statement that this one has waited for: what was read before is too old.
    const old = [...asked].filter(([post_id, own]) => (counted.get(post_id)?.fresh ?? 0) < own.length);
    const newer = old.length === 0 ? [] : await this.read(old.map(([post_id]) => post_id));
    if (old.length > 0) await this.log.durable();
    const newest = new Map(newer.map(({ post_id, views: sum }) => [post_id, sum]));
    return found.map((post) => {
      const sum = newest.get(post.post_id) ?? counted.get(post.post_id)?.sum ?? post.views;
      return { ...post, views: sum };
    });
  }

  /** The posts with new views: how many, and the sum of all. In order, so that two nodes never wait in a circle. */
  async #insert(views: readonly View[], at: Date): Promise<Map<string, { fresh: number; sum: number }>> {
    const ordered = views.toSorted((a, b) => compare(a.post_id, b.post_id) || compare(a.user_id, b.user_id));
    const rows = await this.#ask<{ post_id: string; fresh: number; sum: number }>("views-count", COUNT, [
      ordered.map(({ post_id }) => post_id),
      ordered.map(({ user_id }) => user_id),
      at,
    ]);
    const counted = new Map<string, { fresh: number; sum: number }>();
    for (const { post_id, fresh, sum } of rows) {
      const known = counted.get(post_id);
      counted.set(post_id, { fresh: fresh + (known?.fresh ?? 0), sum: sum + (known?.sum ?? 0) });
    }
    return counted;
  }

  /** The published posts among these. @throws UnavailableError `database.unavailable` */
  read(post_ids: readonly string[]): Promise<PostViews[]> {
    return this.#ask<PostViews>("views-read", READ, [post_ids]);
  }

  /** Some of the people who have viewed each post, durably: all of them where they are few. */
  async viewers(post_ids: readonly string[], each_max: number): Promise<View[]> {
    const viewers = await this.#ask<View>("views-viewers", VIEWERS, [post_ids, each_max]);
    await this.log.durable();
    return viewers;
  }

  /** Makes somebody's views nobody's; the posts that they had viewed. Reads every view there is, some seconds for millions. */
  async forgetViewer(user_id: string): Promise<string[]> {
    const { rows } = await this.pool.query<{ post_id: string }>(FORGET_VIEWER, [user_id]);
    return rows.map(({ post_id }) => post_id);
  }

  /** The published posts that are most likely to be asked for: half of them the newest, half those viewed most. */
  async hot(posts_max: number): Promise<string[]> {
    const rows = await this.#ask<{ post_id: string }>("views-hot", HOT, [Math.ceil(posts_max / 2)]);
    return rows.map(({ post_id }) => post_id);
  }

  async #ask<T>(name: string, text: string, values: readonly unknown[]): Promise<T[]> {
    for (const deadline = performance.now() + PATIENCE_MS; ;) {
      try {
        const statement = { name, text, values: [...values], query_timeout: STATEMENT_MS_MAX };
        return (await this.pool.query(statement)).rows as T[];
      } catch (cause) {
        if (!isOutage(cause)) throw cause;
        if (performance.now() > deadline)
          throw new UnavailableError("database.unavailable", "The database does not answer.", { cause });
        await pause(RETRY_EVERY_MS);
      }
    }
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * $1 posts and $2 users in order, $3 time. One statement: rows, sums and the notes for the counts by day are there together or
 * not at all. The sum of a post is locked until the commit, so the sums that come out of here are those of an order in which
 * all nodes took turns. Half of what comes out are the new views, half the sums: PostgreSQL guesses a few rows only, and would
 * join them by comparing each with each, 100 ms for a thousand posts.
 */
const COUNT = `
  with counted as (
    insert into post_views (post_id, user_id, viewed_at)
    select post_id, user_id, $3 from unnest($1::uuid[], $2::uuid[]) as v (post_id, user_id)
    on conflict do nothing
    returning post_id),
  fresh as (
    select post_id, count(*)::integer as views from counted group by post_id),
  noted as (
    insert into post_view_inbox (post_id, day, views)
    select post_id, ($3::timestamptz at time zone 'UTC')::date, views from fresh),
  sums as (
    insert into post_view_counts as c (post_id, views)
    select post_id, views from fresh order by post_id
    on conflict (post_id) do update set views = c.views + excluded.views
    returning post_id, views)
  select post_id, views as fresh, 0::bigint as sum from fresh
  union all
  select post_id, 0, views from sums`;

const READ = `
  select p.post_id, p.author_id, coalesce(c.views, 0) as views
  from posts p left join post_view_counts c using (post_id)
  where p.post_id = any ($1) and p.status = 'published'`;

const VIEWERS = `
  select v.post_id, v.user_id
  from unnest($1::uuid[]) as p (post_id)
  cross join lateral (select * from post_views where post_id = p.post_id limit $2) v`;

const FORGET_VIEWER =
  "update post_views set user_id = gen_random_uuid() where user_id = $1 returning post_id";

const HOT = `
  (select post_id from posts where status = 'published' order by coalesce(published_at, created_at) desc, post_id desc limit $1)
  union
  (select post_id from post_view_counts join posts using (post_id) where status = 'published' order by views desc limit $1)`;
