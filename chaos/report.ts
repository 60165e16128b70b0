import type { CampaignReport } from "./campaign";
import type { Struck } from "./strikes";
import { operationsOf, type Operation, type Outcome } from "./history";

/** So many violations are shown whole; the rest is counted by promise. */
const SHOWN_MAX = 30;
/** After a fault is undone, clients may still wait for it: their pauses between two attempts, and a node that starts. */
const ECHO_MS = 1_000;

/** What clients saw of a fault. */
export interface FaultFigures {
  readonly fault: string;
  readonly struck: number;
  /** The longest that one client waited for its answer meanwhile. */
  readonly longest_wait_ms: number;
  /** The longest stretch in which nobody at all was answered with success. */
  readonly longest_silence_ms: number;
}

type Timed = Pick<Operation, "start_ms" | "end_ms" | "outcome">;

/** Figures by fault, in the order in which faults came first. */
export function faultFigures(struck: readonly Struck[], operations: readonly Timed[]): FaultFigures[] {
  const acked_ms = operations
    .filter(({ outcome }) => outcome === "acked")
    .map(({ end_ms }) => end_ms)
    .sort((a, b) => a - b);
  return [...Map.groupBy(struck, ({ fault }) => fault)].map(([fault, times]) => ({
    fault,
    struck: times.length,
    longest_wait_ms: Math.max(...times.map((time) => longestWait(time, operations))),
    longest_silence_ms: Math.max(...times.map((time) => longestSilence(time, acked_ms))),
  }));
}

/** The longest operation that was under way at some moment between a fault's begin and its echo. */
function longestWait({ began_ms, ended_ms }: Struck, operations: readonly Timed[]): number {
  let longest = 0;
  for (const { start_ms, end_ms } of operations)
    if (end_ms >= began_ms && start_ms <= ended_ms + ECHO_MS) longest = Math.max(longest, end_ms - start_ms);
  return longest;
}

/** @param acked_ms when somebody was answered with success, in order. */
function longestSilence({ began_ms, ended_ms }: Struck, acked_ms: readonly number[]): number {
  let [longest, last] = [0, 0];
  for (const at of acked_ms) {
    if (at >= began_ms && last <= ended_ms + ECHO_MS) longest = Math.max(longest, at - last);
    last = at;
  }
  return longest;
}

const OUTCOMES: readonly Outcome[] = ["acked", "refused", "unknown", "broken"];

/** How often each operation came to what. */
export function operationFigures(
  operations: readonly Pick<Operation, "op" | "outcome">[],
): readonly { readonly op: string; readonly counts: Readonly<Record<Outcome, number>> }[] {
  return [...Map.groupBy(operations, ({ op }) => op)].map(([op, all]) => ({
    op,
    counts: Object.fromEntries(
      OUTCOMES.map((outcome) => [outcome, all.filter((one) => one.outcome === outcome).length]),
    ) as Record<Outcome, number>,
  }));
}

/** How many looks at the sales were answered from a cache, of all that were answered. */
export function cacheFigures(operations: readonly Operation[]): {
  readonly hits: number;
  readonly looks: number;
} {
  const answers = operationsOf(operations, "sales").flatMap(({ answer }) => answer ?? []);
  return { hits: answers.filter(({ x_cache }) => x_cache === "HIT").length, looks: answers.length };
}

/** The report as people read it. */
export function reportLines(report: CampaignReport): string[] {
  const { struck, operations, violations, seed, folder } = report;
  const faults = faultFigures(struck, operations);
  const figures = operationFigures(operations);
  const { hits, looks } = cacheFigures(operations);
  return [
    "",
    row("fault", "struck", "longest wait ms", "silence ms"),
    ...faults.map((each) => row(each.fault, each.struck, each.longest_wait_ms, each.longest_silence_ms)),
    "",
    row("operation", ...OUTCOMES),
    ...figures.map(({ op, counts }) => row(op, ...OUTCOMES.map((outcome) => counts[outcome]))),
    row("all", ...OUTCOMES.map((outcome) => figures.reduce((sum, { counts }) => sum + counts[outcome], 0))),
    "",
    `${report.events} events in the log; ${report.socket_messages} messages over ${report.socket_connections} socket connections; ${hits} of ${looks} looks at the sales answered from a cache.`,
    ...violationLines(report),
    violations.length === 0
      ? `0 violations (seed ${seed}).`
      : `${violations.length} VIOLATIONS. Again: npm run chaos -- --seed ${seed}. Everything is kept in ${folder}.`,
  ];
}

function violationLines({ violations }: Pick<CampaignReport, "violations">): string[] {
  if (violations.length === 0) return [];
  const byPromise = [...Map.groupBy(violations, ({ promise }) => promise)];
  return [
    "",
    row("violated", "times"),
    ...byPromise.map(([promise, all]) => row(promise, all.length)),
    "",
    ...violations.slice(0, SHOWN_MAX).map(({ promise, detail }) => `  ${promise}: ${detail}`),
    ...(violations.length > SHOWN_MAX
      ? [`  … and ${violations.length - SHOWN_MAX} more in violations.json`]
      : []),
  ];
}

function row(first: string, ...cells: readonly (string | number)[]): string {
  return first.padEnd(28) + cells.map((cell) => String(cell).padStart(16)).join("");
}
