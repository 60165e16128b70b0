import type { Pool } from "pg";
import { act } from "../../mixins/contract/implement";
import type { Position } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { listSlots } from "../slot/slot.contract";
import type { SlotView } from "../slot/slot.events";
import { SLOT_KEPT_MS } from "./mirror.keys";

/** A slot of the board, with what the board does not show. */
export interface MirroredSlot {
  /** As it was when last touched. */
  readonly view: SlotView;
  /** Null: the branch's rule applies. */
  readonly own_capacity_minor: number | null;
  /** Of the event that touched it last. */
  readonly position: Position;
}

/** The longest slot that rules may ask for, with room to spare. */
const SLOT_MS_MAX = 24 * 3_600_000;

const KEPT = `
  select slot_id, branch_id, start_at, end_at, capacity_minor, own_capacity_minor, load_minor, orders_count,
    delivery_count, pickup_count, delivery_plan, pickup_plan, disabled, position
  from slots
  where branch_id = $1 and start_at > to_timestamp($2 / 1000.0) and end_at > to_timestamp($3 / 1000.0)
  order by start_at`;

type Row = Omit<SlotView, "start" | "end"> & {
  readonly start_at: Date;
  readonly end_at: Date;
  readonly own_capacity_minor: number | null;
  readonly position: Position;
};

/** A branch's slots that Redis keeps, from a board that has reached a position. */
export async function slotsKept(
  { broker, pool, clock }: Pick<Runtime, "broker" | "pool" | "clock">,
  branch_id: string,
  reached: Position,
): Promise<readonly MirroredSlot[]> {
  // The room's own promise that its board has come so far; what it lists is not needed.
  await act(broker, listSlots, { branch_id, after: reached });
  return slotsAfter(pool, branch_id, clock.now() - SLOT_KEPT_MS);
}

async function slotsAfter(pool: Pool, branch_id: string, ends_after_ms: number): Promise<MirroredSlot[]> {
  const { rows } = await pool.query<Row>(KEPT, [branch_id, ends_after_ms - SLOT_MS_MAX, ends_after_ms]);
  return rows.map(({ start_at, end_at, own_capacity_minor, position, ...view }) => ({
    view: { ...view, start: start_at.toISOString(), end: end_at.toISOString() },
    own_capacity_minor,
    position,
  }));
}
