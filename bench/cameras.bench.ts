import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ServiceBroker } from "moleculer";
import { rateOf } from "./cache.bench";
import { systemClock, systemIds } from "../boot";
import { entities } from "../entities/entities";
import { redisServer } from "../fleet/servers/redis-server";
import { followEvents } from "../mixins/cache-tags/follow-events";
import { RedisTagCache } from "../mixins/cache-tags/redis-tag-cache";
import { SYSTEM } from "../mixins/contract/caller";
import { act } from "../mixins/contract/implement";
import { LogFeed } from "../mixins/event-feed/log-feed";
import { createEventLog } from "../mixins/event-log/postgres-event-log";
import { connectionOf, dataSource, poolOf } from "../mixins/postgres/pool";
import { RedisLink } from "../mixins/redis/redis-link";
import type { Runtime } from "../mixins/runtime";
import { createCameraCacheService } from "../services/camera-cache/camera-cache.service";
import { findCamerasByMac, getCameraByMac } from "../services/camera-cache/camera-cache.contract";
import { sendCameraEvents } from "../services/camera/camera-events.contract";
import { CameraRegistry } from "../services/camera/camera.registry";
import { createCameraService } from "../services/camera/camera.service";
import { loadSettings } from "../settings";

export interface CameraFigures {
  readonly what: string;
  readonly per_s: number;
}

const CAMERAS = 1_000;
const EVENTS_AT_ONCE = 100;

const anyMac = (): string =>
  `02:${randomBytes(5).toString("hex").match(/../g)?.join(":") ?? ""}`.toUpperCase();

/** Lookups by MAC address from each level, addresses that nobody has, and events kept and published; on a Redis of its own. */
export async function benchCameras(url: string, seconds: number): Promise<CameraFigures[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-bench-redis-"));
  const redis = await redisServer(folder);
  await redis.process.start();
  const near = await startNode(url, redis.url, 20_000);
  // Its first level holds one value: it asks Redis each time.
  const far = await startNode(url, redis.url, 1);
  try {
    const macs = Array.from({ length: CAMERAS }, anyMac);
    await near.register(macs);
    const mac = (n: number): string => macs[n % CAMERAS] ?? "";
    const find = ({ runtime }: Node, one: string) => act(runtime.broker, findCamerasByMac, { macs: [one] });
    for (const one of macs) await find(near, one);
    const contenders: Record<string, (n: number) => Promise<unknown>> = {
      "a camera from the first level": (n) => find(near, mac(n)),
      "a camera from Redis": (n) => find(far, mac(n)),
      "a camera from the registry": (n) =>
        act(near.runtime.broker, getCameraByMac, { mac: mac(n), after: 0 }, { meta: { caller: SYSTEM } }),
      "an unknown address for the first time": () => find(near, anyMac()),
      "an unknown address again": () => find(near, "02:00:00:00:00:00"),
    };
    const figures: CameraFigures[] = [];
    for (const [what, read] of Object.entries(contenders))
      figures.push({ what, per_s: await rateOf(read, (seconds * 1_000) / 5) });
    for (const size of [1, EVENTS_AT_ONCE]) {
      const send = (n: number) => near.send(Array.from({ length: size }, (_, at) => mac(n + at)));
      const per_s = size * (await rateOf(send, (seconds * 1_000) / 5));
      figures.push({ what: `events kept and published, ${String(size)} a request`, per_s });
    }
    return figures;
  } finally {
    await Promise.all([near.stop(), far.stop()]);
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Node = Awaited<ReturnType<typeof startNode>>;

/** The rooms of cameras and nothing else. */
async function startNode(url: string, redis_url: string, first_level: number) {
  const broker = new ServiceBroker({ nodeID: randomUUID(), logger: false, validator: false });
  const logger = broker.getLogger("bench");
  const connection = connectionOf(url);
  const log = await createEventLog({ connection, logger });
  const db = dataSource(connection, entities, []);
  await db.initialize();
  const redis = new RedisLink(redis_url, logger);
  const cache = new RedisTagCache(redis, {
    ...{ namespace: "bench", node: broker.nodeID, logger },
    bounds: { entries_max: first_level },
  });
  const runtime: Runtime = {
    ...{ settings: loadSettings({}), broker, log, feed: new LogFeed({ log, logger }), db, pool: poolOf(db) },
    ...{ clock: systemClock, ids: systemIds, cache, redis },
  };
  broker.createService(createCameraService(runtime));
  broker.createService(createCameraCacheService(runtime));
  await broker.start();
  const stopFollowing = await followEvents(runtime);
  const deadline = Date.now() + 10_000;
  while (cache.figures.first_level_entries === 0) {
    if (Date.now() > deadline) throw new Error("The cache does not serve.");
    await cache.getOrCompute("bench:warm", { ttl_s: 60 }, () => 1);
    await pause(20);
  }
  return {
    runtime,
    async register(macs: readonly string[]): Promise<void> {
      // What ends values is of no interest here, and waits for acknowledgements.
      const registry = new CameraRegistry({
        ...runtime,
        cache: Object.assign(Object.create(cache) as typeof cache, {
          invalidateTags: () => Promise.resolve(),
        }),
      });
      const branch_id = systemIds.uuid();
      for (const mac_address of macs) {
        const command = { id: randomUUID(), fingerprint: "", fresh: true as const };
        const fields = { mac_address, model: "Hikvision DS-2CD2143G2-I", branch_id, complex_id: "bench" };
        await registry.create(fields, SYSTEM, { command, meta: {} });
      }
    },
    send: (macs: readonly string[]) =>
      act(broker, sendCameraEvents, {
        events: macs.map((mac_address) => ({
          ...{ mac_address, eventType: "VMD", eventState: "active", channelID: 1 },
          dateTime: "2026-03-10T16:00:05+07:00",
        })),
      }),
    async stop(): Promise<void> {
      await stopFollowing();
      await broker.stop();
      await cache.close();
      await redis.close();
      await log.close();
      await db.destroy();
    },
  };
}
