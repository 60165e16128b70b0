import path from "node:path";
import { fleetOptions, USAGE, UsageError } from "./command-line";
import { Fleet } from "./fleet";

const WRONG_USAGE = 2;
const FAILED = 1;

function say(line: string): void {
  console.error(line);
}

function end(code: number, message: string): never {
  say(message);
  process.exit(code);
}

/** What runs where, one line each. */
function tableOf(fleet: Fleet): string {
  const rows = fleet.parts.map(({ name, pid, where, logFile }) => [
    name,
    String(pid ?? "-"),
    where,
    shortest(logFile),
  ]);
  const table = [["name", "pid", "where", "log"], ...rows];
  const width = (column: number): number => Math.max(...table.map((row) => row[column]?.length ?? 0));
  return table
    .map((row) => `  ${row.map((cell, at) => cell.padEnd(width(at))).join("  ")}`.trimEnd())
    .join("\n");
}

function shortest(file: string): string {
  const relative = path.relative("", file);
  return relative.length < file.length ? relative : file;
}

/** The first signal stops gracefully, also in the middle of the start; a second one at once, PostgreSQL then goes on. */
function stopOnSignals(starting: Promise<Fleet>): void {
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      if (stopping) process.exit(FAILED);
      stopping = true;
      say("Stopping: the nodes one after the other, then the servers. Once more to end at once.");
      starting
        .then((fleet) => fleet.stop())
        .then(
          () => process.exit(0),
          (error: unknown) => end(FAILED, `Stopping failed: ${String(error)}`),
        );
    });
}

async function main(): Promise<void> {
  const options = fleetOptions(process.argv.slice(2), process.env);
  if (options === undefined) {
    console.log(USAGE);
    return;
  }
  const started_ms = performance.now();
  const starting = Fleet.start({ ...options, report: say });
  stopOnSignals(starting);
  const fleet = await starting;
  const seconds = ((performance.now() - started_ms) / 1000).toFixed(1);
  console.log(`The fleet is ready after ${seconds} s.\n\n${tableOf(fleet)}\n`);
  if (fleet.isNew)
    console.log(
      `  First start: sign in as admin with the password ${fleet.adminPassword}\n  It is shown this once.\n`,
    );
}

main().catch((error: unknown) => {
  if (error instanceof UsageError) end(WRONG_USAGE, error.message);
  end(FAILED, error instanceof Error ? error.message : String(error));
});
