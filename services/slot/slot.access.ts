import type { Caller } from "../../mixins/contract/caller";
import { refuse, type Refusal } from "../../mixins/contract/refusal";

/** Staff see and set the slots of the branches that they work at. */
export function maySee({ branch_ids }: Caller, branch_id: string): boolean {
  return branch_ids === null || branch_ids.includes(branch_id);
}

/** The branch that a caller means: the one named, else the first of their own, else (undefined) the default branch. */
export function branchMeant({ branch_ids }: Caller, named: string | undefined): string | undefined {
  return named ?? branch_ids?.[0];
}

/** The branch is not one that the caller works at. */
export function notYours(): Refusal {
  return refuse("forbidden", "branch.not_yours", "These are the slots of a branch that you do not work at.");
}
