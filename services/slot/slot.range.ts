import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import type { DayGrid, Scheduled, SlotCalendar } from "./slot.calendar";

/** Bounds on the starts of slots; `to_ms` is excluded. */
export interface BoardRange {
  readonly from_ms: number;
  readonly to_ms: number;
}

const DAY_MS = 24 * 60 * 60_000;
/** Eight business days, the last of which may run past midnight. */
const RANGE_MS_MAX = 9 * DAY_MS;
const DATE = /^\d{4}-\d\d-\d\d$/;

/** Beyond these, four-digit years and calendar arithmetic end. */
const FIRST_MS = Date.parse("2000-01-01T00:00:00Z");
const LAST_MS = Date.parse("2200-01-01T00:00:00Z");

/**
 * Reads a range of dates (business days, both included) or instants. Without bounds: the business day of `now_ms`; with a
 * beginning only: that day, or 24 hours. Refusal: `slot.bad_range`.
 */
export function rangeOf(
  calendar: SlotCalendar,
  branch: Scheduled,
  { from, to }: { readonly from?: string; readonly to?: string },
  now_ms: number,
): BoardRange | Refusal {
  const today = calendar.dayAt(branch, now_ms);
  const first = from === undefined ? today : bounds(calendar, branch, from);
  if (isRefusal(first)) return first;
  const last = to === undefined ? first : bounds(calendar, branch, to);
  if (isRefusal(last)) return last;
  const from_ms = first.from_ms;
  // An instant as a beginning is no length by itself; as an end it is the end.
  const to_ms = to === undefined && last.from_ms === last.until_ms ? from_ms + DAY_MS : last.until_ms;
  return to_ms > from_ms && to_ms - from_ms <= RANGE_MS_MAX ? { from_ms, to_ms } : badRange();
}

/** A timestamp's milliseconds. Refusal: `slot.bad_range`. */
export function instantOf(moment: string): number | Refusal {
  const instant_ms = Date.parse(moment);
  return instant_ms >= FIRST_MS && instant_ms < LAST_MS ? instant_ms : badRange();
}

/** Where a date begins and ends; an instant does both at once. */
function bounds(
  calendar: SlotCalendar,
  branch: Scheduled,
  moment: string,
): Pick<DayGrid, "from_ms" | "until_ms"> | Refusal {
  const instant_ms = instantOf(moment);
  if (isRefusal(instant_ms)) return instant_ms;
  return DATE.test(moment) ? calendar.day(branch, moment) : { from_ms: instant_ms, until_ms: instant_ms };
}

function badRange(): Refusal {
  return refuse(
    "invalid",
    "slot.bad_range",
    "The range must end after it begins, span at most 8 days and lie in this or the next century.",
  );
}
