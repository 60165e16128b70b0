import { spawnSync, type SpawnOptions } from "node:child_process";
import { randomInt } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
} from "node:fs";
import path from "node:path";
import { privateFolder } from "../private-folder";

type User = Pick<SpawnOptions, "uid" | "gid">;

/**
 * Who PostgreSQL runs as; it refuses to run as root.
 *
 * - not root: as we are;
 * - root: as a user of its own that nothing else on the machine runs as. It needs no entry in `/etc/passwd`. Chosen at the first
 *   start; from then on the owner of the data folder is the record of it;
 * - root below a folder that only root may enter (`/root`, a private temporary directory): in a user namespace in which
 *   root has no privileges and no longer looks like root (`unshare --user`).
 */
export interface ServerUser {
  /** Words to put before the command. */
  readonly prefix: readonly string[];
  readonly server: User;
  /** `initdb` insists on a user with a name. It gets the group of the server's own, which no other process has. */
  readonly initdb: User;
  /** Lets `initdb`, and nobody else, read a file or work in a folder. */
  lend(entry: string): void;
  /** Whether a file or folder is the server's. */
  owns(entry: string): boolean;
  /** Gives a file or folder, with all in it, to the server. */
  own(entry: string): void;
}

/** Free for anybody by systemd's table of users: above those of its containers. */
const OWN_IDS = { first: 1_900_000_000, count: 200_000_000 };
/** Where a container maps 65 536 users only: those that systemd gives to services without a user of their own. */
const OWN_IDS_SMALL = { first: 61_184, count: 4_336 };
const TRIES = 20;

/**
 * Finds the user for a cluster's folder, and closes that folder to everybody else.
 * @param like a data folder beside this one, whose user is taken: so that one server may enter the other's socket.
 * @throws Error with one line that says what to do when no way is open.
 */
export function serverUser(home: string, data: string, bin: string, like?: string): ServerUser {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) {
    privateFolder(home);
    return asWeAre([], () => true);
  }
  if ([path.dirname(path.resolve(home)), bin].every((folder) => othersMayEnter(folder)))
    return ofItsOwn(home, ownerOf(data) ?? (like === undefined ? undefined : ownerOf(like)) ?? unusedId());
  if (spawnSync("unshare", ["--user", "true"]).status !== 0)
    throw new Error(
      `PostgreSQL does not run as root, and its user cannot enter ${home} or ${bin}: start Forno as an ordinary user, move it to a folder that others may enter, or set DATABASE_URL.`,
    );
  privateFolder(home);
  return asWeAre(["unshare", "--user"], (entry) => statSync(entry).uid === 0);
}

function asWeAre(prefix: readonly string[], owns: (entry: string) => boolean): ServerUser {
  return {
    ...{ prefix, server: {}, initdb: {}, owns },
    lend: () => undefined,
    own: (entry) => {
      if (!owns(entry)) giveAll(entry, 0);
    },
  };
}

function ofItsOwn(home: string, id: number): ServerUser {
  // Through it, and no more: the server may not replace what lies there beside its data. The group is its own.
  chownSync(home, statSync(home).uid, id);
  privateFolder(home, 0o710);
  const owns = (entry: string): boolean => statSync(entry).uid === id;
  return {
    prefix: [],
    server: { uid: id, gid: id },
    initdb: { uid: nobody(), gid: id },
    lend: (entry) => {
      chownSync(entry, 0, id);
      chmodSync(entry, statSync(entry).isDirectory() ? 0o770 : 0o640);
    },
    owns,
    own: (entry) => {
      if (!owns(entry)) giveAll(entry, id);
    },
  };
}

/** The folder itself last: an interrupted change begins again. */
function giveAll(entry: string, id: number): void {
  if (statSync(entry).isDirectory())
    for (const inner of readdirSync(entry, { withFileTypes: true })) {
      const at = path.join(entry, inner.name);
      if (inner.isDirectory()) giveAll(at, id);
      else lchownSync(at, id, id);
    }
  chownSync(entry, id, id);
}

/** Root cannot run it, and as `nobody` others run too: such data gets another owner. */
function ownerOf(data: string): number | undefined {
  const owner = existsSync(data) ? statSync(data).uid : 0;
  return owner === 0 || owner === nobody() ? undefined : owner;
}

function unusedId(): number {
  const { first, count } = isMapped(OWN_IDS.first) ? OWN_IDS : OWN_IDS_SMALL;
  const named = new Set(passwd().map(([, , id]) => Number(id)));
  for (let tries = 0; tries < TRIES; tries += 1) {
    const id = first + randomInt(count);
    if (isMapped(id) && !named.has(id)) return id;
  }
  throw new Error(
    "There is no unused user for PostgreSQL: start Forno as an ordinary user, or set DATABASE_URL.",
  );
}

/** Whether this user namespace has such a user and such a group; that of a container may have few. */
function isMapped(id: number): boolean {
  return ["uid_map", "gid_map"].every((name) => {
    const file = `/proc/self/${name}`;
    if (!existsSync(file)) return true;
    const lines = readFileSync(file, "utf8").trim().split("\n");
    return lines.some((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
      return id >= first && id < first + count;
    });
  });
}

/** By name, or anybody else who has one. */
function nobody(): number {
  const users = passwd();
  const [, , id] =
    users.find(([name]) => name === "nobody") ?? users.find(([, , each]) => each !== "0") ?? [];
  return Number(id ?? 65_534);
}

function passwd(): string[][] {
  const lines = readFileSync("/etc/passwd", "utf8").trim().split("\n");
  return lines.map((line) => line.split(":"));
}

/** Whether any user may pass through a folder and all above it. */
export function othersMayEnter(folder: string): boolean {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}
