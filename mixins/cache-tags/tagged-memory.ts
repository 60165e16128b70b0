import { LRUCache } from "lru-cache";
import { globExpression } from "./cache-key";

/** Defaults: a few megabytes at most a node, whatever is cached. */
const ENTRIES_MAX = 20_000;
const CHARS_MAX = 32_000_000;
const VERSIONS_MAX = 50_000;

/** A value in memory. Times in milliseconds on the memory's own clock. */
export interface Held {
  readonly value: unknown;
  /** Characters of its JSON. */
  readonly size: number;
  readonly tags: readonly string[];
  /** The clock of invalidations when it was good for sure. */
  readonly as_of: number;
  readonly stored_ms: number;
  readonly expires_ms: number;
}

/** What can be invalidated: `t:<tag>`, `k:<key>`, or `p:<pattern of keys>`. */
export type InvalidName = `t:${string}` | `k:${string}` | `p:${string}`;

export interface MemoryBounds {
  readonly entries_max?: number;
  readonly chars_max?: number;
  readonly versions_max?: number;
}

/**
 * Values with tag versions in one process, bounded in number and size; the least recently read goes first. Invalidating is
 * noting the clock beside a name: values that carry the name are found out when they are read. The notes are bounded too:
 * where the oldest is forgotten, everything that is not newer counts as invalid (`floor`).
 */
export class TaggedMemory {
  readonly #entries: LRUCache<string, Held>;
  readonly #versions = new Map<InvalidName, number>();
  readonly #versions_max: number;
  #floor = 0;
  /** Clock of the last pattern: what was good only before it may match, and is not taken in any more. */
  #pattern_at = 0;

  constructor(
    private readonly now: () => number,
    { entries_max = ENTRIES_MAX, chars_max = CHARS_MAX, versions_max = VERSIONS_MAX }: MemoryBounds = {},
  ) {
    this.#entries = new LRUCache({ max: entries_max, maxSize: chars_max });
    this.#versions_max = versions_max;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A value that is neither expired nor invalid. */
  read(key: string): Held | undefined {
    const held = this.#entries.get(key);
    if (held === undefined) return undefined;
    if (held.expires_ms > this.now() && this.#isGood(key, held.tags, held.as_of)) return held;
    this.#entries.delete(key);
    return undefined;
  }

  /** Whether a value that was good at `as_of` may still be taken in, as far as this memory has heard. */
  admits(key: string, tags: readonly string[], as_of: number): boolean {
    return as_of >= this.#pattern_at && this.#isGood(key, tags, as_of);
  }

  /** Keeps a value, unless it is invalid by now; says whether it is still good. */
  write(key: string, held: Held): boolean {
    if (!this.admits(key, held.tags, held.as_of)) return false;
    const before = this.#entries.peek(key);
    if (before === undefined || before.as_of <= held.as_of)
      this.#entries.set(key, held, { size: held.size + key.length + 1 });
    return true;
  }

  /** Notes an invalidation at clock `at`. */
  invalidated(names: readonly InvalidName[], at: number): void {
    for (const name of names) {
      if (name.startsWith("p:")) this.#removeMatching(name.slice(2), at);
      else this.#note(name, at);
    }
  }

  /** Everything that was good only before `at` is invalid. */
  forgetBefore(at: number): void {
    this.#floor = Math.max(this.#floor, at);
  }

  /** Forgets everything, and starts with a new clock. */
  clear(): void {
    this.#entries.clear();
    this.#versions.clear();
    this.#floor = this.#pattern_at = 0;
  }

  /** Keys of the values that would be served now. */
  *keys(): Generator<string> {
    const now = this.now();
    for (const [key, { expires_ms, tags, as_of }] of this.#entries.entries())
      if (expires_ms > now && this.#isGood(key, tags, as_of)) yield key;
  }

  /** Tags of the values that are there, with their versions. */
  tags(): ReadonlyMap<string, number> {
    const tags = new Map<string, number>();
    for (const [, held] of this.#entries.entries())
      for (const tag of held.tags) tags.set(tag, this.#versions.get(`t:${tag}`) ?? 0);
    return tags;
  }

  #isGood(key: string, tags: readonly string[], as_of: number): boolean {
    if (as_of < this.#floor || (this.#versions.get(`k:${key}`) ?? 0) > as_of) return false;
    return tags.every((tag) => (this.#versions.get(`t:${tag}`) ?? 0) <= as_of);
  }

  #removeMatching(glob: string, at: number): void {
    this.#pattern_at = Math.max(this.#pattern_at, at);
    const expression = globExpression(glob);
    for (const key of [...this.#entries.keys()]) if (expression.test(key)) this.#entries.delete(key);
  }

  #note(name: InvalidName, at: number): void {
    const later = Math.max(at, this.#versions.get(name) ?? 0);
    this.#versions.delete(name);
    this.#versions.set(name, later);
    if (this.#versions.size <= this.#versions_max) return;
    for (const [oldest, version] of this.#versions) {
      this.#versions.delete(oldest);
      this.forgetBefore(version);
      return;
    }
  }
}
