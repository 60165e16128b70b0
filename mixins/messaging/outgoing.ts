import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import { guardOf } from "../redis/redis-guard";
import type { RedisLink } from "../redis/redis-link";
import { DropOldest } from "./drop-oldest";

/** What waits to leave this node, while a server that hangs is found out. */
const WAITING_MAX = { items: 20_000, chars: 32_000_000 };
const BATCH_MAX = 500;
/** NATS takes a megabyte at once. */
const BATCH_CHARS_MAX = 250_000;

/** Redis is waited for so long before another way is taken. */
const REDIS_MS_MAX = 500;
/** While there is no way at all, one is looked for so often … */
const LOOK_EVERY_MS = 50;
/** … and what has waited so long is no news any more. */
const NEWS_MS = 3_000;

/** Carries messages between nodes while Redis does not. */
export const BROKER_EVENT = "channels.messages";

/** A message on its way: channel and text. */
export type Sent = readonly [channel: string, text: string];

interface Waiting {
  readonly sent: Sent;
  readonly chars: number;
  readonly since_ms: number;
}

/**
 * What leaves this node, in order and batch by batch: by Redis, or where that fails, by the broker. Redis may have taken a
 * batch that it did not acknowledge: receivers know a message that they have heard, and programs outside may hear it twice.
 */
export class Outgoing {
  readonly #queue = new DropOldest<Waiting>(WAITING_MAX);
  #working = false;
  #closed = false;

  constructor(
    private readonly broker: ServiceBroker,
    private readonly redis: RedisLink | undefined,
    private readonly lost: (why: "slow_server" | "no_way", count: number) => void,
  ) {}

  /** Whether nobody but this node can hear anything. */
  get alone(): boolean {
    return this.redis === undefined && this.broker.transit === undefined;
  }

  send(sent: Sent): void {
    if (this.#closed) return;
    const dropped = this.#queue.push({ sent, chars: sent[1].length, since_ms: performance.now() });
    if (dropped > 0) this.lost("slow_server", dropped);
    if (!this.#working) void this.#work();
  }

  close(): void {
    this.#closed = true;
    this.#queue.clear();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#working = true;
    // What is published in the same breath travels together.
    await Promise.resolve();
    for (let batch = this.#batch(); batch.length > 0; batch = this.#batch()) await this.#carry(batch);
    this.#working = false;
  }

  async #carry(batch: readonly Waiting[]): Promise<void> {
    let left = batch;
    while (left.length > 0 && !this.#closed) {
      const messages = left.map(({ sent }) => sent);
      if ((await this.#byRedis(messages)) || (await this.#byBroker(messages))) return;
      await pause(LOOK_EVERY_MS, undefined, { ref: false });
      const oldest_ms = performance.now() - NEWS_MS;
      const news = left.filter(({ since_ms }) => since_ms > oldest_ms);
      if (news.length < left.length) this.lost("no_way", left.length - news.length);
      left = news;
    }
  }

  #batch(): Waiting[] {
    const batch: Waiting[] = [];
    for (let chars = 0; batch.length < BATCH_MAX && chars < BATCH_CHARS_MAX;) {
      const waiting = this.#queue.next();
      if (waiting === undefined) break;
      batch.push(waiting);
      chars += waiting.chars;
    }
    return batch;
  }

  async #byRedis(batch: readonly Sent[]): Promise<boolean> {
    const { redis } = this;
    if (redis === undefined) return false;
    try {
      await guardOf(redis).ask(async () => {
        const pipeline = redis.client.pipeline();
        for (const [channel, text] of batch) pipeline.publish(channel, text);
        for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
      }, REDIS_MS_MAX);
      return true;
    } catch {
      // Of a Redis that is away its link has told, and the broker is asked next.
      return false;
    }
  }

  async #byBroker(batch: readonly Sent[]): Promise<boolean> {
    const { transit } = this.broker;
    if (transit?.connected !== true) return false;
    try {
      await this.broker.broadcast(BROKER_EVENT, batch);
      return true;
    } catch (error) {
      this.broker.logger.debug(`The broker did not take messages: ${String(error)}`);
      return false;
    }
  }
}
