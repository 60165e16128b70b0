import type { Client } from "pg";
import { HEARTBEATS } from "../../entities/publications";
import type { Column } from "../../mixins/replica/published-schema";

/** Marks the tables that this tool has made: no other table on a replica is ever emptied or dropped. */
const MARK = "Copied from the primary by npm run replica:setup.";

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Indexes that reads may need and no change can break: not unique, over plain columns. $2: the columns that are here. */
const INDEXES = `
  select i.relname as name, pg_get_indexdef(i.oid) as definition
  from pg_index x join pg_class i on i.oid = x.indexrelid
  where x.indrelid = to_regclass($1) and not x.indisunique and x.indexprs is null and x.indpred is null
    and not exists (select from pg_attribute a where a.attrelid = x.indrelid and a.attnum = any (x.indkey)
      and a.attname <> all ($2))`;

const MARKED =
  "select obj_description(to_regclass($1), 'pg_class') as mark, to_regclass($1) is not null as there";

/**
 * Makes a table of the replica anew, with the columns that travel and nothing else: no foreign keys, checks, defaults or
 * unique constraints, because a copy that is stricter than its original one day refuses a change and stands still.
 */
export async function makeTable(
  primary: Client,
  replica: Client,
  table: string,
  columns: readonly Column[],
): Promise<void> {
  const parts = columns.map(({ name, type, key }) => `${quote(name)} ${type}${key ? " not null" : ""}`);
  const key = columns.filter((column) => column.key).map(({ name }) => quote(name));
  if (key.length === 0) throw new Error(`The table ${table} has no primary key among its published columns.`);
  const names = columns.map(({ name }) => name);
  const indexes = await primary.query<{ definition: string }>(INDEXES, [`public.${quote(table)}`, names]);
  await replica.query(
    [
      `begin; drop table if exists public.${quote(table)}`,
      `create table public.${quote(table)} (${[...parts, `primary key (${key.join(", ")})`].join(", ")})`,
      ...indexes.rows.map(({ definition }) => definition),
      `comment on table public.${quote(table)} is ${replica.escapeLiteral(MARK)}; commit`,
    ].join(";\n"),
  );
}

/** Of these tables, those that are on the server and that this tool has not made. */
export async function foreignTables(replica: Client, tables: readonly string[]): Promise<string[]> {
  const foreign: string[] = [];
  for (const table of tables) {
    const { rows } = await replica.query<{ mark: string | null; there: boolean }>(MARKED, [
      `public.${quote(table)}`,
    ]);
    if (rows[0]?.there === true && rows[0].mark !== MARK) foreign.push(table);
  }
  return foreign;
}

/** Empties a table, where there is one, before it is copied; of the heartbeats, which all publications share, only the publication's own row. */
export async function emptyTable(replica: Client, table: string, publication: string): Promise<void> {
  const { rows } = await replica.query<{ there: boolean }>(MARKED, [`public.${quote(table)}`]);
  if (rows[0]?.there !== true) return;
  if (table === HEARTBEATS)
    await replica.query(`delete from ${HEARTBEATS} where publication = $1`, [publication]);
  else await replica.query(`truncate public.${quote(table)}`);
}

/** Drops what this tool has made of these tables. */
export async function dropTables(replica: Client, tables: readonly string[]): Promise<void> {
  const foreign = await foreignTables(replica, tables);
  for (const table of tables)
    if (!foreign.includes(table)) await replica.query(`drop table if exists public.${quote(table)}`);
}
