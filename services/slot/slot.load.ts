import type { SlotView } from "./slot.events";

export type Window = "current" | "next" | "operational" | "shift";
export type Band = "low" | "medium" | "high";

/** How full something is. */
export interface Fullness {
  readonly load_percent: number;
  readonly band: Band;
}

/** The kitchen's load over some slots. */
export interface KitchenLoad extends Fullness {
  readonly start: string | null;
  readonly end: string | null;
  /** Of the slots in sale: a disabled one adds none. */
  readonly capacity_minor: number;
  readonly load_minor: number;
  readonly orders_count: number;
  readonly delivery_count: number;
  readonly pickup_count: number;
  readonly slots: (SlotView & Fullness)[];
}

/** How far "operational" looks ahead. */
const OPERATIONAL_MS = 60 * 60_000;
const MEDIUM_FROM_PERCENT = 50;
const HIGH_FROM_PERCENT = 80;

/**
 * The slots of a window. `today` are those of the business day, `coming` those of it and the days after; both in time
 * order. The running slot belongs to `current` and `operational`; `next` is the first that has not begun, today or later.
 */
export function slotsIn(
  window: Window,
  now_ms: number,
  today: readonly SlotView[],
  coming: readonly SlotView[],
): readonly SlotView[] {
  const starts = (slot: SlotView): number => Date.parse(slot.start);
  const runs = (slot: SlotView): boolean => starts(slot) <= now_ms && Date.parse(slot.end) > now_ms;
  switch (window) {
    case "current":
      return today.filter(runs);
    case "next": {
      const next = coming.find((slot) => starts(slot) > now_ms);
      return next === undefined ? [] : coming.filter((slot) => slot.start === next.start);
    }
    case "operational":
      return coming.filter(
        (slot) => runs(slot) || (starts(slot) > now_ms && starts(slot) < now_ms + OPERATIONAL_MS),
      );
    case "shift":
      return today;
  }
}

/** Sums up slots that are in time order. */
export function loadOf(slots: readonly SlotView[]): KitchenLoad {
  const sum = (of: (slot: SlotView) => number): number => slots.reduce((total, slot) => total + of(slot), 0);
  const capacity_minor = sum((slot) => (slot.disabled ? 0 : slot.capacity_minor));
  const load_minor = sum((slot) => slot.load_minor);
  return {
    start: slots[0]?.start ?? null,
    end: slots.at(-1)?.end ?? null,
    capacity_minor,
    load_minor,
    ...fullness(load_minor, capacity_minor),
    orders_count: sum((slot) => slot.orders_count),
    delivery_count: sum((slot) => slot.delivery_count),
    pickup_count: sum((slot) => slot.pickup_count),
    slots: slots.map((slot) => ({ ...slot, ...fullness(slot.load_minor, slot.capacity_minor) })),
  };
}

/** Load that has no capacity to stand against is full, whatever it is. */
function fullness(load_minor: number, capacity_minor: number): Fullness {
  const load_percent =
    capacity_minor > 0 ? Math.floor((load_minor / capacity_minor) * 100) : load_minor > 0 ? 100 : 0;
  const band =
    load_percent < MEDIUM_FROM_PERCENT ? "low" : load_percent < HIGH_FROM_PERCENT ? "medium" : "high";
  return { load_percent, band };
}
