import type { Pool } from "pg";
import type { ActorHost } from "../../mixins/actor/actor-host";
import type { CommandIdentity } from "../../mixins/contract/caller";
import { isRefusal } from "../../mixins/contract/refusal";
import type { Position } from "../../mixins/event-log/event-log";
import type { Logger } from "../../mixins/logger";
import { derivedCommandId } from "../../mixins/process/derived-id";
import type { Clock } from "../../mixins/runtime";
import { archiveHorizon, type OrderCommand, type OrderState } from "./order.decider";
import { orderStream } from "./order.events";
import { ensurePartitions, monthsAhead } from "./order.projection";

export interface ArchiveDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly orders: Pick<ActorHost<OrderState, OrderCommand>, "tell">;
  /** Waits until the read model has reached a position. */
  readonly reached: (position: Position) => Promise<void>;
  /** Ends the run after the page in hand. */
  readonly stopping?: AbortSignal;
}

export interface ArchiveReport {
  /** Orders that this run has archived. */
  readonly archived: number;
  /** Months (`YYYY_MM`) whose partitions this run has detached. */
  readonly detached: readonly string[];
}

const NAME = "order-archive";

/** Orders that are archived side by side: enough to fill the log's batches, few beside the day's work. */
const ARCHIVE_PAGE = 200;

const CLOSED_BEFORE = `select order_id, closed_at::text as closed_at from orders
  where status in ('delivered', 'cancelled') and closed_at < $1 and (closed_at, order_id) > ($2::timestamptz, $3::uuid)
  order by closed_at, order_id limit ${String(ARCHIVE_PAGE)}`;

/**
 * Keeps the order tables in shape: makes the partitions of the months to come, archives orders that were finished more than
 * a year ago, and detaches the partitions of months that hold nothing else. Detached rows stay in tables of their own
 * (`detached.orders_YYYY_MM`, `detached.order_items_YYYY_MM`); the events stay in the log, so an order's history is there for
 * ever.
 *
 * May stop anywhere and run again: what is archived is not found again, and each order's command has one id for ever, so the
 * log takes it once.
 */
export async function runArchive(deps: ArchiveDeps): Promise<ArchiveReport> {
  const now = deps.clock.now();
  await ensurePartitions(deps.pool, monthsAhead(now));
  const archived = await archiveClosedOrders(deps, now);
  const { rows } = await deps.pool.query<{ month: string }>(
    "select month from detach_order_partitions($1::date) as month",
    [new Date(archiveHorizon(now)).toISOString().slice(0, 10)],
  );
  const detached = rows.map(({ month }) => month);
  if (archived > 0 || detached.length > 0) {
    deps.logger.info(`archived ${String(archived)} orders, detached ${detached.join(", ") || "no months"}`);
  }
  return { archived, detached };
}

async function archiveClosedOrders(
  { pool, orders, reached, stopping }: ArchiveDeps,
  now: number,
): Promise<number> {
  const horizon = new Date(archiveHorizon(now)).toISOString();
  const at = new Date(now).toISOString();
  let archived = 0;
  let last = { closed_at: "-infinity", order_id: "00000000-0000-0000-0000-000000000000" };
  for (;;) {
    const { rows } = await pool.query<typeof last>(CLOSED_BEFORE, [horizon, last.closed_at, last.order_id]);
    const end = rows.at(-1);
    if (end === undefined || stopping?.aborted === true) return archived;
    const outcomes = await Promise.all(
      rows.map(({ order_id }) =>
        orders.tell(orderStream(order_id), { type: "order.archive", at }, commandFor(order_id), {
          actor: `system:${NAME}`,
        }),
      ),
    );
    const positions = outcomes.flatMap((outcome) => (isRefusal(outcome) ? [] : [outcome.position]));
    archived += positions.length;
    // The partitions can only go when their rows say so.
    await reached(Math.max(0, ...positions));
    last = end;
  }
}

/** The one command under which an order is ever archived. */
function commandFor(order_id: string): CommandIdentity {
  return { id: derivedCommandId(order_id, NAME, 0), fingerprint: NAME };
}
