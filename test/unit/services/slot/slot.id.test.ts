import { parseSlotId, slotIdOf } from "../../../../services/slot/slot.id";
import { BRANCH_ID, ms, slotId } from "./kitchen";

describe("the name of a slot", () => {
  it("says branch and start", () => {
    expect(slotIdOf(BRANCH_ID, ms("09:45"))).toBe(`${BRANCH_ID}_20260302T0945Z`);
  });

  it("reads back", () => {
    expect(parseSlotId(slotId("09:45"))).toEqual({ branch_id: BRANCH_ID, start_ms: ms("09:45") });
  });

  it.each([
    ["nothing", ""],
    ["a word", "config"],
    ["no branch", "_20260302T0945Z"],
    ["a date that does not exist", `${BRANCH_ID}_20260230T0945Z`],
    ["an hour that does not exist", `${BRANCH_ID}_20260302T2545Z`],
    ["seconds", `${BRANCH_ID}_20260302T094500Z`],
    ["a year beyond every calendar", `${BRANCH_ID}_99991231T2345Z`],
    ["something before it", `x${BRANCH_ID}_20260302T0945Z`],
    ["capital letters in the branch", `${BRANCH_ID.toUpperCase()}_20260302T0945Z`],
  ])("is not read from %s", (_what, text) => {
    expect(parseSlotId(text)).toBeUndefined();
  });
});
