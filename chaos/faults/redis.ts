import { Redis } from "ioredis";
import type { RedisServer } from "../../fleet/servers/redis-server";
import { away, type Fault, type Victims } from "./fault";

const AWAY_MS = [100, 4_000] as const;

const impossible = ({ fleet }: Victims): string | undefined =>
  fleet.redis === undefined ? "the fleet has no Redis" : undefined;

function redisOf({ fleet }: Victims): RedisServer {
  if (fleet.redis === undefined) throw new Error("The fleet has no Redis.");
  return fleet.redis;
}

/** kill -9 of Redis; it comes back with what it had flushed. */
export const killRedis: Fault = {
  impossible,
  async strike(victims, strike) {
    const redis = redisOf(victims);
    await redis.process.kill();
    await away(strike, ...AWAY_MS);
    await redis.process.start();
    return "redis";
  },
};

/** The same, and it comes back empty. */
export const emptyRedis: Fault = {
  impossible,
  async strike(victims, strike) {
    const redis = redisOf(victims);
    await redis.process.kill();
    await away(strike, ...AWAY_MS);
    await redis.process.start();
    await flushAll(redis);
    return "redis, and its data";
  },
};

/** Somebody types FLUSHALL. */
export const flushRedis: Fault = {
  impossible,
  async strike(victims) {
    await flushAll(redisOf(victims));
    return "redis' data";
  },
};

/** Empties Redis, where there is one. */
export async function emptied({ fleet }: Pick<Victims, "fleet">): Promise<void> {
  if (fleet.redis !== undefined) await flushAll(fleet.redis);
}

async function flushAll({ url }: RedisServer): Promise<void> {
  const redis = new Redis(url);
  try {
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
}
