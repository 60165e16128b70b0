import type { CommandOutcome } from "../../mixins/contract/implement";
import { addDays } from "../../mixins/calendar/opening";
import { isRefusal, type Refusal } from "../../mixins/contract/refusal";
import type { Branch } from "../branch/branch.events";
import type { OrderDraft } from "../order/order.events";
import { firstSlotFrom, lastSlotUntil, type DayGrid, type SlotCalendar } from "./slot.calendar";
import { earliestStart, isTooFar, latestStart } from "./slot.placement";
import { full, nothingStarts, tooFar } from "./slot.refusals";

/** Asks one business day's actor for a place: one atomic decision. */
export type AskDay = (business_date: string) => Promise<CommandOutcome | Refusal>;

/** Times to offer when nothing is free; `offered` are those that the asked days have named. */
export type MakeOffers = (wish_ms: number, offered: readonly string[]) => Promise<readonly string[]>;

/** Answers of one day after which the next may still do; where several days refuse, the foremost of these is said. */
const NEXT_DAY_MAY_DO = ["slot.full", "slot.order_too_large", "slot.branch_closed"];

/**
 * Tries the business day of the wish, then those after it as long as orders are taken. A refusal stores nothing, so every
 * try may carry the same command id, and a repetition of a command that was placed finds its first answer.
 */
export async function tryDays(
  calendar: SlotCalendar,
  branch: Branch,
  draft: OrderDraft,
  now_ms: number,
  { ask, offers }: { readonly ask: AskDay; readonly offers: MakeOffers },
): Promise<CommandOutcome | Refusal> {
  const { lead_time_minutes, preorder_hours } = branch.slot_rules;
  const earliest_ms = earliestStart(draft, lead_time_minutes, now_ms);
  const latest_ms = latestStart(branch.slot_rules, now_ms);
  if (isTooFar(draft, latest_ms)) return tooFar(preorder_hours);
  const refusals: Refusal[] = [];
  for (const day of calendar.daysBetween(branch, earliest_ms, latest_ms)) {
    if (!offersAny(day, earliest_ms, latest_ms)) continue;
    const outcome = await ask(day.business_date);
    if (!isRefusal(outcome) || !NEXT_DAY_MAY_DO.includes(outcome.code)) return outcome;
    refusals.push(outcome);
  }
  const [foremost] = refusals.sort(
    (a, b) => NEXT_DAY_MAY_DO.indexOf(a.code) - NEXT_DAY_MAY_DO.indexOf(b.code),
  );
  if (foremost === undefined) {
    const day = calendar.dayAt(branch, earliest_ms);
    const next = calendar.day(branch, addDays(day.business_date, 1));
    return nothingStarts([day, next], earliest_ms, branch.slot_rules);
  }
  return foremost.code === "slot.full"
    ? full(await offers(earliest_ms, refusals.flatMap(freeTimesOf)))
    : foremost;
}

/** Days without any slot to offer need not be asked: an order after closing goes straight to tomorrow's actor. */
function offersAny(day: DayGrid, earliest_ms: number, latest_ms: number): boolean {
  return firstSlotFrom(day, earliest_ms) <= lastSlotUntil(day, latest_ms);
}

function freeTimesOf({ data }: Refusal): readonly string[] {
  return (data?.["next_free"] as readonly string[] | undefined) ?? [];
}
