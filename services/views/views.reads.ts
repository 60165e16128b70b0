import type { Pool } from "pg";
import { refuse, type Refusal } from "../../mixins/contract/refusal";

/** Days that one question may span, both ends included. */
const DAYS_MAX = 366;
const DAYS_DEFAULT = 30;
const DAY_MS = 86_400_000;
const FIRST_DAY = "1970-01-01";

export type Window = "day" | "week" | "all";
const WINDOW_DAYS = { day: 1, week: 7 } as const;

/** A published post with its views in a window, and all of them. */
export interface TopPost {
  post_id: string;
  title: { ru: string; en: string };
  image: string | null;
  published_at: string | null;
  views: number;
  views_count: number;
}

interface TopRow extends Omit<TopPost, "title" | "published_at"> {
  readonly title_ru: string;
  readonly title_en: string;
  readonly published_at: Date | null;
}

/** Published posts by their views in a window, most first; posts without any are left out. */
export async function readTop(pool: Pool, window: Window, limit: number, now_ms: number): Promise<TopPost[]> {
  const values = window === "all" ? [limit] : [limit, dayOf(now_ms - (WINDOW_DAYS[window] - 1) * DAY_MS)];
  const { rows } = await pool.query<TopRow>(window === "all" ? topOf(ALL) : topOf(SINCE), values);
  return rows.map(({ title_ru, title_en, published_at, ...row }) => ({
    ...{ post_id: row.post_id, title: { ru: title_ru, en: title_en }, image: row.image },
    ...{ published_at: published_at?.toISOString() ?? null, views: row.views, views_count: row.views_count },
  }));
}

/** A span of days in UTC, both included. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

/** The days asked for; the last 30 where nothing is said. Refusal: `views.invalid_interval`. */
export function spanOf({ from, to }: Partial<Span>, now_ms: number): Span | Refusal {
  const end = to ?? (from === undefined ? dayOf(now_ms) : laterOf(dayOf(now_ms), from));
  const start = from ?? dayOf(Date.parse(end) - (DAYS_DEFAULT - 1) * DAY_MS);
  const days = (Date.parse(end) - Date.parse(start)) / DAY_MS + 1;
  return days >= 1 && days <= DAYS_MAX && start >= FIRST_DAY
    ? { from: start, to: end }
    : refuse(
        "unprocessable",
        "views.invalid_interval",
        `Ask for 1 to ${String(DAYS_MAX)} days since 1970, from before to.`,
      );
}

/** New views of a post by day, days without any left out; synchronised or not. */
export async function readDays(
  pool: Pool,
  post_id: string,
  span: Span,
): Promise<{ day: string; views: number }[]> {
  const { rows } = await pool.query<{ day: string; views: number }>(BY_DAY, [post_id, span.from, span.to]);
  return rows;
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const laterOf = (a: string, b: string): string => (a > b ? a : b);

const ALL = "select post_id, views from post_view_counts";
const SINCE = `
  select post_id, sum(views)::bigint as views
  from (select post_id, views from post_view_days where day >= $2
        union all select post_id, views from post_view_inbox where day >= $2) parts
  group by post_id`;

const topOf = (viewed: string): string => `
  select p.post_id, p.title_ru, p.title_en, p.image, p.published_at, v.views, coalesce(c.views, 0) as views_count
  from (${viewed}) v join posts p using (post_id) left join post_view_counts c using (post_id)
  where p.status = 'published'
  order by v.views desc, coalesce(p.published_at, p.created_at) desc, p.post_id desc
  limit $1`;

const BY_DAY = `
  select day::text as day, sum(views)::bigint as views
  from (select day, views from post_view_days where post_id = $1
        union all select day, views from post_view_inbox where post_id = $1) parts
  where day between $2::date and $3::date
  group by parts.day order by parts.day`;
