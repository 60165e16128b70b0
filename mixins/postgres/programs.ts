import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, statSync } from "node:fs";
import path from "node:path";
import type { ServerUser } from "./server-user";

/** Beyond this a start begins the server's log anew. */
const LOG_BYTES_MAX = 10_000_000;

/** Runs `initdb` to its end. */
export async function runInitdb(
  bin: string,
  user: ServerUser,
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  const [command, rest] = commandOf(bin, "initdb", user, args);
  const child = spawn(command, rest, { ...user.initdb, cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code) => {
      resolve({ code: code ?? 1, output });
    });
  });
}

/**
 * Starts a server that outlives us; resolves with the exit code when it ends.
 * @param stranger a process that a lock file names and that is no server of this folder: to be taken for dead. PostgreSQL believes
 * that of the process of this variable; that nobody is attached to the old server's shared memory it checks all the same.
 */
export function spawnServer(
  bin: string,
  user: ServerUser,
  { args, logFile, stranger }: { args: readonly string[]; logFile: string; stranger: number | undefined },
): Promise<number> {
  const [command, rest] = commandOf(bin, "postgres", user, args);
  const keep = existsSync(logFile) && statSync(logFile).size < LOG_BYTES_MAX;
  const log = openSync(logFile, keep ? "a" : "w", 0o600);
  const child = spawn(command, rest, {
    ...user.server,
    cwd: "/",
    env: { ...process.env, ...(stranger === undefined ? {} : { PG_GRANDPARENT_PID: String(stranger) }) },
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  return new Promise((resolve) => {
    child
      .on("error", () => {
        resolve(1);
      })
      .on("exit", (code) => {
        resolve(code ?? 1);
      });
  });
}

function commandOf(
  bin: string,
  program: string,
  { prefix }: ServerUser,
  args: readonly string[],
): [string, string[]] {
  const [first, ...rest] = [...prefix, path.join(bin, program), ...args];
  return [first ?? program, rest];
}
