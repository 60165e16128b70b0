import type { DayRooms, Portion } from "./slot.rooms";

/** The slots of a grid that an order may start in, by index, both included. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** The branch's rules as far as they decide where an order fits. */
export interface FitRules {
  readonly capacity_minor: number;
  readonly oversize: "spread" | "refuse";
}

/**
 * Whether a day could not even take the order when empty, so that there is nothing to look for. Costs two comparisons.
 */
export function isTooLarge(rooms: DayRooms, amount_minor: number, rules: FitRules): boolean {
  return amount_minor > (rules.oversize === "refuse" ? rooms.largest_minor : rooms.total_minor);
}

/**
 * The earliest place within the window. An order larger than the branch's standard slot, or than every slot of the day,
 * is laid over a run of adjacent slots (a run may be one slot that was made large enough); any other stays whole.
 */
export function findPlace(
  rooms: DayRooms,
  amount_minor: number,
  rules: FitRules,
  { from, to }: Window,
): readonly Portion[] | undefined {
  if (from > to) return undefined;
  const larger = amount_minor > rules.capacity_minor || amount_minor > rooms.largest_minor;
  if (larger && rules.oversize === "spread") return rooms.firstRun(amount_minor, from, to);
  const index = rooms.firstWithRoom(amount_minor, from, to);
  return index === undefined ? undefined : [{ index, amount_minor }];
}

/** Indices of the first slots, at most `limit`, in which an order of the amount could start. */
export function freeStarts(
  rooms: DayRooms,
  amount_minor: number,
  rules: FitRules,
  window: Window,
  limit: number,
): number[] {
  const starts: number[] = [];
  let from = window.from;
  while (starts.length < limit) {
    const [first] = findPlace(rooms, amount_minor, rules, { from, to: window.to }) ?? [];
    if (first === undefined) break;
    starts.push(first.index);
    from = first.index + 1;
  }
  return starts;
}
