import type { Pool } from "pg";

/** What a dump is made of; system schemas, and partitions (which come and go with the clock and the log), are not in it. */
const OURS = "n.nspname !~ '^(pg_|information_schema$)'";

interface Described {
  readonly definition: string;
}
interface Relation {
  readonly oid: number;
  readonly head: string;
  readonly tail: string;
}

const SCHEMAS = `
  select 'create schema ' || quote_ident(n.nspname) || ';' as definition
  from pg_namespace n where ${OURS} and n.nspname <> 'public' order by n.nspname`;

const EXTENSIONS = `
  select 'create extension ' || quote_ident(e.extname) || ';' as definition
  from pg_extension e where e.extname <> 'plpgsql' order by e.extname`;

const ENUMS = `
  select format('create type %s as enum (%s);', t.oid::regtype, (
    select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid
  )) as definition
  from pg_type t join pg_namespace n on n.oid = t.typnamespace
  where ${OURS} and t.typtype = 'e' order by t.oid::regtype::text`;

const DOMAINS = `
  select format('create domain %s as %s', t.oid::regtype, format_type(t.typbasetype, t.typtypmod)) || coalesce((
    select ' ' || string_agg(pg_get_constraintdef(k.oid), ' ' order by k.conname) from pg_constraint k where k.contypid = t.oid
  ), '') || ';' as definition
  from pg_type t join pg_namespace n on n.oid = t.typnamespace
  where ${OURS} and t.typtype = 'd' order by t.oid::regtype::text`;

/** Sequences that belong to a column come with the column's default. */
const SEQUENCES = `
  select format('create sequence %I.%I;', n.nspname, c.relname) as definition
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where ${OURS} and c.relkind = 'S'
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i'))
  order by n.nspname, c.relname`;

const TABLES = `
  select c.oid, format('create%s table %I.%I (', case c.relpersistence when 'u' then ' unlogged' else '' end,
      n.nspname, c.relname) as head,
    ')' || coalesce(' partition by ' || pg_get_partkeydef(c.oid), '')
      || coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '') || ';' as tail
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where ${OURS} and c.relkind in ('r', 'p') and not c.relispartition
  order by n.nspname, c.relname`;

const COLUMNS_AND_CONSTRAINTS = `
  select definition from (
    select 1 as part, a.attnum::text as place, a.attnum as number,
      quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when a.attcollation not in (0, t.typcollation)
             then ' collate ' || quote_ident((select collname from pg_collation where oid = a.attcollation)) else '' end
        || case when a.attidentity <> '' then ' generated as identity' else '' end
        || case when a.attgenerated <> '' then ' generated always as ' || pg_get_expr(d.adbin, d.adrelid) || ' stored'
             else coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') end
        || case when a.attnotnull then ' not null' else '' end as definition
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
    union all
    -- PostgreSQL 18 lists "not null" among the constraints, too.
    select 2, k.conname::text, 0, 'constraint ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid)
    from pg_constraint k where k.conrelid = $1 and k.contype <> 'n'
  ) parts order by part, number, place collate "C"`;

const AROUND_A_TABLE = `
  select definition from (
    select 1 as part, pg_get_indexdef(i.indexrelid) || ';' as definition
    from pg_index i
    where i.indrelid = $1 and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
    union all
    select 2, pg_get_triggerdef(t.oid) || ';' from pg_trigger t where t.tgrelid = $1 and not t.tgisinternal
    union all
    select 3, format('comment on %s is %L;', case d.objsubid when 0 then 'table ' || $1::oid::regclass
      else 'column ' || $1::oid::regclass || '.' || a.attname end, d.description)
    from pg_description d left join pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid and a.attnum > 0
    where d.objoid = $1 and d.classoid = 'pg_class'::regclass
  ) parts order by part, definition collate "C"`;

const VIEWS = `
  select format('create %s %I.%I as%s', case c.relkind when 'm' then 'materialized view' else 'view' end,
    n.nspname, c.relname, e'\\n' || pg_get_viewdef(c.oid)) as definition
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where ${OURS} and c.relkind in ('v', 'm') order by n.nspname, c.relname`;

const FUNCTIONS = `
  select rtrim(pg_get_functiondef(p.oid), e'\\n') || ';' as definition
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where ${OURS} and p.prokind in ('f', 'p')
  order by n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)`;

/** The schemas of a database as text that reads like SQL: the same for the same migrations, whatever the server and the day. */
export async function dumpSchema(pool: Pool): Promise<string> {
  const described = async (sql: string, params: unknown[] = []): Promise<string[]> => {
    const { rows } = await pool.query<Described>(sql, params);
    return rows.map(({ definition }) => definition);
  };
  const tables: string[] = [];
  for (const { oid, head, tail } of (await pool.query<Relation>(TABLES)).rows) {
    const inside = await described(COLUMNS_AND_CONSTRAINTS, [oid]);
    tables.push(
      [
        head,
        inside.map((line) => `  ${line}`).join(",\n"),
        tail,
        ...(await described(AROUND_A_TABLE, [oid])),
      ].join("\n"),
    );
  }
  const lines = [
    await described(SCHEMAS),
    await described(EXTENSIONS),
    await described(ENUMS),
    await described(DOMAINS),
    await described(SEQUENCES),
  ];
  const blocks = [
    ...lines.map((block) => block.join("\n")),
    ...tables,
    ...(await described(VIEWS)),
    ...(await described(FUNCTIONS)),
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}
