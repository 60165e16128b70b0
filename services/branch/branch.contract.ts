import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { PositionSchema, Uuid, strictObject } from "../../mixins/contract/schemas";
import type { Branch } from "./branch.events";
import {
  BranchChange,
  BranchRecord,
  NewBranch,
  PublicBranch,
  SlotConfig,
  SlotRulesChange,
} from "./branch.schemas";

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

export const listBranches = contract({
  name: "branch.list",
  summary: "All branches with their opening hours, and whether they are open now",
  kind: "query",
  permission: "branch.read",
  rest: [{ method: "GET", path: "/api/v1/branches" }],
  params: strictObject({}),
  result: strictObject({ items: Type.Array(PublicBranch) }),
});

const RULE_REFUSALS = [
  "branch.hours_invalid",
  "branch.holiday_invalid",
  "branch.slot_longer_than_hours",
] as const;
const DETAIL_REFUSALS = [
  "branch.phone_invalid",
  "branch.time_zone_unknown",
  "branch.currency_unknown",
  "legal_entity.unknown",
] as const;

const Saved = strictObject({ branch: BranchRecord, position: PositionSchema });

/** Hours and slot rules that are not named come from the settings of new branches. */
export const openBranch = contract({
  name: "branch.open",
  summary: "Open a branch",
  kind: "command",
  permission: "branch.manage",
  rest: [{ method: "POST", path: "/api/v1/erp/branches", status: 201 }],
  params: strictObject(NewBranch),
  result: Saved,
  refusals: ["branch.exists", "branch.code_taken", ...DETAIL_REFUSALS, ...RULE_REFUSALS],
});

/** Changes what it names. To move the default, name the new one: the old one ceases to be it by itself. */
export const changeBranch = contract({
  name: "branch.change",
  summary: "Change a branch's details",
  kind: "command",
  permission: "branch.manage",
  rest: [{ method: "PUT", path: "/api/v1/erp/branches/:branch_id" }],
  params: strictObject({ branch_id: Uuid, ...BranchChange }),
  result: Saved,
  refusals: ["branch.unknown", "branch.default_required", ...DETAIL_REFUSALS],
});

/** `branch_id` absent: the caller's own branch, or the default one for who works everywhere. */
export const getSlotConfig = contract({
  name: "branch.slot_config",
  summary: "A branch's slot rules",
  kind: "query",
  permission: "slot.read",
  rest: [{ method: "GET", path: "/api/v1/erp/slots/config" }],
  params: strictObject({ branch_id: Type.Optional(Uuid) }),
  result: SlotConfig,
  refusals: ["branch.unknown", "branch.not_yours"],
});

/** Changes what it names, for later orders; answers the whole of the rules as they then are. */
export const configureSlots = contract({
  name: "branch.configure_slots",
  summary: "Change a branch's slot rules",
  kind: "command",
  permission: "slot.configure",
  rest: [{ method: "PUT", path: "/api/v1/erp/slots/config" }],
  params: strictObject({ branch_id: Type.Optional(Uuid), ...SlotRulesChange }),
  result: SlotConfig,
  refusals: ["branch.unknown", "branch.not_yours", ...RULE_REFUSALS],
});

/** Every operation of the room on branches. */
export const branchContracts = [
  getBranch,
  listBranches,
  openBranch,
  changeBranch,
  getSlotConfig,
  configureSlots,
] as const;
