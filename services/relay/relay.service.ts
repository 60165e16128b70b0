import type { ServiceSchema } from "moleculer";
import { healthProbesOf } from "../../mixins/health/health-probes";
import type { KafkaLink } from "../../mixins/kafka/kafka-link";
import { metricsOf } from "../../mixins/metrics/metrics";
import { startLeader, type LeaderHandle } from "../../mixins/process/start-leader";
import { Checkpoint } from "../../mixins/projection/checkpoint";
import type { Runtime } from "../../mixins/runtime";
import { RELAY, Relay } from "./relay";

/** Events behind the head from which on Kafka's readers count as late: some seconds of a rush hour. */
const LAG_EVENTS_MAX = 10_000;

/** Carries the log into Kafka, from one node at a time; another one takes over within a second. See docs/kafka.md. */
export function createRelayService(runtime: Runtime, kafka: KafkaLink): ServiceSchema {
  const { broker, pool, log } = runtime;
  const logger = broker.getLogger(RELAY);
  const relay = new Relay({ ...runtime, kafka, logger });
  let candidate: LeaderHandle | undefined;
  let removeProbe: (() => void) | undefined;
  const isLeading = (): boolean => candidate?.leading === true;
  /** Of whichever node relays: all read the same checkpoint. */
  const progress = async (): Promise<{ position: number; lag_events: number }> => {
    const [{ position }, head] = await Promise.all([Checkpoint.load(pool, RELAY), log.head()]);
    return { position, lag_events: Math.max(0, head - position) };
  };
  const metrics = metricsOf(broker);
  metrics.gauge("forno_relay_leading", "Whether this node carries the log into Kafka.", () =>
    isLeading() ? 1 : 0,
  );
  metrics.gauge("forno_relay_position", "Everything up to here is in Kafka.", async () => {
    const { position } = await progress();
    return position;
  });
  metrics.gauge("forno_relay_lag_events", "Events of the log that are not in Kafka yet.", async () => {
    const { lag_events } = await progress();
    return lag_events;
  });
  metrics.total(
    "forno_relay_records_total",
    "Records of this node that Kafka has acknowledged.",
    () => relay.records_sent,
  );

  return {
    name: RELAY,
    version: 1,
    settings: { $noVersionPrefix: true },
    started() {
      removeProbe = healthProbesOf(broker).add({
        name: RELAY,
        required: false,
        async probe() {
          const { position, lag_events } = await progress();
          const status = lag_events > LAG_EVENTS_MAX ? "degraded" : "up";
          return { status, position, lag_events, leading: isLeading() };
        },
      });
      candidate = startLeader({ pool, logger }, { name: RELAY, lead: (over) => relay.lead(over) });
      return Promise.resolve();
    },
    async stopped() {
      removeProbe?.();
      await candidate?.stop();
    },
  };
}
