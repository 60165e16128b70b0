import type { Branch } from "../branch/branch.events";
import { firstSlotFrom, lastSlotUntil, type DayGrid } from "./slot.calendar";
import type { SlotView } from "./slot.events";
import { DayRooms } from "./slot.rooms";
import { freeStarts } from "./slot.search";

/** A slot of the read model. */
export interface SlotRow {
  /** How it was when last touched. */
  readonly view: SlotView;
  /** Null: the branch's rule applies. */
  readonly own_capacity_minor: number | null;
}

/** A branch's day on the board: what its rules offer, and what is booked and set. */
export interface BoardDay {
  readonly branch: Branch;
  readonly grid: DayGrid;
  /** Every row whose time may overlap the day; rows of other days do no harm. */
  readonly rows: readonly SlotRow[];
}

/**
 * The slots of a day in time order: those that the rules offer, and those that they no longer offer but somebody has
 * booked.
 */
export function slotsOf({ branch, grid, rows }: BoardDay): SlotView[] {
  const byId = new Map(rows.map((row) => [row.view.slot_id, row]));
  const offered = grid.slots.map((slot): SlotView => {
    const { slot_id, start, end } = slot;
    const row = byId.get(slot_id);
    byId.delete(slot_id);
    const capacity_minor = row?.own_capacity_minor ?? branch.slot_rules.capacity_minor;
    return { ...(row?.view ?? UNTOUCHED), slot_id, branch_id: branch.branch_id, start, end, capacity_minor };
  });
  const leftOver = [...byId.values()]
    .map((row) => row.view)
    .filter((view) => view.orders_count > 0 || view.load_minor > 0)
    .filter((view) => Date.parse(view.start) >= grid.from_ms && Date.parse(view.start) < grid.until_ms);
  return [...offered, ...leftOver].sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
}

const UNTOUCHED = {
  load_minor: 0,
  orders_count: 0,
  delivery_count: 0,
  pickup_count: 0,
  delivery_plan: null,
  pickup_plan: null,
  disabled: false,
} as const satisfies Partial<SlotView>;

/** A time that an order may have. */
export interface FreeSlot {
  readonly slot_id: string;
  readonly start: string;
  readonly end: string;
}

/** What somebody looks for: room for an amount (0: any room at all) within bounds on the start, both included. */
export interface FreeWish {
  readonly amount_minor: number;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly limit: number;
}

/** The free slots of a day by the read model: what a placement would find, unless somebody is faster. */
export function freeOn({ branch, grid, rows }: BoardDay, wish: FreeWish): FreeSlot[] {
  const rules = branch.slot_rules;
  const byStart = new Map(rows.map((row) => [Date.parse(row.view.start), row]));
  const settingOf = (start_ms: number) => {
    const row = byStart.get(start_ms);
    return row && { capacity_minor: row.own_capacity_minor, disabled: row.view.disabled };
  };
  const loads = rows.map(({ view: { start, end, load_minor } }) => ({
    start_ms: Date.parse(start),
    end_ms: Date.parse(end),
    load_minor,
  }));
  const rooms = DayRooms.of(grid, rules.capacity_minor, settingOf, loads);
  const window = { from: firstSlotFrom(grid, wish.from_ms), to: lastSlotUntil(grid, wish.to_ms) };
  return freeStarts(rooms, Math.max(wish.amount_minor, 1), rules, window, wish.limit).flatMap((index) => {
    const slot = grid.slots[index];
    return slot === undefined ? [] : [{ slot_id: slot.slot_id, start: slot.start, end: slot.end }];
  });
}
