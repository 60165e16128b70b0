import { actorHostsOf } from "../../mixins/actor/actor-registry";
import type { EventLog } from "../../mixins/event-log/event-log";
import type { Metrics } from "../../mixins/metrics/metrics";
import { projectionStatus } from "../../mixins/projection/consumer-registry";

/** Gauges of what this node hosts: the log's head, how far who follows it is behind, and the actors in memory. */
export function registerNodeMetrics(metrics: Metrics, log: EventLog): void {
  metrics.gauge("forno_log_head_position", "Position of the newest event of the log.", () => log.head());
  metrics.gauge(
    "forno_consumer_lag_events",
    "Events between the log's head and a projection or process manager of this node.",
    async () =>
      (await projectionStatus(log)).map(({ name, kind, lag }) => ({ labels: { name, kind }, value: lag })),
    ["name", "kind"],
  );
  metrics.gauge(
    "forno_actors_live",
    "Actors in memory, by kind.",
    () => actorHostsOf(log).map((host) => ({ labels: { kind: host.kind }, value: host.list().length })),
    ["kind"],
  );
}
