import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";

/** Of the server that runs on a directory, not of its data; the folder of the WAL comes along empty. */
const LEFT_OUT = new Set(["pg_wal", "pg_replslot", "pg_stat_tmp", "postmaster.pid", "postmaster.opts"]);
const WAL_FOLDERS = ["pg_wal", "pg_wal/archive_status", "pg_wal/summaries", "pg_replslot", "pg_stat_tmp"];

/**
 * Copies the data directory of a running server into a new one that will follow it, as pg_basebackup does, which does not come
 * with the embedded binaries. `own` gives each path that was made to the user that the server runs as.
 */
export async function baseBackup(server: Client, to: string, own: (made: string) => void): Promise<void> {
  await server.query("select pg_backup_start('forno', fast => true)");
  const { rows } = await server.query<{ from: string }>(
    "select setting as from from pg_settings where name = 'data_directory'",
  );
  await copyFolder(rows[0]?.from ?? "", to, own);
  for (const folder of WAL_FOLDERS) await makeFolder(path.join(to, folder), own);
  const label = await server.query<{ labelfile: string }>(
    "select labelfile from pg_backup_stop(wait_for_archive => false)",
  );
  for (const [name, text] of [
    ["backup_label", label.rows[0]?.labelfile ?? ""],
    ["standby.signal", ""],
  ] as const) {
    await writeFile(path.join(to, name), text, { mode: 0o600 });
    own(path.join(to, name));
  }
}

async function copyFolder(from: string, to: string, own: (made: string) => void): Promise<void> {
  await makeFolder(to, own);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (LEFT_OUT.has(entry.name)) continue;
    const [source, copy] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) await copyFolder(source, copy, own);
    else {
      const isThere = await copyFile(source, copy).then(() => true, gone);
      if (isThere) own(copy);
    }
  }
}

/** What was dropped meanwhile is made up for by the WAL. */
function gone(error: NodeJS.ErrnoException): false {
  if (error.code === "ENOENT") return false;
  throw error;
}

async function makeFolder(folder: string, own: (made: string) => void): Promise<void> {
  if (existsSync(folder)) return;
  await mkdir(folder, { mode: 0o700 });
  own(folder);
}
