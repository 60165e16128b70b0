import { setTimeout as pause } from "node:timers/promises";
import {
  AssignerProtocol,
  type Consumer,
  type GroupMember,
  type KafkaMessage,
  type PartitionAssigner,
} from "kafkajs";
import { PARTITIONS } from "../event-log/event-log";
import { TopicShapeError, type KafkaLink } from "../kafka/kafka-link";
import type { Logger } from "../logger";

/** Every node of the fleet is a member. */
export const GROUP = "order-service-stable-group";
/** Who says nothing for so long is no member any more, and others that join wait for it no longer. Brokers take no less. */
export const SESSION_TIMEOUT_MS = 6_000;
const HEARTBEAT_MS = 1_500;
/** A fetch waits so long for news; stopping waits for a fetch. */
const FETCH_WAIT_MS = 300;
/** Offsets tell tools how far this group is, and where to begin after a rebalance. Nothing depends on them. */
const COMMIT_EVERY_MS = 5_000;
/** Time to leave the group; a broker that hangs is not waited for any longer. */
const STOP_MS_MAX = 800;
const PAUSE_FIRST_MS = 250;
const PAUSE_MAX_MS = 5_000;

export interface ConsumerHooks {
  /** Records of one partition, in its order. */
  take(records: readonly KafkaMessage[]): void;
  /** Nothing will come for a while. */
  interrupted(): void;
}

/** Consumes the topic on this node for as long as it runs; joins again whatever happens to Kafka. */
export class KafkaConsumer {
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #joined = false;
  /** Whether operators know that Kafka is away. */
  #said_gone = false;

  constructor(
    private readonly link: KafkaLink,
    private readonly logger: Logger,
    private readonly hooks: ConsumerHooks,
  ) {}

  /** Whether this node is in the group just now, as far as it knows. */
  get joined(): boolean {
    return this.#joined;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Leaves the group; waits for a Kafka that hangs only briefly. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.race([this.#running, pause(STOP_MS_MAX, undefined, { ref: false })]);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (
      let pause_ms = PAUSE_FIRST_MS;
      !this.#isStopping();
      pause_ms = Math.min(2 * pause_ms, PAUSE_MAX_MS)
    ) {
      try {
        if ((await this.link.topicState()) === "ready") await this.#consume();
      } catch (error) {
        this.#sayGone(error);
      }
      if (this.#joined) pause_ms = PAUSE_FIRST_MS;
      this.#joined = false;
      if (this.#isStopping()) return;
      this.hooks.interrupted();
      await pause(pause_ms, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Runs until it is stopped. @throws whatever Kafka did to it. */
  async #consume(): Promise<void> {
    const { link, hooks } = this;
    const consumer = link.client.consumer({
      groupId: GROUP,
      partitionAssigners: [everythingToEverybody],
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
      // Begun anew here, with the topic looked at and operators told.
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
    const crashed = this.#listen(consumer);
    const next = new Map<number, string>();
    const commits = setInterval(() => {
      void this.#commit(consumer, next);
    }, COMMIT_EVERY_MS).unref();
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [link.topic] });
      const eachBatch = ({ batch }: { batch: { partition: number; messages: KafkaMessage[] } }) => {
        const last = batch.messages.at(-1);
        hooks.take(batch.messages);
        if (last !== undefined) next.set(batch.partition, String(BigInt(last.offset) + 1n));
        return Promise.resolve();
      };
      await consumer.run({ autoCommit: false, eachBatch });
      await crashed;
    } finally {
      clearInterval(commits);
      // Not waited for any longer than a stop may take: a broker that hangs would hold up the next try, too.
      await Promise.race([
        consumer.disconnect().catch(() => undefined),
        pause(STOP_MS_MAX, undefined, { ref: false }),
      ]);
    }
  }

  /** Resolves when this is stopped, rejects when the consumer has crashed. */
  #listen(consumer: Consumer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    promise.catch(() => undefined);
    const { signal } = this.#stopping;
    const stop = (): void => {
      resolve(undefined);
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    consumer.on(consumer.events.GROUP_JOIN, () => {
      this.#joined = true;
      if (this.#said_gone) this.logger.info("event feed: Kafka is back, this node is in the consumer group");
      this.#said_gone = false;
    });
    consumer.on(consumer.events.REBALANCING, () => {
      this.hooks.interrupted();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      signal.removeEventListener("abort", stop);
      reject(payload.error);
    });
    return promise;
  }

  async #commit(consumer: Consumer, next: Map<number, string>): Promise<void> {
    const offsets = Array.from(next, ([partition, offset]) => ({
      topic: this.link.topic,
      partition,
      offset,
    }));
    next.clear();
    try {
      if (offsets.length > 0) await consumer.commitOffsets(offsets);
    } catch (error) {
      this.logger.debug(`event feed: offsets were not committed: ${String(error)}`);
    }
  }

  #sayGone(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (this.#said_gone) {
      this.logger.debug(`event feed: Kafka is not back yet: ${why}`);
      return;
    }
    this.#said_gone = true;
    if (error instanceof TopicShapeError) this.logger.error(`event feed: Kafka is not used: ${why}`);
    else this.logger.warn(`event feed: Kafka is gone, will try again: ${why}`);
  }
}

const { MemberAssignment, MemberMetadata } = AssignerProtocol;
const NAME = "FornoEverythingToEverybody";
const VERSION = 1;
const NO_DATA = Buffer.alloc(0);

/**
 * Gives every member all partitions of its topic, because every node needs every event, for its sockets, its boards and its
 * projections. The broker has no opinion: the group's leader assigns, and the broker passes on what it says. Each member's own
 * topic, so that fleets with different topics may share a Kafka.
 */
export const everythingToEverybody: PartitionAssigner = () => ({
  name: NAME,
  version: VERSION,
  assign: ({ members }: { members: GroupMember[] }) => {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    return Promise.resolve(
      members.map(({ memberId, memberMetadata }) => {
        const topics = MemberMetadata.decode(memberMetadata)?.topics ?? [];
        const assignment = Object.fromEntries(topics.map((topic) => [topic, partitions]));
        const assigned = { version: VERSION, assignment, userData: NO_DATA };
        return { memberId, memberAssignment: MemberAssignment.encode(assigned) };
      }),
    );
  },
  protocol: ({ topics }: { topics: string[] }) => ({
    name: NAME,
    metadata: MemberMetadata.encode({ version: VERSION, topics, userData: NO_DATA }),
  }),
});
