import type { ClientBase } from "pg";

/** Schema in which the shadow of a projection's tables is filled. */
export const shadowSchema = (projection: string): string =>
  `shadow_${projection.replaceAll(/[^a-z0-9_]/g, "_")}`;

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

interface TableShape {
  /** `partition by …` of a partitioned table. */
  readonly partitioned_by: string | null;
  readonly foreign_keys: boolean;
}

interface Addition {
  readonly name: string;
  readonly definition: string;
}

interface Partition {
  readonly name: string;
  readonly bound: string;
}

const SHAPE = `select case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partitioned_by,
    exists (select from pg_constraint f where f.contype = 'f' and (f.conrelid = c.oid or f.confrelid = c.oid)) as foreign_keys
  from pg_class c where c.oid = to_regclass($1)`;

/** Check constraints are copied with the table; keys are made again, because `like` would give them other names. */
const KEYS = `select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
  where conrelid = to_regclass($1) and contype in ('p', 'u', 'x') order by contype, conname`;

/** Indexes that belong to no key. $2 is what stands before the table's name, $3 what shall stand there. */
const INDEXES = `select c.relname as name, pg_get_indexdef(c.oid) as definition from pg_index i
  join pg_class c on c.oid = i.indexrelid
  where i.indrelid = to_regclass($1) and not exists (select from pg_constraint k where k.conindid = c.oid)
  order by c.relname`;

const PARTITIONS_OF = `select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bound from pg_inherits i
  join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass($1) order by c.relname`;

/** Filling and indexing take as long as the tables are large: longer than any usual statement. */
const UNBOUNDED = "set local statement_timeout = 0";
const unbounded = (text: string): { text: string; query_timeout: number } => ({
  text,
  query_timeout: 86_400_000,
});

/** Removes a shadow with everything in it, if it is there. */
export async function dropShadow(client: ClientBase, schema: string): Promise<void> {
  await client.query(`drop schema if exists ${quote(schema)} cascade`);
}

/** Makes empty copies of tables under `schema`, with the same keys and partitions; indexes come when they are filled. */
export async function createShadow(tx: ClientBase, schema: string, tables: readonly string[]): Promise<void> {
  await dropShadow(tx, schema);
  await tx.query(`create schema ${quote(schema)}`);
  for (const table of tables) await createShadowTable(tx, schema, table);
}

async function createShadowTable(tx: ClientBase, schema: string, table: string): Promise<void> {
  const original = `public.${quote(table)}`;
  const shadow = `${quote(schema)}.${quote(table)}`;
  const shape = (await tx.query<TableShape>(SHAPE, [original])).rows[0];
  if (shape === undefined) throw new Error(`There is no table ${table} to rebuild.`);
  if (shape.foreign_keys)
    throw new Error(`Table ${table} has foreign keys: a read model that can be rebuilt has none.`);
  const partition = shape.partitioned_by === null ? "" : ` partition by ${shape.partitioned_by}`;
  await tx.query(`create table ${shadow} (like ${original} including all excluding indexes)${partition}`);
  const keys = await tx.query<Addition>(KEYS, [original]);
  for (const { name, definition } of keys.rows)
    await tx.query(`alter table ${shadow} add constraint ${quote(name)} ${definition}`);
  await copyPartitions(tx, schema, table);
}

/** Makes the indexes, by the same names: over what is there already, which is many times faster than row by row. */
export async function indexShadow(tx: ClientBase, schema: string, tables: readonly string[]): Promise<void> {
  await tx.query(UNBOUNDED);
  for (const table of tables) {
    const { rows } = await tx.query<Addition>(INDEXES, [`public.${quote(table)}`]);
    for (const { definition } of rows)
      await tx.query(
        unbounded(
          definition.replace(/ ON (ONLY )?\S+ USING /, ` ON ${quote(schema)}.${quote(table)} USING `),
        ),
      );
  }
}

/** Makes the partitions that the original has and the shadow has not: also those made while the shadow was filled. */
async function copyPartitions(tx: ClientBase, schema: string, table: string): Promise<void> {
  const { rows } = await tx.query<Partition>(PARTITIONS_OF, [`public.${quote(table)}`]);
  for (const { name, bound } of rows)
    await tx.query(
      `create table if not exists ${quote(schema)}.${quote(name)} partition of ${quote(schema)}.${quote(table)} ${bound}`,
    );
}

/** Whether subscribers elsewhere follow a table, or one of its partitions. */
const PUBLISHED = `select exists (
    select from pg_publication_rel p where p.prrelid = to_regclass($1)
      or p.prrelid in (select inhrelid from pg_inherits where inhparent = to_regclass($1))
  ) or exists (select from pg_publication_namespace where pnnspid = 'public'::regnamespace)
  or exists (select from pg_publication where puballtables) as published`;

/** What others may do with a table and its partitions, said again for the one that takes its place: of tables, then of columns. */
const GRANTS = `
  with tables as (
    select to_regclass($1)::oid as oid union all select inhrelid from pg_inherits where inhparent = to_regclass($1)
  ), granted as (
    select c.relname, '' as columns, a.*, c.relowner from tables t join pg_class c using (oid), aclexplode(c.relacl) a
    union all
    select c.relname, format('(%I)', k.attname), a.*, c.relowner
    from tables t join pg_class c using (oid) join pg_attribute k on k.attrelid = c.oid, aclexplode(k.attacl) a
  )
  select format('grant %s %s on public.%I to %s%s', privilege_type, columns, relname,
    case grantee when 0 then 'public' else grantee::regrole::text end,
    case when is_grantable then ' with grant option' else '' end) as definition
  from granted where grantee <> relowner`;

/**
 * Puts the shadow in the originals' place, in the caller's transaction.
 *
 * - A table that is published keeps its place and gets the shadow's rows: subscribers would not hear of a table that was
 *   exchanged, and go on showing the old rows for ever. Readers see the old rows until the commit.
 * - Any other is dropped, and the shadow moves in, with the same grants. Readers wait for the commit.
 *
 * @throws the database's error when something (a view, a foreign key) depends on an original.
 */
export async function swapShadow(tx: ClientBase, schema: string, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    await copyPartitions(tx, schema, table);
    const { rows } = await tx.query<{ published: boolean }>(PUBLISHED, [`public.${quote(table)}`]);
    if (rows[0]?.published === true) await exchangeRows(tx, schema, table);
    else await exchangeTable(tx, schema, table);
  }
  await tx.query(`drop schema ${quote(schema)}`);
}

async function exchangeRows(tx: ClientBase, schema: string, table: string): Promise<void> {
  const shadow = `${quote(schema)}.${quote(table)}`;
  await tx.query(UNBOUNDED);
  await tx.query(unbounded(`delete from public.${quote(table)}`));
  await tx.query(unbounded(`insert into public.${quote(table)} select * from ${shadow}`));
  await tx.query(`drop table ${shadow}`);
}

async function exchangeTable(tx: ClientBase, schema: string, table: string): Promise<void> {
  const partitions = await tx.query<Partition>(PARTITIONS_OF, [`${quote(schema)}.${quote(table)}`]);
  const grants = await tx.query<{ definition: string }>(GRANTS, [`public.${quote(table)}`]);
  await tx.query(`drop table public.${quote(table)}`);
  for (const name of [table, ...partitions.rows.map((partition) => partition.name)])
    await tx.query(`alter table ${quote(schema)}.${quote(name)} set schema public`);
  for (const { definition } of grants.rows) await tx.query(definition);
}
