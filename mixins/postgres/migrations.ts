import type { DataSource, MigrationInterface, QueryRunner } from "typeorm";
import { assertFits, migrationFiles, type Applied, type MigrationFile } from "./migration-files";

const MIGRATION_LOCK = 7_461_001;

/** Which file each migration was when it was applied. */
const REGISTER = `create table if not exists migration_files (
  name text primary key, sha256 text not null, breaks boolean not null, applied_at timestamptz not null default now()
)`;
const ENTER = "insert into migration_files (name, sha256, breaks) values ($1, $2, $3) on conflict do nothing";
const IS_NEW = "select to_regclass('schema_migrations') is null as is_new";
const APPLIED = `select m.name, f.sha256, f.breaks from schema_migrations m left join migration_files f using (name)`;

/**
 * The numbered SQL files of a folder (`202611301152-shelves.sql`), as TypeORM migrations, each in a transaction of its own.
 * Forward only: a mistake is mended by the next one.
 */
export function sqlMigrations(folder: string): (new () => MigrationInterface)[] {
  return migrationFiles(folder).map(sqlMigration);
}

interface SqlMigration extends MigrationInterface {
  readonly file: MigrationFile;
}

function sqlMigration(file: MigrationFile): new () => SqlMigration {
  return class implements SqlMigration {
    readonly name = file.name;
    readonly file = file;
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(file.sql);
      await enter(runner, file);
    }
    down(): Promise<void> {
      return Promise.reject(new Error("Migrations go forward only."));
    }
  };
}

/**
 * Brings the database to today's schema; nodes that start together take turns.
 * @param db made with {@link sqlMigrations}.
 * @throws MigrationError where a file was changed after it was applied, comes before what was applied, or where a newer program has
 *   made what this one cannot work with. Nothing is changed then.
 */
export async function migrate(db: DataSource): Promise<void> {
  const lock = db.createQueryRunner();
  await lock.connect();
  try {
    await lock.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await lock.query(REGISTER);
    const [{ is_new }] = (await lock.query(IS_NEW)) as [{ is_new: boolean }];
    if (!is_new)
      await checkApplied(
        lock,
        (db.migrations as SqlMigration[]).map(({ file }) => file),
      );
    await db.runMigrations();
  } finally {
    await lock.query("select pg_advisory_unlock($1)", [MIGRATION_LOCK]);
    await lock.release();
  }
}

/** What a database applied before there was a register is taken as it is now. */
async function checkApplied(runner: QueryRunner, files: readonly MigrationFile[]): Promise<void> {
  const applied = (await runner.query(APPLIED)) as Applied[];
  assertFits(files, applied);
  const unregistered = new Set(applied.filter(({ sha256 }) => sha256 === null).map(({ name }) => name));
  for (const file of files) if (unregistered.has(file.name)) await enter(runner, file);
}

async function enter(runner: QueryRunner, { name, sha256, breaks }: MigrationFile): Promise<void> {
  await runner.query(ENTER, [name, sha256, breaks]);
}
