/**
 * Words of this room:
 *
 * - **tag**: a name that many values share ("everything about flash sales"). Invalidating it is one counter step, however
 *   many values carry it.
 * - **clock**: one counter of all invalidations. A tag's *version* is the clock at its last invalidation. A value remembers the
 *   clock *before* its computation began (`as_of`), and is good as long as no version of its tags is later.
 * - **first level**: a node's own memory in front of Redis.
 * - **flight**: one computation of one key, which everybody who misses meanwhile waits for.
 */

/** HIT: from the cache. MISS: computed. BYPASS: computed because the cache could not be asked. */
export type CacheState = "HIT" | "MISS" | "BYPASS";

export interface CacheAnswer<T> {
  /** As JSON carries it, shared with others and frozen: copy it before changing it. */
  readonly value: T;
  readonly state: CacheState;
  /** Seconds since it was stored; 0 for what was just computed. */
  readonly age_s: number;
}

/** How long a value is kept and what ends it earlier. */
export interface CacheTerms<T> {
  /** Seconds from storing, not from the last read; at most a day. */
  readonly ttl_s: number;
  /** Part of `ttl_s` (0 to 1) by which chance may shorten it, so that values stored together do not end together. */
  readonly ttl_jitter?: number;
  readonly tags?: readonly string[];
  /** Further tags that only the value tells. */
  readonly tagsOf?: (value: T) => readonly string[];
  /** Seconds for which a null ("there is none") is kept; not kept where this is not said. `undefined` never is. */
  readonly null_ttl_s?: number;
}

/** Figures of one node since its start; `name` is the part of the keys before their first colon. */
export interface NamedCacheStatus {
  readonly name: string;
  readonly entries: number;
  readonly hits: number;
  readonly misses: number;
  readonly bypasses: number;
}

/** Figures of one node that cost nothing to ask for. */
export interface CacheFigures {
  readonly backend: "memory" | "redis";
  /** Whether values are served just now, or everybody goes around the cache. */
  readonly up: boolean;
  /** Values in this node's own memory. */
  readonly first_level_entries: number;
  readonly hits: number;
  readonly misses: number;
  readonly bypasses: number;
  /** Tags, keys and patterns that were invalidated through this node. */
  readonly invalidations: number;
}

export interface CacheStatus extends CacheFigures {
  /** Values that would be served now. */
  readonly entries: number;
  /** False: there are more entries than were counted. */
  readonly counted_all: boolean;
  readonly names: readonly NamedCacheStatus[];
}

export interface TagVersion {
  readonly tag: string;
  /** The clock at its last invalidation. */
  readonly version: number;
}

/**
 * The port of the tagged cache; two back ends under one contract suite.
 *
 * Promises: a value computed before an invalidation is never served to who asks after the invalidation was acknowledged (its
 * promise resolved), on no node. Parallel misses make one computation. Reading never fails and never waits for a server that
 * does not answer. Errors of a computation go to all who wait for it and are not kept.
 *
 * What a computation reads must be the truth that the invalidation spoke of: the primary, not a replica that may lag.
 */
export interface TagCache {
  /** `node`: each node has its own, and follows events for itself. `chain`: all nodes share it. */
  readonly scope: "node" | "chain";
  readonly figures: CacheFigures;
  getOrCompute<T>(key: string, terms: CacheTerms<T>, compute: () => Promise<T> | T): Promise<CacheAnswer<T>>;
  /** The value of a key; undefined when there is none, or the cache cannot be asked. */
  get<T>(key: string): Promise<T | undefined>;
  /** Replaces a value. @throws UnavailableError `cache.unavailable` */
  set<T>(key: string, value: T, terms: CacheTerms<T>): Promise<void>;
  /** @throws UnavailableError `cache.unavailable`: not acknowledged; try again. */
  invalidate(key: string): Promise<void>;
  /**
   * Every key that a pattern of `*` and `?` matches. Slow: it walks through all keys, in small steps. Prefer a tag.
   * @returns how many values went. @throws UnavailableError `cache.unavailable`
   */
  invalidatePattern(glob: string): Promise<number>;
  /** @throws UnavailableError `cache.unavailable`: not acknowledged; try again. */
  invalidateTags(...tags: readonly string[]): Promise<void>;
  /** For operators: counts entries by walking through them, up to a bound. */
  status(): Promise<CacheStatus>;
  /** For operators: tags that are in use, up to a bound. */
  tags(): Promise<readonly TagVersion[]>;
  close(): Promise<void>;
}
