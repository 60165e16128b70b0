import { readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { allProcesses, folderIdentity, lookAtProcess, type ProcessFacts } from "../process-table";

/** Who has the number that a lock file of PostgreSQL names. */
export type Holder =
  | { readonly is: "nobody" }
  | { readonly is: "postmaster"; readonly pid: number }
  /**
   * A process that got the number of a dead postmaster, the postmaster of another folder, from which this one was copied while it
   * ran, or one that has ended and still has its number. PostgreSQL itself asks only whether the number is alive, and would not start beside it.
   */
  | { readonly is: "stranger"; readonly pid: number };

/**
 * Who runs on a data folder, by its `postmaster.pid` and by what that process is: a postgres that works in this very folder,
 * whatever path leads there. Where the system does not tell, whoever is alive counts as the postmaster: waiting is safe.
 * @param platform for tests.
 */
export function holderOf(data: string, platform: NodeJS.Platform = process.platform): Holder {
  return holderIn(path.join(data, "postmaster.pid"), data, platform);
}

/** The same by another lock file, such as that of the socket. */
export function holderIn(file: string, data: string, platform: NodeJS.Platform = process.platform): Holder {
  const pid = pidIn(file);
  if (!(pid > 0)) return { is: "nobody" };
  const found = lookAtProcess(pid, platform);
  if (found === "gone") return { is: "nobody" };
  if (found === "hidden") return { is: "postmaster", pid };
  if (found === "dead") return { is: "stranger", pid };
  return { is: isPostmasterOf(found, data) ? "postmaster" : "stranger", pid };
}

/** Whether a server works in a data folder, or backends of one that died. False where the system does not tell. */
export function isWorkedIn(data: string): boolean {
  const folder = folderIdentity(data);
  return allProcesses().some((pid) => {
    const found = lookAtProcess(pid);
    return typeof found === "object" && found.program === "postgres" && found.cwd === folder;
  });
}

function isPostmasterOf({ program, command, cwd }: ProcessFacts, data: string): boolean {
  if (!program.startsWith("postgres")) return false;
  // A postmaster works in its data folder. Its command line is only asked where the system keeps that from us.
  if (cwd !== undefined) return cwd === folderIdentity(data);
  const paths = [data, ...(folderIdentity(data) === undefined ? [] : [realpathSync(data)])];
  return paths.some((each) => command.endsWith(` -D ${each}`) || command.includes(` -D ${each} `));
}

/** NaN without such a file; the server removes it at any moment. */
function pidIn(file: string): number {
  try {
    return Number(readFileSync(file, "utf8").split("\n", 1)[0]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Number.NaN;
    throw error;
  }
}
