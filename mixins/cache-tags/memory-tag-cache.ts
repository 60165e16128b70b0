import { countFamilies, CacheCounts } from "./cache-counts";
import { storedName } from "./cache-key";
import { frozenJson } from "./frozen-json";
import { keepingOf, knownTags } from "./keeping";
import { SingleFlight, type Landed } from "./single-flight";
import type { CacheAnswer, CacheFigures, CacheStatus, CacheTerms, TagCache, TagVersion } from "./tag-cache";
import { TaggedMemory, type InvalidName, type MemoryBounds } from "./tagged-memory";

const TAGS_SHOWN_MAX = 1_000;

/** The tagged cache of one node alone. */
export class MemoryTagCache implements TagCache {
  readonly scope = "node";
  readonly #memory: TaggedMemory;
  readonly #flights = new SingleFlight();
  readonly #counts = new CacheCounts();
  #clock = 0;

  /** @param now milliseconds that only grow. */
  constructor(
    private readonly now: () => number = () => performance.now(),
    bounds: MemoryBounds = {},
  ) {
    this.#memory = new TaggedMemory(now, bounds);
  }

  async getOrCompute<T>(
    key: string,
    terms: CacheTerms<T>,
    compute: () => Promise<T> | T,
  ): Promise<CacheAnswer<T>> {
    const name = storedName(key);
    const answer =
      this.#read<T>(name) ?? (await this.#flights.run(name, () => this.#compute(name, terms, compute)));
    this.#counts.add(name, answer.state);
    return answer;
  }

  get<T>(key: string): Promise<T | undefined> {
    return Promise.resolve(this.#read<T>(storedName(key))?.value);
  }

  set<T>(key: string, value: T, terms: CacheTerms<T>): Promise<void> {
    const name = storedName(key);
    this.#invalidated([`k:${name}`]);
    this.#keep(name, terms, value, this.#clock);
    return Promise.resolve();
  }

  invalidate(key: string): Promise<void> {
    this.#invalidated([`k:${storedName(key)}`]);
    return Promise.resolve();
  }

  invalidatePattern(glob: string): Promise<number> {
    const before = this.#memory.size;
    this.#invalidated([`p:${glob}`]);
    return Promise.resolve(before - this.#memory.size);
  }

  invalidateTags(...tags: readonly string[]): Promise<void> {
    if (tags.length > 0) this.#invalidated(tags.map((tag) => `t:${storedName(tag)}` as const));
    return Promise.resolve();
  }

  get figures(): CacheFigures {
    const first_level_entries = this.#memory.size;
    return { backend: "memory", up: true, first_level_entries, ...this.#counts.totals() };
  }

  status(): Promise<CacheStatus> {
    const keys = [...this.#memory.keys()];
    return Promise.resolve({
      ...this.figures,
      ...{ entries: keys.length, counted_all: true },
      names: this.#counts.named(countFamilies(keys)),
    });
  }

  tags(): Promise<readonly TagVersion[]> {
    const tags = [...this.#memory.tags()].slice(0, TAGS_SHOWN_MAX);
    return Promise.resolve(tags.map(([tag, version]) => ({ tag, version })));
  }

  close(): Promise<void> {
    this.#memory.clear();
    return Promise.resolve();
  }

  #read<T>(name: string): CacheAnswer<T> | undefined {
    const held = this.#memory.read(name);
    if (held === undefined) return undefined;
    return { value: held.value as T, state: "HIT", age_s: (this.now() - held.stored_ms) / 1000 };
  }

  async #compute<T>(
    name: string,
    terms: CacheTerms<T>,
    compute: () => Promise<T> | T,
  ): Promise<Landed<CacheAnswer<T>>> {
    const as_of = this.#clock;
    return this.#keep(name, terms, await compute(), as_of);
  }

  #keep<T>(name: string, terms: CacheTerms<T>, computed: T, as_of: number): Landed<CacheAnswer<T>> {
    const json = frozenJson(computed);
    const keeping = keepingOf(terms, json);
    const now = this.now();
    const shared =
      keeping === undefined
        ? this.#memory.admits(name, knownTags(terms), as_of)
        : this.#memory.write(name, {
            ...{ value: json.value, size: keeping.text.length, tags: keeping.tags, as_of },
            ...{ stored_ms: now, expires_ms: now + keeping.ttl_ms },
          });
    return { answer: { value: json.value as T, state: "MISS", age_s: 0 }, shared };
  }

  #invalidated(names: readonly InvalidName[]): void {
    this.#clock += 1;
    this.#counts.invalidations += names.length;
    this.#memory.invalidated(names, this.#clock);
  }
}
