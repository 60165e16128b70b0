import type { EventLog } from "../event-log/event-log";
import type { KafkaLink } from "../kafka/kafka-link";
import type { FeedChoice, SwitchableFeed, SwitchableStatus } from "./event-feed";
import { KafkaConsumer } from "./kafka-consumer";
import { KAFKA_SOURCE_LIMITS, KafkaSource, type KafkaSourceLimits } from "./kafka-source";
import { FEED_LIMITS, TailFeed, type FeedDeps, type FeedLimits } from "./tail-feed";

export interface KafkaFeedDeps extends FeedDeps {
  readonly kafka: KafkaLink;
  readonly log: EventLog;
}

/** The feed by Kafka, which the log stands in for whenever Kafka is late. Begins at {@link start}; until then it is the log's. */
export class KafkaFeed extends TailFeed implements SwitchableFeed {
  readonly #source: KafkaSource;
  readonly #consumer: KafkaConsumer;

  constructor(
    { kafka, ...deps }: KafkaFeedDeps,
    limits: FeedLimits = FEED_LIMITS,
    source_limits: KafkaSourceLimits = KAFKA_SOURCE_LIMITS,
  ) {
    const { log, logger } = deps;
    const source = new KafkaSource({ log, logger }, limits.poll_ms, source_limits);
    super(deps, limits, source);
    this.#source = source;
    this.#consumer = new KafkaConsumer(kafka, logger, {
      take: (records) => {
        source.take(records, log.lineage.name);
      },
      interrupted: () => {
        source.interrupted();
      },
    });
  }

  /** Joins the consumer group in the background; waits for nothing. */
  start(): void {
    this.#source.start();
    this.#consumer.start();
  }

  /** Leaves the group. Subscriptions are stopped by whoever has made them. */
  async close(): Promise<void> {
    this.#source.stop();
    await this.#consumer.stop();
  }

  status(): SwitchableStatus {
    return { ...this.#source.status(), joined: this.#consumer.joined, ...this.failing() };
  }

  switchTo(choice: FeedChoice): void {
    this.#source.switchTo(choice);
  }
}
