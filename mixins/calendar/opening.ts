import assert from "node:assert/strict";
import { IANAZone } from "luxon";

// The one rule by which opening hours become instants: who says that a branch is open and who sells its slots both ask here.

/** Opening hours by the clock on the wall, `HH:MM`. `close <= open` closes after midnight; `24:00` is the end of the date. */
export interface WallHours {
  readonly open: string;
  readonly close: string;
}

/** When a place opens, in its own time. */
export interface Schedule {
  /** By ISO weekday, 1 is Monday; null: closed. */
  readonly hours: Readonly<Record<"1" | "2" | "3" | "4" | "5" | "6" | "7", WallHours | null>>;
  /** Dates that differ from their weekday. */
  readonly holidays: readonly { readonly date: string; readonly hours: WallHours | null }[];
}

/** Open in [opens_ms, closes_ms), milliseconds since the epoch. */
export interface OpenInterval {
  readonly opens_ms: number;
  readonly closes_ms: number;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const DAY_MS = DAY_MINUTES * MINUTE_MS;

/** The calendar date some days later (or earlier); both `YYYY-MM-DD`. */
export function addDays(date: string, days: number): string {
  return new Date(midnightUtc(date) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Minutes after midnight of an `HH:MM`. */
export function minutesOf(time: string): number {
  const [hour, minute] = time.split(":").map(Number);
  assert(hour !== undefined && minute !== undefined, `${time} is not HH:MM`);
  return hour * 60 + minute;
}

/** A time zone by its IANA name. */
export function zoneOf(name: string): IANAZone {
  const zone = IANAZone.create(name);
  assert(zone.isValid, `${name} is not a time zone`);
  return zone;
}

/** The date that the calendar on the wall shows at an instant. */
export function localDateOf(instant_ms: number, zone: IANAZone): string {
  return new Date(instant_ms + offsetMs(zone, instant_ms)).toISOString().slice(0, 10);
}

/** The instant at which a date begins: its first midnight, or where midnight is skipped the moment of the change. */
export function startOfDate(date: string, zone: IANAZone): number {
  return instantOf(date, 0, zone, "first");
}

/**
 * When a place is open on account of one date; undefined when it is closed, or the
 * clock skips all of it. Where the clock shows a time twice, doors open
 * at the first and close at the last; a date ends (`24:00`, or `00:00` as closing) where the next one begins. A night that
 * would run into the next date's opening ends there, so that no instant is on two dates' account, and with the next date in any
 * case.
 */
export function openInterval(schedule: Schedule, date: string, zone: IANAZone): OpenInterval | undefined {
  const hours = hoursOf(schedule, date);
  if (hours === null) return undefined;
  const next = addDays(date, 1);
  const opens_ms = instantOf(date, minutesOf(hours.open), zone, "first");
  const tomorrow = hoursOf(schedule, next);
  const next_opens_ms =
    tomorrow === null ? Infinity : instantOf(next, minutesOf(tomorrow.open), zone, "first");
  const closes_ms = Math.min(closingOf(hours, date, zone), next_opens_ms);
  return closes_ms > opens_ms ? { opens_ms, closes_ms } : undefined;
}

function closingOf({ open, close }: WallHours, date: string, zone: IANAZone): number {
  const minutes = minutesOf(close) <= minutesOf(open) ? minutesOf(close) + DAY_MINUTES : minutesOf(close);
  if (minutes === DAY_MINUTES) return startOfDate(addDays(date, 1), zone);
  if (minutes < DAY_MINUTES) return instantOf(date, minutes, zone, "last");
  const next = addDays(date, 1);
  // Where the clock skips the end of the next date, the night does not reach into the one after it.
  return Math.min(instantOf(next, minutes - DAY_MINUTES, zone, "last"), startOfDate(addDays(next, 1), zone));
}

function hoursOf({ hours, holidays }: Schedule, date: string): WallHours | null {
  const holiday = holidays.find((each) => each.date === date);
  if (holiday !== undefined) return holiday.hours;
  const weekday = new Date(midnightUtc(date)).getUTCDay();
  return hours[String(weekday === 0 ? 7 : weekday) as keyof Schedule["hours"]];
}

/**
 * The instant at which the clock on the wall shows some minutes after midnight of a date. Where it shows them twice (autumn),
 * `which` chooses. Where it never does (spring), the time is read with the offset before the change, so that hours keep their
 * real length up to there.
 */
function instantOf(date: string, minutes: number, zone: IANAZone, which: "first" | "last"): number {
  const wall_ms = midnightUtc(date) + minutes * MINUTE_MS;
  const before = wall_ms - offsetMs(zone, wall_ms - DAY_MS);
  const after = wall_ms - offsetMs(zone, wall_ms + DAY_MS);
  if (before === after) return before;
  const shown = [before, after].filter((instant_ms) => instant_ms + offsetMs(zone, instant_ms) === wall_ms);
  if (shown.length === 0) return before;
  return which === "first" ? Math.min(...shown) : Math.max(...shown);
}

const midnightUtc = (date: string): number => Date.parse(`${date}T00:00:00Z`);
const offsetMs = (zone: IANAZone, instant_ms: number): number => zone.offset(instant_ms) * MINUTE_MS;
