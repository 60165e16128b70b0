import assert from "node:assert/strict";
import type { Decision } from "../../mixins/actor/decider";
import type { Refusal } from "../../mixins/contract/refusal";
import type { SlotRules } from "../branch/branch.events";
import { listTotalOf, orderStream, type OrderDraft, type OrderPlaced } from "../order/order.events";
import { firstSlotFrom, isOpenAt, lastSlotUntil } from "./slot.calendar";
import type { DayGiven, PlaceOrder } from "./slot.commands";
import type { SlotBooked, SlotEvent, SlotShare, SlotView } from "./slot.events";
import { alreadyBooked, full, nothingStarts, tooFar, tooLarge } from "./slot.refusals";
import { DayRooms, type LoadedInterval, type Portion } from "./slot.rooms";
import { findPlace, freeStarts, isTooLarge, type Window } from "./slot.search";
import type { KitchenDay } from "./slot.state";
import { viewAfter } from "./slot.view";
import { visibleAt } from "./slot.visibility";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The rules that bound when an order may start. */
export type LeadRules = Pick<SlotRules, "lead_time_minutes" | "slot_minutes" | "preorder_hours">;

/** How many free times a refusal offers. */
export const NEXT_FREE_MAX = 3;

/** The earliest start that an order may have: its wish, or what the lead time allows. A wish that has passed is "now". */
export function earliestStart(
  draft: Pick<OrderDraft, "preferred_time">,
  lead_time_minutes: number,
  now_ms: number,
): number {
  const soonest_ms = now_ms + lead_time_minutes * MINUTE_MS;
  if (draft.preferred_time === null) return soonest_ms;
  const wish_ms = Date.parse(draft.preferred_time);
  assert(!Number.isNaN(wish_ms), "preferred_time is a timestamp");
  return Math.max(wish_ms, soonest_ms);
}

/**
 * The latest start that an order may have: the preorder hours ahead; but the first slot that the lead time allows is never
 * too far, so that a branch without preorders takes orders for now.
 */
export function latestStart(rules: LeadRules, now_ms: number): number {
  const now_at_once_ms = (rules.lead_time_minutes + rules.slot_minutes) * MINUTE_MS - 1;
  return now_ms + Math.max(rules.preorder_hours * HOUR_MS, now_at_once_ms);
}

/** Whether a wish lies beyond what may be ordered ahead. */
export function isTooFar({ preferred_time }: Pick<OrderDraft, "preferred_time">, latest_ms: number): boolean {
  return preferred_time !== null && Date.parse(preferred_time) > latest_ms;
}

/**
 * Decides where an order goes: into the first slot that starts at or after its wish (a wish inside a running slot means the
 * next one) and is open, enabled and has room for its items. Capacity is kitchen work, so they weigh what
 * the menu says ({@link listTotalOf}), whatever is paid for them. An order of list price zero goes into the first slot that is not oversold.
 */
export function placeOrder(
  { draft, now_ms }: PlaceOrder,
  state: KitchenDay,
  given: DayGiven,
): Decision<SlotEvent> | Refusal {
  const { grid } = given;
  const { slot_rules: rules } = given.branch;
  const amount_minor = listTotalOf(draft.items);
  assert(
    Number.isSafeInteger(amount_minor) && amount_minor >= 0,
    "an order's list price is a whole, non-negative amount",
  );
  if (state.bookings.has(draft.order_id)) return alreadyBooked();

  const earliest_ms = earliestStart(draft, rules.lead_time_minutes, now_ms);
  const latest_ms = latestStart(rules, now_ms);
  if (isTooFar(draft, latest_ms)) return tooFar(rules.preorder_hours);
  const window = { from: firstSlotFrom(grid, earliest_ms), to: lastSlotUntil(grid, latest_ms) };
  if (window.from > window.to) return nothingStarts([grid], earliest_ms, rules);

  const rooms = roomsOf(state, given);
  if (isTooLarge(rooms, amount_minor, rules)) return tooLarge();
  const place = findPlace(rooms, amount_minor, rules, window);
  if (place === undefined) {
    const soonest = firstSlotFrom(grid, now_ms + rules.lead_time_minutes * MINUTE_MS);
    return full(freeTimes(rooms, amount_minor, given, { from: soonest, to: window.from - 1 }));
  }
  return book(draft, place, state, given, now_ms);
}

/** Nothing is free from the wish on, so what can be offered lies before it: the nearest times, in order. */
function freeTimes(
  rooms: DayRooms,
  amount_minor: number,
  { branch, grid }: DayGiven,
  window: Window,
): string[] {
  const starts = freeStarts(rooms, amount_minor, branch.slot_rules, window, grid.slots.length);
  return starts.slice(-NEXT_FREE_MAX).flatMap((index) => grid.slots[index]?.start ?? []);
}

/** The free rooms of a day under the rules in force, kept by the state from one decision to the next. */
export function roomsOf(state: KitchenDay, { branch, grid, overhang }: DayGiven): DayRooms {
  return state.roomsFor([grid, overhang], () => {
    const loads: LoadedInterval[] = [...state.cells(), ...overhang.cells];
    return DayRooms.of(
      grid,
      branch.slot_rules.capacity_minor,
      (start_ms) => state.slots.get(start_ms),
      loads,
    );
  });
}

function book(
  draft: OrderDraft,
  place: readonly Portion[],
  state: KitchenDay,
  given: DayGiven,
  now_ms: number,
): Decision<SlotEvent> {
  const { branch, grid } = given;
  const number = state.number + 1;
  const shares = place.map((portion) => shareOf(given, portion));
  const first_ms = startOf(given, place);
  const lead_ms = branch.slot_rules.lead_time_minutes * MINUTE_MS;
  const visible_at = new Date(visibleAt(state, given.overhang, first_ms, lead_ms, now_ms)).toISOString();
  const booked: SlotBooked["data"] = {
    branch_id: branch.branch_id,
    business_date: grid.business_date,
    slots: place.map((portion, order) => viewOf(draft, portion, order === 0, state, given)),
    order_id: draft.order_id,
    number,
    fulfilment: draft.fulfilment,
    shares,
    visible_at,
  };
  const placed: OrderPlaced["data"] = {
    ...draft,
    display_id: `${branch.code}-${String(number)}`,
    business_date: grid.business_date,
    shares,
    ready_at: shares.at(-1)?.end ?? "",
    visible_at,
    preorder: !isOpenAt(grid, now_ms),
  };
  return {
    events: [{ type: "slot.booked", data: booked }],
    founds: [
      {
        stream_id: orderStream(draft.order_id),
        stream_type: "order",
        expected_version: 0,
        events: [{ type: "order.placed", data: placed } satisfies OrderPlaced],
      },
    ],
    answer: placed,
  };
}

function startOf({ grid }: DayGiven, [first]: readonly Portion[]): number {
  assert(first, "a place has a first slot");
  return grid.opens_ms + first.index * grid.slot_ms;
}

function shareOf({ grid }: DayGiven, { index, amount_minor }: Portion): SlotShare {
  const slot = grid.slots[index];
  assert(slot, "a place lies in its grid");
  return { slot_id: slot.slot_id, start: slot.start, end: slot.end, amount_minor };
}

function viewOf(
  draft: OrderDraft,
  portion: Portion,
  starts: boolean,
  state: KitchenDay,
  given: DayGiven,
): SlotView {
  return viewAfter(state, given, given.grid.opens_ms + portion.index * given.grid.slot_ms, {
    load_minor: portion.amount_minor,
    orders: starts ? 1 : 0,
    deliveries: starts && draft.fulfilment === "delivery" ? 1 : 0,
  });
}
