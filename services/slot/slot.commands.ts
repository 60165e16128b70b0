import type { Branch } from "../branch/branch.events";
import type { OrderDraft } from "../order/order.events";
import type { DayGrid } from "./slot.calendar";
import type { Overhang } from "./slot.overhang";

/** Gives an order its slot in this kitchen-day. */
export interface PlaceOrder {
  readonly type: "slot.place";
  readonly draft: OrderDraft;
  readonly now_ms: number;
}

/** Gives back what an order holds, once. */
export interface ReleaseOrder {
  readonly type: "slot.release";
  readonly order_id: string;
}

/** Takes a slot out of sale, or puts it back. */
export interface SetSlotDisabled {
  readonly type: "slot.set_disabled";
  readonly start_ms: number;
  readonly disabled: boolean;
  readonly now_ms: number;
}

/** Gives a slot a capacity of its own; null: the branch's rule again. */
export interface SetSlotCapacity {
  readonly type: "slot.set_capacity";
  readonly start_ms: number;
  readonly capacity_minor: number | null;
  readonly now_ms: number;
}

/** Planned numbers of orders of one slot; what is absent stays, null takes the plan away. */
export interface SlotPlan {
  readonly start_ms: number;
  readonly delivery_plan?: number | null;
  readonly pickup_plan?: number | null;
}

/** Plans one slot or many, all or none. */
export interface SetSlotPlan {
  readonly type: "slot.set_plan";
  readonly plans: readonly SlotPlan[];
  readonly now_ms: number;
}

export type SlotCommand = PlaceOrder | ReleaseOrder | SetSlotDisabled | SetSlotCapacity | SetSlotPlan;

/** What a kitchen-day decides by, beside its own state: the branch in force and the day's grid under its rules. */
export interface DayGiven {
  readonly branch: Branch;
  readonly grid: DayGrid;
  readonly overhang: Overhang;
}
