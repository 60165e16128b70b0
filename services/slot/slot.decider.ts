import assert from "node:assert/strict";
import type { Decider, Decision } from "../../mixins/actor/decider";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { slotStartingAt } from "./slot.calendar";
import type {
  DayGiven,
  ReleaseOrder,
  SetSlotCapacity,
  SetSlotDisabled,
  SetSlotPlan,
  SlotCommand,
  SlotPlan,
} from "./slot.commands";
import type { SlotEvent, SlotShare, SlotView } from "./slot.events";
import { slotIdOf } from "./slot.id";
import { placeOrder } from "./slot.placement";
import { unknownSlot } from "./slot.refusals";
import { evolve, KitchenDay, type Booking, type Cell } from "./slot.state";
import { NO_CHANGE, viewAfter } from "./slot.view";

/** The rules of a kitchen-day: the one place where capacity is given away. */
export const slotDecider: Decider<KitchenDay, SlotCommand, SlotEvent, DayGiven> = {
  initialState: () => new KitchenDay(),
  decide,
  evolve,
};

function decide(command: SlotCommand, state: KitchenDay, given: DayGiven): Decision<SlotEvent> | Refusal {
  switch (command.type) {
    case "slot.place":
      return placeOrder(command, state, given);
    case "slot.release":
      return releaseOrder(command, state, given);
    case "slot.set_disabled":
      return setDisabled(command, state, given);
    case "slot.set_capacity":
      return setCapacity(command, state, given);
    case "slot.set_plan":
      return setPlan(command, state, given);
  }
}

function releaseOrder(
  { order_id }: ReleaseOrder,
  state: KitchenDay,
  given: DayGiven,
): Decision<SlotEvent> | Refusal {
  const booking = state.bookings.get(order_id);
  if (booking === undefined)
    return refuse("not_found", "slot.not_booked", "This order holds no slot of this day.");
  if (booking === null)
    return refuse("conflict", "slot.already_released", "This order has given its slot back already.");
  const parts = [booking, ...(booking.more ?? [])];
  const shares = parts.map(({ cell, amount_minor }) => shareOf(given, cell, amount_minor));
  const slots = parts.map(({ cell, amount_minor }, order) =>
    viewAfter(
      state,
      given,
      cell.start_ms,
      order === 0 ? lessOrder(booking) : { ...NO_CHANGE, load_minor: -amount_minor },
    ),
  );
  return {
    events: [{ type: "slot.released", data: { ...dayOf(given), slots, order_id, shares } }],
    answer: { shares },
  };
}

function lessOrder({ amount_minor, delivery }: Booking) {
  return { load_minor: -amount_minor, orders: -1, deliveries: delivery ? -1 : 0 };
}

function shareOf({ branch }: DayGiven, cell: Cell, amount_minor: number): SlotShare {
  return {
    slot_id: slotIdOf(branch.branch_id, cell.start_ms),
    start: new Date(cell.start_ms).toISOString(),
    end: new Date(cell.end_ms).toISOString(),
    amount_minor,
  };
}

function setDisabled(
  command: SetSlotDisabled,
  state: KitchenDay,
  given: DayGiven,
): Decision<SlotEvent> | Refusal {
  const view = changeable(command.start_ms, command.now_ms, state, given);
  if (isRefusal(view)) return view;
  const { disabled } = command;
  const slot = { ...view, disabled };
  return {
    events: [{ type: "slot.disabled_set", data: { ...dayOf(given), slots: [slot], disabled } }],
    answer: { slots: [slot] },
  };
}

/** Lowering the capacity below the load is allowed: what is promised stays promised, and there is no room until it fits. */
function setCapacity(
  command: SetSlotCapacity,
  state: KitchenDay,
  given: DayGiven,
): Decision<SlotEvent> | Refusal {
  const { capacity_minor } = command;
  assert(isWhole(capacity_minor), "capacity_minor is a whole, non-negative amount");
  const view = changeable(command.start_ms, command.now_ms, state, given);
  if (isRefusal(view)) return view;
  const slot = { ...view, capacity_minor: capacity_minor ?? given.branch.slot_rules.capacity_minor };
  return {
    events: [{ type: "slot.capacity_set", data: { ...dayOf(given), slots: [slot], capacity_minor } }],
    answer: { slots: [slot] },
  };
}

function setPlan(command: SetSlotPlan, state: KitchenDay, given: DayGiven): Decision<SlotEvent> | Refusal {
  assert(command.plans.length > 0, "a plan names slots");
  const slots: SlotView[] = [];
  for (const plan of command.plans) {
    const view = changeable(plan.start_ms, command.now_ms, state, given);
    if (isRefusal(view)) return view;
    slots.push({ ...view, ...planned(plan, view) });
  }
  return { events: [{ type: "slot.plan_set", data: { ...dayOf(given), slots } }], answer: { slots } };
}

function planned(plan: SlotPlan, view: SlotView): Pick<SlotView, "delivery_plan" | "pickup_plan"> {
  const { delivery_plan = view.delivery_plan, pickup_plan = view.pickup_plan } = plan;
  assert(isWhole(delivery_plan) && isWhole(pickup_plan), "a plan is a whole, non-negative number of orders");
  return { delivery_plan, pickup_plan };
}

/** A slot of today's grid that has not ended; a running one may still be changed. */
function changeable(
  start_ms: number,
  now_ms: number,
  state: KitchenDay,
  given: DayGiven,
): SlotView | Refusal {
  const index = slotStartingAt(given.grid, start_ms);
  if (index === undefined) return unknownSlot();
  const view = viewAfter(state, given, start_ms, NO_CHANGE);
  return Date.parse(view.end) <= now_ms
    ? refuse("conflict", "slot.past", "This slot is over; only running and coming slots can be changed.")
    : view;
}

function dayOf({ branch, grid }: DayGiven) {
  return { branch_id: branch.branch_id, business_date: grid.business_date };
}

function isWhole(value: number | null): boolean {
  return value === null || (Number.isSafeInteger(value) && value >= 0);
}
