import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { SlotRules } from "../branch/branch.events";
import { firstSlotFrom, type DayGrid } from "./slot.calendar";

const MINUTE_MS = 60_000;

/** The same order under another command id. */
export function alreadyBooked(): Refusal {
  return refuse(
    "conflict",
    "slot.already_booked",
    "This order has had its slot already; it is not placed twice.",
  );
}

/**
 * No slot starts between the wish and the end of the preorder time. That is too far ahead where one starts right after the
 * wish, or would but for that end; else the branch is closed then.
 */
export function nothingStarts(
  days: readonly DayGrid[],
  wish_ms: number,
  { slot_minutes, preorder_hours }: Pick<SlotRules, "slot_minutes" | "preorder_hours">,
): Refusal {
  const starts = days.flatMap((day) => day.slots[firstSlotFrom(day, wish_ms)]?.start_ms ?? []);
  const isOpen = starts.some((start_ms) => start_ms < wish_ms + slot_minutes * MINUTE_MS);
  return isOpen ? tooFar(preorder_hours) : branchClosed(preorder_hours);
}

/** Nothing opens between the wish and the end of the preorder time. */
export function branchClosed(preorder_hours: number): Refusal {
  return refuse(
    "unprocessable",
    "slot.branch_closed",
    `The branch is not open at that time, nor later within the next ${String(preorder_hours)} hours; choose another time or branch.`,
  );
}

/** The wish lies beyond the branch's preorder hours, or the first slot after it does. The name is the one that clients know. */
export function tooFar(preorder_hours: number): Refusal {
  return refuse(
    "unprocessable",
    "order.time_too_far",
    `Orders are taken at most ${String(preorder_hours)} hours ahead; choose an earlier time.`,
  );
}

/** Not even an empty day could hold it. */
export function tooLarge(): Refusal {
  return refuse(
    "unprocessable",
    "slot.order_too_large",
    "The order is larger than the kitchen can take; split it into smaller orders.",
  );
}

/** Every slot from the wish on is taken; `next_free` are starts (RFC 3339, in order) that would do. */
export function full(next_free: readonly string[]): Refusal {
  const offer =
    next_free.length === 0 ? "try later or another branch" : "choose one of the times in next_free";
  return refuse("unprocessable", "slot.full", `No slot at that time has room for this order; ${offer}.`, {
    next_free,
  });
}

/** The name means no slot that the branch offers. */
export function unknownSlot(): Refusal {
  return refuse(
    "not_found",
    "slot.unknown",
    "The branch offers no such slot under its present hours and slot length.",
  );
}
