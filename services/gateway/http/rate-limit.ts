import type { Clock } from "../../../mixins/runtime";

/**
 * Token buckets, each kept as one number: the moment at which it will be full again (GCRA). Bounded: beyond `keys_max`
 * the bucket that was opened first is forgotten, which can only be in its client's favour.
 */
export class RateLimiter {
  readonly #fullAt = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly keys_max = 50_000,
  ) {}

  /** Takes one token from a bucket of `per_minute`; 0 when there was one, else the seconds until there will be. */
  take(key: string, per_minute: number): number {
    const now = this.clock.now();
    const interval_ms = 60_000 / per_minute;
    const fullAt = Math.max(now, this.#fullAt.get(key) ?? now) + interval_ms;
    const excess_ms = fullAt - now - 60_000;
    // A thousandth of a millisecond is rounding, not impatience.
    if (excess_ms > 1e-3) return excess_ms / 1000;
    this.#fullAt.delete(key);
    this.#fullAt.set(key, fullAt);
    if (this.#fullAt.size > this.keys_max) this.#forgetOldest();
    return 0;
  }

  /** Buckets in memory. */
  get size(): number {
    return this.#fullAt.size;
  }

  #forgetOldest(): void {
    const oldest = this.#fullAt.keys().next();
    if (oldest.done !== true) this.#fullAt.delete(oldest.value);
  }
}

/** What a client is counted by: its IPv4 address, or its IPv6 /64, because a customer line owns all of that. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return "";
  if (address.startsWith("::ffff:")) return address.slice(7);
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.split("::");
  const front = head.split(":").filter((group) => group !== "");
  const back = tail.split(":").filter((group) => group !== "");
  const zeros = address.includes("::") ? Math.max(0, 8 - front.length - back.length) : 0;
  return [...front, ...new Array<string>(zeros).fill("0"), ...back].slice(0, 4).join(":");
}
