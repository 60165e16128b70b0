import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { Campaign, type CampaignOptions } from "./campaign";
import { reportLines } from "./report";
import { SABOTAGE_NAMES, sabotagesNamed, type SabotageName } from "./sabotages/all-sabotages";
import { everyRound } from "./sabotages/rounds";
import { FAULT_NAMES, faultsNamed, SHORT_FAULTS } from "./schedule";

const USAGE = `npm run chaos -- [--seed N] [--minutes M | --rounds N] [--short] [--faults a,b,…] [--nodes N] [--customers N] [--sabotage all|a,b,…] [--keep]

  --seed       numbers that decide everything that is decided here (any, shown at the start)
  --minutes    how long to strike; --rounds: how often every fault strikes (1 round)
  --short      the main faults once, against a fleet without Kafka
  --faults     of ${FAULT_NAMES.join(", ")}
  --sabotage   breaks the product on purpose and asks whether the checks notice, in short rounds of their own:
               all, or of ${SABOTAGE_NAMES.join(", ")}
  --keep       keeps the folder also when nothing was violated`;

/** Wrong usage, as in the main program. */
const WRONG_USAGE = 2;

interface Options extends CampaignOptions {
  readonly keep: boolean;
  readonly sabotages: readonly SabotageName[];
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      minutes: { type: "string" },
      rounds: { type: "string", default: "1" },
      short: { type: "boolean", default: false },
      faults: { type: "string" },
      nodes: { type: "string", default: "3" },
      customers: { type: "string", default: "12" },
      sabotage: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  const { seed, minutes, rounds, short, faults: named, nodes, customers, sabotage, keep } = values;
  const faults = faultsNamed(named ?? (short ? SHORT_FAULTS : FAULT_NAMES).join(","));
  return {
    seed: whole("seed", seed),
    folder: mkdtempSync(path.join(tmpdir(), "forno-chaos-")),
    faults,
    end: minutes === undefined ? { rounds: whole("rounds", rounds) } : { minutes: whole("minutes", minutes) },
    fleet: {
      nodes: whole("nodes", nodes),
      redis: true,
      nats: true,
      kafka: short ? false : "if-possible",
      anyPorts: true,
      env: { RATE_LIMIT: "off", LOG_LEVEL: "warn", METRICS: "off" },
    },
    customers: whole("customers", customers),
    think_ms_max: 60,
    say: console.log,
    sabotages: sabotage === undefined ? [] : sabotagesNamed(sabotage),
    keep,
  };
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new RangeError(`--${name} is a whole number.`);
  return value;
}

async function main(): Promise<void> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch (error) {
    console.error(`${String(error)}\n\n${USAGE}`);
    process.exitCode = WRONG_USAGE;
    return;
  }
  const { seed, folder, keep, sabotages } = options;
  if (sabotages.length > 0) {
    rmSync(folder, { recursive: true });
    if (!(await everyRound(sabotages, options))) process.exitCode = 1;
    return;
  }
  console.log(`Chaos with seed ${String(seed)} in ${folder}`);
  const report = await new Campaign(options).run();
  writeFileSync(path.join(folder, "violations.json"), JSON.stringify(report.violations, undefined, 2));
  for (const line of reportLines(report)) console.log(line);
  if (report.violations.length > 0) process.exitCode = 1;
  else if (!keep) rmSync(folder, { recursive: true, force: true });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
