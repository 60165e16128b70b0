import { Quota } from "./quota.decider";

/** Shape of a saved quota; raise it whenever the shape changes, and older snapshots are folded anew. */
export const SNAPSHOT_SCHEMA_V = 2;

/** `[hold_id, units, user_id, placing_id]`; `placing_id` is null where the order stands. */
type SavedQuota = readonly (readonly [string, number, string | null, string | null])[];

/** The state as JSON: some 90 bytes a hold. */
export function saveQuota(state: Quota): SavedQuota {
  return Array.from(state.holds, ([hold_id, { units, user_id }]) => [
    ...([hold_id, units, user_id, state.open.get(hold_id) ?? null] as const),
  ]);
}

/** The state that {@link saveQuota} saved. */
export function loadQuota(saved: unknown): Quota {
  const state = new Quota();
  for (const [hold_id, units, user_id, placing_id] of saved as SavedQuota)
    state.hold(hold_id, { units, user_id }, placing_id);
  return state;
}
