import type { Branch } from "../branch/branch.events";
import type { DayGrid } from "./slot.calendar";
import type { DayGiven } from "./slot.commands";
import type { SlotView } from "./slot.events";
import { slotIdOf } from "./slot.id";
import type { KitchenDay } from "./slot.state";

/** What a decision adds to a slot that its state does not hold yet. */
export interface Change {
  readonly load_minor: number;
  readonly orders: number;
  readonly deliveries: number;
}

export const NO_CHANGE: Change = { load_minor: 0, orders: 0, deliveries: 0 };

/** A slot as everybody will see it after a change. Its end is that of the grid in force, else of its last booking. */
export function viewAfter(
  state: KitchenDay,
  { branch, grid }: Pick<DayGiven, "branch" | "grid">,
  start_ms: number,
  change: Change,
): SlotView {
  const slot = state.slots.get(start_ms);
  let load_minor = change.load_minor;
  for (const cell of slot?.cells ?? []) load_minor += cell.load_minor;
  const orders_count = (slot?.orders_count ?? 0) + change.orders;
  const delivery_count = (slot?.delivery_count ?? 0) + change.deliveries;
  return {
    ...whenAndWhere(branch, grid, start_ms, slot?.cells.at(-1)?.end_ms),
    capacity_minor: slot?.capacity_minor ?? branch.slot_rules.capacity_minor,
    load_minor,
    orders_count,
    delivery_count,
    pickup_count: orders_count - delivery_count,
    delivery_plan: slot?.delivery_plan ?? null,
    pickup_plan: slot?.pickup_plan ?? null,
    disabled: slot?.disabled ?? false,
  };
}

function whenAndWhere(
  { branch_id }: Branch,
  grid: DayGrid,
  start_ms: number,
  booked_end_ms: number | undefined,
): Pick<SlotView, "slot_id" | "branch_id" | "start" | "end"> {
  const offered = grid.slots[(start_ms - grid.opens_ms) / grid.slot_ms];
  if (offered !== undefined)
    return { slot_id: offered.slot_id, branch_id, start: offered.start, end: offered.end };
  return {
    slot_id: slotIdOf(branch_id, start_ms),
    branch_id,
    start: new Date(start_ms).toISOString(),
    end: new Date(booked_end_ms ?? start_ms + grid.slot_ms).toISOString(),
  };
}
