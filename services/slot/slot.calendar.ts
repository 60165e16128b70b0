import assert from "node:assert/strict";
import type { IANAZone } from "luxon";
import { LRUCache } from "lru-cache";
import { addDays, localDateOf, openInterval, startOfDate, zoneOf } from "../../mixins/calendar/opening";
import type { SlotRules } from "../branch/branch.events";
import { slotIdOf } from "./slot.id";

/** The part of a branch that the calendar reads; its version names the rules in the cache. */
export interface Scheduled {
  readonly branch_id: string;
  readonly version: number;
  readonly time_zone: string;
  readonly slot_rules: SlotRules;
}

/** One slot that the rules offer: a real interval of UTC, so neither end of summer time loses or doubles one. */
export interface GridSlot {
  readonly slot_id: string;
  readonly start_ms: number;
  readonly end_ms: number;
  /** The same instants as RFC 3339. */
  readonly start: string;
  readonly end: string;
}

/** A business day of a branch, cut into slots from its opening on; a last slot that closing would cut is not offered. */
export interface DayGrid {
  readonly branch_id: string;
  readonly business_date: string;
  /** What belongs to this business date: from local midnight, or from the end of a night before that is still open … */
  readonly from_ms: number;
  /** … until (exclusive) the next business date takes over. The dates cover all time without gap or overlap. */
  readonly until_ms: number;
  /** Opening and closing; equal on a closed day. */
  readonly opens_ms: number;
  readonly closes_ms: number;
  readonly slot_ms: number;
  readonly slots: readonly GridSlot[];
}

const MINUTE_MS = 60_000;

/** Index of the first slot that starts at or after an instant; the number of slots when there is none. */
export function firstSlotFrom(grid: DayGrid, instant_ms: number): number {
  const steps = Math.ceil((instant_ms - grid.opens_ms) / grid.slot_ms);
  return Math.min(Math.max(steps, 0), grid.slots.length);
}

/** Index of the last slot that starts at or before an instant; -1 when there is none. */
export function lastSlotUntil(grid: DayGrid, instant_ms: number): number {
  const steps = Math.floor((instant_ms - grid.opens_ms) / grid.slot_ms);
  return Math.min(Math.max(steps, -1), grid.slots.length - 1);
}

/** Index of the slot that starts exactly then; undefined when the grid has none. */
export function slotStartingAt(grid: DayGrid, start_ms: number): number | undefined {
  const index = (start_ms - grid.opens_ms) / grid.slot_ms;
  return Number.isInteger(index) && index >= 0 && index < grid.slots.length ? index : undefined;
}

/** Whether this business day has its doors open at an instant. */
export function isOpenAt(grid: DayGrid, instant_ms: number): boolean {
  return instant_ms >= grid.opens_ms && instant_ms < grid.closes_ms;
}

/**
 * The slot grids of business days, computed once per branch version and date.
 *
 * A day is found by arithmetic: slots are evenly spaced in UTC from the opening on, so nothing ever walks or searches
 * them. Reading the time zone costs some 30 µs a day; the cache brings a placement's calendar work below 1 µs.
 */
export class SlotCalendar {
  /** A chain of 50 branches with a week ahead of each fits. */
  private readonly days = new LRUCache<string, DayGrid>({ max: 500 });
  /** The day that was last asked for by instant, per branch: nearly always the next one asked for, too. */
  private readonly recent = new LRUCache<string, { readonly version: number; readonly day: DayGrid }>({
    max: 200,
  });

  /** The grid of one business date, `YYYY-MM-DD`. */
  day(branch: Scheduled, date: string): DayGrid {
    const key = `${branch.branch_id}@${String(branch.version)}:${date}`;
    let day = this.days.get(key);
    if (day === undefined) this.days.set(key, (day = gridOf(branch, date)));
    return day;
  }

  /** The business day that an instant belongs to: while last night's opening runs, that is still yesterday's. */
  dayAt(branch: Scheduled, instant_ms: number): DayGrid {
    const recent = this.recent.get(branch.branch_id);
    if (recent?.version === branch.version && belongsTo(recent.day, instant_ms)) return recent.day;
    const date = localDateOf(instant_ms, zoneOf(branch.time_zone));
    const day = [date, addDays(date, -1), addDays(date, 1)]
      .map((candidate) => this.day(branch, candidate))
      .find((candidate) => belongsTo(candidate, instant_ms));
    assert(day, `no business date of ${branch.branch_id} holds ${new Date(instant_ms).toISOString()}`);
    this.recent.set(branch.branch_id, { version: branch.version, day });
    return day;
  }

  /** Business days from the one that holds `from_ms` to the one that holds `to_ms`, both included, in order. */
  *daysBetween(branch: Scheduled, from_ms: number, to_ms: number): Generator<DayGrid> {
    let day = this.dayAt(branch, from_ms);
    yield day;
    while (day.until_ms <= to_ms) {
      day = this.day(branch, addDays(day.business_date, 1));
      yield day;
    }
  }
}

/** Computes the grid of one business date, uncached. */
export function gridOf(branch: Scheduled, date: string): DayGrid {
  const zone = zoneOf(branch.time_zone);
  const from_ms = startOfBusinessDay(branch.slot_rules, date, zone);
  const { opens_ms, closes_ms } = openInterval(branch.slot_rules, date, zone) ?? {
    opens_ms: from_ms,
    closes_ms: from_ms,
  };
  const slot_ms = branch.slot_rules.slot_minutes * MINUTE_MS;
  assert(slot_ms > 0, "a slot lasts at least a minute");
  return {
    branch_id: branch.branch_id,
    business_date: date,
    from_ms,
    until_ms: startOfBusinessDay(branch.slot_rules, addDays(date, 1), zone),
    opens_ms,
    closes_ms,
    slot_ms,
    slots: Array.from({ length: Math.floor((closes_ms - opens_ms) / slot_ms) }, (_, index) =>
      gridSlot(branch.branch_id, opens_ms + index * slot_ms, slot_ms),
    ),
  };
}

function gridSlot(branch_id: string, start_ms: number, slot_ms: number): GridSlot {
  const end_ms = start_ms + slot_ms;
  return {
    slot_id: slotIdOf(branch_id, start_ms),
    start_ms,
    end_ms,
    start: new Date(start_ms).toISOString(),
    end: new Date(end_ms).toISOString(),
  };
}

function belongsTo(day: DayGrid, instant_ms: number): boolean {
  return instant_ms >= day.from_ms && instant_ms < day.until_ms;
}

function startOfBusinessDay(rules: SlotRules, date: string, zone: IANAZone): number {
  const midnight = startOfDate(date, zone);
  const nightBefore = openInterval(rules, addDays(date, -1), zone);
  return Math.max(midnight, nightBefore?.closes_ms ?? midnight);
}
