import type { Pool } from "pg";
import { HEARTBEATS, PUBLICATIONS, type Publication } from "../../entities/publications";

/** Anything that runs a statement: a pool, a client. */
export type Queryable = Pick<Pool, "query">;

/** A column as PostgreSQL names its type. */
export interface Column {
  readonly name: string;
  readonly type: string;
  /** Part of the primary key, by which a replica finds the row that changed. */
  readonly key: boolean;
}

/** One table of one publication: which columns should travel, and what is in their way. */
export interface PublishedTableState {
  readonly publication: Publication;
  readonly table: string;
  readonly wanted: readonly Column[];
  /** Only the wanted ones may leave; else all do, also those that a migration adds. */
  readonly listed: boolean;
  /** Whether the publication has it, with whatever columns. */
  readonly published: boolean;
  /** Sentences with names, for operators; empty: all is well. */
  readonly differences: readonly string[];
}

/** Generated columns are left out: before PostgreSQL 18 they do not travel. */
const COLUMNS = `
  select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
    exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)) as key
  from pg_class c join pg_attribute a on a.attrelid = c.oid
  where c.relnamespace = 'public'::regnamespace and c.relname = any ($1) and c.relkind in ('r', 'p')
    and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  order by c.relname, a.attnum`;

const PUBLISHED = `
  select pubname as publication, tablename as table, attnames::text[] as columns
  from pg_publication_tables where schemaname = 'public' and pubname = any ($1)`;

interface Published {
  readonly publication: string;
  readonly table: string;
  readonly columns: readonly string[];
}

/** Every table that a publication carries, its heartbeat last. */
export const tablesOf = ({ tables }: Publication): readonly string[] => [
  ...tables.map(({ table }) => table),
  HEARTBEATS,
];

const ALL_TABLES = [...new Set(PUBLICATIONS.flatMap(tablesOf))];

/** Holds what should be published against what the primary has and publishes and what the replica has. */
export async function publishedTables(
  primary: Queryable,
  replica: Queryable,
): Promise<PublishedTableState[]> {
  const [here, there, published] = [
    await columnsByTable(primary),
    await columnsByTable(replica),
    await tablesPublished(primary),
  ];
  return PUBLICATIONS.flatMap((publication) =>
    tablesOf(publication).map((table) => {
      const named = publication.tables.find((each) => each.table === table)?.columns;
      const wanted = (here.get(table) ?? []).filter(({ name }) => named?.includes(name) ?? true);
      const member = published.find(
        (each) => each.publication === publication.publication && each.table === table,
      );
      const state = { publication, table, wanted, listed: named !== undefined };
      const differences =
        wanted.length === 0
          ? [`The primary has no table ${table}.`]
          : [...unpublished(state, member), ...unlike(table, wanted, there.get(table))];
      return { ...state, published: member !== undefined, differences };
    }),
  );
}

/** What a publication carries that it should not: tables that were taken off the list. */
export async function strayTables(primary: Queryable): Promise<readonly Omit<Published, "columns">[]> {
  return (await tablesPublished(primary)).filter(({ publication, table }) => {
    const known = PUBLICATIONS.find((each) => each.publication === publication);
    return known !== undefined && !tablesOf(known).includes(table);
  });
}

async function tablesPublished(primary: Queryable): Promise<Published[]> {
  const names = PUBLICATIONS.map(({ publication }) => publication);
  return (await primary.query<Published>(PUBLISHED, [names])).rows;
}

async function columnsByTable(db: Queryable): Promise<Map<string, Column[]>> {
  const { rows } = await db.query<Column & { table: string }>(COLUMNS, [ALL_TABLES]);
  const tables = new Map<string, Column[]>();
  for (const { table, ...column } of rows) {
    const known = tables.get(table);
    if (known === undefined) tables.set(table, [column]);
    else known.push(column);
  }
  return tables;
}

function unpublished(
  {
    publication: { publication },
    table,
    wanted,
    listed,
  }: Omit<PublishedTableState, "published" | "differences">,
  member: Published | undefined,
): string[] {
  if (member === undefined) return [`${table} is not in ${publication}.`];
  const missing = wanted.filter(({ name }) => !member.columns.includes(name));
  const excess = member.columns.filter((name) => listed && !wanted.some((column) => column.name === name));
  return [
    ...missing.map(({ name }) => `${table}.${name} is not in ${publication}.`),
    ...excess.map((name) => `${table}.${name} should not be in ${publication}.`),
  ];
}

function unlike(table: string, wanted: readonly Column[], there: readonly Column[] | undefined): string[] {
  if (there === undefined) return [`The replica has no table ${table}.`];
  return wanted.flatMap(({ name, type }) => {
    const copy = there.find((column) => column.name === name);
    if (copy === undefined) return [`The replica has no ${table}.${name}.`];
    return copy.type === type ? [] : [`${table}.${name} is ${type} here and ${copy.type} on the replica.`];
  });
}
