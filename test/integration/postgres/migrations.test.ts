import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { MigrationError } from "../../../mixins/postgres/migration-files";
import { migrate, sqlMigrations } from "../../../mixins/postgres/migrations";
import { dataSource } from "../../../mixins/postgres/pool";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await startTestDatabase({ migrated: false });
});
afterAll(() => database.stop());
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "forno-migrations-"));
  await database.pool.query("drop schema public cascade; create schema public");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const put = (file: string, sql: string): void => {
  writeFileSync(path.join(folder, file), sql);
};
/** A program with these files starts. */
async function start(): Promise<void> {
  const db = dataSource(database.connection, [], sqlMigrations(folder));
  await db.initialize();
  try {
    await migrate(db);
  } finally {
    await db.destroy();
  }
}
const tables = async (): Promise<string[]> =>
  (
    await database.pool.query<{ relname: string }>(
      "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname like 't\\_%' order by 1",
    )
  ).rows.map(({ relname }) => relname);
const register = async (): Promise<unknown[]> =>
  (
    await database.pool.query<object>(
      "select name, breaks, length(sha256) as digits from migration_files order by 1",
    )
  ).rows;

test("files are applied in order, once, each with its checksum", async () => {
  put("0001-a.sql", "create table t_a (id integer)");
  await start();
  put("202611301152-b.sql", "-- Breaks older nodes: for a test.\ncreate table t_b (id integer)");
  await Promise.all([start(), start()]);
  expect(await tables()).toEqual(["t_a", "t_b"]);
  expect(await register()).toEqual([
    { name: "a_1700000000001", breaks: false, digits: 64 },
    { name: "b_2026113011520", breaks: true, digits: 64 },
  ]);
});

test("a changed file, a late one and an older program are refused, and nothing is changed", async () => {
  put("0002-b.sql", "create table t_b (id integer)");
  await start();
  put("0001-a.sql", "create table t_a (id integer)");
  await expect(start()).rejects.toThrow(MigrationError);
  rmSync(path.join(folder, "0001-a.sql"));
  put("0002-b.sql", "create table t_b (id bigint)");
  put("0003-c.sql", "create table t_c (id integer)");
  await expect(start()).rejects.toThrow("0002-b.sql was changed");
  put("0002-b.sql", "create table t_b (id integer)");
  put("0003-c.sql", "-- Breaks older nodes: for a test.\ncreate table t_c (id integer)");
  await start();
  rmSync(path.join(folder, "0003-c.sql"));
  await expect(start()).rejects.toThrow("A newer Forno has migrated this database");
  expect(await tables()).toEqual(["t_b", "t_c"]);
});

test("a database from before files were registered takes them as they are now", async () => {
  put("0001-a.sql", "create table t_a (id integer)");
  await start();
  await database.pool.query("drop table migration_files");
  await start();
  expect(await register()).toEqual([{ name: "a_1700000000001", breaks: false, digits: 64 }]);
  put("0001-a.sql", "create table t_a (id bigint)");
  await expect(start()).rejects.toThrow("0001-a.sql was changed");
});

test("a migration that fails leaves neither itself nor its checksum", async () => {
  put("0001-a.sql", "create table t_a (id integer); select 1/0");
  await expect(start()).rejects.toThrow("division by zero");
  expect([await tables(), await register()]).toEqual([[], []]);
});
