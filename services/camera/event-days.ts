import type { Pool } from "pg";

const DAY_MS = 86_400_000;
/** Partitions are made so far ahead: longer than the job that makes them can fail without anybody looking. */
const DAYS_AHEAD = 4;

/** The days for which partitions must be there: yesterday, because clocks of nodes differ, to some days ahead. */
export function daysAhead(now_ms: number): string[] {
  return Array.from({ length: DAYS_AHEAD + 2 }, (_, n) => dayOf(now_ms + (n - 1) * DAY_MS));
}

export async function ensureDays(pool: Pool, days: readonly string[]): Promise<void> {
  await pool.query("select ensure_camera_event_partitions($1::date[])", [days]);
}

/** Drops whole days that lie further back than so many. Resolves with their names. */
export async function dropOldDays(pool: Pool, now_ms: number, kept_days: number): Promise<readonly string[]> {
  const { rows } = await pool.query<{ day: string }>("select day from drop_camera_events($1::date) as day", [
    dayOf(now_ms - kept_days * DAY_MS),
  ]);
  return rows.map(({ day }) => day);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
