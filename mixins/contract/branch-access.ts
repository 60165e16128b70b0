import type { Caller } from "./caller";
import { refuse, type Refusal } from "./refusal";

/** Whether somebody works at a branch; who is bound to none works at all. */
export function mayWorkAt({ branch_ids }: Pick<Caller, "branch_ids">, branch_id: string): boolean {
  return branch_ids === null || branch_ids.includes(branch_id.toLowerCase());
}

/** Refusal: `branch.not_yours`. */
export function notYours(): Refusal {
  return refuse("forbidden", "branch.not_yours", "This belongs to a branch that you do not work at.");
}
