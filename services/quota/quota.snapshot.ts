import { Quota } from "./quota.decider";

/** Shape of a saved quota; raise it whenever the shape changes, and older snapshots are folded anew. */
export const SNAPSHOT_SCHEMA_V = 1;

/** `[hold_id, units, user_id, confirmed]` */
type SavedQuota = readonly (readonly [string, number, string | null, boolean])[];

/** The state as JSON: some 90 bytes a hold. */
export function saveQuota(state: Quota): SavedQuota {
  return Array.from(state.holds, ([hold_id, { units, user_id, confirmed }]) => [
    ...([hold_id, units, user_id, confirmed] as const),
  ]);
}

/** The state that {@link saveQuota} saved. */
export function loadQuota(saved: unknown): Quota {
  const state = new Quota();
  for (const [hold_id, units, user_id, confirmed] of saved as SavedQuota)
    state.hold(hold_id, { units, user_id, confirmed });
  return state;
}
