import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { literals, nullable, PositionSchema, strictObject, Timestamp } from "../../mixins/contract/schemas";

/** The caches that can be named from outside. */
export const CACHE_NAMES = ["bestsellers", "recommendations", "flash-sales", "profile"] as const;
export type CacheName = (typeof CACHE_NAMES)[number];

const Count = Type.Integer({ minimum: 0 });

/** Figures of all nodes together, each since its start. */
export const cacheStatus = contract({
  name: "shop.cache_status",
  summary: "What the shop's caches hold, and how often they serve",
  kind: "query",
  permission: "ops.read",
  params: strictObject({}),
  result: strictObject({
    backend: literals("memory", "redis"),
    up: Type.Boolean({ description: "false: a node goes around the cache just now" }),
    nodes: Type.Array(Type.String(), { description: "Live nodes that have answered" }),
    silent_nodes: Type.Array(Type.String(), { description: "Live nodes that did not answer in time" }),
    caches: Type.Array(
      strictObject({
        name: literals(...CACHE_NAMES),
        strategy: nullable(literals("ttl", "tag", "event")),
        ttl_s: nullable(Type.Number()),
        entries: Count,
        hits: Count,
        misses: Count,
        bypasses: Count,
        hit_rate: nullable(
          Type.Number({ minimum: 0, maximum: 1, description: "Of all reads; null: there was none" }),
        ),
        last_invalidated_at: nullable(Timestamp),
      }),
      { description: "strategy and ttl_s are null where no live node runs what fills it" },
    ),
  }),
  rest: [{ method: "GET", path: "/api/cache/status" }],
});

/** `all` are the caches with a name, and nothing else that is kept anywhere. Every desk hears of it (`cache:invalidated`). */
export const invalidateCache = contract({
  name: "shop.cache_invalidate",
  summary: "End all that one of the shop's caches holds, on every node",
  kind: "command",
  permission: "ops.operate",
  params: strictObject({ name: literals(...CACHE_NAMES, "all") }),
  result: strictObject({
    message: Type.String(),
    invalidated: Type.Array(literals(...CACHE_NAMES)),
    at: Timestamp,
    position: PositionSchema,
  }),
  rest: [{ method: "POST", path: "/api/cache/invalidate/:name" }],
});

export const cacheContracts = [cacheStatus, invalidateCache] as const;
