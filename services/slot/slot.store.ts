import type { Pool } from "pg";
import type { SlotRow } from "./slot.board";
import type { SlotView } from "./slot.events";

const BETWEEN = `
  select slot_id, branch_id, start_at, end_at, capacity_minor, own_capacity_minor, load_minor, orders_count,
    delivery_count, pickup_count, delivery_plan, pickup_plan, disabled
  from slots
  where branch_id = $1 and start_at < to_timestamp($3 / 1000.0) and start_at >= to_timestamp($2 / 1000.0)
  order by start_at`;

interface StoredSlot extends Omit<SlotView, "start" | "end"> {
  readonly own_capacity_minor: number | null;
  readonly start_at: Date;
  readonly end_at: Date;
}

/** The longest slot that rules may ask for; a booking that overlaps a time started at most so long before it. */
const SLOT_MS_MAX = 24 * 60 * 60_000;

/** Rows of a branch that may overlap a range of instants, in time order. */
export async function slotRowsBetween(
  pool: Pool,
  branch_id: string,
  from_ms: number,
  to_ms: number,
): Promise<SlotRow[]> {
  const { rows } = await pool.query<StoredSlot>(BETWEEN, [branch_id, from_ms - SLOT_MS_MAX, to_ms]);
  return rows
    .filter((row) => row.end_at.getTime() > from_ms)
    .map(({ start_at, end_at, own_capacity_minor, ...view }) => ({
      view: { ...view, start: start_at.toISOString(), end: end_at.toISOString() },
      own_capacity_minor,
    }));
}
