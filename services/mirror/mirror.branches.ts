import type { EventLog, Position } from "../../mixins/event-log/event-log";
import { branchStream, type BranchEvent, type SlotRules } from "../branch/branch.events";
import { configWrite, slotWrite } from "./mirror.documents";
import type { KeyWrite } from "./mirror.keys";
import type { MirroredSlot } from "./mirror.slots";

/** A branch's slot rules as its stream tells them. */
export interface BranchRules {
  readonly branch_id: string;
  readonly rules: SlotRules;
  readonly time_zone: string;
  /** Of the newest event that changed any of this. */
  readonly position: Position;
  /** Of the newest event that named the capacity of a slot. */
  readonly capacity_position: Position;
}

/** The rules after an event of the branch's stream; undefined for a branch that is not open. */
export async function rulesOf(
  log: Pick<EventLog, "readStream">,
  branch_id: string,
  through_version = Infinity,
): Promise<BranchRules | undefined> {
  let known: BranchRules | undefined;
  for (const event of await log.readStream(branchStream(branch_id)))
    if (event.version <= through_version)
      known = rulesAfter(known, event as unknown as BranchEvent, event.position);
  return known;
}

function rulesAfter(
  before: BranchRules | undefined,
  event: BranchEvent,
  position: Position,
): BranchRules | undefined {
  if (event.type === "branch.opened") {
    const { branch_id, details, slot_rules: rules } = event.data;
    return { branch_id, rules, time_zone: details.time_zone, position, capacity_position: position };
  }
  if (before === undefined) return undefined;
  if (event.type === "branch.changed") {
    const { time_zone } = event.data.details;
    return time_zone === undefined ? before : { ...before, time_zone, position };
  }
  const { slot_rules } = event.data;
  return {
    ...before,
    rules: { ...before.rules, ...slot_rules },
    position,
    capacity_position: slot_rules.capacity_minor === undefined ? before.capacity_position : position,
  };
}

export function rulesWrite({ branch_id, time_zone, rules, position }: BranchRules): KeyWrite {
  return configWrite(branch_id, time_zone, rules, position);
}

/** A slot of the branch under its rules: where it has no capacity of its own, a newer capacity of the branch is its. */
export function slotWriteUnder(
  { rules, capacity_position }: BranchRules,
  { view, own_capacity_minor, position }: MirroredSlot,
): KeyWrite {
  if (own_capacity_minor !== null || position >= capacity_position) return slotWrite(view, position);
  return slotWrite({ ...view, capacity_minor: rules.capacity_minor }, capacity_position);
}
