import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Campaign, type CampaignOptions, type CampaignReport } from "../campaign";
import type { FaultName } from "../schedule";
import { SABOTAGE_NAMES, SABOTAGES, type Sabotage, type SabotageName } from "./all-sabotages";
import { sabotagedBy } from "./environment";

/** Longer than a cache or a menu may be old. */
const LOAD_MS_MIN = 14_000;
/** What does not come to rest here never will: a mirror or a read model that is wrong. */
const PATIENCE_MS = 6_000;
/** Half of the machine is enough to be caught. */
const NODES = 2;

export type RoundOptions = Pick<CampaignOptions, "seed" | "customers" | "say" | "load_ms_min"> & {
  /** Those without which the sabotages cannot be seen, unless said; all of them where there is no sabotage. */
  readonly faults?: readonly FaultName[];
};

/** A short run of a product that is sabotaged in all of these ways at once, or in none. */
export async function round(
  names: readonly SabotageName[],
  { seed, customers, say, load_ms_min = LOAD_MS_MIN, faults = faultsFor(names) }: RoundOptions,
): Promise<CampaignReport> {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-chaos-"));
  const report = await new Campaign({
    ...{ seed, folder, faults, customers, say, think_ms_max: 60, end: { rounds: 1 } },
    ...{ load_ms_min, patience_ms: PATIENCE_MS, sweep_ms: 0 },
    fleet: {
      ...{ nodes: NODES, redis: true, nats: true, kafka: false, anyPorts: true },
      env: { RATE_LIMIT: "off", LOG_LEVEL: "warn", METRICS: "off", ...sabotagedBy(names) },
    },
  }).run();
  writeFileSync(path.join(folder, "violations.json"), JSON.stringify(report.violations, undefined, 2));
  // What was found is looked into there.
  const isAsWanted = undiscovered(names, report).length === 0 && (names.length > 0 || isClean(report));
  if (isAsWanted) rmSync(folder, { recursive: true, force: true });
  return report;
}

function faultsFor(names: readonly SabotageName[]): FaultName[] {
  const sabotages: readonly Sabotage[] = (names.length === 0 ? SABOTAGE_NAMES : names).map(
    (name) => SABOTAGES[name],
  );
  return [...new Set(sabotages.flatMap(({ faults = [] }) => faults))];
}

const isClean = ({ violations }: Pick<CampaignReport, "violations">): boolean => violations.length === 0;

/** Sabotages that a report does not give away. */
export function undiscovered(
  names: readonly SabotageName[],
  { violations }: Pick<CampaignReport, "violations">,
): SabotageName[] {
  const broken = new Set(violations.map(({ promise }) => promise));
  return names.filter((name) => !SABOTAGES[name].found_by.some((promise) => broken.has(promise)));
}

/** Runs one round for each sabotage and one without any, and says what came of it; resolves with whether all was as it should be. */
export async function everyRound(names: readonly SabotageName[], options: RoundOptions): Promise<boolean> {
  const { say } = options;
  const quiet = { ...options, say: () => undefined };
  let good = true;
  for (const name of names) {
    const [found, what] = await round([name], quiet).then(
      (report) => [undiscovered([name], report).length === 0, told(report)] as const,
      // A run that breaks off has judged nothing.
      (error: unknown) => [false, String(error)] as const,
    );
    good &&= found;
    say(`${found ? "found " : "MISSED"}  ${name.padEnd(22)}${SABOTAGES[name].what}: ${what}`);
  }
  const clean = await round([], quiet);
  say(`${isClean(clean) ? "clean " : "UNFAIR"}  ${"(none)".padEnd(22)}${told(clean)}`);
  return good && isClean(clean);
}

/** How often each promise was broken. */
function told({ violations, folder }: Pick<CampaignReport, "violations" | "folder">): string {
  const byPromise = [...Map.groupBy(violations, ({ promise }) => promise)];
  if (byPromise.length === 0) return `nothing was found, in ${folder}`;
  return byPromise.map(([promise, all]) => `${promise} ${all.length}`).join(", ");
}
