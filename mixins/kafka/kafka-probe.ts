import type { HealthFinding, HealthProbe } from "../health/health-probes";
import { TopicShapeError, type KafkaLink } from "./kafka-link";

/** Whether Kafka answers, and its topic is as it should be. Never required: without it events come from the log. */
export function kafkaProbe(kafka: KafkaLink | undefined): HealthProbe {
  let asking: Promise<HealthFinding> | undefined;
  return {
    name: "kafka",
    required: false,
    probe() {
      if (kafka === undefined) return Promise.resolve({ status: "off" });
      // One question at a time: a Kafka that hangs takes longer than the next round of probes.
      asking ??= ask(kafka).finally(() => (asking = undefined));
      return asking;
    },
  };
}

async function ask(kafka: KafkaLink): Promise<HealthFinding> {
  try {
    if ((await kafka.topicState()) === "ready") return { status: "up" };
    return { status: "degraded", detail: "There is no topic yet; a relay makes it." };
  } catch (error) {
    if (error instanceof TopicShapeError) return { status: "degraded", detail: error.message };
    return { status: "down", detail: "It does not answer; events come from the log." };
  }
}
