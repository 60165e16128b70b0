import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { DataSource, MigrationInterface, QueryRunner } from "typeorm";

/** TypeORM orders migrations by the 13 digits that end their name. */
const FIRST_TIMESTAMP = 1_700_000_000_000;
const MIGRATION_LOCK = 7_461_001;
const FILE_NAME = /^(\d{4})-([\w-]+)\.sql$/;

/**
 * The numbered SQL files of a folder (`0001-event-log.sql`), as TypeORM migrations, each in a transaction of its own.
 * Forward only: a mistake is mended by the next number.
 */
export function sqlMigrations(folder: string): (new () => MigrationInterface)[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => sqlMigration(folder, file));
}

function sqlMigration(folder: string, file: string): new () => MigrationInterface {
  const [, number, title] = FILE_NAME.exec(file) ?? [];
  if (number === undefined || title === undefined)
    throw new Error(`${file}: a migration is named NNNN-what-it-does.sql`);
  return class implements MigrationInterface {
    readonly name = `${title}_${String(FIRST_TIMESTAMP + Number(number))}`;
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(readFileSync(path.join(folder, file), "utf8"));
    }
    down(): Promise<void> {
      return Promise.reject(new Error("Migrations go forward only."));
    }
  };
}

/** Brings the database to today's schema; nodes that start together take turns. */
export async function migrate(db: DataSource): Promise<void> {
  const lock = db.createQueryRunner();
  await lock.connect();
  try {
    await lock.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await db.runMigrations();
  } finally {
    await lock.query("select pg_advisory_unlock($1)", [MIGRATION_LOCK]);
    await lock.release();
  }
}
