import { Kafka, logLevel, type Admin, type ITopicMetadata, type KafkaConfig, type logCreator } from "kafkajs";
import type { Settings } from "../../settings";
import { PARTITIONS } from "../event-log/event-log";
import type { Logger } from "../logger";
import { mendRequestQueueTimers } from "./request-queue-timers";

const CONNECT_TIMEOUT_MS = 2_000;
/** A broker that has not answered by then hangs. Longer than a fetch waits for news. */
const REQUEST_TIMEOUT_MS = 5_000;
/** More would only hide for longer that Kafka is away; who uses the link tries again by itself. */
const RETRIES = 2;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 1_000;

/** Copies of each partition, where there are brokers enough; two of three must have a record before it counts. */
const REPLICAS_MAX = 3;
const HOUR_MS = 3_600_000;

export type KafkaSettings = Pick<
  Settings,
  | "KAFKA_BROKERS"
  | "KAFKA_TOPIC"
  | "KAFKA_RETENTION_HOURS"
  | "KAFKA_USERNAME"
  | "KAFKA_PASSWORD"
  | "KAFKA_SASL_MECHANISM"
  | "KAFKA_CA_CERT"
>;

/** The topic there is cannot carry the log: nothing is sent to it and nothing read. */
export class TopicShapeError extends Error {
  constructor(readonly partitions: number) {
    super(`The Kafka topic has ${String(partitions)} partitions where the log has ${String(PARTITIONS)}.`);
  }
}

/** How the topic is: `missing` until a relay makes it. */
export type TopicState = "ready" | "missing";

/**
 * A node's way to Kafka: the client with its settings, and the topic. Holds no connection. Kafka is optional at every moment,
 * so everything here may reject; who calls waits and calls again.
 */
export class KafkaLink {
  readonly client: Kafka;
  readonly topic: string;
  readonly retention_ms: number;

  constructor(settings: KafkaSettings, logger: Logger, client_id = "forno") {
    mendRequestQueueTimers();
    this.client = new Kafka(kafkaConfig(settings, logger, client_id));
    this.topic = settings.KAFKA_TOPIC;
    this.retention_ms = settings.KAFKA_RETENTION_HOURS * HOUR_MS;
  }

  /**
   * Asks Kafka for the topic.
   * @throws TopicShapeError when the topic has another number of partitions than the log.
   */
  topicState(): Promise<TopicState> {
    return this.#onAdmin((admin) => this.#stateOf(admin));
  }

  /**
   * Makes the topic unless it is there.
   * @returns whether it was made just now, and therefore is empty.
   * @throws TopicShapeError when the topic has another number of partitions than the log.
   */
  ensureTopic(): Promise<"made" | "there"> {
    return this.#onAdmin(async (admin) => {
      if ((await this.#stateOf(admin)) === "ready") return "there";
      const { brokers } = await admin.describeCluster();
      const replicationFactor = Math.min(REPLICAS_MAX, brokers.length);
      const configEntries = [
        { name: "retention.ms", value: String(this.retention_ms) },
        { name: "min.insync.replicas", value: String(Math.max(1, replicationFactor - 1)) },
      ];
      // Not waiting for its leaders: kafkajs fails where a broker has not heard of the topic yet, and then nobody would know
      // that it was made. Who sends to it tries again.
      const made = await admin.createTopics({
        waitForLeaders: false,
        topics: [{ topic: this.topic, numPartitions: PARTITIONS, replicationFactor, configEntries }],
      });
      if (made) return "made";
      // Somebody else has made it a moment ago: what it is like shows when the brokers know of it.
      if ((await this.#stateOf(admin)) === "missing")
        throw new Error(`The topic ${this.topic} is being made; try again.`);
      return "there";
    });
  }

  async #stateOf(admin: Admin): Promise<TopicState> {
    const topic = await this.#find(admin);
    if (topic === undefined) return "missing";
    if (topic.partitions.length !== PARTITIONS) throw new TopicShapeError(topic.partitions.length);
    return "ready";
  }

  async #find(admin: Admin): Promise<ITopicMetadata | undefined> {
    try {
      return (await admin.fetchTopicMetadata({ topics: [this.topic] })).topics[0];
    } catch (error) {
      if (isUnknownTopic(error)) return undefined;
      throw error;
    }
  }

  async #onAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.client.admin();
    try {
      await admin.connect();
      return await work(admin);
    } finally {
      // Nobody waits for a connection to close that may hang.
      void admin.disconnect().catch(() => undefined);
    }
  }
}

function isUnknownTopic(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ("type" in cause && cause.type === "UNKNOWN_TOPIC_OR_PARTITION") return true;
  return false;
}

/** What kafkajs is told, from the settings. */
export function kafkaConfig(settings: KafkaSettings, logger: Logger, client_id: string): KafkaConfig {
  const { KAFKA_BROKERS, KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL_MECHANISM, KAFKA_CA_CERT } = settings;
  const config: KafkaConfig = {
    clientId: client_id,
    brokers: [...KAFKA_BROKERS],
    connectionTimeout: CONNECT_TIMEOUT_MS,
    authenticationTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: RETRIES, initialRetryTime: RETRY_FIRST_MS, maxRetryTime: RETRY_MAX_MS },
    logLevel: logLevel.WARN,
    logCreator: quietly(logger),
  };
  if (KAFKA_CA_CERT !== undefined) config.ssl = KAFKA_CA_CERT === "system" ? true : { ca: [KAFKA_CA_CERT] };
  if (KAFKA_USERNAME !== undefined && KAFKA_PASSWORD !== undefined) {
    const user = { username: KAFKA_USERNAME, password: KAFKA_PASSWORD };
    config.sasl = { mechanism: KAFKA_SASL_MECHANISM, ...user } as KafkaConfig["sasl"] & object;
  }
  return config;
}

/**
 * The client complains of each try, several lines a second while Kafka is away. That goes to debug; relay and feed say once
 * that Kafka is gone, and once that it is back.
 */
function quietly(logger: Logger): logCreator {
  return () =>
    ({ namespace, log }) => {
      const error = typeof log["error"] === "string" ? `: ${log["error"]}` : "";
      logger.debug(`kafkajs ${namespace}: ${log.message}${error}`);
    };
}
