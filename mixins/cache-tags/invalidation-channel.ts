import type Redis from "ioredis";
import type { Logger } from "../logger";
import type { RedisLink } from "../redis/redis-link";
import type { CacheStore, Invalidated } from "./cache-store";
import type { InvalidName, TaggedMemory } from "./tagged-memory";

/** Times in milliseconds; shorter in tests. */
export interface ChannelTimes {
  /** A first level is trusted so long after its node sent the last ping that came back. */
  readonly lease_ms: number;
  readonly ping_every_ms: number;
  /** Membership is renewed so often, and lasts so long. */
  readonly join_every_ms: number;
  readonly membership_ms: number;
}

export const CHANNEL_TIMES: ChannelTimes = {
  lease_ms: 250,
  ping_every_ms: 80,
  join_every_ms: 5_000,
  membership_ms: 20_000,
};
/** Clocks of two machines may run at rates that differ by so much. */
const CLOCK_DRIFT = 1.1;
/** A subscription that has been silent for so many leases while pings are sent is cut, and made anew. */
const SILENT_LEASES = 12;

/** Acknowledgements of one invalidation. */
interface Waiting {
  readonly seen: Set<string>;
  missing: Set<string> | undefined;
  done: () => void;
}

/**
 * Keeps the first levels of all nodes honest: once an invalidation is acknowledged, no first level serves what it ended.
 *
 * A node is *trusting* while three things hold. It has **joined** since its subscription was last made: the join brought the
 * clock, and what was good only before is dropped. It sent a **ping** less than a lease ago that came back through the
 * subscription: Redis delivers to one connection in order, so every invalidation from before the ping has arrived too. And its
 * **membership** runs. Whoever invalidates waits until every member has acknowledged, or for a lease: by then a member that is
 * frozen or cut off has stopped trusting, since it counts from when it *sent* the ping, and its own clock goes on meanwhile.
 */
export class InvalidationChannel {
  readonly #subscriber: Redis;
  readonly #own: string;
  readonly #shared: string;
  readonly #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #joined = false;
  #join_sent = -Infinity;
  #pinged = -Infinity;
  #member_until = -Infinity;
  #heard = performance.now();
  #epoch: string | undefined;

  constructor(
    link: RedisLink,
    private readonly store: CacheStore,
    private readonly memory: TaggedMemory,
    private readonly node: string,
    private readonly logger: Logger,
    private readonly times: ChannelTimes = CHANNEL_TIMES,
  ) {
    this.#shared = `${store.prefix}invalid`;
    this.#own = `${store.prefix}node:${node}`;
    this.#subscriber = link.subscriber("cache");
    this.#subscriber.on("ready", () => {
      this.#subscriber.subscribe(this.#shared, this.#own).catch((error: unknown) => {
        logger.debug(`The cache did not subscribe: ${String(error)}`);
      });
    });
    this.#subscriber.on("close", () => {
      this.#joined = false;
      this.#join_sent = -Infinity;
    });
    this.#subscriber.on("message", (channel: string, message: string) => {
      this.#hear(channel, message.split("\n"));
    });
    this.#tick();
  }

  /** Whether the first level may be read now: always asked again, because time passes. */
  get trusting(): boolean {
    const now = performance.now();
    return this.#joined && now - this.#pinged < this.times.lease_ms && now < this.#member_until;
  }

  /** The epoch that the first level's values belong to. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** Sends an invalidation, and resolves when no node serves from its first level what it has ended. */
  async invalidate(id: string, names: readonly InvalidName[]): Promise<void> {
    const waiting: Waiting = { seen: new Set([this.node]), missing: undefined, done: () => undefined };
    this.#waiting.set(id, waiting);
    try {
      const outcome = await this.store.invalidate(id, this.node, names);
      if (outcome.at.epoch === this.#epoch) this.memory.invalidated(names, outcome.at.n);
      else this.#distrust();
      await this.#acknowledged(waiting, outcome);
    } finally {
      this.#waiting.delete(id);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#joined = false;
    clearTimeout(this.#timer);
    // Else the next invalidations would wait for this node until its membership has run out.
    await this.store.leave(this.node).catch((error: unknown) => {
      this.logger.debug(`The cache did not leave: ${String(error)}`);
    });
    this.#subscriber.disconnect();
  }

  #acknowledged(waiting: Waiting, { nodes, epoch_age_ms }: Invalidated): Promise<void> {
    // Members may have been forgotten together with the clock: then nobody knows whom to wait for.
    const known = epoch_age_ms > this.times.membership_ms * CLOCK_DRIFT;
    const missing = new Set(nodes.filter((node) => !waiting.seen.has(node)));
    if (known && missing.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.times.lease_ms * CLOCK_DRIFT);
      if (!known) return;
      waiting.missing = missing;
      waiting.done = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #hear(channel: string, [first = "", second = "", ...rest]: string[]): void {
    this.#heard = performance.now();
    if (channel === this.#shared) this.#hearInvalidation(first, second, rest);
    else if (first === "ping") this.#pinged = Math.max(this.#pinged, Number(second));
    else if (first === "join") this.#hearJoin(Number(second), rest);
    else if (first === "ack") this.#hearAcknowledgement(second, rest[0] ?? "");
  }

  #hearInvalidation(id: string, sender: string, [epoch, n, ...names]: string[]): void {
    if (epoch === this.#epoch) this.memory.invalidated(names as InvalidName[], Number(n));
    else this.#distrust();
    if (sender === this.node) return;
    this.#send(`${this.store.prefix}node:${sender}`, `ack\n${id}\n${this.node}`);
  }

  #hearJoin(sent: number, [epoch, n]: string[]): void {
    if (epoch !== this.#epoch) this.memory.clear();
    if (epoch !== this.#epoch || !this.#joined) this.memory.forgetBefore(Number(n));
    this.#epoch = epoch;
    this.#joined = !this.#closed;
    this.#member_until = Math.max(this.#member_until, sent + this.times.membership_ms);
    this.#pinged = Math.max(this.#pinged, sent);
  }

  #hearAcknowledgement(id: string, node: string): void {
    const waiting = this.#waiting.get(id);
    waiting?.seen.add(node);
    if (waiting?.missing?.delete(node) === true && waiting.missing.size === 0) waiting.done();
  }

  /** A clock of another epoch: what is held cannot be compared with it. The next join starts anew. */
  #distrust(): void {
    this.#joined = false;
    this.#join_sent = -Infinity;
  }

  /** One ping or join at a time: while Redis hangs, they must not pile up. */
  #tick(): void {
    this.#beat()
      .catch((error: unknown) => {
        this.logger.debug(`The cache's ping failed: ${String(error)}`);
      })
      .finally(() => {
        if (!this.#closed) this.#timer = setTimeout(() => this.#tick(), this.times.ping_every_ms).unref();
      });
  }

  async #beat(): Promise<void> {
    if (!this.store.usable || this.#subscriber.status !== "ready") {
      this.#heard = performance.now();
      return;
    }
    const now = performance.now();
    if (now - this.#heard > this.times.lease_ms * SILENT_LEASES) {
      this.#heard = now;
      this.#subscriber.disconnect(true);
      return;
    }
    if (now - this.#join_sent < this.times.join_every_ms) {
      await this.store.publish(this.#own, `ping\n${String(now)}`);
      return;
    }
    await this.store.join(this.node, this.times.membership_ms, now);
    // Where it is not heard, it is sent again with the next beat.
    if (this.#joined) this.#join_sent = now;
  }

  #send(channel: string, message: string): void {
    this.store.publish(channel, message).catch((error: unknown) => {
      this.logger.debug(`The cache did not acknowledge: ${String(error)}`);
    });
  }
}
