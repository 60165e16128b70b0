import { TTL_MAX_MS, storedName } from "./cache-key";
import type { FrozenJson } from "./frozen-json";
import type { CacheTerms } from "./tag-cache";

/** Larger values are not kept: one of them would push out thousands. */
const TEXT_CHARS_MAX = 1_000_000;

/** What is to be kept of a computed value. */
export interface Keeping {
  readonly text: string;
  readonly ttl_ms: number;
  /** Known before the computation first, then those that the value told. */
  readonly tags: readonly string[];
}

/** Tags that are known before the value is. */
export function knownTags({ tags = [] }: CacheTerms<never>): readonly string[] {
  return [...new Set(tags.map(storedName))];
}

/** Undefined: this value is not kept. */
export function keepingOf<T>(terms: CacheTerms<T>, { text, value }: FrozenJson): Keeping | undefined {
  if (text === undefined || text.length > TEXT_CHARS_MAX) return undefined;
  const ttl_s = value === null ? (terms.null_ttl_s ?? 0) : terms.ttl_s;
  const ttl_ms = Math.min(TTL_MAX_MS, ttl_s * 1000 * (1 - Math.random() * (terms.ttl_jitter ?? 0)));
  if (!(ttl_ms >= 1)) return undefined;
  const told = value === null ? [] : (terms.tagsOf?.(value as T) ?? []).map(storedName);
  return { text, ttl_ms: Math.floor(ttl_ms), tags: [...new Set([...knownTags(terms), ...told])] };
}
