import { setTimeout as pause } from "node:timers/promises";
import { Pool } from "pg";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import { createEventLog } from "../../mixins/event-log/postgres-event-log";
import { connectionOf } from "../../mixins/postgres/pool";
import type { Projection } from "../../mixins/projection/projection";
import { branchProjection } from "../../services/branch/branch.projection";
import { cartProjection } from "../../services/cart/cart.projection";
import { offerUsesProjection } from "../../services/menu/menu.offer-uses";
import { orderProjection } from "../../services/order/order.projection";
import { holdProjection } from "../../services/quota/quota.projection";
import { pairsProjection } from "../../services/shop/shop.pairs.projection";
import { slotProjection } from "../../services/slot/slot.projection";
import type { Evidence, TableDifference } from "./evidence";
import { rebuild, tableDifferences } from "./rebuilt-tables";

/** Read models that follow from the log alone. */
const PROJECTIONS: readonly Projection[] = [
  orderProjection,
  slotProjection,
  branchProjection,
  cartProjection,
  pairsProjection,
  holdProjection,
  offerUsesProjection,
];

/** What runs behind the answers (releases, read models) is given so long once everything is well again. */
const SETTLE_MS = 45_000;
/** What a killed node had taken of limited offers is given back after a minute, by a job that comes twice a minute. */
const SWEPT_MS = 180_000;
/** A head that stands still for so long is at rest: a process manager's next command comes within milliseconds. */
const REST_MS = 2_500;
const READ_EVENTS = 2_000;

/** What the database knows when all is quiet. */
export type DatabaseEvidence = Pick<
  Evidence,
  "events" | "head" | "stream_versions" | "orders" | "slots" | "tables"
>;

/** Waits until nothing moves any more, reads the whole log, and holds the read models against it. */
export async function collect(database_url: string): Promise<DatabaseEvidence> {
  const connection = connectionOf(database_url);
  const pool = new Pool({ ...connection, max: 2, options: "-c timezone=UTC" });
  const log = await createEventLog({ connection });
  try {
    await headAtRest(() => log.head());
    await holdsSettled(pool);
    const head = await headAtRest(() => log.head());
    const events: RecordedEvent[] = [];
    while (events.length < head) {
      const more = await log.readAll(events.length, READ_EVENTS);
      if (more.length === 0) break;
      events.push(...more);
    }
    await rebuild(pool, PROJECTIONS, events);
    const tables = await settledTables(pool);
    const streams = await pool.query<{ stream_id: string; version: number }>(
      "select stream_id, version from es.stream",
    );
    const orders = await pool.query<Evidence["orders"][number]>("select order_id, status from orders");
    const slots = await pool.query<Evidence["slots"][number]>("select slot_id, load_minor from slots");
    return {
      events,
      head,
      tables,
      stream_versions: new Map(streams.rows.map(({ stream_id, version }) => [stream_id, version])),
      orders: orders.rows,
      slots: slots.rows,
    };
  } finally {
    await log.close();
    await pool.end();
  }
}

async function headAtRest(read: () => Promise<number>): Promise<number> {
  let [head, since] = [await read(), performance.now()];
  for (const deadline = since + SETTLE_MS; performance.now() - since < REST_MS;) {
    await pause(100);
    const now = await read();
    if (now === head) continue;
    [head, since] = [now, performance.now()];
    if (since > deadline) throw new Error(`The log does not come to rest: it is at ${String(head)}.`);
  }
  return head;
}

/** A hold that nobody looks into within the time is one; the checks will name it. */
async function holdsSettled(pool: Pool): Promise<void> {
  for (const deadline = performance.now() + SWEPT_MS; performance.now() < deadline;) {
    const { rowCount } = await pool.query("select from quota_holds where order_id is null");
    if (rowCount === 0) return;
    await pause(500);
  }
}

/** Read models come after the log; a difference that does not go away within the time is one. */
async function settledTables(pool: Pool): Promise<TableDifference[]> {
  for (const deadline = performance.now() + SETTLE_MS; ;) {
    const tables = await tableDifferences(pool, PROJECTIONS);
    const differ = tables.some(({ only_live, only_rebuilt }) => only_live.length + only_rebuilt.length > 0);
    if (!differ || performance.now() > deadline) return tables;
    await pause(500);
  }
}
