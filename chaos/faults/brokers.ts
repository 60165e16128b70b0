import { away, type Fault } from "./fault";

const NATS_AWAY_MS = [100, 5_000] as const;
const KAFKA_AWAY_MS = [100, 5_000] as const;

/** kill -9 of NATS: nodes do not hear each other. */
export const killNats: Fault = {
  impossible: ({ fleet }) => (fleet.nats === undefined ? "the fleet has no NATS" : undefined),
  async strike({ fleet }, strike) {
    await fleet.nats?.process.kill();
    await away(strike, ...NATS_AWAY_MS);
    await fleet.nats?.process.start();
    return "nats";
  },
};

/** kill -9 of Kafka. */
export const killKafka: Fault = {
  impossible: ({ fleet }) => (fleet.kafka === undefined ? "the fleet has no Kafka" : undefined),
  async strike({ fleet }, strike) {
    await fleet.kafka?.process.kill();
    await away(strike, ...KAFKA_AWAY_MS);
    await fleet.kafka?.process.start();
    return "kafka";
  },
};
