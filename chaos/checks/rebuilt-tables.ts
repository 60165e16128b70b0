import type { Pool, PoolClient } from "pg";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { Projection } from "../../mixins/projection/projection";
import { createShadow } from "../../mixins/projection/shadow-tables";
import type { TableDifference } from "./evidence";

const SCHEMA = "chaos_rebuilt";
/** Other sizes than the product's, so that what depends on the cut of a batch shows. */
const BATCH_EVENTS = 37;
const SHOWN_MAX = 20;

/** Fills empty copies of the projections' tables from the whole log, in a schema of their own beside the live ones. */
export async function rebuild(
  pool: Pool,
  projections: readonly Projection[],
  events: readonly RecordedEvent[],
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await createShadow(
      client,
      SCHEMA,
      projections.flatMap(({ tables }) => tables),
    );
    await client.query(`set local search_path to ${SCHEMA}, public`);
    for (const projection of projections) await fill(client, projection, events);
    await client.query("commit");
  } finally {
    client.release();
  }
}

async function fill(
  client: PoolClient,
  projection: Projection,
  events: readonly RecordedEvent[],
): Promise<void> {
  const wanted = events.filter(({ type }) => projection.handles.includes(type));
  for (let at = 0; at < wanted.length; at += BATCH_EVENTS)
    await projection.apply(wanted.slice(at, at + BATCH_EVENTS), client);
}

/** Where the live tables and the rebuilt ones differ, in whole rows. */
export async function tableDifferences(
  pool: Pool,
  projections: readonly Projection[],
): Promise<TableDifference[]> {
  const differences: TableDifference[] = [];
  for (const table of projections.flatMap(({ tables }) => tables)) {
    const [live, rebuilt] = [`public.${table}`, `${SCHEMA}.${table}`];
    const { rows } = await pool.query<{ rows: number }>(`select count(*)::int as rows from ${live}`);
    differences.push({
      table,
      rows: rows[0]?.rows ?? 0,
      only_live: await missing(pool, live, rebuilt),
      only_rebuilt: await missing(pool, rebuilt, live),
    });
  }
  return differences;
}

async function missing(pool: Pool, from: string, other: string): Promise<object[]> {
  const { rows } = await pool.query<{ row: object }>(
    `select row from (select to_jsonb(t) as row from ${from} t except select to_jsonb(t) from ${other} t) d
     limit ${SHOWN_MAX}`,
  );
  return rows.map(({ row }) => row);
}
