import type { Decider, Decision } from "../../mixins/actor/decider";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { changedRules, named, rulesRefusal, withWish, type SlotRulesWish } from "./branch.rules";
import {
  branchCodeStream,
  type Branch,
  type BranchDetails,
  type BranchEvent,
  type SlotRules,
} from "./branch.events";

/** Details as a request names them. */
export type DetailsWish = {
  readonly [K in Exclude<keyof BranchDetails, "code">]?: BranchDetails[K] | undefined;
};

export type BranchCommand =
  | {
      readonly type: "open";
      readonly branch_id: string;
      readonly details: BranchDetails;
      readonly slot_rules: SlotRules;
    }
  | { readonly type: "change"; readonly wish: DetailsWish }
  | { readonly type: "configure_slots"; readonly wish: SlotRulesWish };

/** What a branch needs to know of the others. */
export interface Chain {
  readonly codes: ReadonlySet<string>;
  readonly default_branch_id: string | undefined;
}

/** Null: not opened yet. */
export type BranchState = Branch | null;

/** The answer of every command: the branch as it then is. */
export interface BranchAnswer {
  readonly branch: Branch;
}

export const BRANCH_UNKNOWN = refuse("not_found", "branch.unknown", "There is no such branch.");

/** The rules of one branch. The state is never changed in place: directories keep it. */
export const branchDecider: Decider<BranchState, BranchCommand, BranchEvent, Chain> = {
  initialState: () => null,
  decide,
  evolve,
};

function decide(command: BranchCommand, state: BranchState, chain: Chain): Decision<BranchEvent> | Refusal {
  switch (command.type) {
    case "open":
      return open(command, state, chain);
    case "change":
      return state === null ? BRANCH_UNKNOWN : change(command.wish, state, chain);
    case "configure_slots":
      return state === null ? BRANCH_UNKNOWN : configureSlots(command.wish, state, chain);
    default:
      return command satisfies never;
  }
}

function open(
  { branch_id, details, slot_rules }: Extract<BranchCommand, { type: "open" }>,
  state: BranchState,
  chain: Chain,
): Decision<BranchEvent> | Refusal {
  if (state !== null) return refuse("conflict", "branch.exists", "A branch with this id is open already.");
  if (chain.codes.has(details.code)) return codeTaken(details.code);
  const wrong = detailsRefusal(details) ?? rulesRefusal(slot_rules);
  if (wrong !== undefined) return wrong;
  // The first branch takes the orders that name none, whatever it was asked to do.
  const is_default = details.is_default || chain.default_branch_id === undefined;
  const opened: BranchEvent = {
    type: "branch.opened",
    data: { branch_id, details: { ...details, is_default }, slot_rules },
  };
  const stream_id = branchCodeStream(details.code);
  // Two branches opened at the same moment cannot both found the stream of one code.
  const taken = { type: "branch.code_taken", data: { code: details.code, branch_id } };
  const founds = [{ stream_id, stream_type: "branch-code", expected_version: 0, events: [taken] }];
  return { ...decided(state, [opened], branch_id, chain), founds };
}

function change(wish: DetailsWish, branch: Branch, chain: Chain): Decision<BranchEvent> | Refusal {
  const details: Partial<BranchDetails> = named(wish);
  const wrong = detailsRefusal({ ...branch, ...details });
  if (wrong !== undefined) return wrong;
  const { branch_id } = branch;
  const is_default = chain.default_branch_id === branch_id;
  if (details.is_default === false && is_default)
    return refuse(
      "conflict",
      "branch.default_required",
      "One branch takes the orders that name none: make another one the default.",
    );
  const now: Partial<BranchDetails> = { ...branch, is_default };
  const changed = Object.fromEntries(
    Object.entries(details).filter(
      ([key, value]) => JSON.stringify(now[key as keyof BranchDetails]) !== JSON.stringify(value),
    ),
  ) as Partial<BranchDetails>;
  const events: BranchEvent[] =
    Object.keys(changed).length === 0
      ? []
      : [{ type: "branch.changed", data: { branch_id, details: changed } }];
  return decided(branch, events, branch_id, chain);
}

function configureSlots(wish: SlotRulesWish, branch: Branch, chain: Chain): Decision<BranchEvent> | Refusal {
  const { branch_id } = branch;
  const rules = withWish(branch.slot_rules, wish);
  const wrong = rulesRefusal(rules);
  if (isRefusal(wrong)) return wrong;
  const slot_rules = changedRules(branch.slot_rules, rules);
  const events: BranchEvent[] =
    Object.keys(slot_rules).length === 0
      ? []
      : [{ type: "branch.slots_configured", data: { branch_id, slot_rules } }];
  return decided(branch, events, branch_id, chain);
}

function decided(
  state: BranchState,
  events: readonly BranchEvent[],
  branch_id: string,
  chain: Chain,
): Decision<BranchEvent> {
  const after = events.reduce(evolve, state);
  if (after === null) throw new Error("A branch that was just decided on has no state.");
  const claims = events.some(
    (event) => event.type !== "branch.slots_configured" && event.data.details.is_default === true,
  );
  const is_default = claims || chain.default_branch_id === branch_id;
  const answer: BranchAnswer = { branch: { ...after, is_default } };
  return { events, answer };
}

function evolve(state: BranchState, event: BranchEvent): BranchState {
  if (event.type === "branch.opened") {
    const { branch_id, details, slot_rules } = event.data;
    return { branch_id, version: 1, ...details, slot_rules };
  }
  if (state === null) throw new Error(`${event.type} comes before branch.opened.`);
  const version = state.version + 1;
  switch (event.type) {
    case "branch.changed":
      return { ...state, ...event.data.details, version };
    case "branch.slots_configured":
      return { ...state, slot_rules: { ...state.slot_rules, ...event.data.slot_rules }, version };
    default:
      return event satisfies never;
  }
}

/** The refusal of a code that another branch has. */
export function codeTaken(code: string): Refusal {
  return refuse(
    "conflict",
    "branch.code_taken",
    `Another branch has the code ${code}; display ids need one of their own.`,
  );
}

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

function detailsRefusal({ time_zone, currency }: BranchDetails): Refusal | undefined {
  if (!isTimeZone(time_zone))
    return refuse(
      "invalid",
      "branch.time_zone_unknown",
      `${time_zone} is not a time zone; name one like Asia/Krasnoyarsk.`,
    );
  if (!CURRENCIES.has(currency))
    return refuse("invalid", "branch.currency_unknown", `${currency} is not a currency; name one like RUB.`);
  return undefined;
}

function isTimeZone(name: string): boolean {
  // Offsets such as +07:00 are valid for Intl and know no summer time: a branch stands in a place, not in an offset.
  if (/^[+-]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    // RangeError is how Intl says no.
    return false;
  }
}
