import { setTimeout as pause } from "node:timers/promises";
import { Pool } from "pg";
import { connectionOf } from "../../mixins/postgres/pool";
import type { Evidence, Row } from "../checks/evidence";
import { readModels } from "../checks/read-models";
import type { MenuDocument } from "../model/events";
import { rawEvents } from "./raw-events";

/** Read models that follow from the log alone. */
const TABLES = [
  ...["orders", "order_items", "slots", "branches", "quota_holds", "offer_uses"],
  ...["item_pairs", "open_baskets", "carts"],
] as const;

/** A head that stands still for so long is at rest: a process manager's next command comes within milliseconds. */
const REST_MS = 2_500;

/** How long is waited. */
interface Patience {
  /** For what runs behind the answers: releases, read models. */
  readonly patience_ms: number;
  /** For what was taken of limited offers and no order has. */
  readonly sweep_ms: number;
}

/** What the database knows when all is quiet. */
export type DatabaseEvidence = Pick<
  Evidence,
  "events" | "read_at_ms" | "head" | "stream_versions" | "tables" | "menus"
>;

/** Waits until nothing moves any more, and reads the whole log and the read models. */
export async function collect(
  database_url: string,
  { patience_ms, sweep_ms }: Patience,
): Promise<DatabaseEvidence> {
  const pool = new Pool({ ...connectionOf(database_url), max: 2, options: "-c timezone=UTC" });
  try {
    await headAtRest(pool, patience_ms);
    await holdsSettled(pool, sweep_ms);
    const head = await headAtRest(pool, patience_ms);
    const read_at_ms = Date.now();
    const events = await rawEvents(database_url, pool);
    const streams = await pool.query<{ stream_id: string; version: number }>(
      "select stream_id, version from es.stream",
    );
    const menus = await pool.query<{ document: MenuDocument }>("select document from menu_versions");
    return {
      ...{ events, read_at_ms, head },
      stream_versions: new Map(streams.rows.map(({ stream_id, version }) => [stream_id, version])),
      menus: menus.rows.map(({ document }) => document),
      tables: await settledTables(pool, events, patience_ms),
    };
  } finally {
    await pool.end();
  }
}

async function headOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ head: string }>("select head from es.lane");
  return Number(rows[0]?.head ?? 0);
}

async function headAtRest(pool: Pool, patience_ms: number): Promise<number> {
  let [head, since] = [await headOf(pool), performance.now()];
  for (const deadline = since + patience_ms; performance.now() - since < REST_MS;) {
    await pause(100);
    const now = await headOf(pool);
    if (now === head) continue;
    [head, since] = [now, performance.now()];
    if (since > deadline) throw new Error(`The log does not come to rest: it is at ${String(head)}.`);
  }
  return head;
}

/** A hold that nobody looks into within the time is one; the checks will name it. */
async function holdsSettled(pool: Pool, sweep_ms: number): Promise<void> {
  for (const deadline = performance.now() + sweep_ms; performance.now() < deadline;) {
    const { rowCount } = await pool.query("select from quota_holds where order_id is null");
    if (rowCount === 0) return;
    await pause(500);
  }
}

/** Read models come after the log; a difference that does not go away within the time is one. */
async function settledTables(
  pool: Pool,
  events: Evidence["events"],
  patience_ms: number,
): Promise<Evidence["tables"]> {
  for (const deadline = performance.now() + patience_ms; ;) {
    const tables = new Map<string, readonly Row[]>();
    for (const table of TABLES) tables.set(table, await rowsOf(pool, table));
    if (readModels({ events, tables }).length === 0 || performance.now() > deadline) return tables;
    await pause(500);
  }
}

async function rowsOf(pool: Pool, table: string): Promise<Row[]> {
  const { rows } = await pool.query<{ row: Row }>(`select to_jsonb(t) as row from ${table} t`);
  return rows.map(({ row }) => mapped(row));
}

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/;

/** Times in the form that events have them in. */
function mapped(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === "string" && TIME.test(value) ? new Date(value).toISOString() : value,
    ]),
  );
}
