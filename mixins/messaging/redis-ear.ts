import type Redis from "ioredis";
import type { Logger } from "../logger";
import type { RedisLink } from "../redis/redis-link";

/** Redis is asked so often whether this connection still lives: one that was cut off hears nothing and is told nothing. */
const PING_EVERY_MS = 1_000;
const PINGS_FAILED_MAX = 3;

/** Hears channels of Redis on a connection of its own, and again after every reconnect. */
export class RedisEar {
  readonly #connection: Redis;
  readonly #wanted = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #pings_failed = 0;

  constructor(
    link: RedisLink,
    hear: (channel: string, text: string) => void,
    private readonly logger: Logger,
  ) {
    this.#connection = link.subscriber("channels");
    this.#connection.on("message", hear);
    this.#connection.on("ready", () => {
      this.#pings_failed = 0;
      void this.#subscribe(...this.#wanted);
    });
    this.#timer = setInterval(() => void this.#ping(), PING_EVERY_MS).unref();
  }

  /** Never rejects: what Redis does not take now is asked for again when it is back. */
  async want(channel: string): Promise<void> {
    this.#wanted.add(channel);
    await this.#subscribe(channel);
  }

  /** Never rejects. */
  async leave(channel: string): Promise<void> {
    this.#wanted.delete(channel);
    if (!this.#isReady()) return;
    await this.#connection.unsubscribe(channel).catch((error: unknown) => {
      this.logger.debug(`Redis did not end ${channel}: ${String(error)}`);
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#wanted.clear();
    this.#connection.disconnect();
  }

  #isReady(): boolean {
    return this.#connection.status === "ready";
  }

  async #subscribe(...channels: string[]): Promise<void> {
    if (channels.length === 0 || !this.#isReady()) return;
    try {
      await this.#connection.subscribe(...channels);
    } catch (error) {
      this.logger.debug(`Redis did not take a subscription: ${String(error)}`);
      // A connection that hears half of what is wanted is made anew.
      if (this.#isReady()) this.#connection.disconnect(true);
    }
  }

  async #ping(): Promise<void> {
    if (!this.#isReady()) return;
    try {
      await this.#connection.ping();
      this.#pings_failed = 0;
    } catch {
      this.#pings_failed += 1;
      if (this.#pings_failed < PINGS_FAILED_MAX || !this.#isReady()) return;
      this.#pings_failed = 0;
      this.#connection.disconnect(true);
    }
  }
}
