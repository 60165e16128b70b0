import { setTimeout as pause } from "node:timers/promises";
import { Partitioners, type Message, type Producer } from "kafkajs";
import type { Pool } from "pg";
import { UnavailableError } from "../../mixins/contract/refusal";
import { LogFeed } from "../../mixins/event-feed/log-feed";
import type { EventLog, Position, RecordedEvent } from "../../mixins/event-log/event-log";
import { markOf } from "../../mixins/event-log/lineage";
import { positionAsOf } from "../../mixins/event-log/position-as-of";
import { recordOf } from "../../mixins/kafka/event-record";
import { TopicShapeError, type KafkaLink } from "../../mixins/kafka/kafka-link";
import type { Logger } from "../../mixins/logger";
import { Checkpoint, FencedError } from "../../mixins/projection/checkpoint";
import { inDerivedTransaction } from "../../mixins/projection/transaction";
import type { Clock } from "../../mixins/runtime";
import { firstRecordedSince } from "./first-recorded-since";

/** Name of its checkpoint, and of its leadership. */
export const RELAY = "relay";

/** The log may be another one: what follows goes out under another name, from the checkpoint on as it is now. */
class LogChangedError extends Error {}

/** The clocks of two servers may differ by so much; what is sent twice does no harm. */
const CLOCKS_DIFFER_MS_MAX = 3_600_000;
const PAUSE_FIRST_MS = 200;
const PAUSE_MAX_MS = 10_000;
/** A broker that hangs is not waited for when its connection is given up. */
const DISCONNECT_MS_MAX = 250;
/** Of one partition in one request: brokers take record batches of a megabyte unless they are told otherwise. */
const BATCH_BYTES_MAX = 900_000;
/** Key, headers and framing of a record, generously. */
const RECORD_OVERHEAD_BYTES = 500;

export interface RelayDeps {
  readonly log: EventLog;
  readonly pool: Pool;
  readonly kafka: KafkaLink;
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * Carries the log into the topic. Its life, while it leads:
 *
 * - *connecting*: topic and producer, again and again with growing pauses, for as long as Kafka is away;
 * - *following* the log from the checkpoint: a batch is sent, all replicas that are in sync acknowledge it, the checkpoint moves.
 *   Whatever goes wrong ends the producer and leads back to *connecting*, and so does a log that went back.
 *
 * So Kafka has every event up to the checkpoint, and may have some beyond it twice: after a failure nobody knows what had
 * arrived, and for a moment two relays may be at work. Since each sends everything from a checkpoint on in order, an event stands
 * in its partition only where all before it do: whoever passes over what it has already misses nothing.
 */
export class Relay {
  #said_gone = false;
  /** Acknowledged by Kafka since this node was started. */
  records_sent = 0;

  constructor(private readonly deps: RelayDeps) {}

  /**
   * Relays until `over` is aborted, and then ends at once: what a Kafka that hangs still does is left to itself.
   * @throws FencedError when another relay is at work.
   */
  async lead(over: AbortSignal): Promise<void> {
    const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
    over.addEventListener("abort", () => {
      resolve(undefined);
    });
    await Promise.race([this.#insist(over), aborted]);
  }

  async #insist(over: AbortSignal): Promise<void> {
    let pause_ms = PAUSE_FIRST_MS;
    const isOver = (): boolean => over.aborted;
    while (!isOver()) {
      try {
        const checkpoint = await this.#prepare();
        await this.#withProducer(async (producer) => {
          const begun = checkpoint.position;
          this.#sayBack(begun);
          await this.#follow(producer, checkpoint, over).finally(() => {
            if (checkpoint.position !== begun) pause_ms = PAUSE_FIRST_MS;
          });
        });
      } catch (error) {
        if (isOver()) return;
        if (error instanceof FencedError) throw error;
        if (error instanceof LogChangedError) {
          this.deps.logger.info(`relay: ${error.message}`);
          continue;
        }
        this.#sayGone(error);
        await pause(pause_ms, undefined, { signal: over, ref: false }).catch(() => undefined);
        pause_ms = Math.min(2 * pause_ms, PAUSE_MAX_MS);
      }
    }
  }

  /** Topic and checkpoint. A topic that was made just now gets what it would still hold if it had always been there. */
  async #prepare(): Promise<Checkpoint> {
    const { kafka, pool, log, clock, logger } = this.deps;
    const made = await kafka.ensureTopic();
    const checkpoint = await Checkpoint.load(pool, RELAY);
    if (made !== "there") {
      const from = await firstRecordedSince(log, new Date(clock.now() - kafka.retention_ms));
      logger.info(`relay: made the topic ${kafka.topic}; it gets the log from position ${String(from)} on`);
      await checkpoint.put(pool, from - 1);
    } else if (checkpoint.diverged) {
      const common = await positionAsOf(log, checkpoint.as_of_ms - CLOCKS_DIFFER_MS_MAX, await log.head());
      logger.warn(`relay: the log went back; it is sent again after position ${String(common)}`);
      await checkpoint.put(pool, Math.min(common, checkpoint.position));
    } else return checkpoint;
    await checkpoint.reload(pool);
    return checkpoint;
  }

  async #withProducer(work: (producer: Producer) => Promise<void>): Promise<void> {
    const producer = this.deps.kafka.client.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Every record says its partition.
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    try {
      await producer.connect();
      await work(producer);
    } finally {
      // Not used again: after a failure its sequence numbers may be taken, by records that are not these.
      await Promise.race([
        producer.disconnect().catch(() => undefined),
        pause(DISCONNECT_MS_MAX, undefined, { ref: false }),
      ]);
    }
  }

  /** Follows the log until `over` is aborted. @throws what kept a batch from being relayed. */
  async #follow(producer: Producer, checkpoint: Checkpoint, over: AbortSignal): Promise<void> {
    const { log, logger, pool } = this.deps;
    const { name } = log.lineage;
    const ended = Promise.withResolvers<undefined>();
    let isOver = false;
    const end = (): void => {
      isOver = true;
      ended.resolve(undefined);
    };
    if (over.aborted) end();
    over.addEventListener("abort", end, { once: true });
    const changed = (): void => {
      isOver = true;
      ended.reject(new LogChangedError(`the log is ${log.lineage.name} from here on`));
    };
    const stopFollowing = log.lineage.onChange(changed);
    const relay = async (events: readonly RecordedEvent[]): Promise<void> => {
      for (const messages of requestsOf(events, name)) {
        await producer.send({ topic: this.deps.kafka.topic, acks: -1, messages });
        this.records_sent += messages.length;
      }
      const last = events.at(-1);
      if (last === undefined) return;
      await inDerivedTransaction(pool, (tx) => checkpoint.move(tx, markOf(last), checkpoint.mark));
      checkpoint.moved(markOf(last));
    };
    // As they are stored: who may read the topic does not read names, and what is erased is erased there as well.
    const handle = new LogFeed({ log: log.stored, logger }).subscribe({
      name: RELAY,
      after: checkpoint.position,
      // Never fails: the feed would give the same batch to the same producer again. Instead the whole subscription ends.
      onBatch: async (events) => {
        if (isOver) return;
        const relayed = relay(events).catch((error: unknown) => {
          isOver = true;
          ended.reject(error);
        });
        // Whoever wants this to be over does not wait for a Kafka that hangs.
        await Promise.race([relayed, ended.promise.catch(() => undefined)]);
      },
      wentBack: () => {
        changed();
        return Promise.resolve(0);
      },
    });
    try {
      await ended.promise;
    } finally {
      over.removeEventListener("abort", end);
      stopFollowing();
      await handle.stop();
    }
  }

  #sayBack(position: Position): void {
    if (this.#said_gone)
      this.deps.logger.info(`relay: Kafka is back, going on after position ${String(position)}`);
    this.#said_gone = false;
  }

  #sayGone(error: unknown): void {
    const { logger } = this.deps;
    const why = error instanceof Error ? error.message : String(error);
    if (this.#said_gone) logger.debug(`relay: cannot go on yet: ${why}`);
    else if (error instanceof TopicShapeError) logger.error(`relay: nothing is sent: ${why}`);
    else if (error instanceof UnavailableError) logger.warn(`relay: the log does not answer: ${why}`);
    else logger.warn(`relay: interrupted, will go on when Kafka answers: ${why}`);
    this.#said_gone = true;
  }
}

/** The records of a batch of events, in requests of a bounded size for each partition. */
export function* requestsOf(events: readonly RecordedEvent[], log: string): Generator<Message[]> {
  let messages: Message[] = [];
  let bytes: number[] = [];
  for (const event of events) {
    const record = recordOf(event, log);
    const size = (record.value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
    if ((bytes[event.partition] ?? 0) + size > BATCH_BYTES_MAX && messages.length > 0) {
      yield messages;
      messages = [];
      bytes = [];
    }
    bytes[event.partition] = (bytes[event.partition] ?? 0) + size;
    messages.push(record);
  }
  if (messages.length > 0) yield messages;
}
