import type { HealthFinding, HealthProbe } from "../health/health-probes";
import type { Metrics } from "../metrics/metrics";
import type { ReplicaReads } from "./reads";

/** How the replica is. Never required: what it does not serve, the primary does. */
export function replicaProbe(reads: ReplicaReads | undefined): HealthProbe {
  return {
    name: "replica",
    required: false,
    async probe() {
      if (reads === undefined) return { status: "off" };
      await reads.look();
      return findingOf(reads);
    },
  };
}

function findingOf({ state, lag_ms_max }: ReplicaReads): HealthFinding {
  if (state === undefined) return { status: "down", detail: "It does not answer; the primary is read." };
  const { parts, differences } = state;
  const lags = Object.fromEntries(parts.map(({ part, lag_ms }) => [`lag_ms_${part}`, lag_ms ?? null]));
  const figures = { ...lags, lag_ms_max, schema_ok: differences.length === 0 };
  if (differences.length > 0)
    return {
      ...figures,
      status: "degraded",
      detail: `The tables differ in ${String(differences.length)} points, so the primary is read: run npm run replica:setup.`,
    };
  const copying = parts.filter(({ copied }) => !copied).map(({ part }) => part);
  if (copying.length > 0)
    return {
      ...figures,
      status: "degraded",
      detail: `Not copied yet, so the primary is read: ${copying.join(", ")}.`,
    };
  const late = parts.filter(({ lag_ms }) => lag_ms === undefined || lag_ms > lag_ms_max);
  if (late.length > 0)
    return {
      ...figures,
      status: "degraded",
      detail: `Too far behind, so the primary is read: ${late.map(({ part }) => part).join(", ")}.`,
    };
  return { ...figures, status: "up" };
}

/** How the replica is, as this node sees it. */
export function registerReplicaMetrics(metrics: Metrics, reads: ReplicaReads): void {
  metrics.gauge(
    "forno_replica_lag_seconds",
    "No change older than this is missing on the replica.",
    () =>
      (reads.state?.parts ?? []).flatMap(({ part, lag_ms }) =>
        lag_ms === undefined ? [] : [{ labels: { part }, value: lag_ms / 1000 }],
      ),
    ["part"],
  );
  metrics.gauge("forno_replica_up", "Whether the replica answers.", () =>
    reads.state === undefined ? 0 : 1,
  );
}
