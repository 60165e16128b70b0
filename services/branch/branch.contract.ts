import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { strictObject, Uuid } from "../../mixins/contract/schemas";
import type { Branch } from "./branch.events";

/**
 * One branch with its slot rules, from this node's memory. `branch_id` absent: the default branch. `fresh` reads the
 * stream instead, for a caller whose guard has just failed.
 * Refusals: `branch.unknown`.
 */
export const getBranch = contract({
  name: "branch.get",
  summary: "One branch with its slot rules",
  kind: "query",
  permission: "internal",
  params: strictObject({ branch_id: Type.Optional(Uuid), fresh: Type.Optional(Type.Boolean()) }),
  result: Type.Unsafe<Branch>(Type.Object({})),
  refusals: ["branch.unknown"],
});
