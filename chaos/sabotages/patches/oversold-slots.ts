import { slotDecider } from "../../../services/slot/slot.decider";
import { replaceMethod } from "../replace";

replaceMethod(slotDecider, "decide", (original) => (command, state, given) => {
  if (command.type !== "slot.place") return original(command, state, given);
  const { branch } = given;
  const slot_rules = { ...branch.slot_rules, capacity_minor: 2 * branch.slot_rules.capacity_minor };
  return original(command, state, { ...given, branch: { ...branch, slot_rules } });
});
