import type { CacheState, CacheStatus, NamedCacheStatus } from "./tag-cache";
import { familyOf } from "./cache-key";

/** Families come from code; keys made of anything else must not fill the memory. */
const FAMILIES_MAX = 200;
const OTHERS = "(others)";

type Counts = Record<CacheState, number>;

/** How often each family of keys was answered how, on this node. */
export class CacheCounts {
  readonly #families = new Map<string, Counts>();
  /** Tags, keys and patterns that were invalidated through this node. */
  invalidations = 0;

  add(key: string, state: CacheState): void {
    this.#countsOf(familyOf(key))[state] += 1;
  }

  totals(): Pick<CacheStatus, "hits" | "misses" | "bypasses" | "invalidations"> {
    const sum = (state: CacheState): number =>
      [...this.#families.values()].reduce((total, counts) => total + counts[state], 0);
    return {
      ...{ hits: sum("HIT"), misses: sum("MISS"), bypasses: sum("BYPASS") },
      invalidations: this.invalidations,
    };
  }

  /** With the entries that were counted elsewhere. */
  named(entries: ReadonlyMap<string, number>): NamedCacheStatus[] {
    const names = new Set([...this.#families.keys(), ...entries.keys()]);
    return [...names].sort().map((name) => {
      const { HIT = 0, MISS = 0, BYPASS = 0 } = this.#families.get(name) ?? {};
      return { name, entries: entries.get(name) ?? 0, hits: HIT, misses: MISS, bypasses: BYPASS };
    });
  }

  #countsOf(family: string): Counts {
    const known = this.#families.get(family);
    if (known !== undefined) return known;
    if (this.#families.size >= FAMILIES_MAX && family !== OTHERS) return this.#countsOf(OTHERS);
    const counts = { HIT: 0, MISS: 0, BYPASS: 0 };
    this.#families.set(family, counts);
    return counts;
  }
}

/** Keys of one family each. */
export function countFamilies(keys: Iterable<string>): Map<string, number> {
  const families = new Map<string, number>();
  for (const key of keys) families.set(familyOf(key), (families.get(familyOf(key)) ?? 0) + 1);
  return families;
}
