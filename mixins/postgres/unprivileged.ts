import { spawnSync, type SpawnOptions } from "node:child_process";
import { chownSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/**
 * How to run PostgreSQL here: it refuses to run as root.
 *
 * - not root: as we are;
 * - root, and `nobody` can reach the folders: as `nobody`, which then owns the data;
 * - root below a folder that only root may enter (`/root`, a private temporary directory): in a user namespace in which
 *   root has no privileges and no longer looks like root (`unshare --user`).
 */
export interface Unprivileged {
  /** Words to put before the command. */
  readonly prefix: readonly string[];
  readonly options: Pick<SpawnOptions, "uid" | "gid">;
  /** Gives a folder to the user that PostgreSQL will run as. */
  own(folder: string): void;
}

/** @throws Error with one line that says what to do when no way is open. */
export function unprivileged(folders: readonly string[]): Unprivileged {
  if (process.getuid?.() !== 0) return { prefix: [], options: {}, own: () => undefined };
  const { uid, gid } = nobody();
  if (folders.every((folder) => othersMayEnter(folder)))
    return {
      prefix: [],
      options: { uid, gid },
      own: (folder) => {
        chownSync(folder, uid, gid);
      },
    };
  if (spawnSync("unshare", ["--user", "true"]).status === 0)
    return { prefix: ["unshare", "--user"], options: {}, own: () => undefined };
  throw new Error(
    `PostgreSQL does not run as root, and its user cannot enter ${folders.join(" or ")}: start Forno as an ordinary user, move it to a folder that others may enter, or set DATABASE_URL.`,
  );
}

function nobody(): { uid: number; gid: number } {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith("nobody:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) };
}

function othersMayEnter(folder: string): boolean {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}
