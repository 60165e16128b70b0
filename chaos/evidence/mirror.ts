import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Evidence, Mirror } from "../checks/evidence";
import { mirrors } from "../checks/mirrors";

const KEYS_AT_ONCE = 1_000;

/** What Redis holds, once it had time to follow. @param node_url asked for the menu. */
export async function settledMirror(
  redis_url: string,
  node_url: string,
  known: Pick<Evidence, "events" | "head">,
  patience_ms: number,
): Promise<Mirror> {
  const redis = new Redis(redis_url);
  try {
    for (const deadline = performance.now() + patience_ms; ;) {
      const mirror = await read(redis, node_url);
      if (mirrors({ ...known, mirror }).length === 0 || performance.now() > deadline) return mirror;
      await pause(500);
    }
  } finally {
    redis.disconnect();
  }
}

async function read(redis: Redis, node_url: string): Promise<Mirror> {
  const keys = ["menu:full"];
  for (const pattern of ["order:*", "slot:*_*"]) keys.push(...(await found(redis, pattern)));
  const texts = new Map<string, string>();
  const ends_ms = new Map<string, number>();
  for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
    const some = keys.slice(at, at + KEYS_AT_ONCE);
    const values = await redis.mget(some);
    const batch = redis.pipeline();
    for (const key of some) batch.pexpiretime(key);
    const ends = (await batch.exec()) ?? [];
    for (const [n, key] of some.entries()) {
      const text = values[n];
      if (text !== null && text !== undefined) texts.set(key, text);
      const [, end] = ends[n] ?? [];
      if (typeof end === "number") ends_ms.set(key, end);
    }
  }
  const menu = await (await fetch(`${node_url}/api/v1/menu`)).text();
  const config = new Map(Object.entries(await redis.hgetall("slot:config")));
  return { texts, ends_ms, config, marker: await redis.hgetall("forno:mirror"), menu };
}

async function found(redis: Redis, pattern: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const some of redis.scanStream({ match: pattern, count: KEYS_AT_ONCE }))
    keys.push(...(some as string[]));
  return [...new Set(keys)];
}
