import { Type, type Static } from "@sinclair/typebox";
import { contract, type RawDocument } from "../../mixins/contract/contract";
import { literals, nullable, strictObject, Timestamp } from "../../mixins/contract/schemas";

const Check = Type.Object(
  {
    status: Type.Union([
      Type.Literal("up"),
      Type.Literal("degraded"),
      Type.Literal("down"),
      Type.Literal("off"),
    ]),
    required: Type.Boolean({ description: "Without a required one Forno cannot do its work" }),
    latency_ms: Type.Number({ minimum: 0, description: "How long the probe took" }),
    detail: Type.Optional(Type.String()),
  },
  { description: "What a probe found, with figures of its own beside" },
);

const Phase = Type.Union([Type.Literal("starting"), Type.Literal("ready"), Type.Literal("stopping")]);

/** What every probe of this node found just now. */
export const HealthReport = strictObject({
  status: Type.Union([Type.Literal("up"), Type.Literal("degraded"), Type.Literal("down")], {
    description:
      "down: a required check is down; degraded: another one is, or one is worse than it should be",
  }),
  node_id: Type.String(),
  phase: Phase,
  uptime_s: Type.Integer({ minimum: 0 }),
  checks: Type.Record(Type.String(), Check),
});
export type HealthReport = Static<typeof HealthReport>;

/** Really asks the database, the log and every projection. HTTP 503 when a required check is down. */
export const getHealth = contract({
  name: "ops.health",
  summary: "Health of this node and of everything it depends on",
  kind: "query",
  permission: "ops.read",
  params: strictObject({}),
  result: HealthReport,
  rest: [{ method: "GET", path: "/api/v1/health" }],
});

/** The process runs and its event loop turns; asks nobody else, because a restart would not help them. */
export const getLiveness = contract({
  name: "ops.live",
  summary: "Whether this process is alive",
  kind: "query",
  permission: "public",
  params: strictObject({}),
  result: strictObject({ status: Type.Literal("up"), uptime_s: Type.Integer({ minimum: 0 }) }),
  rest: [{ method: "GET", path: "/api/v1/health/live" }],
});

/** HTTP 503 until this node has rebuilt what is volatile, while it stops, and while a required check is down. */
export const getReadiness = contract({
  name: "ops.ready",
  summary: "Whether this node wants traffic",
  kind: "query",
  permission: "public",
  params: strictObject({}),
  result: strictObject({ ready: Type.Boolean(), phase: Phase, down: Type.Array(Type.String()) }),
  rest: [{ method: "GET", path: "/api/v1/health/ready" }],
});

/** Metrics of this node in Prometheus' text form. Not offered where METRICS is off. */
export const getMetrics = contract({
  name: "ops.metrics",
  summary: "Metrics of this node, as Prometheus reads them",
  kind: "query",
  permission: "ops.read",
  params: strictObject({}),
  result: Type.Unsafe<RawDocument>(Type.String()),
  raw: true,
  content_type: "text/plain",
  rest: [{ method: "GET", path: "/metrics" }],
});

const Count = Type.Integer({ minimum: 0 });

/** What one node knows of the cache, since its start. Asked of each by its name. */
export const nodeCache = contract({
  name: "ops.cache_node",
  summary: "What this node knows of the cache",
  kind: "query",
  permission: "internal",
  params: strictObject({}),
  result: strictObject({
    scope: literals("node", "chain"),
    backend: literals("memory", "redis"),
    up: Type.Boolean(),
    actions: Type.Array(
      strictObject({
        ...{ name: Type.String(), entries: Count, hits: Count, misses: Count, bypasses: Count },
        strategy: nullable(literals("ttl", "tag", "event")),
        ttl_s: nullable(Type.Number()),
        ended_at: nullable(Timestamp),
      }),
      { description: "strategy and ttl_s are null where this node does not run the action" },
    ),
  }),
});

export const opsContracts = [getHealth, getLiveness, getReadiness, getMetrics] as const;
