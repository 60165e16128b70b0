import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

/** Programs that the fleet runs, and the Debian packages that bring them. */
const PACKAGES: Readonly<Record<string, string>> = {
  "redis-server": "redis-server",
  "nats-server": "nats-server",
};

/** Where Debian puts servers, which an ordinary user's PATH may lack. */
const SERVER_FOLDERS = ["/usr/sbin", "/usr/local/sbin"];

/**
 * Sees to it that the programs are here: as root on Debian what is missing is installed.
 * @throws Error with the command to run, where that is not possible.
 */
export function ensurePrograms(...programs: readonly string[]): void {
  process.env["PATH"] = [process.env["PATH"], ...SERVER_FOLDERS].join(path.delimiter);
  const missing = programs
    .filter((program) => !isHere(program))
    .map((program) => PACKAGES[program] ?? program);
  if (missing.length === 0) return;
  const wanted = missing.join(" ");
  if (process.getuid?.() !== 0 || !isHere("apt-get"))
    throw new Error(
      `Missing: ${wanted}. Install them (Debian: sudo apt-get install ${wanted}) and try again.`,
    );
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["update", "-qq"], { env, stdio: "ignore" });
  const install = ["install", "-qq", "-y", "--no-install-recommends", ...missing];
  const { status, stderr } = spawnSync("apt-get", install, { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`apt-get could not install ${wanted}: ${stderr.trim()}`);
}

function isHere(program: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return folders.some((folder) => existsSync(path.join(folder, program)));
}
