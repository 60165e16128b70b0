import type { Overhang } from "./slot.overhang";
import type { KitchenDay } from "./slot.state";

type Leads = Pick<Overhang, "lead_min_ms" | "lead_max_ms">;

/**
 * When the kitchen sees an order that starts then: the lead time before its start, never before it was placed; and never
 * out of step with its neighbours in time. After a change of the lead time the newcomer follows those who are there
 * already, even when that means a moment that has passed, which is: at once.
 */
export function visibleAt(
  state: KitchenDay,
  overhang: Overhang,
  start_ms: number,
  lead_ms: number,
  now_ms: number,
): number {
  const wanted_ms = Math.max(now_ms, start_ms - lead_ms);
  // Under one lead time the order of starts is the order of visibility: nothing to compare.
  if (alwaysHad(state, lead_ms) && alwaysHad(overhang, lead_ms)) return wanted_ms;
  let earliest_ms = -Infinity;
  let latest_ms = Infinity;
  for (const cells of [state.cells(), overhang.cells]) {
    for (const cell of cells) {
      if (cell.start_ms < start_ms) earliest_ms = Math.max(earliest_ms, cell.visible_until_ms);
      if (cell.start_ms > start_ms) latest_ms = Math.min(latest_ms, cell.visible_from_ms);
    }
  }
  return Math.min(Math.max(wanted_ms, earliest_ms), latest_ms);
}

function alwaysHad(leads: Leads, lead_ms: number): boolean {
  return leads.lead_min_ms >= lead_ms && leads.lead_max_ms <= lead_ms;
}
