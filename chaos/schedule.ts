import type { Random } from "./random";

/** What can be done to a fleet. */
export const FAULT_NAMES = [
  "kill-node",
  "kill-sequencer",
  "kill-postgres",
  "cut-commit",
  "freeze-node",
  "rolling-restart",
  "kill-redis",
  "empty-redis",
  "flush-redis",
  "kill-nats",
  "kill-kafka",
  "partition",
  "contest-checkpoint",
  "frozen-standby",
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

/** The main ones, which together fit into a check of a minute. */
export const SHORT_FAULTS: readonly FaultName[] = [
  "kill-node",
  "kill-sequencer",
  "kill-postgres",
  "cut-commit",
  "empty-redis",
  "kill-nats",
  "freeze-node",
  "contest-checkpoint",
];

/** One fault at its time. All numbers are drawn beforehand, so that a seed always means the same. */
export interface Strike {
  readonly fault: FaultName;
  /** Undisturbed load before it. */
  readonly calm_ms: number;
  /** Of the node that it hits, where it hits one. */
  readonly node: number;
  /** How long what is killed stays away, or what is held stays held; each fault has its own bounds for it. */
  readonly away_share: number;
  /** How much of it, e.g. how many commits are cut. */
  readonly force: number;
}

const CALM_MS_MIN = 300;
const CALM_MS_MAX = 2_000;
const FORCE_MAX = 5;

/**
 * An endless row of strikes: every fault once in a random order, then again in another, so that also a short run has met
 * them all.
 */
export function* scheduleOf(
  random: Random,
  faults: readonly FaultName[],
  nodes: number,
): Generator<Strike, never> {
  if (faults.length === 0) throw new RangeError("A schedule needs faults.");
  for (;;)
    for (const fault of random.shuffled(faults))
      yield {
        fault,
        calm_ms: random.between(CALM_MS_MIN, CALM_MS_MAX),
        node: random.between(0, nodes - 1),
        away_share: random.next(),
        force: random.between(1, FORCE_MAX),
      };
}

/** Reads `a,b,c`. @throws RangeError that names what is no fault. */
export function faultsNamed(list: string): readonly FaultName[] {
  const names = list.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !(FAULT_NAMES as readonly string[]).includes(name));
  if (wrong !== undefined) throw new RangeError(`${wrong} is no fault; there are ${FAULT_NAMES.join(", ")}.`);
  return names as FaultName[];
}
