import type { ServiceSchema } from "moleculer";
import { healthProbesOf } from "../../mixins/health/health-probes";
import { metricsOf } from "../../mixins/metrics/metrics";
import { startLeader, type LeaderHandle } from "../../mixins/process/start-leader";
import type { RedisLink } from "../../mixins/redis/redis-link";
import type { Runtime } from "../../mixins/runtime";
import { MirrorLag } from "./mirror.health";
import { MirrorLeader } from "./mirror.leader";
import { MenuUpdates } from "./mirror.menu-updates";
import { MirrorStore } from "./mirror.store";

/**
 * The mirror: orders, slots, slot rules and menu in Redis, and the channels there, for programs outside Forno. Forno itself
 * reads none of it. One node writes, every node listens to `menu:update`. See docs/redis.md.
 */
export function createMirrorService(runtime: Runtime, redis: RedisLink): ServiceSchema {
  const { broker, pool, ids } = runtime;
  const logger = broker.getLogger("mirror");
  const store = new MirrorStore(redis.client, runtime.clock);
  const leader = new MirrorLeader({ ...runtime, redis, store, logger }, () => ids.uuid());
  let candidate: LeaderHandle | undefined;
  const lag = new MirrorLag(runtime, store, () => candidate?.leading === true);
  let updates: MenuUpdates | undefined;
  let removeProbe: (() => void) | undefined;
  const metrics = metricsOf(broker);
  metrics.gauge("forno_mirror_leading", "Whether this node writes the mirror in Redis.", () =>
    candidate?.leading === true ? 1 : 0,
  );
  metrics.gauge(
    "forno_mirror_lag_events",
    "Events of the log that the mirror in Redis does not hold yet.",
    async () => (await lag.read()).lag_events,
  );
  metrics.total("forno_mirror_keys_written_total", "Keys written to the mirror.", () => store.keys_written);
  metrics.total("forno_mirror_messages_total", "Messages published in Redis.", () => store.messages_sent);
  metrics.total("forno_mirror_rebuilds_total", "Rebuilds of the mirror begun.", () => leader.rebuilds);

  return {
    name: "mirror",
    version: 1,
    settings: { $noVersionPrefix: true },
    started() {
      removeProbe = healthProbesOf(broker).add(lag.probe());
      updates = new MenuUpdates(broker, redis, logger);
      candidate = startLeader({ pool, logger }, { name: "mirror", lead: (over) => leader.lead(over) });
      return Promise.resolve();
    },
    async stopped() {
      removeProbe?.();
      await Promise.all([updates?.stop(), candidate?.stop()]);
    },
  };
}
