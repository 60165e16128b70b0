import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { redisServer } from "../fleet/servers/redis-server";
import { CHANNEL_TIMES } from "../mixins/cache-tags/invalidation-channel";
import { RedisTagCache } from "../mixins/cache-tags/redis-tag-cache";
import type { MemoryBounds } from "../mixins/cache-tags/tagged-memory";
import { RedisLink } from "../mixins/redis/redis-link";

export interface ReadFigures {
  readonly read: string;
  /** With 64 callers on one connection. */
  readonly per_s: number;
  /** Median over the rounds of the time of a bare GET of the same bytes to this one's. */
  readonly ratio_to_get: number;
}
export interface InvalidationFigures {
  readonly keys: number;
  /** Until every node has acknowledged. */
  readonly p50_ms: number;
  readonly p99_ms: number;
}
export interface CacheFigures {
  readonly reads: readonly ReadFigures[];
  readonly invalidations: readonly InvalidationFigures[];
  readonly stampede: { readonly misses: number; readonly computations: number; readonly ms: number };
}

const ROUNDS = 5;
const CALLERS = 64;
const KEYS = 1_000;
const FILLERS = 256;
const INVALIDATIONS = 200;
const MISSES = 10_000;
/** About 1 KB of JSON, a list of a few sales. */
const VALUE = { items: Array.from({ length: 8 }, (_, n) => ({ n, text: "Маргарита, 449 ₽ ".repeat(4) })) };
const TERMS = { ttl_s: 3_600, tags: ["bench", "bench-other"] };
/** The epoch of a Redis that was just started counts as old, as it does after half a minute. */
const TIMES = { ...CHANNEL_TIMES, join_every_ms: 100, membership_ms: 500 };

/** Reads from both levels against bare GETs, invalidations by the number of keys, and a stampede; on a Redis of its own. */
export async function benchCache(seconds: number, keys: readonly number[]): Promise<CacheFigures> {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-bench-redis-"));
  const redis = await redisServer(folder);
  await redis.process.start();
  const logger = { debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error };
  const links = [1, 2, 3].map(() => new RedisLink(redis.url, logger));
  const cacheOf = (node: number, bounds: MemoryBounds): RedisTagCache => {
    const link = links[node];
    if (link === undefined) throw new Error(`There is no node ${String(node)}.`);
    return new RedisTagCache(link, {
      ...{ namespace: "bench", node: `node-${String(node)}`, logger, times: TIMES },
      bounds,
    });
  };
  // The second node's first level holds one value: it asks Redis each time.
  const [near, far, third] = [cacheOf(0, {}), cacheOf(1, { entries_max: 1 }), cacheOf(2, {})];
  try {
    for (const cache of [near, far, third]) await warm(cache);
    const reads = await benchReads(seconds, links[0], near, far);
    const invalidations: InvalidationFigures[] = [];
    let filled = 0;
    for (const count of keys) {
      await fill(far, filled, count);
      filled = count;
      invalidations.push({ keys: count, ...(await benchInvalidation(near)) });
    }
    return { reads, invalidations, stampede: await stampede([near, far, third]) };
  } finally {
    for (const cache of [near, far, third]) await cache.close();
    for (const link of links) await link.close();
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Until it serves from its first level. */
async function warm(cache: RedisTagCache): Promise<void> {
  for (const deadline = Date.now() + 10_000; cache.figures.first_level_entries === 0;) {
    if (Date.now() > deadline) throw new Error("The cache does not serve.");
    await cache.getOrCompute("bench:warm", TERMS, () => VALUE);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function benchReads(
  seconds: number,
  link: RedisLink | undefined,
  near: RedisTagCache,
  far: RedisTagCache,
): Promise<ReadFigures[]> {
  const key = (n: number): string => `bench:${String(n % KEYS)}`;
  for (let n = 0; n < KEYS; n += 1) {
    await near.getOrCompute(key(n), TERMS, () => VALUE);
    await link?.client.set(key(n), JSON.stringify(VALUE), "EX", 3_600);
  }
  const contenders: Record<string, (n: number) => Promise<unknown>> = {
    "bare GET": async (n) => link?.client.get(key(n)),
    "from Redis, two tags": (n) => far.getOrCompute(key(n), TERMS, () => VALUE),
    "from the first level": (n) => near.getOrCompute(key(n), TERMS, () => VALUE),
  };
  const rates = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, read] of Object.entries(contenders))
      rates.get(name)?.push(await rateOf(read, (seconds * 1000) / ROUNDS));
  const bare = rates.get("bare GET") ?? [];
  return [...rates].map(([read, of]) => ({
    ...{ read, per_s: quantile(of, 0.5) },
    ratio_to_get: quantile(
      of.map((rate, round) => rate / (bare[round] ?? Number.NaN)),
      0.5,
    ),
  }));
}

/** How often a second something is done, by {@link CALLERS} side by side. */
export async function rateOf(read: (n: number) => Promise<unknown>, ms: number): Promise<number> {
  let count = 0;
  const started = performance.now();
  const caller = async (): Promise<void> => {
    while (performance.now() - started < ms) {
      await read((count += 1));
      // Reads that never leave the process would keep all others, timers and sockets, from running.
      if (count % 1_000 === 0) await new Promise(setImmediate);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return count / ((performance.now() - started) / 1000);
}

async function fill(cache: RedisTagCache, from: number, to: number): Promise<void> {
  let next = from;
  const filler = async (): Promise<void> => {
    while (next < to) {
      const key = `bench-fill:${String(next++)}`;
      await cache.getOrCompute(key, { ttl_s: 3_600, tags: ["bench-many"] }, () => 1);
    }
  };
  await Promise.all(Array.from({ length: FILLERS }, filler));
}

async function benchInvalidation(cache: RedisTagCache): Promise<Omit<InvalidationFigures, "keys">> {
  const times: number[] = [];
  for (let i = 0; i < INVALIDATIONS; i += 1) {
    const started = performance.now();
    await cache.invalidateTags("bench-many");
    times.push(performance.now() - started);
  }
  return { p50_ms: quantile(times, 0.5), p99_ms: quantile(times, 0.99) };
}

async function stampede(caches: readonly RedisTagCache[]): Promise<CacheFigures["stampede"]> {
  let computations = 0;
  const compute = async (): Promise<object> => {
    computations += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return VALUE;
  };
  const started = performance.now();
  await Promise.all(
    caches.flatMap((cache) =>
      Array.from({ length: MISSES }, () => cache.getOrCompute("bench:stampede", TERMS, compute)),
    ),
  );
  return { misses: MISSES * caches.length, computations, ms: performance.now() - started };
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
