import Redis from "ioredis";
import { UnavailableError } from "../contract/refusal";
import type { Logger } from "../logger";

/** How long Redis is waited for, in milliseconds. */
export interface RedisPatience {
  /** A command that has not been answered by then counts as failed: nobody waits for a cache longer than for the database. */
  readonly command_ms: number;
  /** Redis answers within a millisecond; who is asked in passing is not waited for longer than this. */
  readonly passing_ms: number;
}

const PATIENCE: RedisPatience = { command_ms: 500, passing_ms: 100 };
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_MS_MAX = 1_000;

/**
 * A node's connection to Redis. Redis is optional at every moment: the link connects in the background, tries again for
 * ever, and while it is down every command fails at once instead of waiting. Whoever uses it says what happens then.
 */
export class RedisLink {
  readonly #url: string;
  readonly #logger: Logger;
  readonly #ups = new Set<() => void>();
  readonly #subscribers = new Set<Redis>();
  #closing = false;
  /** For commands. Reject when Redis does not answer; never hold a caller for long. */
  readonly client: Redis;

  constructor(
    url: string,
    logger: Logger,
    readonly patience = PATIENCE,
  ) {
    this.#url = url;
    this.#logger = logger;
    this.client = this.#connect("commands");
    let said: "up" | "down" = "down";
    this.client.on("ready", () => {
      if (said === "down") logger.info("Redis is there");
      said = "up";
      for (const tell of this.#ups) tell();
    });
    this.client.on("close", () => {
      if (said === "up" && !this.#closing) logger.warn("Redis is gone; going on without it");
      said = "down";
    });
  }

  /** Whether commands have a chance just now. */
  get isUp(): boolean {
    return this.client.status === "ready";
  }

  /** Calls back each time that Redis is (again) there; it may have forgotten everything. Returns "stop". */
  onUp(tell: () => void): () => void {
    this.#ups.add(tell);
    if (this.isUp) tell();
    return () => void this.#ups.delete(tell);
  }

  /** A connection of its own for channels: subscribe at each `ready`, and catch what becomes of it. Quit by {@link close}. */
  subscriber(purpose: string): Redis {
    const subscriber = this.#connect(purpose);
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  /** @throws UnavailableError `redis.unavailable` when Redis does not answer. */
  async ping(): Promise<void> {
    try {
      await this.client.ping();
    } catch (cause) {
      throw new UnavailableError("redis.unavailable", "Redis does not answer.", { cause });
    }
  }

  close(): Promise<void> {
    this.#closing = true;
    for (const connection of [this.client, ...this.#subscribers]) connection.disconnect();
    return Promise.resolve();
  }

  #connect(purpose: string): Redis {
    const connection = new Redis(this.#url, {
      connectionName: `forno:${purpose}`,
      connectTimeout: CONNECT_TIMEOUT_MS,
      commandTimeout: this.patience.command_ms,
      // Commands fail at once while there is no connection, and are never sent a second time by themselves.
      enableOfflineQueue: purpose !== "commands",
      maxRetriesPerRequest: purpose === "commands" ? 0 : null,
      autoResendUnfulfilledCommands: false,
      // ioredis does not catch what becomes of its own attempt, and a rejection that nobody catches ends the process.
      autoResubscribe: false,
      retryStrategy: (tries) => Math.min(50 * tries, RECONNECT_MS_MAX),
      // Else the promise of `new Redis` would reject unheard when Redis is down at the start.
      lazyConnect: false,
    });
    connection.on("error", (error: Error) => {
      this.#logger.debug(`Redis (${purpose}): ${error.message}`);
    });
    return connection;
  }
}
