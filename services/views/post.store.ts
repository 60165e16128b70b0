import type { Pool, PoolClient } from "pg";
import type { PostCursor } from "./post.cursor";
import type { Post, PostStatus } from "./post.events";

/** The statements of posts. */

type Queryable = Pool | PoolClient;

const SUMMARY =
  "p.post_id, p.author_id, p.title_ru, p.title_en, p.image, p.status, p.published_at, p.created_at, p.updated_at";
const COLUMNS = `${SUMMARY}, p.body_ru, p.body_en`;

interface SummaryRow {
  readonly post_id: string;
  readonly author_id: string | null;
  readonly title_ru: string;
  readonly title_en: string;
  readonly image: string | null;
  readonly status: PostStatus;
  readonly published_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}
interface Row extends SummaryRow {
  readonly body_ru: string;
  readonly body_en: string;
}
interface Counted {
  readonly views_count: number;
}

/** A post as lists show it. */
export type PostSummary = Omit<Post, "body"> & Counted;

function summaryOf({ title_ru, title_en, ...row }: SummaryRow): Omit<Post, "body"> {
  return {
    post_id: row.post_id,
    author_id: row.author_id,
    title: { ru: title_ru, en: title_en },
    image: row.image,
    status: row.status,
    published_at: row.published_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

const postOf = (row: Row): Post => ({ ...summaryOf(row), body: { ru: row.body_ru, en: row.body_en } });

/** With the number of its views. */
export async function readPost(db: Queryable, post_id: string): Promise<(Post & Counted) | undefined> {
  const { rows } = await db.query<Row & Counted>(
    `select ${COLUMNS}, coalesce(c.views, 0) as views_count
     from posts p left join post_view_counts c using (post_id) where p.post_id = $1`,
    [post_id],
  );
  return rows.map((row) => ({ ...postOf(row), views_count: row.views_count }))[0];
}

/** Held until the transaction ends; with the version of its stream. */
export async function lockPost(
  tx: Queryable,
  post_id: string,
): Promise<{ readonly post: Post; readonly version: number } | undefined> {
  const { rows } = await tx.query<Row & { version: number }>(
    `select ${COLUMNS}, p.version from posts p where p.post_id = $1 for update`,
    [post_id],
  );
  return rows.map((row) => ({ post: postOf(row), version: row.version }))[0];
}

/** The newest first, after `cursor`. */
export async function pageOfPosts(
  db: Queryable,
  status: PostStatus,
  cursor: PostCursor | undefined,
  limit: number,
): Promise<PostSummary[]> {
  const { rows } = await db.query<SummaryRow & Counted>(
    `select ${SUMMARY}, coalesce(c.views, 0) as views_count
     from posts p left join post_view_counts c using (post_id)
     where p.status = $1
       and ($2::timestamptz is null or (coalesce(p.published_at, p.created_at), p.post_id) < ($2, $3::uuid))
     order by coalesce(p.published_at, p.created_at) desc, p.post_id desc
     limit $4`,
    [status, cursor === undefined ? null : new Date(cursor.at_ms), cursor?.post_id ?? null, limit],
  );
  return rows.map((row) => ({ ...summaryOf(row), views_count: row.views_count }));
}

/** Writes the whole row; `version` is that of its stream from now on. */
export async function writePost(tx: Queryable, post: Post, version: number): Promise<void> {
  await tx.query(
    `insert into posts (post_id, author_id, title_ru, title_en, body_ru, body_en, image, status, published_at, created_at,
       updated_at, version)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     on conflict (post_id) do update set
       title_ru = excluded.title_ru, title_en = excluded.title_en, body_ru = excluded.body_ru, body_en = excluded.body_en,
       image = excluded.image, status = excluded.status, published_at = excluded.published_at,
       updated_at = excluded.updated_at, version = excluded.version`,
    [
      post.post_id,
      post.author_id,
      post.title.ru,
      post.title.en,
      post.body.ru,
      post.body.en,
      post.image,
      post.status,
      post.published_at,
      post.created_at,
      post.updated_at,
      version,
    ],
  );
}

export async function deletePost(tx: Queryable, post_id: string): Promise<void> {
  await tx.query("delete from posts where post_id = $1", [post_id]);
}

export async function anyPosts(tx: Queryable): Promise<boolean> {
  const { rows } = await tx.query("select 1 from posts limit 1");
  return rows.length > 0;
}
