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

/** A gateway repeats a request within seconds; what was answered without a client's key is of no use after this. */
const UNKEYED_KEPT_MS = 3_600_000;
/** Rows of one statement. */
const CHUNK = 20_000;

/** Removes the answers to requests without an Idempotency-Key that lie further back than an hour. */
export async function forgetUnkeyed(pool: Pool, now_ms: number, stopping?: AbortSignal): Promise<void> {
  const before = new Date(now_ms - UNKEYED_KEPT_MS);
  for (let left = true; left && stopping?.aborted !== true;) {
    const { rowCount } = await pool.query(FORGET, [before, CHUNK]);
    left = rowCount === CHUNK;
  }
}

/** Who names no key has no fingerprint. */
const FORGET = `
  delete from camera_event_requests
  where ctid = any (array(
    select ctid from camera_event_requests where received_at < $1 and fingerprint = '' limit $2))
    and fingerprint = ''`;

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
