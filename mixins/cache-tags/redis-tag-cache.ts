import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { UnavailableError } from "../contract/refusal";
import type { Logger } from "../logger";
import type { RedisLink } from "../redis/redis-link";
import { CacheCounts, countFamilies } from "./cache-counts";
import { storedName } from "./cache-key";
import { COMPUTING_MS_MAX } from "./cache-scripts";
import { CacheStore, type Look, type Moment, type StoredValue } from "./cache-store";
import { frozenJson, parseFrozen, type FrozenJson } from "./frozen-json";
import { InvalidationChannel, type ChannelTimes } from "./invalidation-channel";
import { keepingOf, knownTags } from "./keeping";
import { SingleFlight, type Landed } from "./single-flight";
import type { CacheAnswer, CacheFigures, CacheStatus, CacheTerms, TagCache, TagVersion } from "./tag-cache";
import { TaggedMemory, type InvalidName, type MemoryBounds } from "./tagged-memory";

/** Who computes a value is waited for so long by other nodes; if it has died by then, one of them computes. */
const LOCK_MS = 1_000;
const WAITING_MS_MAX = 1_500;
const POLL_FIRST_MS = 5;
const POLL_MS_MAX = 50;
/** Values are asked for anew at least so often: a first level that were wrong for any reason would not be for long. */
const FIRST_LEVEL_MS_MAX = 60_000;
/** Entries that `status` counts at most. */
const COUNTED_MAX = 100_000;
/** Names in one message. */
const NAMES_AT_ONCE = 500;

export interface RedisTagCacheOptions {
  /** Fleets on one Redis keep apart by it. */
  readonly namespace: string;
  /** Unique among the nodes. */
  readonly node: string;
  readonly logger: Logger;
  readonly bounds?: MemoryBounds;
  readonly times?: ChannelTimes;
}

/** The tagged cache of a fleet: values in Redis, a first level in each node's memory. */
export class RedisTagCache implements TagCache {
  readonly scope = "chain";
  readonly #memory: TaggedMemory;
  readonly #store: CacheStore;
  readonly #channel: InvalidationChannel;
  readonly #flights = new SingleFlight();
  readonly #counts = new CacheCounts();

  constructor(link: RedisLink, { namespace, node, logger, bounds, times }: RedisTagCacheOptions) {
    this.#memory = new TaggedMemory(() => performance.now(), bounds);
    this.#store = new CacheStore(link, namespace, logger);
    this.#channel = new InvalidationChannel(link, this.#store, this.#memory, node, logger, times);
  }

  async getOrCompute<T>(
    key: string,
    terms: CacheTerms<T>,
    compute: () => Promise<T> | T,
  ): Promise<CacheAnswer<T>> {
    const name = storedName(key);
    const answer =
      this.#readFirstLevel<T>(name) ?? (await this.#flights.run(name, () => this.#fly(name, terms, compute)));
    this.#counts.add(name, answer.state);
    return answer;
  }

  async get<T>(key: string): Promise<T | undefined> {
    const name = storedName(key);
    const held = this.#readFirstLevel<T>(name);
    if (held !== undefined) return held.value;
    const look = await this.#unlessDown(() => this.#store.look(name, []));
    return look?.hit === undefined ? undefined : this.#hit<T>(name, look.at, look.hit).answer.value;
  }

  async set<T>(key: string, value: T, terms: CacheTerms<T>): Promise<void> {
    const name = storedName(key);
    await this.#invalidate([`k:${name}`]);
    const tags = knownTags(terms);
    const { at } = await orUnavailable(this.#store.look(name, tags));
    await orUnavailable(this.#store.finish(name, "", at, tags, keepingOf(terms, frozenJson(value))));
  }

  async invalidate(key: string): Promise<void> {
    await this.#invalidate([`k:${storedName(key)}`]);
  }

  async invalidatePattern(glob: string): Promise<number> {
    // First: what is being computed now is not kept. Last: what nodes have read again meanwhile is dropped.
    await this.#invalidate([`p:${glob}`]);
    let removed = 0;
    for await (const keys of this.#store.keys(glob)) removed += await orUnavailable(this.#store.remove(keys));
    await this.#invalidate([`p:${glob}`]);
    return removed;
  }

  async invalidateTags(...tags: readonly string[]): Promise<void> {
    const names = [...new Set(tags.map((tag) => `t:${storedName(tag)}` as const))];
    for (let at = 0; at < names.length; at += NAMES_AT_ONCE)
      await this.#invalidate(names.slice(at, at + NAMES_AT_ONCE));
  }

  get figures(): CacheFigures {
    const first_level_entries = this.#memory.size;
    return { backend: "redis", up: this.#store.usable, first_level_entries, ...this.#counts.totals() };
  }

  async status(): Promise<CacheStatus> {
    const keys = new Set<string>();
    let counted_all = false;
    await this.#unlessDown(async () => {
      for await (const found of this.#store.keys()) {
        for (const key of await this.#store.served(found)) keys.add(key);
        if (keys.size > COUNTED_MAX) return;
      }
      counted_all = true;
    });
    return {
      ...this.figures,
      ...{ entries: keys.size, counted_all },
      names: this.#counts.named(countFamilies(keys)),
    };
  }

  async tags(): Promise<readonly TagVersion[]> {
    return (await this.#unlessDown(() => this.#store.tags())) ?? [];
  }

  async close(): Promise<void> {
    await this.#channel.close();
    this.#store.close();
    this.#memory.clear();
  }

  #readFirstLevel<T>(name: string): CacheAnswer<T> | undefined {
    if (!this.#channel.trusting) return undefined;
    const held = this.#memory.read(name);
    if (held === undefined) return undefined;
    return { value: held.value as T, state: "HIT", age_s: (performance.now() - held.stored_ms) / 1000 };
  }

  async #fly<T>(
    name: string,
    terms: CacheTerms<T>,
    compute: () => Promise<T> | T,
  ): Promise<Landed<CacheAnswer<T>>> {
    const tags = knownTags(terms);
    const token = randomUUID();
    const look = await this.#unlessDown(() => this.#lookOrWait(name, tags, token));
    if (look === undefined) {
      const { value } = frozenJson(await compute());
      return { answer: { value: value as T, state: "BYPASS", age_s: 0 }, shared: false };
    }
    if (look.hit !== undefined) return this.#hit(name, look.at, look.hit);
    const started = performance.now();
    let json: FrozenJson;
    try {
      json = frozenJson(await compute());
    } catch (error) {
      // Others need not wait for a lock whose holder has failed.
      await this.#unlessDown(() => this.#store.finish(name, token, look.at, tags, undefined));
      throw error;
    }
    const keeping = performance.now() - started > COMPUTING_MS_MAX ? undefined : keepingOf(terms, json);
    const shared = await this.#unlessDown(async () => {
      const at = await this.#store.finish(name, token, look.at, tags, keeping);
      if (at === undefined) return false;
      const { ttl_ms = 0, text = "" } = keeping ?? {};
      return this.#share(name, at, json.value, {
        ...{ text, tags: keeping?.tags ?? tags, age_ms: 0, ttl_ms },
      });
    });
    return { answer: { value: json.value as T, state: "MISS", age_s: 0 }, shared: shared ?? false };
  }

  /** The value, or the task of computing it: another node that has the task is waited for, but not for long. */
  async #lookOrWait(name: string, tags: readonly string[], token: string): Promise<Look> {
    const deadline = performance.now() + WAITING_MS_MAX;
    for (let wait_ms = POLL_FIRST_MS; ; wait_ms = Math.min(2 * wait_ms, POLL_MS_MAX)) {
      const look = await this.#store.look(name, tags, { token, ms: LOCK_MS });
      if (look.hit !== undefined || look.locked || performance.now() > deadline) return look;
      await pause(wait_ms);
    }
  }

  #hit<T>(name: string, at: Moment, stored: StoredValue): Landed<CacheAnswer<T>> {
    const value = parseFrozen(stored.text);
    const shared = this.#share(name, at, value, stored);
    return { answer: { value: value as T, state: "HIT", age_s: stored.age_ms / 1000 }, shared };
  }

  /**
   * Takes a value that was good at `at` into the first level. True: it is still good, so that it holds also for whoever has
   * asked meanwhile. Where this node is not trusting, nobody here can know.
   */
  #share(name: string, at: Moment, value: unknown, { text, tags, age_ms, ttl_ms }: StoredValue): boolean {
    if (!this.#channel.trusting || at.epoch !== this.#channel.epoch) return false;
    if (ttl_ms === 0) return this.#memory.admits(name, tags, at.n);
    const now = performance.now();
    return this.#memory.write(name, {
      ...{ value, size: text.length, tags, as_of: at.n },
      ...{ stored_ms: now - age_ms, expires_ms: now + Math.min(ttl_ms, FIRST_LEVEL_MS_MAX) },
    });
  }

  async #invalidate(names: readonly InvalidName[]): Promise<void> {
    await orUnavailable(this.#channel.invalidate(randomUUID(), names));
    this.#counts.invalidations += names.length;
  }

  /** Redis as far as it answers; undefined where it does not. Its failures are logged where the link sees them. */
  async #unlessDown<T>(ask: () => Promise<T>): Promise<T | undefined> {
    if (!this.#store.usable) return undefined;
    try {
      return await ask();
    } catch (error) {
      if (error instanceof UnavailableError) return undefined;
      throw error;
    }
  }
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!(cause instanceof UnavailableError)) throw cause;
    throw new UnavailableError("cache.unavailable", "The cache was not reached; try again.", { cause });
  }
}
