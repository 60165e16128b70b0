import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { EntityMetadata } from "typeorm";
import { entities } from "../../../entities/entities";
import { migrate } from "../../../mixins/postgres/migrations";
import { hasSystemPostgres, startTestDatabase, type TestDatabase } from "../../support/postgres";
import { dumpSchema } from "../../support/schema-dump";

const GOLDEN = path.resolve(__dirname, "../../support/schema.golden.sql");
const TEXTS = path.resolve(__dirname, "../../support/table-texts.golden.txt");
/** TypeORM's own, and which files they were. */
const WITHOUT_ENTITY = ["migration_files", "schema_migrations"];

const servers = ["embedded", ...(hasSystemPostgres() ? (["system"] as const) : [])] as const;
if (!hasSystemPostgres())
  console.warn(
    "SKIPPED: the schema on the system's PostgreSQL 15, there is none (Debian: apt-get install postgresql-15).",
  );

describe.each(servers)("an empty database after all migrations, on the %s PostgreSQL", (server) => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await startTestDatabase({ server, entities });
  });

  afterAll(() => database.stop());

  it("has the schema of the golden file (UPDATE_GOLDEN=1 rewrites it)", async () => {
    const schema = await dumpSchema(database.pool);
    if (process.env["UPDATE_GOLDEN"] === "1" && server === "embedded") writeFileSync(GOLDEN, schema);
    expect(schema).toBe(readFileSync(GOLDEN, "utf8"));
  });

  it("shows no month and no segment of the log in it, however many there are", async () => {
    const before = await dumpSchema(database.pool);
    await database.pool.query("select ensure_order_partitions(array['2031-05-01'::date])");
    await database.pool.query("select es.ensure_partitions(1000, 3000)");
    expect(await dumpSchema(database.pool)).toBe(before);
  });

  it("does not change when it is migrated again", async () => {
    const before = await dumpSchema(database.pool);
    await migrate(database.db);
    expect(await dumpSchema(database.pool)).toBe(before);
  });

  it("has an entity for every public table, with just its columns, types, nullability and primary key", async () => {
    const shapes = Object.fromEntries(
      database.db.entityMetadatas.map((entity) => [entity.tableName, shapeOfEntity(entity)]),
    );
    expect(shapes).toEqual(await shapesOfTables());
  });

  /**
   * Whoever adds a text to a table meets this test: UPDATE_GOLDEN=1 notes it with a question mark, and a person says instead
   * whether it can tell something about a customer. What can is
   * `forgotten`, by the room's `*.personal.ts`, or `sealed` with a key.
   */
  it("has no text in any table of which nobody has said whether it has to be forgotten", async () => {
    const judged = new Map<string, string>();
    for (const line of readFileSync(TEXTS, "utf8").split("\n")) {
      const [name = "", judgement = "?"] = line.split(" ");
      judged.set(name, judgement);
    }
    const { rows } = await database.pool.query<{ name: string }>(TEXT_COLUMNS);
    const lines = rows.map(({ name }) => `${name} ${judged.get(name) ?? "?"}\n`).join("");
    if (process.env["UPDATE_GOLDEN"] === "1" && server === "embedded") writeFileSync(TEXTS, lines);
    expect(lines).toBe(readFileSync(TEXTS, "utf8"));
    expect(lines).not.toContain("?");
  });

  it("is readable through each entity", async () => {
    for (const { target } of database.db.entityMetadatas)
      await expect(database.db.getRepository(target).find({ take: 1 })).resolves.toBeDefined();
  });

  function shapeOfEntity({ columns }: EntityMetadata): Record<string, string> {
    const { driver } = database.db;
    return Object.fromEntries(
      columns.map((column) => {
        const type = driver.normalizeType(column) + (column.isArray ? "[]" : "");
        return [column.databaseName, shape(type, column.isNullable, column.isPrimary)];
      }),
    );
  }

  async function shapesOfTables(): Promise<Record<string, Record<string, string>>> {
    const { rows } = await database.pool.query<{
      table: string;
      name: string;
      type: string;
      nullable: boolean;
      primary: boolean;
    }>(
      `select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable,
         exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)) as primary
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         and c.relname <> all ($1)`,
      [WITHOUT_ENTITY],
    );
    const tables: Record<string, Record<string, string>> = {};
    for (const { table, name, type, nullable, primary } of rows)
      (tables[table] ??= {})[name] = shape(type, nullable, primary);
    return tables;
  }
});

/** Columns that can hold any text, of tables that are no partitions. */
const TEXT_COLUMNS = `
  select format('%s.%s.%s', n.nspname, c.relname, a.attname) as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relkind in ('r', 'p') and not c.relispartition and n.nspname in ('public', 'es', 'detached')
    and a.atttypid = any (array['text', 'varchar', 'json', 'jsonb', 'text[]', 'bytea']::regtype[])
  order by format('%s.%s.%s', n.nspname, c.relname, a.attname) collate "C"`;

function shape(type: string, nullable: boolean, primary: boolean): string {
  return `${type}${nullable ? "" : " not null"}${primary ? " primary key" : ""}`;
}
