import type { EventLog, Position } from "../event-log/event-log";
import type { HealthProbe } from "../health/health-probes";
import type { Metrics } from "../metrics/metrics";
import { isSwitchable, type EventFeed, type SwitchableStatus } from "./event-feed";

/** Events behind the head from which on this node's sockets and boards count as late: some seconds of a rush hour. */
const LAG_EVENTS_MAX = 10_000;

type Log = Pick<EventLog, "head">;

/** Where this node's events come from, and how far behind the log what has come is. */
export function feedProbe(feed: EventFeed, log: Log): HealthProbe {
  return {
    name: "event_feed",
    required: false,
    async probe() {
      const head = await log.head();
      const status = feed.status?.();
      const lag_events = lag(head, status?.position);
      const in_time = lag_events <= LAG_EVENTS_MAX;
      const figures = { source: status?.source ?? "log", lag_events };
      if (status?.failure !== undefined)
        return { status: "degraded", ...figures, detail: `${status.failure} ${RESTORE}` };
      if (!isSwitchable(feed)) return { status: in_time ? "up" : "degraded", ...figures };
      const { choice, reason, joined, switches } = feed.status();
      return {
        status: in_time && reason !== "late" ? "up" : "degraded",
        ...{ ...figures, choice, joined, switches },
        ...(reason === undefined ? {} : { detail: DETAIL[reason] }),
      };
    },
  };
}

const RESTORE =
  "What follows the log on this node stands still: restore the database, then start the node again.";

const DETAIL: Readonly<Record<NonNullable<SwitchableStatus["reason"]>, string>> = {
  starting: "Events come from the log until Kafka has brought one.",
  late: "Kafka is late: events come from the log.",
  interrupted: "This node joins its consumer group: events come from the log until Kafka has brought one.",
  chosen: "An operator wants events from the log.",
};

/** Nothing in memory: nobody is so far that a lag could be told. */
function lag(head: Position, position: Position | undefined): number {
  return position === undefined ? 0 : Math.max(0, head - position);
}

/** Gauges of a feed with two sources. */
export function registerFeedMetrics(metrics: Metrics, feed: EventFeed, log: Log): void {
  if (!isSwitchable(feed)) return;
  metrics.gauge(
    "forno_feed_source",
    "Where this node's events come from: 1 for the source in use.",
    () => {
      const { source } = feed.status();
      return (["log", "kafka"] as const).map((each) => ({
        labels: { source: each },
        value: each === source ? 1 : 0,
      }));
    },
    ["source"],
  );
  metrics.gauge("forno_feed_lag_events", "Events of the log that have not come to this node.", async () =>
    lag(await log.head(), feed.status().position),
  );
  metrics.gauge(
    "forno_feed_kafka_lag_events",
    "Events of the log that Kafka has not brought to this node.",
    async () => lag(await log.head(), feed.status().kafka_position),
  );
  metrics.total(
    "forno_feed_switches_total",
    "Switches between Kafka and the log.",
    () => feed.status().switches,
  );
}
