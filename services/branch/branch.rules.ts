import { minutesOf } from "../../mixins/calendar/opening";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { Holiday, OpeningHours, SlotRules, WeekHours } from "./branch.events";

const LOCAL_TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
const LOCAL_DATE = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MINUTES = 24 * 60;

/** Slot rules as a request names them; a week may name some of its days. */
export type SlotRulesWish = {
  readonly [K in Exclude<keyof SlotRules, "hours">]?: SlotRules[K] | undefined;
} & {
  readonly hours?: Partial<Record<keyof WeekHours, OpeningHours | null | undefined>> | undefined;
};

/** The rules with the wish laid over them: what it does not name stays, false, 0 and null count as named. */
export function withWish(rules: SlotRules, wish: SlotRulesWish): SlotRules {
  const { hours = {}, ...rest } = wish;
  return { ...rules, ...named(rest), hours: { ...rules.hours, ...named(hours) } };
}

/** The top-level rules that differ; what an event tells. */
export function changedRules(before: SlotRules, after: SlotRules): Partial<SlotRules> {
  const changed = Object.entries(after).filter(
    ([key, value]) => JSON.stringify(before[key as keyof SlotRules]) !== JSON.stringify(value),
  );
  return Object.fromEntries(changed);
}

/** Leaves out what is undefined. */
export function named<T extends object>(wish: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/**
 * What is wrong with a whole set of rules. Refusals: `branch.hours_invalid`, `branch.holiday_invalid`,
 * `branch.slot_longer_than_hours`; each says where.
 */
export function rulesRefusal(rules: SlotRules): Refusal | undefined {
  const days = Object.entries(rules.hours).map(([day, hours]) => ({ path: `/hours/${day}`, hours }));
  const holidays = rules.holidays.map(({ hours }, at) => ({ path: `/holidays/${String(at)}/hours`, hours }));
  return (
    first([...days, ...holidays], ({ path, hours }) => hoursRefusal(path, hours)) ??
    holidayRefusal(rules.holidays) ??
    first([...days, ...holidays], ({ path, hours }) => fitRefusal(path, hours, rules.slot_minutes))
  );
}

/** Minutes that a branch is open; up to a whole day. */
export function openMinutes({ open, close }: OpeningHours): number {
  const length = minutesOf(close) - minutesOf(open);
  return length <= 0 ? length + DAY_MINUTES : length;
}

/** `HH:MM` of minutes after midnight, of whatever day. */
export function timeOf(minutes: number): string {
  const within = ((minutes % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
  return `${String(Math.floor(within / 60)).padStart(2, "0")}:${String(within % 60).padStart(2, "0")}`;
}

function hoursRefusal(path: string, hours: OpeningHours | null): Refusal | undefined {
  if (hours === null) return undefined;
  const errors = [
    ...(LOCAL_TIME.test(hours.open)
      ? []
      : [{ path: `${path}/open`, message: "must be HH:MM from 00:00 to 23:59" }]),
    ...(LOCAL_TIME.test(hours.close) || hours.close === "24:00"
      ? []
      : [{ path: `${path}/close`, message: "must be HH:MM from 00:00 to 24:00" }]),
  ];
  if (errors.length === 0) return undefined;
  return refuse(
    "invalid",
    "branch.hours_invalid",
    "Opening hours are HH:MM in the branch's time zone; see errors.",
    { errors },
  );
}

function holidayRefusal(holidays: readonly Holiday[]): Refusal | undefined {
  const seen = new Set<string>();
  const errors = holidays.flatMap(({ date }, at) => {
    const path = `/holidays/${String(at)}/date`;
    if (!isRealDate(date)) return [{ path, message: "must be a date of the calendar, YYYY-MM-DD" }];
    if (seen.has(date)) return [{ path, message: "is named twice" }];
    seen.add(date);
    return [];
  });
  if (errors.length === 0) return undefined;
  return refuse(
    "invalid",
    "branch.holiday_invalid",
    "Each holiday is one date of the calendar; see errors.",
    { errors },
  );
}

function fitRefusal(path: string, hours: OpeningHours | null, slot_minutes: number): Refusal | undefined {
  if (hours === null || openMinutes(hours) >= slot_minutes) return undefined;
  return refuse(
    "unprocessable",
    "branch.slot_longer_than_hours",
    `A slot of ${String(slot_minutes)} minutes does not fit into ${hours.open}–${hours.close}.`,
    { errors: [{ path, message: `is shorter than slot_minutes (${String(slot_minutes)})` }] },
  );
}

/** The 30th of February fits the pattern and is no date. */
function isRealDate(date: string): boolean {
  if (!LOCAL_DATE.test(date)) return false;
  const time = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(date);
}

function first<T>(items: readonly T[], look: (item: T) => Refusal | undefined): Refusal | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
