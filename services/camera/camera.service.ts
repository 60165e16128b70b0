import type { ActionSchema, ServiceSchema } from "moleculer";
import { endNow } from "../../mixins/cache-tags/cached-action";
import type { Ctx } from "../../mixins/contract/caller";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import {
  act,
  callerOf,
  commandOf,
  firstAnswer,
  implement,
  implementCommand,
} from "../../mixins/contract/implement";
import type { ResultOf } from "../../mixins/contract/contract";
import { isRefusal, orThrow } from "../../mixins/contract/refusal";
import type { Asked } from "../../mixins/crud/entity-rows";
import { channelsOf } from "../../mixins/messaging/channels";
import { metricsOf } from "../../mixins/metrics/metrics";
import { startJob, type JobHandle } from "../../mixins/process/start-job";
import type { Runtime } from "../../mixins/runtime";
import { getBranch } from "../branch/branch.contract";
import {
  createCameraKey,
  deleteCameraKey,
  listCameraEvents,
  listCameraKeys,
  sendCameraEvents,
} from "./camera-events.contract";
import {
  changeCamera,
  createCamera,
  deleteCamera,
  findCameras,
  getCamera,
  listCameras,
} from "./camera.contract";
import { CAMERA_EVENTS_CHANNEL, complexChannel, type Camera } from "./camera.events";
import { CameraKeys, KEYS_TAG, type CameraKey } from "./camera.keys";
import { CameraRegistry } from "./camera.registry";
import { daysAhead, dropOldDays, ensureDays, forgetUnkeyed } from "./event-days";
import { pageOfEvents } from "./event-reads";
import { EventStore } from "./event-store";
import { Ingest } from "./ingest";

const HOUSEKEEPING_MS = 3_600_000;

/** The registry of cameras, and what they report. */
export function createCameraService(runtime: Runtime): ServiceSchema {
  const { broker, pool, log, clock, settings } = runtime;
  const logger = broker.getLogger("camera");
  const channels = channelsOf(runtime);
  const metrics = metricsOf(broker);
  const taken = metrics.counter(
    "forno_camera_events_total",
    "Entries that cameras sent, by what became of them.",
    ["status"],
  );
  const store = new EventStore(pool, log, (events) => {
    for (const event of events) {
      void channels.publish(CAMERA_EVENTS_CHANNEL, event);
      if (event.complex_id !== null) void channels.publish(complexChannel(event.complex_id), event);
    }
  });
  metrics.gauge(
    "forno_camera_events_waiting",
    "Camera events that wait for the database.",
    () => store.backlog,
  );
  const keys = new CameraKeys(runtime);
  const ingest = new Ingest(runtime, keys, store);
  let housekeeping: JobHandle | undefined;

  return {
    name: "camera",
    version: 1,
    settings: { $noVersionPrefix: true },
    async started() {
      await ensureDays(pool, daysAhead(clock.now()));
      housekeeping = startJob(
        { pool, logger },
        {
          name: "camera-events",
          every_ms: HOUSEKEEPING_MS,
          async run(stopping) {
            await ensureDays(pool, daysAhead(clock.now()));
            const days = await dropOldDays(pool, clock.now(), settings.CAMERA_EVENTS_DAYS);
            await forgetUnkeyed(pool, clock.now(), stopping);
            if (days.length > 0) logger.info(`dropped the camera events of ${days.join(", ")}`);
          },
        },
      );
    },
    async stopped() {
      await housekeeping?.stop();
      await store.close();
    },
    actions: {
      ...registryActions(runtime),
      ...keyActions(runtime, keys),
      events_send: implement(sendCameraEvents, async (ctx) => {
        const { answer, replayed } = orThrow(await ingest.take(ctx));
        const result = answer as ResultOf<typeof sendCameraEvents>;
        if (replayed) ctx.meta.replayed = true;
        else for (const { status } of result.results) taken.inc({ status });
        return result;
      }),
      events_list: implement(listCameraEvents, async (ctx) =>
        orThrow(await pageOfEvents(pool, ctx.params, callerOf(ctx), clock.now())),
      ),
    },
  };
}

function registryActions(runtime: Runtime): Record<string, ActionSchema> {
  const { log } = runtime;
  const registry = new CameraRegistry(runtime);
  return {
    get: implement(getCamera, async (ctx) =>
      orThrow(await registry.get(ctx.params.camera_id, callerOf(ctx))),
    ),
    list: implement(listCameras, async (ctx) => orThrow(await registry.list(ctx.params, callerOf(ctx)))),
    find: implement(findCameras, async (ctx) => ({ cameras: await registry.having(ctx.params.macs) })),
    create: implementCommand(log, createCamera, {
      async run(ctx) {
        await assertBranch(ctx, ctx.params.branch_id);
        return registry.create(ctx.params, callerOf(ctx), askedBy(ctx));
      },
      respond: saved,
    }),
    change: implementCommand(log, changeCamera, {
      async run(ctx) {
        const { camera_id, expected_version, ...wish } = ctx.params;
        if (wish.branch_id !== undefined) await assertBranch(ctx, wish.branch_id);
        return registry.change(camera_id, wish, callerOf(ctx), askedBy(ctx), expected_version);
      },
      respond: saved,
    }),
    delete: implementCommand(log, deleteCamera, {
      run(ctx) {
        const { camera_id, expected_version } = ctx.params;
        return registry.delete(camera_id, callerOf(ctx), askedBy(ctx), expected_version);
      },
      respond: (answer, position) => ({ camera_id: (answer as Camera).camera_id, position }),
    }),
  };
}

function keyActions(runtime: Runtime, keys: CameraKeys): Record<string, ActionSchema> {
  const { log, ids } = runtime;
  const shown = ({ key_id, branch_id, name, created_at }: CameraKey) => ({
    key_id,
    branch_id,
    name,
    created_at,
  });
  return {
    key_create: implement(createCameraKey, async (ctx) => {
      const key = `camera_${ids.token()}${ids.token()}`;
      const create = async () => {
        await assertBranch(ctx, ctx.params.branch_id);
        return keys.create(ctx.params, key, callerOf(ctx), askedBy(ctx));
      };
      const { answer, replayed } = orThrow(await firstAnswer(log, ctx, create));
      if (replayed) ctx.meta.replayed = true;
      await endNow(runtime, KEYS_TAG);
      return { ...shown(answer as CameraKey), key: replayed ? null : key };
    }),
    key_list: implement(listCameraKeys, async (ctx) => {
      const { items, next_cursor } = orThrow(await keys.list(ctx.params, callerOf(ctx)));
      return { items: items.map(shown), next_cursor };
    }),
    key_delete: implementCommand(log, deleteCameraKey, {
      async run(ctx) {
        const outcome = await keys.delete(ctx.params.key_id, callerOf(ctx), askedBy(ctx));
        if (!isRefusal(outcome)) await endNow(runtime, KEYS_TAG);
        return outcome;
      },
      respond: (answer) => ({ key_id: (answer as CameraKey).key_id }),
    }),
  };
}

function askedBy(ctx: Ctx<unknown>): Asked {
  return { command: commandOf(ctx), meta: eventMetaOf(ctx, "camera") };
}

/** @throws RefusedError `branch.unknown` */
async function assertBranch(ctx: Ctx<unknown>, branch_id: string): Promise<void> {
  await act(ctx, getBranch, { branch_id });
}

function saved(answer: unknown, position: number): ResultOf<typeof createCamera> {
  return { ...(answer as ResultOf<typeof getCamera>), position };
}
