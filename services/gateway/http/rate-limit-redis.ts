import type { Runtime } from "../../../mixins/runtime";
import { guardOf, type RedisGuard } from "../../../mixins/redis/redis-guard";
import type { RedisLink } from "../../../mixins/redis/redis-link";
import { RedisScript } from "../../../mixins/redis/redis-script";
import { RateLimiter } from "./rate-limit";

/**
 * The bucket KEYS[1] is the moment at which it will be full again, in microseconds of Redis' own clock, which all nodes share.
 * ARGV[1]: µs that one token takes to come back. ARGV[2]: µs that the whole bucket takes. Answers with the µs to wait, 0 when
 * a token was taken. A full bucket needs no key.
 */
const TAKE = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now)) + ARGV[1]
local excess = full - now - ARGV[2]
-- A millisecond is rounding, not impatience.
if excess > 1000 then return math.ceil(excess) end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return 0
`);

const MINUTE_US = 60_000_000;

/** Takes a token from a bucket of `per_minute`; 0 when there was one, else the seconds until there will be. */
export interface TakesTokens {
  take(key: string, per_minute: number): number | Promise<number>;
}

/** The limits of a gateway; undefined where they are switched off. `purpose` keeps the buckets of gateways apart. */
export function rateLimits(
  { clock, settings, redis }: Pick<Runtime, "clock" | "settings" | "redis">,
  purpose: string,
): TakesTokens | undefined {
  if (settings.RATE_LIMIT === "off") return undefined;
  const local = new RateLimiter(clock);
  return redis === undefined
    ? local
    : new RedisRateLimiter(redis, `forno:limit:${settings.NAMESPACE}:${purpose}:`, local);
}

/**
 * Buckets in Redis, so that all nodes count together. Where Redis does not answer, each node counts on its own, from buckets
 * that already know what it let through before.
 */
export class RedisRateLimiter implements TakesTokens {
  readonly #guard: RedisGuard;

  constructor(
    private readonly link: RedisLink,
    private readonly prefix: string,
    private readonly local: RateLimiter,
  ) {
    this.#guard = guardOf(link);
  }

  async take(key: string, per_minute: number): Promise<number> {
    if (!this.#guard.usable) return this.local.take(key, per_minute);
    try {
      const token_us = MINUTE_US / per_minute;
      const wait_us = await this.#guard.ask(() =>
        TAKE.run(this.link.client, [this.prefix + key], [token_us, MINUTE_US]),
      );
      if (wait_us !== 0) return Number(wait_us) / 1_000_000;
      this.local.take(key, per_minute);
      return 0;
    } catch {
      // Said by health and in the log of the link; a limit is no reason to refuse anybody.
      return this.local.take(key, per_minute);
    }
  }
}
