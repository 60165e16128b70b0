import assert from "node:assert/strict";
import type { SlotBooked, SlotEvent, SlotReleased, SlotShare, SlotView } from "./slot.events";
import type { DayRooms, LoadedInterval, SlotSetting } from "./slot.rooms";

/**
 * Bookings of one interval. A slot_id names a start only, so after a change of the slots' length one slot_id may have
 * bookings of several lengths; each keeps its own cell, because the room of later slots is reckoned by time.
 */
export interface Cell extends LoadedInterval {
  readonly start_ms: number;
  readonly end_ms: number;
  load_minor: number;
  /** Earliest and latest moment at which an order that starts here becomes visible; kept when the order is released. */
  visible_from_ms: number;
  visible_until_ms: number;
}

/** Everything that goes by one slot_id. */
export interface SlotRecord extends SlotSetting {
  readonly start_ms: number;
  readonly cells: Cell[];
  orders_count: number;
  delivery_count: number;
  capacity_minor: number | null;
  delivery_plan: number | null;
  pickup_plan: number | null;
  disabled: boolean;
}

/** What one order holds. Small, because a day may have a hundred thousand of them: the rest stands in the order's stream. */
export interface Booking {
  readonly cell: Cell;
  readonly amount_minor: number;
  readonly delivery: boolean;
  /** Further shares of an order that was spread over several slots. */
  readonly more: readonly { readonly cell: Cell; readonly amount_minor: number }[] | undefined;
}

/** Free room as reckoned for a grid and the loads that neighbouring days hang over it; rebuilt when either is another. */
interface Reckoned {
  readonly key: readonly [object, object];
  readonly rooms: DayRooms;
}

/** State of a kitchen-day: what is promised, by slot and by order. */
export class KitchenDay {
  /** Running number of the last order. */
  number = 0;
  readonly slots = new Map<number, SlotRecord>();
  /** By order_id; null once released, so that a second release finds nothing to give back. */
  readonly bookings = new Map<string, Booking | null>();
  /** Smallest and largest time between visibility and start among all bookings: equal while the lead time never changed. */
  lead_min_ms = Infinity;
  lead_max_ms = -Infinity;
  /** Derived, never in a snapshot: dropped whenever a change is more than one booking in the grid it was reckoned for. */
  private reckoned: Reckoned | undefined;

  /** The free rooms under these two keys, reckoned by `make` when the state does not hold them. */
  roomsFor(key: readonly [object, object], make: () => DayRooms): DayRooms {
    if (this.reckoned?.key[0] !== key[0] || this.reckoned.key[1] !== key[1])
      this.reckoned = { key, rooms: make() };
    return this.reckoned.rooms;
  }

  *cells(): Generator<Cell> {
    for (const slot of this.slots.values()) yield* slot.cells;
  }

  /** The record of a slot, made when the slot has never been touched. */
  slotAt(start_ms: number): SlotRecord {
    let slot = this.slots.get(start_ms);
    if (slot === undefined) this.slots.set(start_ms, (slot = emptySlot(start_ms)));
    return slot;
  }

  /** The cell of an interval, made when nothing was booked for it yet. */
  cellAt(start_ms: number, end_ms: number): Cell {
    const { cells } = this.slotAt(start_ms);
    let cell = cells.find((each) => each.end_ms === end_ms);
    if (cell === undefined) {
      cell = { start_ms, end_ms, load_minor: 0, visible_from_ms: Infinity, visible_until_ms: -Infinity };
      cells.push(cell);
    }
    return cell;
  }

  /** Adds to a cell's load (negative: gives back) and keeps the reckoned room in step. */
  load(cell: Cell, amount_minor: number): void {
    cell.load_minor += amount_minor;
    const { rooms } = this.reckoned ?? {};
    if (rooms === undefined) return;
    const { grid } = rooms;
    const index = (cell.start_ms - grid.opens_ms) / grid.slot_ms;
    const slot = grid.slots[index];
    if (slot?.end_ms === cell.end_ms) rooms.take(index, amount_minor);
    else this.forgetRooms();
  }

  see(cell: Cell, visible_ms: number): void {
    const lead_ms = cell.start_ms - visible_ms;
    cell.visible_from_ms = Math.min(cell.visible_from_ms, visible_ms);
    cell.visible_until_ms = Math.max(cell.visible_until_ms, visible_ms);
    this.lead_min_ms = Math.min(this.lead_min_ms, lead_ms);
    this.lead_max_ms = Math.max(this.lead_max_ms, lead_ms);
  }

  forgetRooms(): void {
    this.reckoned = undefined;
  }
}

function emptySlot(start_ms: number): SlotRecord {
  return {
    start_ms,
    cells: [],
    orders_count: 0,
    delivery_count: 0,
    capacity_minor: null,
    delivery_plan: null,
    pickup_plan: null,
    disabled: false,
  };
}

/** Folds an event into the state, in place. */
export function evolve(state: KitchenDay, event: SlotEvent): KitchenDay {
  switch (event.type) {
    case "slot.booked":
      return booked(state, event.data);
    case "slot.released":
      return released(state, event.data);
    case "slot.disabled_set":
      return changed(state, event.data.slots, (slot) => {
        slot.disabled = event.data.disabled;
      });
    case "slot.capacity_set":
      return changed(state, event.data.slots, (slot) => {
        slot.capacity_minor = event.data.capacity_minor;
      });
    case "slot.plan_set":
      return changed(state, event.data.slots, (slot, view) => {
        slot.delivery_plan = view.delivery_plan;
        slot.pickup_plan = view.pickup_plan;
      });
  }
}

function booked(state: KitchenDay, data: SlotBooked["data"]): KitchenDay {
  const [first, ...others] = data.shares.map((share) => take(state, share));
  assert(first, "a booking has a share");
  const delivery = data.fulfilment === "delivery";
  const slot = state.slotAt(first.cell.start_ms);
  slot.orders_count += 1;
  if (delivery) slot.delivery_count += 1;
  state.see(first.cell, Date.parse(data.visible_at));
  state.bookings.set(data.order_id, { ...first, delivery, more: others.length === 0 ? undefined : others });
  state.number = data.number;
  return state;
}

function take(state: KitchenDay, share: SlotShare): Pick<Booking, "cell" | "amount_minor"> {
  const cell = state.cellAt(Date.parse(share.start), Date.parse(share.end));
  state.load(cell, share.amount_minor);
  return { cell, amount_minor: share.amount_minor };
}

function released(state: KitchenDay, data: SlotReleased["data"]): KitchenDay {
  const booking = state.bookings.get(data.order_id);
  if (booking === undefined || booking === null) return state;
  const slot = state.slotAt(booking.cell.start_ms);
  slot.orders_count -= 1;
  if (booking.delivery) slot.delivery_count -= 1;
  for (const { cell, amount_minor } of [booking, ...(booking.more ?? [])]) state.load(cell, -amount_minor);
  state.bookings.set(data.order_id, null);
  return state;
}

function changed(
  state: KitchenDay,
  views: readonly SlotView[],
  change: (slot: SlotRecord, view: SlotView) => void,
): KitchenDay {
  for (const view of views) change(state.slotAt(Date.parse(view.start)), view);
  state.forgetRooms();
  return state;
}
