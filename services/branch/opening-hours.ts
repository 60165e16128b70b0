import { DateTime } from "luxon";
import type { OpeningHours, SlotRules, WeekHours } from "./branch.events";
import { minutesOf } from "./branch.rules";

/** Whether a branch is open, and when that changes. Times are RFC 3339 UTC. */
export interface OpenState {
  readonly open_now: boolean;
  /** Null where it is closed, or never closes within the horizon. */
  readonly closes_at: string | null;
  /** Null where it is open, or opens no more within the horizon. */
  readonly next_opening_at: string | null;
}

interface Interval {
  readonly opens_ms: number;
  closes_ms: number;
}

/** How far ahead openings are looked for. */
const HORIZON_DAYS = 14;

/** The state of a branch at an instant, in its own time zone, nights and holidays included. */
export function openState(
  rules: Pick<SlotRules, "hours" | "holidays">,
  time_zone: string,
  now_ms: number,
): OpenState {
  const today = DateTime.fromMillis(now_ms, { zone: time_zone }).startOf("day");
  const intervals: Interval[] = [];
  // From yesterday on: its night may still be running.
  for (let day = -1; day <= HORIZON_DAYS; day++) {
    const interval = intervalOf(rules, today.plus({ days: day }));
    if (interval !== undefined) append(intervals, interval);
  }
  const current = intervals.find(({ opens_ms, closes_ms }) => opens_ms <= now_ms && now_ms < closes_ms);
  const horizon_ms = today.plus({ days: HORIZON_DAYS }).toMillis();
  if (current !== undefined) {
    const closes_at = current.closes_ms > horizon_ms ? null : iso(current.closes_ms);
    return { open_now: true, closes_at, next_opening_at: null };
  }
  const next = intervals.find(({ opens_ms }) => opens_ms > now_ms);
  return {
    open_now: false,
    closes_at: null,
    next_opening_at: next === undefined ? null : iso(next.opens_ms),
  };
}

/** Days that touch are one opening: a branch open round the clock does not close at midnight. */
function append(intervals: Interval[], next: Interval): void {
  const last = intervals.at(-1);
  if (last !== undefined && next.opens_ms <= last.closes_ms)
    last.closes_ms = Math.max(last.closes_ms, next.closes_ms);
  else intervals.push(next);
}

function intervalOf(rules: Pick<SlotRules, "hours" | "holidays">, day: DateTime): Interval | undefined {
  const hours = hoursOn(rules, day);
  if (hours === null) return undefined;
  const open = minutesOf(hours.open);
  const close = minutesOf(hours.close);
  const closing_day = close <= open ? day.plus({ days: 1 }) : day;
  return { opens_ms: at(day, open), closes_ms: at(closing_day, close) };
}

function hoursOn(rules: Pick<SlotRules, "hours" | "holidays">, day: DateTime): OpeningHours | null {
  const date = day.toISODate();
  const holiday = rules.holidays.find((each) => each.date === date);
  return holiday === undefined ? rules.hours[String(day.weekday) as keyof WeekHours] : holiday.hours;
}

/** What the clock on the wall shows, also on the two days a year when it jumps. */
function at(day: DateTime, minutes: number): number {
  const whole =
    minutes === 24 * 60
      ? day.plus({ days: 1 })
      : day.set({ hour: Math.floor(minutes / 60), minute: minutes % 60 });
  return whole.toMillis();
}

const iso = (ms: number): string => new Date(ms).toISOString();
