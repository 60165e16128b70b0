import type { PoolClient } from "pg";
import { ERASED_EVENT } from "../../mixins/erasure/erased-event";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { Projection } from "../../mixins/projection/projection";
import type { CustomerErased } from "../customer/customer.events";
import type { OrderEvent } from "./order.events";
import { foldRows } from "./order.rows";
import { insertItems, insertOrders, updateOrders } from "./order.statements";

/**
 * Fills `orders` and `order_items`. Three statements a batch, whatever its size; events that come twice change nothing.
 *
 * Whatever personal texts of a stream stand in the log before its erasure, come before it here as well; what comes after holds
 * none. So nobody who was forgotten is written again. In a rebuild all of it comes without, and there is nothing left to do.
 */
export const orderProjection: Projection = {
  name: "orders",
  tables: ["orders", "order_items"],
  handles: [
    "order.placed",
    "order.status_changed",
    "order.cancelled",
    "order.processed",
    "order.refunded",
    "order.archived",
    ERASED_EVENT,
  ] satisfies (OrderEvent | CustomerErased)["type"][],
  rows_of_one_stream: true,
  apply,
};

async function apply(events: readonly RecordedEvent[], tx: PoolClient): Promise<void> {
  const [erasures, orders] = [
    events.filter(({ type }) => type === ERASED_EVENT),
    events.filter(({ type }) => type !== ERASED_EVENT),
  ];
  const { inserts, updates } = foldRows(
    orders.map(({ position, type, data }) => ({ position, event: { type, data } as OrderEvent })),
  );
  if (inserts.length > 0) {
    // Usually made long ahead; a rebuild meets months that no job has made.
    await ensurePartitions(tx, new Set(inserts.map(({ placed }) => monthOf(placed.placed_at))));
    await tx.query(insertOrders(inserts));
    await tx.query(insertItems(inserts));
  }
  if (updates.length > 0) await tx.query(updateOrders(updates));
  if (erasures.length > 0)
    await tx.query(ERASE, [erasures.map(({ data }) => (data as CustomerErased["data"]).erasure_id)]);
}

const ERASE = "select erase_orders($1::uuid[])";

/** Makes the partitions of these months (`YYYY-MM-01`) where they are missing. */
export async function ensurePartitions(
  tx: Pick<PoolClient, "query">,
  months: ReadonlySet<string>,
): Promise<void> {
  await tx.query(ENSURE_PARTITIONS, [[...months]]);
}

/** Almost always all are there, which looking the names up tells in a tenth of the time that the function takes. */
const ENSURE_PARTITIONS = `select ensure_order_partitions(missing) from (
    select array_agg(month) as missing from unnest($1::date[]) as month, unnest(array['orders', 'order_items']) as parent
    where to_regclass(format('%I.%I', current_schema(), parent || '_' || to_char(month, 'YYYY_MM'))) is null
  ) m where missing is not null`;

/** First day of a moment's month, UTC. */
export const monthOf = (iso: string): string => `${iso.slice(0, 7)}-01`;

/** The months that partitions are made ahead for: this one, the one before for late events, and two to come. */
export function monthsAhead(now: number): ReadonlySet<string> {
  const today = new Date(now);
  return new Set(
    [-1, 0, 1, 2].map((ahead) =>
      monthOf(new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + ahead, 1)).toISOString()),
    ),
  );
}
