import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** One numbered SQL file. */
export interface MigrationFile {
  /** Its name in the folder, e.g. `202611301152-shelves.sql`. */
  readonly file: string;
  /** As TypeORM keeps it: it orders migrations by the 13 digits that end their name. */
  readonly name: string;
  readonly order: number;
  readonly sql: string;
  readonly sha256: string;
  /** Nodes of before cannot work with what it makes. */
  readonly breaks: boolean;
}

/** A database and a folder of migrations that do not fit; the message is the one line for the operator. */
export class MigrationError extends Error {}

/** Four digits came first; the minute in UTC does not run out, and two people do not come to the same. */
const FILE_NAME = /^(\d{4}|\d{12})-([\w-]+)\.sql$/;
const FIRST_TIMESTAMP = 1_700_000_000_000;
/** Stands in the file with a reason behind it. */
const BREAKS = /^-- Breaks older nodes: ./m;

/** The migrations of a folder, in order. @throws MigrationError for a name that is none, and where two have one number. */
export function migrationFiles(folder: string): MigrationFile[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .map((file) => migrationFile(folder, file))
    .sort((a, b) => a.order - b.order);
  files.forEach((one, at) => {
    const before = files[at - 1];
    if (before?.order === one.order)
      throw new MigrationError(
        `${before.file} and ${one.file} have one number: give one of them a later one.`,
      );
  });
  return files;
}

function migrationFile(folder: string, file: string): MigrationFile {
  const [, number, title] = FILE_NAME.exec(file) ?? [];
  if (number === undefined || title === undefined)
    throw new MigrationError(
      `${file}: a migration is named by its minute in UTC, YYYYMMDDHHMM-what-it-does.sql`,
    );
  const order = number.length === 4 ? FIRST_TIMESTAMP + Number(number) : Number(number) * 10;
  const sql = readFileSync(path.join(folder, file), "utf8");
  return {
    ...{ file, order, sql, name: `${title}_${String(order)}` },
    sha256: createHash("sha256").update(sql).digest("hex"),
    breaks: BREAKS.test(sql),
  };
}

/** What a database says of the migrations that it has applied. */
export interface Applied {
  readonly name: string;
  /** Null: from before files were registered. */
  readonly sha256: string | null;
  readonly breaks: boolean | null;
}

/** @throws MigrationError where this program must not touch the database: a file was changed, comes too late, or is of a newer program that broke with this one. */
export function assertFits(files: readonly MigrationFile[], applied: readonly Applied[]): void {
  const known = new Map(files.map((one) => [one.name, one]));
  for (const { name, sha256, breaks } of applied) {
    const file = known.get(name);
    if (file === undefined && breaks === true)
      throw new MigrationError(
        `A newer Forno has migrated this database (${name}), and older ones cannot work with it: start that version, or restore a backup of before.`,
      );
    if (file !== undefined && sha256 !== null && sha256 !== file.sha256)
      throw new MigrationError(
        `${file.file} was changed after this database had applied it: put it back, and say the change in a new migration.`,
      );
  }
  const names = new Set(applied.map(({ name }) => name));
  const newest = Math.max(0, ...applied.map(({ name }) => Number(name.slice(-13))));
  const late = files.find(({ name, order }) => !names.has(name) && order < newest);
  if (late !== undefined)
    throw new MigrationError(
      `${late.file} comes before what this database has applied already (${String(newest)}): give it a later number.`,
    );
}
