import type { Runtime } from "../../mixins/runtime";
import type { Branch } from "../branch/branch.events";
import { freeOn, slotsOf, type BoardDay, type FreeSlot, type FreeWish } from "./slot.board";
import type { DayGrid, SlotCalendar } from "./slot.calendar";
import type { SlotView } from "./slot.events";
import { loadOf, slotsIn, type KitchenLoad, type Window } from "./slot.load";
import { earliestStart, latestStart, NEXT_FREE_MAX } from "./slot.placement";
import type { BoardRange } from "./slot.range";
import { slotRowsBetween } from "./slot.store";

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
/** How far ahead a next slot is looked for: over a holiday week. */
const LOOK_AHEAD_MS = 7 * DAY_MS;

/** The slot board as the read model knows it. */
export class SlotReads {
  constructor(
    private readonly pool: Runtime["pool"],
    private readonly calendar: SlotCalendar,
  ) {}

  /** Slots that start within a range, in time order. */
  async list(branch: Branch, { from_ms, to_ms }: BoardRange): Promise<SlotView[]> {
    const days = await this.days(branch, from_ms, to_ms - 1);
    return days
      .flatMap(slotsOf)
      .filter(({ start }) => Date.parse(start) >= from_ms && Date.parse(start) < to_ms);
  }

  /** Free slots in time order, at most `limit`. */
  async free(branch: Branch, wish: FreeWish): Promise<FreeSlot[]> {
    if (wish.from_ms > wish.to_ms) return [];
    const free: FreeSlot[] = [];
    for (const day of await this.days(branch, wish.from_ms, wish.to_ms)) {
      if (free.length >= wish.limit) break;
      free.push(...freeOn(day, { ...wish, limit: wish.limit - free.length }));
    }
    return free;
  }

  /** Free slots that may be ordered now, from an instant on. */
  freeNow(branch: Branch, wish: Omit<FreeWish, "to_ms">, now_ms: number): Promise<FreeSlot[]> {
    const soonest_ms = earliestStart({ preferred_time: null }, branch.slot_rules.lead_time_minutes, now_ms);
    const from_ms = Math.max(wish.from_ms, soonest_ms);
    return this.free(branch, { ...wish, from_ms, to_ms: latestStart(branch.slot_rules, now_ms) });
  }

  /**
   * What to offer an order that found nothing from its wish on, besides what the days that it tried have offered already:
   * times on the days before its wish, the nearest last; or, when there is no time at all within the preorder hours, the
   * next ones after them, which can be ordered later.
   */
  async offers(
    branch: Branch,
    amount_minor: number,
    wish_ms: number,
    offered: readonly string[],
    now_ms: number,
  ): Promise<string[]> {
    const tried_from_ms = this.calendar.dayAt(branch, wish_ms).from_ms;
    const soonest_ms = earliestStart({ preferred_time: null }, branch.slot_rules.lead_time_minutes, now_ms);
    const before = { amount_minor, from_ms: soonest_ms, to_ms: tried_from_ms - 1, limit: Infinity };
    const within = [...startsOf(await this.free(branch, before)), ...offered];
    if (within.length > 0) return within.slice(-NEXT_FREE_MAX);
    const latest_ms = latestStart(branch.slot_rules, now_ms);
    const after = {
      amount_minor,
      from_ms: latest_ms + 1,
      to_ms: latest_ms + LOOK_AHEAD_MS,
      limit: NEXT_FREE_MAX,
    };
    return startsOf(await this.free(branch, after));
  }

  /** How full the kitchen is over a window. */
  async load(branch: Branch, window: Window, now_ms: number): Promise<KitchenLoad> {
    const days = (await this.days(branch, now_ms, this.endOf(branch, window, now_ms))).map(slotsOf);
    return loadOf(slotsIn(window, now_ms, days[0] ?? [], days.flat()));
  }

  private endOf(branch: Branch, window: Window, now_ms: number): number {
    if (window === "current" || window === "shift") return now_ms;
    if (window === "operational") return now_ms + HOUR_MS;
    for (const day of this.calendar.daysBetween(branch, now_ms, now_ms + LOOK_AHEAD_MS)) {
      const last = day.slots.at(-1);
      if (last !== undefined && last.start_ms > now_ms) return last.start_ms;
    }
    return now_ms;
  }

  /** The business days that a range of instants (both included) touches, each with the rows that may concern it. */
  private async days(branch: Branch, from_ms: number, to_ms: number): Promise<BoardDay[]> {
    const grids: DayGrid[] = [...this.calendar.daysBetween(branch, from_ms, to_ms)];
    const begin_ms = grids[0]?.from_ms ?? from_ms;
    const end_ms = grids.at(-1)?.until_ms ?? to_ms;
    const rows = await slotRowsBetween(this.pool, branch.branch_id, begin_ms, end_ms);
    return grids.map((grid) => ({ branch, grid, rows }));
  }
}

const startsOf = (slots: readonly FreeSlot[]): string[] => slots.map(({ start }) => start);
