import { randomUUID } from "node:crypto";
import { UnavailableError } from "../contract/refusal";
import type { Logger } from "../logger";
import { guardOf, type RedisGuard } from "../redis/redis-guard";
import type { RedisLink } from "../redis/redis-link";
import type { RedisScript } from "../redis/redis-script";
import { redisGlob } from "./cache-key";
import { FINISH, INVALIDATE, JOIN, LOOK, SERVED } from "./cache-scripts";
import type { Keeping } from "./keeping";
import type { TagVersion } from "./tag-cache";
import type { InvalidName } from "./tagged-memory";

const SCAN_COUNT = 1_000;
/** An invalidation may wait longer than a reader, who has the truth to fall back on. */
const INVALIDATION_PATIENCE_MS = 500;
const TAGS_SHOWN_MAX = 1_000;

/** The clock of invalidations at one moment; clocks of different epochs do not compare. */
export interface Moment {
  readonly epoch: string;
  readonly n: number;
}

export interface StoredValue {
  readonly text: string;
  readonly tags: readonly string[];
  readonly age_ms: number;
  readonly ttl_ms: number;
}

export interface Look {
  readonly at: Moment;
  readonly hit?: StoredValue;
  /** This caller is the one to compute it. */
  readonly locked: boolean;
}

export interface Invalidated {
  readonly at: Moment;
  readonly epoch_age_ms: number;
  readonly nodes: readonly string[];
}

/**
 * What the cache keeps in Redis, below `forno:cache:<namespace>:`; each question one round trip. Everything here rejects with
 * UnavailableError `redis.unavailable`, soon, when Redis does not answer.
 */
export class CacheStore {
  readonly prefix: string;
  readonly #guard: RedisGuard;
  /** The run of the server that the connection leads to; undefined while nobody knows. */
  #run: string | undefined;
  readonly #name = randomUUID();
  #asked = 0;
  readonly #forget: () => void;

  constructor(
    private readonly link: RedisLink,
    namespace: string,
    private readonly logger: Logger,
  ) {
    this.prefix = `forno:cache:${namespace}:`;
    this.#guard = guardOf(link);
    const lost = (): void => {
      this.#run = undefined;
    };
    const unheard = link.onUp(() => {
      this.#learnRun().catch((error: unknown) => {
        logger.warn(`The cache stays off: Redis does not say which run it is: ${String(error)}`);
      });
    });
    link.client.on("close", lost);
    this.#forget = () => {
      unheard();
      link.client.off("close", lost);
    };
  }

  /** Whether it is worth asking. */
  get usable(): boolean {
    return this.#run !== undefined && this.#guard.usable;
  }

  /** @param lock to compute the value where there is none: a token, and how long others wait for it. */
  async look(key: string, tags: readonly string[], lock?: { token: string; ms: number }): Promise<Look> {
    const reply = await this.#ask(LOOK, [key, lock?.token ?? "", lock?.ms ?? 0, ...tags]);
    const [found, epoch, n] = reply as [number, string, number];
    const at = { epoch, n };
    if (found !== 1) return { at, locked: reply[3] === 1 };
    const [text, joined, age_ms, ttl_ms] = reply.slice(3) as [string, string, number, number];
    const hit = { text, tags: joined === "" ? [] : joined.split("\n"), age_ms: Math.max(0, age_ms), ttl_ms };
    return { at, hit, locked: false };
  }

  /** Keeps a value (or nothing) that was computed since `began`; undefined: something of it was invalidated meanwhile. */
  async finish(
    key: string,
    token: string,
    began: Moment,
    known: readonly string[],
    keeping: Keeping | undefined,
  ): Promise<Moment | undefined> {
    const { text = "", ttl_ms = 0, tags = known } = keeping ?? {};
    const reply = await this.#ask(FINISH, [
      ...[key, token, began.epoch, began.n, ttl_ms, text],
      ...[known.length, ...tags],
    ]);
    const [kept, epoch, n] = reply as [number, string, number];
    return kept === 1 ? { epoch, n } : undefined;
  }

  async invalidate(id: string, node: string, names: readonly InvalidName[]): Promise<Invalidated> {
    const reply = await this.#ask(INVALIDATE, [id, node, ...names], INVALIDATION_PATIENCE_MS);
    const [epoch, n, epoch_age_ms, ...nodes] = reply as [string, number, number, ...string[]];
    return { at: { epoch, n }, epoch_age_ms, nodes };
  }

  /** Enters a node among those that an invalidation waits for; it hears of it through its own channel. */
  async join(node: string, membership_ms: number, sent: number): Promise<void> {
    await this.#ask(JOIN, [node, membership_ms, sent]);
  }

  async leave(node: string): Promise<void> {
    await this.link.client.zrem(`${this.prefix}nodes`, node);
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.link.client.publish(channel, message);
  }

  /** Walks through the keys of values; `matches` is a pattern of `*` and `?`. Keys may come twice. */
  async *keys(matches = "*"): AsyncGenerator<string[]> {
    const values = `${this.prefix}v:`;
    for await (const found of this.#scan(values + redisGlob(matches)))
      yield found.map((key) => key.slice(values.length));
  }

  /** Of these keys those whose values would be served now. */
  async served(keys: readonly string[]): Promise<readonly string[]> {
    if (keys.length === 0) return [];
    return (await this.#ask(SERVED, keys, INVALIDATION_PATIENCE_MS)) as string[];
  }

  async remove(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const names = keys.map((key) => `${this.prefix}v:${key}`);
    return this.#guard.ask(() => this.link.client.unlink(...names), INVALIDATION_PATIENCE_MS);
  }

  async tags(): Promise<TagVersion[]> {
    const start = `${this.prefix}t:`;
    const found: TagVersion[] = [];
    for await (const keys of this.#scan(`${start}*`)) {
      const kept = keys.length === 0 ? [] : await this.#guard.ask(() => this.link.client.mget(...keys));
      for (const [i, key] of keys.entries())
        found.push({ tag: key.slice(start.length), version: Number(kept[i]?.split(":")[1] ?? 0) });
      if (found.length >= TAGS_SHOWN_MAX) break;
    }
    return found.slice(0, TAGS_SHOWN_MAX);
  }

  close(): void {
    this.#forget();
  }

  async *#scan(pattern: string): AsyncGenerator<string[]> {
    for (let cursor = "0"; ;) {
      const from = cursor;
      const [next, found] = await this.#guard.ask(
        () => this.link.client.scan(from, "MATCH", pattern, "COUNT", SCAN_COUNT),
        INVALIDATION_PATIENCE_MS,
      );
      yield found;
      if (next === "0") return;
      cursor = next;
    }
  }

  async #ask(
    script: RedisScript,
    args: readonly (string | number)[],
    patience_ms?: number,
  ): Promise<unknown[]> {
    const run = this.#run;
    if (run === undefined) throw new UnavailableError("redis.unavailable", "Redis does not answer.");
    const epoch = `${this.#name}.${String(this.#asked++)}`;
    const reply = await this.#guard.ask(
      () => script.run(this.link.client, [this.prefix], [run, epoch, ...args]),
      patience_ms,
    );
    return reply as unknown[];
  }

  async #learnRun(): Promise<void> {
    const info = await this.link.client.info("server");
    this.#run = /^run_id:(\w+)/m.exec(info)?.[1];
    if (this.#run === undefined) this.logger.warn("The cache stays off: Redis has no run id.");
  }
}
