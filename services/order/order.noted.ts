import { guardOf, type RedisGuard } from "../../mixins/redis/redis-guard";
import type { RedisLink } from "../../mixins/redis/redis-link";
import { RedisScript } from "../../mixins/redis/redis-script";
import type { Clock } from "../../mixins/runtime";

/** An order that was about to be placed a moment ago. */
export interface NotedOrder {
  readonly order_id: string;
  readonly total_minor: number;
  readonly age_ms: number;
}

/** Where an order is noted, and how long it is remembered there. */
export interface NotePlace {
  /** Tells nobody who or what it stands for. */
  readonly key: string;
  readonly kept_ms: number;
}

/** Notes orders before they are placed, so that those which are placed at the same moment see each other. */
export interface OrderNotes {
  /** Notes an order at each place, and says what was noted there before; an order sees each that was noted before it. */
  note(places: readonly NotePlace[], order_id: string, total_minor: number): Promise<NotedOrder[][]>;
  /** It was not placed after all. */
  forget(places: readonly NotePlace[], order_id: string, total_minor: number): void;
}

/** Orders of one place that are told at most, the newest: more than any limit on them. */
const TOLD_MAX = 200;
/** Places remembered by a node: some 10 MB. */
const PLACES_MAX = 50_000;

/** The notes of one node. */
export class LocalNotes implements OrderNotes {
  readonly #places = new Map<string, { order_id: string; total_minor: number; at_ms: number }[]>();

  constructor(
    private readonly clock: Clock,
    private readonly places_max = PLACES_MAX,
  ) {}

  note(places: readonly NotePlace[], order_id: string, total_minor: number): Promise<NotedOrder[][]> {
    const now_ms = this.clock.now();
    return Promise.resolve(
      places.map(({ key, kept_ms }) => {
        const kept = (this.#places.get(key) ?? []).filter(
          (entry) => entry.at_ms > now_ms - kept_ms && entry.order_id !== order_id,
        );
        // The place that was used longest ago is forgotten first.
        this.#places.delete(key);
        this.#places.set(key, [...kept.slice(1 - TOLD_MAX), { order_id, total_minor, at_ms: now_ms }]);
        const [oldest] = this.#places.keys();
        if (this.#places.size > this.places_max && oldest !== undefined) this.#places.delete(oldest);
        return kept.map((entry) => ({ ...entry, age_ms: now_ms - entry.at_ms }));
      }),
    );
  }

  forget(places: readonly NotePlace[], order_id: string): void {
    for (const { key } of places) {
      const left = (this.#places.get(key) ?? []).filter((entry) => entry.order_id !== order_id);
      if (left.length === 0) this.#places.delete(key);
      else this.#places.set(key, left);
    }
  }

  get size(): number {
    return this.#places.size;
  }
}

/**
 * Each KEYS[i] is a sorted set of orders (`id total`) by when they were noted, in milliseconds of Redis' own clock, which all
 * nodes share. ARGV[1]: the order. ARGV[2]: how many are told. ARGV[2 + i]: how long KEYS[i] remembers, ms. Answers with the
 * time and, for each key, its newest orders and their times before this one was added.
 */
const NOTE = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local told = {now}
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - ARGV[2 + i])
  told[1 + i] = redis.call('ZRANGE', key, -ARGV[2], -1, 'WITHSCORES')
  redis.call('ZADD', key, now, ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2 + i])
end
return told
`);

/** Notes in Redis, so that the orders of all nodes see each other; while it does not answer, those of each node do. */
export class RedisNotes implements OrderNotes {
  readonly #guard: RedisGuard;

  constructor(
    private readonly link: RedisLink,
    private readonly prefix: string,
    private readonly local: LocalNotes,
  ) {
    this.#guard = guardOf(link);
  }

  async note(places: readonly NotePlace[], order_id: string, total_minor: number): Promise<NotedOrder[][]> {
    // Also where Redis answers: it may be the last time.
    const here = await this.local.note(places, order_id, total_minor);
    if (!this.#guard.usable) return here;
    try {
      const told = await this.#guard.ask(() =>
        NOTE.run(
          this.link.client,
          places.map(({ key }) => this.prefix + key),
          [`${order_id} ${String(total_minor)}`, TOLD_MAX, ...places.map(({ kept_ms }) => kept_ms)],
        ),
      );
      return notedOf(told, order_id).map((noted, at) => both(noted, here[at] ?? []));
    } catch {
      // Said by health and in the log of the link; a limit is no reason to refuse anybody.
      return here;
    }
  }

  forget(places: readonly NotePlace[], order_id: string, total_minor: number): void {
    this.local.forget(places, order_id);
    if (!this.#guard.usable) return;
    this.#guard
      .ask(async () => {
        const batch = this.link.client.pipeline();
        for (const { key } of places) batch.zrem(this.prefix + key, `${order_id} ${String(total_minor)}`);
        return batch.exec();
      })
      .catch(() => {
        // It is forgotten by itself when its time is over.
      });
  }
}

/** While Redis was away, orders were noted here alone. */
function both(told: NotedOrder[], here: readonly NotedOrder[]): NotedOrder[] {
  const known = new Set(told.map(({ order_id }) => order_id));
  return [...told, ...here.filter(({ order_id }) => !known.has(order_id))];
}

function notedOf(told: unknown, but: string): NotedOrder[][] {
  const [now, ...places] = told as [number, ...string[][]];
  return places.map((flat) => {
    const noted: NotedOrder[] = [];
    for (let at = 0; at + 1 < flat.length; at += 2) {
      const [order_id = "", total = "0"] = (flat[at] ?? "").split(" ");
      if (order_id !== but)
        noted.push({ order_id, total_minor: Number(total), age_ms: now - Number(flat[at + 1]) });
    }
    return noted;
  });
}
