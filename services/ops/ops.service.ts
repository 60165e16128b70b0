import type { ServiceSchema } from "moleculer";
import type { Ctx } from "../../mixins/contract/caller";
import { implement } from "../../mixins/contract/implement";
import { feedProbe, registerFeedMetrics } from "../../mixins/event-feed/feed-health";
import { healthProbesOf } from "../../mixins/health/health-probes";
import { readinessOf } from "../../mixins/health/readiness";
import { kafkaProbe } from "../../mixins/kafka/kafka-probe";
import { metricsOf } from "../../mixins/metrics/metrics";
import { redisProbe } from "../../mixins/redis/redis-probe";
import { registerReplicaMetrics, replicaProbe } from "../../mixins/replica/replica-probe";
import type { Runtime } from "../../mixins/runtime";
import { diskProbe, registerDiskMetrics } from "./disk-probe";
import { HealthRounds, consumersProbe, databaseProbe, logProbe } from "./health";
import { lineageProbe, registerLineageMetrics } from "./lineage-probe";
import { registerNodeMetrics } from "./node-metrics";
import { nodeCacheFigures } from "./cache-command";
import { getHealth, getLiveness, getMetrics, getReadiness, nodeCache } from "./ops.contract";

const UNAVAILABLE = 503;

/** Health and metrics of this node. Others add their probes by `healthProbesOf(broker).add(…)`. */
export function createOpsService(runtime: Runtime): ServiceSchema {
  const { broker, pool, log, feed, clock, settings, reads } = runtime;
  const probes = healthProbesOf(broker);
  const readiness = readinessOf(broker);
  const rounds = new HealthRounds(probes, clock);
  const started_ms = clock.now();
  const uptime_s = (): number => Math.max(0, Math.floor((clock.now() - started_ms) / 1000));
  probes.add(databaseProbe(pool, reads !== undefined));
  probes.add(logProbe(log, pool));
  probes.add(lineageProbe(log, pool));
  probes.add(consumersProbe(log));
  probes.add(feedProbe(feed, log));
  probes.add(kafkaProbe(runtime.kafka));
  probes.add(redisProbe(runtime.redis));
  probes.add(replicaProbe(reads));
  probes.add(diskProbe(settings.DATA_DIR));
  registerNodeMetrics(metricsOf(broker), log);
  registerLineageMetrics(metricsOf(broker), log, pool);
  registerFeedMetrics(metricsOf(broker), feed, log);
  registerDiskMetrics(metricsOf(broker), settings.DATA_DIR);
  if (reads !== undefined) registerReplicaMetrics(metricsOf(broker), reads);
  const metrics = metricsOf(broker);
  if (settings.METRICS === "on") metrics.addProcess();

  return {
    name: "ops",
    version: 1,
    settings: { $noVersionPrefix: true },
    actions: {
      health: implement(getHealth, async (ctx) => {
        const findings = await rounds.findings();
        if (findings.status === "down") answerWith(ctx, UNAVAILABLE);
        return { ...findings, node_id: broker.nodeID, phase: readiness.phase, uptime_s: uptime_s() };
      }),
      live: implement(getLiveness, () => ({ status: "up" as const, uptime_s: uptime_s() })),
      ready: implement(getReadiness, async (ctx) => {
        const { checks } = await rounds.findings();
        const down = Object.keys(checks).filter(
          (name) => checks[name]?.required === true && checks[name].status === "down",
        );
        const ready = readiness.phase === "ready" && down.length === 0;
        if (!ready) answerWith(ctx, UNAVAILABLE);
        return { ready, phase: readiness.phase, down };
      }),
      metrics: implement(getMetrics, async () => ({
        body: await metrics.render(),
        content_type: metrics.content_type,
      })),
      cache_node: implement(nodeCache, () => nodeCacheFigures(runtime)),
    },
  };
}

/** A status of its own for an answer that is no error: monitors read the code, people the report. */
function answerWith(ctx: Ctx<unknown>, status: number): void {
  (ctx.meta as { $statusCode?: number }).$statusCode = status;
}
