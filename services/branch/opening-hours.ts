import {
  addDays,
  localDateOf,
  openInterval,
  startOfDate,
  zoneOf,
  type Schedule,
} from "../../mixins/calendar/opening";

/** Whether a branch is open, and when that changes. Times are RFC 3339 UTC. */
export interface OpenState {
  readonly open_now: boolean;
  /** Null where it is closed, or never closes within the horizon. */
  readonly closes_at: string | null;
  /** Null where it is open, or opens no more within the horizon. */
  readonly next_opening_at: string | null;
}

/** How far ahead openings are looked for. */
const HORIZON_DAYS = 14;

/** The state of a branch at an instant, in its own time zone, nights and holidays included. */
export function openState(schedule: Schedule, time_zone: string, now_ms: number): OpenState {
  const zone = zoneOf(time_zone);
  const today = localDateOf(now_ms, zone);
  let closes_ms: number | undefined;
  // From yesterday on: its night may still be running. Only as far as need be, since a day costs some forty looks at the zone.
  for (let day = -1; day <= HORIZON_DAYS; day++) {
    const opening = openInterval(schedule, addDays(today, day), zone);
    if (opening === undefined || opening.closes_ms <= Math.max(now_ms, opening.opens_ms)) continue;
    if (closes_ms === undefined && opening.opens_ms > now_ms) return closedUntil(opening.opens_ms);
    if (closes_ms !== undefined && opening.opens_ms > closes_ms) break;
    // Days that touch are one opening: a branch open round the clock does not close at midnight.
    closes_ms = opening.closes_ms;
  }
  if (closes_ms === undefined) return closedUntil(undefined);
  const known = closes_ms <= startOfDate(addDays(today, HORIZON_DAYS), zone);
  return { open_now: true, closes_at: known ? iso(closes_ms) : null, next_opening_at: null };
}

const closedUntil = (opens_ms: number | undefined): OpenState => ({
  ...{ open_now: false, closes_at: null },
  next_opening_at: opens_ms === undefined ? null : iso(opens_ms),
});

const iso = (ms: number): string => new Date(ms).toISOString();
