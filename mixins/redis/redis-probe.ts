import type { HealthFinding, HealthProbe } from "../health/health-probes";
import type { RedisLink } from "./redis-link";

/** From there on the next burst may find it full. */
const FULL_SHARE = 0.9;

/** Whether Redis answers, keeps what it is given, and has room. Never required: without it Forno is slower and its nodes count on their own. */
export function redisProbe(redis: RedisLink | undefined): HealthProbe {
  return {
    name: "redis",
    required: false,
    async probe() {
      if (redis === undefined) return { status: "off" };
      const asked = performance.now();
      try {
        await redis.ping();
        const ping_ms = Math.round(performance.now() - asked);
        return { ...keeping(await redis.client.info()), ping_ms };
      } catch {
        return { status: "down", detail: "Redis does not answer; caches and limits are each node's own." };
      }
    },
  };
}

/** What Redis says of its memory. With another policy than `noeviction` it drops mirrored orders when it is full. */
function keeping(info: string): HealthFinding {
  const figure = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? "noeviction";
  const [used_bytes, max_bytes] = [figure("used_memory"), figure("maxmemory")];
  const evicted_keys = figure("evicted_keys");
  const figures = { used_bytes, max_bytes, policy, evicted_keys };
  if (policy !== "noeviction")
    return {
      ...{ status: "degraded", ...figures },
      detail: `Redis drops keys when it is full (maxmemory-policy ${policy}): mirrored orders may be missing. Set noeviction.`,
    };
  if (max_bytes > 0 && used_bytes > FULL_SHARE * max_bytes)
    return {
      ...{ status: "degraded", ...figures },
      detail: "Redis is almost full: what is written to it fails beyond maxmemory. Give it more.",
    };
  return { status: "up", ...figures };
}
