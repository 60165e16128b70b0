import type { Pool } from "pg";
import type { EventLog } from "../../mixins/event-log/event-log";
import { logCondition, type LogTrouble } from "../../mixins/event-log/log-condition";
import type { HealthFinding, HealthProbe, HealthProbes } from "../../mixins/health/health-probes";
import { projectionStatus } from "../../mixins/projection/consumer-registry";
import type { Clock } from "../../mixins/runtime";
import type { HealthReport } from "./ops.contract";
import { slotsFinding } from "./slots-finding";

/** A probe that has not answered by then counts as down. */
const PROBE_TIMEOUT_MS = 2_000;
/** Health is public: however often it is asked, the probes run no more often than this. */
const REPORT_AGE_MAX_MS = 500;

/** One report's checks and what they come to. */
export type Findings = Pick<HealthReport, "status" | "checks">;

/** Runs all probes, at most one round at a time; a round that is fresh enough is given again. */
export class HealthRounds {
  #last: { readonly at_ms: number; readonly findings: Promise<Findings> } | undefined;

  constructor(
    private readonly probes: HealthProbes,
    private readonly clock: Clock,
    private readonly timeout_ms = PROBE_TIMEOUT_MS,
  ) {}

  findings(): Promise<Findings> {
    const now = this.clock.now();
    if (this.#last === undefined || now - this.#last.at_ms >= REPORT_AGE_MAX_MS)
      this.#last = { at_ms: now, findings: this.#round() };
    return this.#last.findings;
  }

  async #round(): Promise<Findings> {
    const probes = this.probes.all();
    const found = await Promise.all(probes.map((probe) => runProbe(probe, this.timeout_ms)));
    const checks = Object.fromEntries(
      probes.map((probe, i) => [probe.name, found[i] as HealthReport["checks"][string]]),
    );
    return { status: verdict(Object.values(checks)), checks };
  }
}

function verdict(
  checks: readonly { readonly status: string; readonly required: boolean }[],
): HealthReport["status"] {
  if (checks.some((check) => check.required && check.status === "down")) return "down";
  return checks.some((check) => check.status === "down" || check.status === "degraded") ? "degraded" : "up";
}

async function runProbe(probe: HealthProbe, timeout_ms: number): Promise<HealthReport["checks"][string]> {
  const started = performance.now();
  const finding = await withTimeout(probe, timeout_ms).catch(asDown);
  const latency_ms = Math.round((performance.now() - started) * 100) / 100;
  return { ...finding, required: probe.required, latency_ms };
}

async function withTimeout(probe: HealthProbe, timeout_ms: number): Promise<HealthFinding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<HealthFinding>((resolve) => {
    timer = setTimeout(() => {
      resolve({ status: "down", detail: `No answer within ${String(timeout_ms)} ms.` });
    }, timeout_ms);
  });
  try {
    return await Promise.race([probe.probe(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The report is public, and messages of drivers name hosts and users; the code is enough to know what to look for. */
function asDown(error: unknown): HealthFinding {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return { status: "down", detail: typeof code === "string" ? `Failed: ${code}.` : "Failed." };
}

/** Whether PostgreSQL answers a query; with a replica also whether a slot of one holds back its WAL. */
export function databaseProbe(pool: Pool, has_replica = false): HealthProbe {
  return {
    name: "database",
    required: true,
    async probe() {
      await pool.query("select 1");
      const { totalCount, idleCount, waitingCount } = pool;
      const figures = { connections: totalCount, idle: idleCount, waiting: waitingCount };
      if (!has_replica) return { status: "up", ...figures };
      const slots = await slotsFinding(pool);
      return { status: slots.detail === undefined ? "up" : "degraded", ...figures, ...slots };
    },
  };
}

/** Whether the log can be read and written to and is whole, and where its head is. */
export function logProbe(log: Pick<EventLog, "head" | "trouble">, pool: Pool): HealthProbe {
  return {
    name: "event_log",
    required: true,
    async probe() {
      const [position, { complaint }] = await Promise.all([log.head(), logCondition(pool)]);
      if (complaint !== undefined)
        return { status: complaint.stops_writing ? "down" : "degraded", position, detail: complaint.detail };
      return { ...troubleFinding(log.trouble), position };
    },
  };
}

/** Nobody writes to a node that is down, so one that was turned down would never find out that it can: it is degraded, for a while. */
const TROUBLE_MS_MAX = 30_000;

function troubleFinding(trouble: LogTrouble | undefined): HealthFinding {
  const now = performance.now();
  if (trouble === undefined || now - trouble.last_ms > TROUBLE_MS_MAX) return { status: "up" };
  return {
    status: "degraded",
    detail: trouble.detail,
    failing_s: Math.round((now - trouble.since_ms) / 1_000),
  };
}

/** Events behind the head from which on a read model counts as late: some seconds of a rush hour. */
const LAG_EVENTS_MAX = 10_000;

/** How far the slowest projection or process manager of this node is behind. Late ones make reads old; they stop nobody from ordering. */
export function consumersProbe(log: EventLog): HealthProbe {
  return {
    name: "projections",
    required: false,
    async probe() {
      const [slowest] = [...(await projectionStatus(log))].sort((a, b) => b.lag - a.lag);
      if (slowest === undefined) return { status: "off" };
      const { name, position, lag } = slowest;
      return { status: lag > LAG_EVENTS_MAX ? "degraded" : "up", slowest: name, position, lag_events: lag };
    },
  };
}
