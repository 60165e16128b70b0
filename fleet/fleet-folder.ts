import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { lookAtProcess } from "../mixins/process-table";
import { FleetPostgres } from "./fleet-postgres";

const LOCK = "fleet.pid";
const DATABASES = ["postgres", "replica"];
/** What a fleet makes in its folder. */
const OWN = new RegExp(
  `^(${[...DATABASES, "redis", "nats", "kafka", "node-\\d+", "secrets\\.json"].join("|")})$`,
);

/**
 * Sees to it that one fleet at a time runs in a folder: two would write the same files. Answers with how to let go.
 * @throws Error that names the process which has it.
 */
export function lockFolder(folder: string): () => void {
  const file = path.join(folder, LOCK);
  const [holder = "", started] = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  if (isAlive(Number(holder), started))
    throw new Error(
      `A fleet runs in ${folder} already (pid ${holder}): stop it, or use another folder. If that process is none, remove ${file}.`,
    );
  const us = lookAtProcess(process.pid);
  writeFileSync(file, typeof us === "object" ? `${String(process.pid)}\n${us.started}` : String(process.pid));
  return () => {
    rmSync(file, { force: true });
  };
}

/**
 * Empties a fleet's folder, of which this process has the lock. A PostgreSQL that outlived its fleet there is ended.
 * @throws Error when the folder holds anything that no fleet made; then nothing is removed.
 */
export async function clearFolder(folder: string): Promise<void> {
  const entries = readdirSync(folder).filter((name) => name !== LOCK);
  const strange = entries.find((name) => !OWN.test(name));
  if (strange !== undefined)
    throw new Error(`${folder} holds ${strange}, which is not a fleet's: not cleared.`);
  for (const name of entries.filter((entry) => DATABASES.includes(entry)))
    await new FleetPostgres(path.join(folder, name)).kill();
  for (const name of entries) rmSync(path.join(folder, name), { recursive: true, force: true });
}

/** By its number and its beginning: a number alone is given to another process, at the latest when the machine starts again. */
function isAlive(pid: number, started: string | undefined): boolean {
  if (!(pid > 0)) return false;
  const found = lookAtProcess(pid);
  if (typeof found === "object") return started === undefined || found.started === started;
  return found === "hidden";
}
