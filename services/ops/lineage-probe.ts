import type { Pool } from "pg";
import type { EventLog } from "../../mixins/event-log/event-log";
import type { LineageBreak } from "../../mixins/event-log/lineage";
import type { HealthProbe } from "../../mixins/health/health-probes";
import type { Metrics } from "../../mixins/metrics/metrics";
import { Checkpoint } from "../../mixins/projection/checkpoint";

/** Whether the log is the one that was read, and what is still made good when it went back. Never required: it serves meanwhile. */
export function lineageProbe(log: Pick<EventLog, "lineage">, pool: Pool): HealthProbe {
  return {
    name: "lineage",
    required: false,
    async probe() {
      const [last] = log.lineage.breaks;
      const diverged = await Checkpoint.diverged(pool);
      const healing = diverged.length > 0;
      if (last === undefined && !healing) return { status: "up" };
      return {
        status: healing ? "degraded" : "up",
        ...(last === undefined ? {} : figuresOf(last)),
        ...(healing ? { healing: diverged.join(", ") } : {}),
        detail: [last === undefined ? "" : told(last), todo(diverged)].join(" ").trim(),
      };
    },
  };
}

const figuresOf = ({ found_at, to, after }: LineageBreak) => ({
  went_back_at: found_at,
  from_position: to,
  to_position: after,
});

function told({ found_at, after, to, timeline_before, timeline_after }: LineageBreak): string {
  return (
    `The log went back at ${found_at}, from position ${String(to)} to ${String(after)} or a little later ` +
    `(timeline ${timeline_before}, then ${timeline_after}): what was written between is lost.`
  );
}

function todo(diverged: readonly string[]): string {
  return diverged.length === 0
    ? "Everything that was made of it has been made good."
    : `Being made good: ${diverged.join(", ")}; reads of these may show what is lost. Nothing to do but wait.`;
}

export function registerLineageMetrics(
  metrics: Metrics,
  { lineage }: Pick<EventLog, "lineage">,
  pool: Pool,
): void {
  metrics.total(
    "forno_log_lineage_changes_total",
    "Times that this node found the log to be held by another server, or to have gone back.",
    () => lineage.generation,
  );
  metrics.gauge(
    "forno_log_breaks",
    "Times that the log is known to have gone back.",
    () => lineage.breaks.length,
  );
  metrics.gauge(
    "forno_log_diverged_consumers",
    "Consumers whose checkpoint stands at an event that the log does not hold.",
    async () => (await Checkpoint.diverged(pool)).length,
  );
}
