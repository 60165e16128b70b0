import { UnavailableError } from "../contract/refusal";
import type { RedisLink } from "./redis-link";

const PROBE_EVERY_MS = 100;
/**
 * A connection that has been silent for so long is made anew, because commands that nobody waits for any more pile up in it.
 * ioredis' own `socketTimeout` outlives its connection, and would cut the next one.
 */
const SILENT_MS_MAX = 5_000;

const guards = new WeakMap<RedisLink, RedisGuard>();

/** The guard of a link: all who ask through one link learn from each other's failures. */
export function guardOf(link: RedisLink): RedisGuard {
  const known = guards.get(link) ?? new RedisGuard(link);
  guards.set(link, known);
  return known;
}

/**
 * Asks Redis in passing: a Redis that is down or hangs costs the first who meet it a tenth of a second, and everybody after
 * them nothing. After a failure nobody asks until a ping of its own has come back.
 */
export class RedisGuard {
  #suspect = false;
  #failing_since = 0;

  constructor(private readonly link: RedisLink) {}

  /** Whether it is worth asking. */
  get usable(): boolean {
    return !this.#suspect && this.link.isUp;
  }

  /** @throws UnavailableError `redis.unavailable`, at once where Redis failed lately, else after `patience_ms` at most. */
  async ask<T>(work: () => Promise<T>, patience_ms = this.link.patience.passing_ms): Promise<T> {
    if (!this.usable) throw unavailable();
    try {
      return await within(patience_ms, work());
    } catch (cause) {
      if (!this.#suspect) {
        this.#suspect = true;
        this.#failing_since = performance.now();
        this.#probe();
      }
      throw unavailable(cause);
    }
  }

  #probe(): void {
    setTimeout(() => {
      this.link
        .ping()
        .then(() => (this.#suspect = false))
        .catch(() => {
          this.#renewSilent();
          this.#probe();
        });
    }, PROBE_EVERY_MS).unref();
  }

  #renewSilent(): void {
    if (!this.link.isUp || performance.now() - this.#failing_since < SILENT_MS_MAX) return;
    this.#failing_since = performance.now();
    this.link.client.disconnect(true);
  }
}

function unavailable(cause?: unknown): UnavailableError {
  return new UnavailableError("redis.unavailable", "Redis does not answer.", { cause });
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // On a busy node the timer may be late and the answer be there: what has arrived is read first.
      setImmediate(() => {
        reject(new Error(`No answer within ${String(ms)} ms.`));
      });
    }, ms);
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
