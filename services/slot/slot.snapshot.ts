import assert from "node:assert/strict";
import { KitchenDay, type Booking, type Cell, type SlotRecord } from "./slot.state";

/** Shape of a saved kitchen-day; raise it whenever the shape changes, and older snapshots are folded anew. */
export const SNAPSHOT_SCHEMA_V = 1;

/** `[start, end, load, visible_from, visible_until]`; the last two are null where no order starts. */
type SavedCell = readonly [number, number, number, number | null, number | null];
/** `[order_id]` once released, else `[order_id, delivery, cell, amount, cell, amount …]` with cells by their index. */
type SavedBooking = readonly [string, ...number[]];

type SavedSlot = Readonly<Omit<SlotRecord, "cells">>;

interface SavedDay {
  readonly number: number;
  readonly lead_ms: readonly [number, number] | null;
  readonly slots: readonly SavedSlot[];
  readonly cells: readonly SavedCell[];
  readonly bookings: readonly SavedBooking[];
}

/** The state as JSON: about 60 bytes a booking, so a day of 100 000 orders is some 6 MB. */
export function saveKitchenDay(state: KitchenDay): SavedDay {
  const cells = [...state.cells()];
  const indexOf = new Map(cells.map((cell, index) => [cell, index]));
  const place = (cell: Cell): number => {
    const index = indexOf.get(cell);
    assert(index !== undefined, "a booking's cell belongs to its day");
    return index;
  };
  return {
    number: state.number,
    lead_ms: Number.isFinite(state.lead_min_ms) ? [state.lead_min_ms, state.lead_max_ms] : null,
    slots: [...state.slots.values()].map(saveSlot),
    cells: cells.map((cell) => [
      cell.start_ms,
      cell.end_ms,
      cell.load_minor,
      finite(cell.visible_from_ms),
      finite(cell.visible_until_ms),
    ]),
    bookings: [...state.bookings].map(([order_id, booking]) => saveBooking(order_id, booking, place)),
  };
}

/** The state that {@link saveKitchenDay} saved. */
export function loadKitchenDay(saved: unknown): KitchenDay {
  const from = saved as SavedDay;
  const state = new KitchenDay();
  state.number = from.number;
  if (from.lead_ms !== null) [state.lead_min_ms, state.lead_max_ms] = from.lead_ms;
  for (const slot of from.slots) Object.assign(state.slotAt(slot.start_ms), slot);
  const cells = from.cells.map(([start_ms, end_ms, load_minor, visible_from_ms, visible_until_ms]) =>
    Object.assign(state.cellAt(start_ms, end_ms), {
      load_minor,
      visible_from_ms: visible_from_ms ?? Infinity,
      visible_until_ms: visible_until_ms ?? -Infinity,
    }),
  );
  for (const [order_id, ...parts] of from.bookings) state.bookings.set(order_id, loadBooking(parts, cells));
  return state;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function saveSlot(slot: SlotRecord): SavedSlot {
  const { start_ms, orders_count, delivery_count, capacity_minor, delivery_plan, pickup_plan, disabled } =
    slot;
  return { start_ms, orders_count, delivery_count, capacity_minor, delivery_plan, pickup_plan, disabled };
}

function saveBooking(order_id: string, booking: Booking | null, place: (cell: Cell) => number): SavedBooking {
  if (booking === null) return [order_id];
  const shares = [booking, ...(booking.more ?? [])];
  return [
    order_id,
    booking.delivery ? 1 : 0,
    ...shares.flatMap(({ cell, amount_minor }) => [place(cell), amount_minor]),
  ];
}

function loadBooking(parts: readonly number[], cells: readonly Cell[]): Booking | null {
  const [delivery, ...pairs] = parts;
  if (delivery === undefined) return null;
  const shares = Array.from({ length: pairs.length / 2 }, (_, index) => {
    const cell = cells[pairs[2 * index] ?? -1];
    assert(cell, "a saved booking names its cell");
    return { cell, amount_minor: pairs[2 * index + 1] ?? 0 };
  });
  const [first, ...others] = shares;
  assert(first, "a saved booking has a share");
  return { ...first, delivery: delivery === 1, more: others.length === 0 ? undefined : others };
}
