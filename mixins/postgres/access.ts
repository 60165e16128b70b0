import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchownSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client, DatabaseError, type ClientConfig } from "pg";

const SECRET_BYTES = 32;
export const DATABASE_USER = "forno";
/** SQLSTATE class "invalid authorization specification". */
const AUTHENTICATION = "28";
const CHANGE_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 10;

/** Nobody without the password, whoever they are; on a Unix socket there is no other way in. */
const CLOSED = `# Written by Forno, which replaces this file when a line of it trusts somebody.
# The password is in the file pgpass, two folders above; see docs/operations.md.
local   all           all   scram-sha-256
local   replication   all   scram-sha-256
`;
/** While a new password is set, in a socket that only the server's own user and root can reach. */
const OPEN = `local all ${DATABASE_USER} trust\n`;

/**
 * The password of a cluster's database, made at the first call and kept in `pgpass`, readable by us alone, in the form that psql
 * reads (`PGPASSFILE`).
 * @throws Error that names the file when it holds none.
 */
export function databasePassword(home: string): string {
  const file = path.join(home, "pgpass");
  const line = textOf(file) ?? founded(file);
  const password = /^\*:\*:\*:forno:([\w-]+)\s*$/.exec(line)?.[1];
  if (password === undefined)
    throw new Error(`${file} holds no password: remove it, and the next start makes another.`);
  return password;
}

/** The password of a cluster's database, where it has one already: that of the database which it is a copy of. */
export function keepPassword(home: string, password: string): void {
  rmSync(path.join(home, "pgpass"), { force: true });
  founded(path.join(home, "pgpass"), password);
}

/** Whether somebody gets into the database without a password. */
export function trustsSomebody(data: string): boolean {
  const lines = (textOf(hbaOf(data)) ?? "").split("\n");
  return lines.some((line) => /^[^#]*\btrust\b/.test(line));
}

/** Nobody gets in without the password, from the server's next reading of the file on. */
export function closeAccess(data: string): void {
  replace(hbaOf(data), CLOSED);
}

/** `refused`: a server that does not take what we know. */
export type Knock = "open" | "refused" | "away";

/** Whether a server answers there, and lets us in. */
export async function knock(connection: ClientConfig): Promise<Knock> {
  const client = new Client({ ...connection, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return "open";
  } catch (error) {
    const isAuthentication =
      error instanceof DatabaseError && error.code?.startsWith(AUTHENTICATION) === true;
    // Else not yet: still starting, recovering, or going down.
    return isAuthentication ? "refused" : "away";
  } finally {
    await client.end();
  }
}

/**
 * Makes `connection`'s password that of a running server's user, whatever it was, and the only way in. Meanwhile the server lets
 * in whoever can reach its socket: its own user and root.
 * @param reload has the server read its files.
 * @throws Error when the server does not do so in time; then the password is the only way in, and the next start tries again.
 */
export async function renewPassword({
  data,
  connection,
  reload,
}: {
  data: string;
  connection: ClientConfig;
  reload: () => void;
}): Promise<void> {
  const { password } = connection;
  const without = { ...connection, password: undefined };
  const change = (access: string): void => {
    replace(hbaOf(data), access);
    reload();
  };
  try {
    change(OPEN);
    await until(async () => (await knock(without)) === "open", "let us in to change its password");
    const client = new Client(without);
    await client.connect();
    await client.query(`alter role ${DATABASE_USER} password ${client.escapeLiteral(String(password))}`);
    await client.end();
  } finally {
    change(CLOSED);
  }
  await until(async () => (await knock(without)) !== "open", "ask for its password");
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + CHANGE_TIMEOUT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`PostgreSQL does not ${what}.`);
    await pause(LOOK_EVERY_MS);
  }
}

const hbaOf = (data: string): string => path.join(data, "pg_hba.conf");

/** Unless another Forno on the same folder was faster: then its password is everybody's. */
function founded(file: string, password = randomBytes(SECRET_BYTES).toString("base64url")): string {
  const line = `*:*:*:${DATABASE_USER}:${password}\n`;
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, line, { mode: 0o600, flush: true });
  try {
    linkSync(draft, file);
    return line;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return readFileSync(file, "utf8");
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whole or not at all; it belongs to whom the folder belongs to, who may have laid a trap there for root: a link is not followed. */
function replace(file: string, text: string): void {
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  const handle = openSync(draft, "wx", 0o600);
  try {
    writeFileSync(handle, text, { flush: true });
    const { uid, gid } = statSync(path.dirname(file));
    if (process.getuid?.() === 0) fchownSync(handle, uid, gid);
  } finally {
    closeSync(handle);
  }
  renameSync(draft, file);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
