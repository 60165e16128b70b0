import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { metricsOf } from "../metrics/metrics";
import type { RedisLink } from "../redis/redis-link";
import { MemoryTagCache } from "./memory-tag-cache";
import { RedisTagCache } from "./redis-tag-cache";
import type { TagCache } from "./tag-cache";

/** This node's cache, with its figures among the node's metrics. */
export function openCache(broker: ServiceBroker, namespace: string, redis: RedisLink | undefined): TagCache {
  const cache =
    redis === undefined
      ? new MemoryTagCache()
      : new RedisTagCache(redis, {
          namespace,
          // A node that starts again is another one: what its former life acknowledged, it did not.
          node: `${broker.nodeID}/${randomUUID()}`,
          logger: broker.getLogger("cache"),
        });
  const metrics = metricsOf(broker);
  metrics.total("forno_cache_hits_total", "Reads answered from the cache.", () => cache.figures.hits);
  metrics.total("forno_cache_misses_total", "Reads that were computed.", () => cache.figures.misses);
  metrics.total(
    "forno_cache_bypasses_total",
    "Reads that were computed because the cache could not be asked.",
    () => cache.figures.bypasses,
  );
  metrics.total(
    "forno_cache_invalidations_total",
    "Tags, keys and patterns invalidated through this node.",
    () => cache.figures.invalidations,
  );
  metrics.gauge(
    "forno_cache_first_level_entries",
    "Cached values in this node's memory.",
    () => cache.figures.first_level_entries,
  );
  if (redis !== undefined)
    metrics.gauge("forno_redis_up", "Whether Redis can be asked (1).", () => Number(redis.isUp));
  return cache;
}
