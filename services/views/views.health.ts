import type { Pool } from "pg";
import type { HealthProbe } from "../../mixins/health/health-probes";
import { metricsOf } from "../../mixins/metrics/metrics";
import type { Runtime } from "../../mixins/runtime";
import type { ViewCounter } from "./views.counter";

/** Three rounds of the job. */
const UNSYNCED_S_MAX = 900;
const COUNTED_MAX = 1_000_000;

const INBOX = `
  select count(*)::integer as unsynced_notes, max(extract(epoch from clock_timestamp() - j.last_at))::float8 as last_sync_s
  from (select from post_view_inbox limit $1) i left join es.job_run j on j.name = 'views-sync'`;

interface Inbox {
  readonly unsynced_notes: number;
  readonly last_sync_s: number | null;
}

async function readInbox(pool: Pool): Promise<Inbox> {
  const { rows } = await pool.query<Inbox>(INBOX, [COUNTED_MAX]);
  return rows[0] ?? { unsynced_notes: 0, last_sync_s: null };
}

/** Degraded where nobody synchronises: counts are right all the same, but reading the days takes longer and longer. */
export function inboxProbe(pool: Pool): HealthProbe {
  return {
    name: "views",
    required: false,
    async probe() {
      const { unsynced_notes, last_sync_s } = await readInbox(pool);
      const isLate = unsynced_notes > 0 && (last_sync_s ?? 0) > UNSYNCED_S_MAX;
      return {
        status: isLate ? "degraded" : "up",
        unsynced_notes,
        ...(isLate ? { detail: "Views have not been synchronised for a quarter of an hour." } : {}),
      };
    },
  };
}

/** What this node counts, for Prometheus. */
export function showFigures({ broker, pool }: Runtime, counter: () => ViewCounter | undefined): void {
  const metrics = metricsOf(broker);
  const total = (name: string, help: string, of: keyof ViewCounter["figures"]): void => {
    metrics.total(name, help, () => counter()?.figures[of] ?? 0);
  };
  total("forno_views_batches_total", "Batches of views.", "batches");
  total("forno_views_known_total", "Views that Redis knew to be counted.", "known");
  total("forno_views_asked_total", "Views that PostgreSQL was asked to count.", "asked");
  total(
    "forno_views_without_redis_total",
    "Times that Redis did not answer a batch of views.",
    "without_redis",
  );
  metrics.gauge("forno_views_waiting", "Views that wait to be counted.", () => counter()?.waiting ?? 0);
  metrics.gauge(
    "forno_views_unsynced_notes",
    "Rows that are not in the counts by day yet, at most a million.",
    async () => (await readInbox(pool)).unsynced_notes,
  );
}
