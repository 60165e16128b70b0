import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Campaign, type CampaignOptions, type CampaignReport } from "../campaign";
import type { FaultName } from "../schedule";
import { SABOTAGES, type Sabotage, type SabotageName } from "./all-sabotages";
import { sabotagedBy } from "./environment";

/** Longer than a cache or a menu may be old. */
const LOAD_MS = 14_000;
/** What does not come to rest here never will: a mirror or a read model that is wrong. */
const PATIENCE_MS = 6_000;
/** Half of the machine is enough to be caught. */
const NODES = 2;

/** A short run of a product that is sabotaged in all of these ways at once, or in none. */
export async function round(
  names: readonly SabotageName[],
  { seed, customers, say }: Pick<CampaignOptions, "seed" | "customers" | "say">,
): Promise<CampaignReport> {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-chaos-"));
  const faults =
    names.length === 0 ? faultsOf(Object.values(SABOTAGES)) : faultsOf(names.map((name) => SABOTAGES[name]));
  const report = await new Campaign({
    ...{ seed, folder, faults, customers, say, think_ms_max: 60, end: { rounds: 1 } },
    ...{ load_ms_min: LOAD_MS, patience_ms: PATIENCE_MS, sweep_ms: 0 },
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

const faultsOf = (sabotages: readonly Sabotage[]): FaultName[] => [
  ...new Set(sabotages.flatMap(({ faults = [] }) => faults)),
];

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
export async function everyRound(
  names: readonly SabotageName[],
  options: Pick<CampaignOptions, "seed" | "customers" | "say">,
): Promise<boolean> {
  const { say } = options;
  const quiet = { ...options, say: () => undefined };
  let good = true;
  for (const name of names) {
    const report = await round([name], quiet);
    const found = undiscovered([name], report).length === 0;
    good &&= found;
    say(`${found ? "found " : "MISSED"}  ${name.padEnd(22)}${SABOTAGES[name].what}: ${told(report)}`);
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
