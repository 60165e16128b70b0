import type { HealthProbe } from "../health/health-probes";
import type { RedisLink } from "./redis-link";

/** Whether Redis answers. Never required: without it Forno is slower and its nodes count on their own. */
export function redisProbe(redis: RedisLink | undefined): HealthProbe {
  return {
    name: "redis",
    required: false,
    async probe() {
      if (redis === undefined) return { status: "off" };
      const asked = performance.now();
      try {
        await redis.ping();
        return { status: "up", ping_ms: Math.round(performance.now() - asked) };
      } catch {
        return { status: "down", detail: "Redis does not answer; caches and limits are each node's own." };
      }
    },
  };
}
