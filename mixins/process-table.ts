import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/** What the operating system says of a process. */
export interface ProcessFacts {
  /** Of its program, without the folder; at most 15 characters on Linux. */
  readonly program: string;
  /** Its command line in one text, arguments with a space between them. */
  readonly command: string;
  /** Device and inode of the folder that it works in; undefined where the system does not tell us. */
  readonly cwd?: string;
  /** When it began, in the system's own words: two processes that had the same number one after the other differ in it. */
  readonly started: string;
}

/**
 * `gone`: there is none. `dead`: it has ended, and keeps its number until its parent asks what became of it. `hidden`: it lives,
 * and the system does not tell more.
 */
export type ProcessLook = ProcessFacts | "gone" | "dead" | "hidden";

/** Looks at a process by its number, which says nothing by itself: the next process may have the number of a dead one. */
export function lookAtProcess(pid: number, platform: NodeJS.Platform = process.platform): ProcessLook {
  return platform === "linux" ? fromProc(pid) : fromPs(pid);
}

/** Numbers of all processes; none where the system does not list them in `/proc`. */
export function allProcesses(): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0);
}

/** Two names of one folder have the same identity; of a folder that is gone there is none. */
export function folderIdentity(folder: string): string | undefined {
  try {
    const { dev, ino } = statSync(folder, { bigint: true });
    return `${String(dev)}:${String(ino)}`;
  } catch {
    // Gone, or not ours to see: either way it cannot be compared.
    return undefined;
  }
}

/** Fields of `/proc/PID/stat` after the program's name, which may hold anything, even blanks and brackets. */
const STAT = /^\d+ \((.*)\) (\S) (.*)$/s;
/** Place of the start time among the fields that follow the state. */
const START_TIME = 18;

function fromProc(pid: number): ProcessLook {
  const folder = `/proc/${String(pid)}`;
  try {
    const [, program = "", state = "", rest = ""] = STAT.exec(readFileSync(`${folder}/stat`, "utf8")) ?? [];
    if (state === "Z" || state === "X") return "dead";
    const cwd = folderIdentity(`${folder}/cwd`);
    const command = readFileSync(`${folder}/cmdline`, "utf8").replace(/\0$/, "").replaceAll("\0", " ");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const started = `${boot}/${rest.split(" ")[START_TIME] ?? ""}`;
    return { program, command, started, ...(cwd === undefined ? {} : { cwd }) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ESRCH: it ended between two of these files.
    if (code === "ENOENT" || code === "ESRCH") return hiddenOrGone(pid);
    throw error;
  }
}

/** State, five words of a date, command line. */
const PS_LINE = /^\s*(\S)\S*\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/;

function fromPs(pid: number): ProcessLook {
  const asked = ["-ww", "-o", "stat=,lstart=,args=", "-p", String(pid)];
  const { status, stdout, error } = spawnSync("ps", asked, {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  if (error !== undefined) return hiddenOrGone(pid);
  const [, state, started = "", command = ""] = PS_LINE.exec(stdout.split("\n", 1)[0] ?? "") ?? [];
  if (status !== 0 || state === undefined) return hiddenOrGone(pid);
  if (state === "Z") return "dead";
  return { program: path.basename(command.split(" ", 1)[0] ?? ""), command, started };
}

/** Signal 0 asks only whether there is one to get it. */
function hiddenOrGone(pid: number): "hidden" | "gone" {
  try {
    process.kill(pid, 0);
    return "hidden";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "hidden" : "gone";
  }
}
