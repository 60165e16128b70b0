import { DateTime } from "luxon";
import type { Settings } from "../../settings";
import type { OpeningHours, SlotRules, WeekHours } from "./branch.events";
import { timeOf } from "./branch.rules";

/** How far ahead of the wished time an order may be placed, where nothing else is said. */
const PREORDER_HOURS = 24;

export const WEEKDAYS = ["1", "2", "3", "4", "5", "6", "7"] as const satisfies readonly (keyof WeekHours)[];

/** The same hours on every weekday. */
export function everyDay(hours: OpeningHours): WeekHours {
  return Object.fromEntries(WEEKDAYS.map((day) => [day, hours])) as WeekHours;
}

/**
 * Slot rules of a new branch from the settings. Their hours are UTC; the branch gets what its clock shows at these times
 * today. Equal hours mean round the clock.
 */
export function defaultSlotRules(settings: Settings, time_zone: string, now_ms: number): SlotRules {
  const offset = DateTime.fromMillis(now_ms, { zone: time_zone }).offset;
  const local = (hour: number, minute: number): string => timeOf(hour * 60 + minute + offset);
  return {
    capacity_minor: settings.SLOT_CAPACITY_MINOR,
    slot_minutes: settings.SLOT_MINUTES,
    lead_time_minutes: settings.LEAD_TIME_MINUTES,
    preorder_hours: PREORDER_HOURS,
    oversize: "spread",
    hours: everyDay({
      open: local(settings.BUSINESS_OPEN_HOUR, settings.BUSINESS_OPEN_MIN),
      close: local(settings.BUSINESS_CLOSE_HOUR, settings.BUSINESS_CLOSE_MIN),
    }),
    holidays: [],
  };
}
