import type { Cell, KitchenDay } from "./slot.state";

/**
 * What the days before and after have promised. While opening hours stay as they are, none of it touches this day; when
 * they change, an hour that yesterday's night has sold may become this morning's, and must not be sold again.
 *
 * It is read once per version of the branch: under one version the days' hours never meet, so whatever is promised across
 * the border was promised before that version came into force.
 */
export interface Overhang {
  readonly cells: readonly Cell[];
  /** As in the kitchen-day: smallest and largest time between visibility and start. */
  readonly lead_min_ms: number;
  readonly lead_max_ms: number;
}

export const NO_OVERHANG: Overhang = { cells: [], lead_min_ms: Infinity, lead_max_ms: -Infinity };

/** What hangs over from some neighbouring days. */
export function overhangOf(days: readonly KitchenDay[]): Overhang {
  return {
    cells: days.flatMap((day) => [...day.cells()]),
    lead_min_ms: Math.min(...days.map((day) => day.lead_min_ms)),
    lead_max_ms: Math.max(...days.map((day) => day.lead_max_ms)),
  };
}
