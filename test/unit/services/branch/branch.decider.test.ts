import { isRefusal, type Refusal } from "../../../../mixins/contract/refusal";
import type { Decision } from "../../../../mixins/actor/decider";
import {
  branchDecider,
  type BranchAnswer,
  type BranchCommand,
  type BranchState,
  type Chain,
} from "../../../../services/branch/branch.decider";
import type {
  Branch,
  BranchDetails,
  BranchEvent,
  SlotRules,
} from "../../../../services/branch/branch.events";
import { everyDay } from "../../../../services/branch/new-branch";

const ID = "0196a000-0000-7000-8000-000000000001";
const OTHER = "0196a000-0000-7000-8000-000000000002";
const details: BranchDetails = {
  code: "K",
  name: { ru: "На Мира", en: "Mira street" },
  address: { ru: "пр. Мира, 1", en: "1 Mira ave" },
  phone: null,
  time_zone: "Asia/Krasnoyarsk",
  currency: "RUB",
  delivery_fee_minor: 15_000,
  free_delivery_from_minor: 150_000,
  is_default: false,
  legal_entity_id: null,
};
const slot_rules: SlotRules = {
  capacity_minor: 1_000_000,
  slot_minutes: 15,
  lead_time_minutes: 30,
  preorder_hours: 24,
  oversize: "spread",
  hours: everyDay({ open: "09:45", close: "23:45" }),
  holidays: [],
};
const empty: Chain = { codes: new Set(), default_branch_id: undefined };
const chain: Chain = { codes: new Set(["K", "M"]), default_branch_id: OTHER };
const asDefault: Chain = { ...chain, default_branch_id: ID };
const opening: BranchCommand = { type: "open", branch_id: ID, details, slot_rules };
const opened: BranchEvent = { type: "branch.opened", data: { branch_id: ID, details, slot_rules } };

const given = (...events: BranchEvent[]): BranchState =>
  events.reduce(
    (state: BranchState, event) => branchDecider.evolve(state, event),
    branchDecider.initialState(),
  );
const decide = (
  command: BranchCommand,
  state: BranchState,
  others = chain,
): Decision<BranchEvent> | Refusal => branchDecider.decide(command, state, others);
const decided = (outcome: Decision<BranchEvent> | Refusal): Decision<BranchEvent> => {
  if (isRefusal(outcome)) throw new Error(`refused: ${outcome.code}`);
  return outcome;
};
const answerOf = (outcome: Decision<BranchEvent> | Refusal): Branch =>
  (decided(outcome).answer as BranchAnswer).branch;

describe("A branch that opens", () => {
  it("tells its details and rules, and reserves its code", () => {
    const decision = decided(decide(opening, null, { ...chain, codes: new Set(["M"]) }));
    expect(decision.events).toEqual([opened]);
    expect(decision.founds).toEqual([
      {
        stream_id: "branch-code-K",
        stream_type: "branch-code",
        expected_version: 0,
        events: [{ type: "branch.code_taken", data: { code: "K", branch_id: ID } }],
      },
    ]);
  });

  it("is the default when it is the first", () => {
    expect(answerOf(decide(opening, null, empty)).is_default).toBe(true);
  });

  it("is not the default beside another, unless it is asked to be", () => {
    const others: Chain = { codes: new Set(), default_branch_id: OTHER };
    expect(answerOf(decide(opening, null, others)).is_default).toBe(false);
    const asked: BranchCommand = {
      type: "open",
      branch_id: ID,
      details: { ...details, is_default: true },
      slot_rules,
    };
    expect(answerOf(decide(asked, null, others)).is_default).toBe(true);
  });

  it.each<[string, Refusal | object, BranchState, Partial<BranchDetails>, Partial<SlotRules>]>([
    ["branch.exists", { refused: "conflict" }, given(opened), {}, {}],
    ["branch.code_taken", { refused: "conflict" }, null, { code: "M" }, {}],
    ["branch.time_zone_unknown", { refused: "invalid" }, null, { code: "A", time_zone: "Asia/Atlantis" }, {}],
    ["branch.time_zone_unknown", { refused: "invalid" }, null, { code: "A", time_zone: "+07:00" }, {}],
    ["branch.currency_unknown", { refused: "invalid" }, null, { code: "A", currency: "ZZZ" }, {}],
    [
      "branch.hours_invalid",
      { refused: "invalid" },
      null,
      { code: "A" },
      { hours: everyDay({ open: "9:45", close: "23:45" }) },
    ],
  ])("is refused as %s", (code, kind, state, other_details, other_rules) => {
    const command: BranchCommand = {
      type: "open",
      branch_id: ID,
      details: { ...details, ...other_details },
      slot_rules: { ...slot_rules, ...other_rules },
    };
    expect(decide(command, state)).toMatchObject({ code, ...kind });
  });
});

describe("A change of a branch", () => {
  it("tells only what differs", () => {
    const wish = {
      phone: "+73912000000",
      currency: "RUB",
      delivery_fee_minor: 0,
      free_delivery_from_minor: null,
    };
    const decision = decided(decide({ type: "change", wish }, given(opened)));
    expect(decision.events).toEqual([
      {
        type: "branch.changed",
        data: {
          branch_id: ID,
          details: { phone: "+73912000000", delivery_fee_minor: 0, free_delivery_from_minor: null },
        },
      },
    ]);
  });

  it("that changes nothing writes nothing, and answers the branch", () => {
    const outcome = decide({ type: "change", wish: { time_zone: "Asia/Krasnoyarsk" } }, given(opened));
    expect(decided(outcome).events).toEqual([]);
    expect(answerOf(outcome)).toMatchObject({ branch_id: ID, version: 1 });
  });

  it("can make it the default, also again after another one has been", () => {
    const was_default = given({
      ...opened,
      data: { ...opened.data, details: { ...details, is_default: true } },
    });
    const outcome = decide({ type: "change", wish: { is_default: true } }, was_default, chain);
    expect(decided(outcome).events).toEqual([
      { type: "branch.changed", data: { branch_id: ID, details: { is_default: true } } },
    ]);
    expect(answerOf(outcome).is_default).toBe(true);
  });

  it("cannot leave the chain without a default", () => {
    expect(decide({ type: "change", wish: { is_default: false } }, given(opened), asDefault)).toMatchObject({
      refused: "conflict",
      code: "branch.default_required",
    });
  });

  it("needs a branch, a real time zone and a real currency", () => {
    expect(decide({ type: "change", wish: {} }, null)).toMatchObject({
      refused: "not_found",
      code: "branch.unknown",
    });
    const refusal = decide({ type: "change", wish: { time_zone: "Mars/Olympus" } }, given(opened));
    expect(refusal).toMatchObject({ code: "branch.time_zone_unknown" });
    expect(decide({ type: "change", wish: { currency: "XYZ" } }, given(opened))).toMatchObject({
      code: "branch.currency_unknown",
    });
  });
});

describe("New slot rules", () => {
  it("change what they name and nothing else; 0, false and null count as named", () => {
    const wish = { capacity_minor: 0, lead_time_minutes: 0, preorder_hours: 0, hours: { "7": null } };
    const decision = decided(decide({ type: "configure_slots", wish }, given(opened)));
    expect(decision.events).toEqual([
      {
        type: "branch.slots_configured",
        data: {
          branch_id: ID,
          slot_rules: {
            capacity_minor: 0,
            lead_time_minutes: 0,
            preorder_hours: 0,
            hours: { ...slot_rules.hours, "7": null },
          },
        },
      },
    ]);
    expect((decision.answer as BranchAnswer).branch.slot_rules).toMatchObject({
      slot_minutes: 15,
      oversize: "spread",
    });
  });

  it("that are the old ones write nothing", () => {
    const wish = { slot_minutes: 15, hours: { "1": { open: "09:45", close: "23:45" } } };
    expect(decided(decide({ type: "configure_slots", wish }, given(opened))).events).toEqual([]);
  });

  it("are checked as a whole: a slot must fit the hours that stay", () => {
    const short = given(opened, {
      type: "branch.slots_configured",
      data: {
        branch_id: ID,
        slot_rules: { hours: { ...slot_rules.hours, "1": { open: "10:00", close: "11:00" } } },
      },
    });
    expect(decide({ type: "configure_slots", wish: { slot_minutes: 90 } }, short)).toMatchObject({
      refused: "unprocessable",
      code: "branch.slot_longer_than_hours",
    });
  });

  it("need a branch", () => {
    expect(decide({ type: "configure_slots", wish: {} }, null)).toMatchObject({ code: "branch.unknown" });
  });
});

describe("A branch folded from its events", () => {
  it("has the newest of everything and counts its versions", () => {
    const state = given(
      opened,
      { type: "branch.changed", data: { branch_id: ID, details: { phone: "+7391" } } },
      { type: "branch.slots_configured", data: { branch_id: ID, slot_rules: { slot_minutes: 30 } } },
    );
    expect(state).toMatchObject({
      branch_id: ID,
      version: 3,
      phone: "+7391",
      code: "K",
      slot_rules: { slot_minutes: 30, capacity_minor: 1_000_000 },
    });
  });

  it("is never changed in place", () => {
    const before = given(opened);
    const copy = structuredClone(before);
    branchDecider.evolve(before, {
      type: "branch.changed",
      data: { branch_id: ID, details: { phone: "+7391" } },
    });
    expect(before).toEqual(copy);
  });
});
