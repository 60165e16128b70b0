import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";

const KEYS_MAX = 10_000;
const PROVEN_MS = 300_000;

/**
 * Keys of machines that an action has let in a short while ago. The gateway does not know which keys are good; by their success
 * it tells those that need no closer watch, so that guessing is slow and a good key is not held up by guesses from its address.
 */
export class ProvenKeys {
  readonly #proven;

  /** @param now milliseconds. */
  constructor(now: () => number) {
    this.#proven = new LRUCache<string, true>({
      ...{ max: KEYS_MAX, ttl: PROVEN_MS, ttlResolution: 0 },
      perf: { now },
    });
  }

  has(key: string): boolean {
    return this.#proven.has(digestOf(key));
  }

  /** What a request with this key came to. */
  answered(key: string, status: number): void {
    if (status < 300) this.#proven.set(digestOf(key), true);
    else if (status === 401) this.#proven.delete(digestOf(key));
  }
}

function digestOf(key: string): string {
  return hash("sha256", key, "hex");
}
