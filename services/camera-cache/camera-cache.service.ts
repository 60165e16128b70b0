import type { ServiceSchema } from "moleculer";
import { tellCache } from "../../mixins/cache-tags/cached-action";
import { mayWorkAt, notYours } from "../../mixins/contract/branch-access";
import type { Ctx } from "../../mixins/contract/caller";
import { callerOf, implement } from "../../mixins/contract/implement";
import { normalMac } from "../../mixins/text/mac-address";
import { RefusedError, refuse } from "../../mixins/contract/refusal";
import { metricsOf } from "../../mixins/metrics/metrics";
import type { Runtime } from "../../mixins/runtime";
import { ADDRESSES_CHANGED, type AddressesChanged } from "../camera/camera.events";
import { CameraCache } from "./camera-cache";
import { findCamerasByMac, getCameraByMac } from "./camera-cache.contract";

/** Cameras by MAC address, for every event that they send. */
export function createCameraCacheService(runtime: Runtime): ServiceSchema {
  const cache = new CameraCache(runtime);
  const metrics = metricsOf(runtime.broker);
  metrics.total(
    "forno_camera_lookups_total",
    "Questions of the camera cache to the registry.",
    () => cache.figures.questions,
  );
  metrics.gauge(
    "forno_camera_unknown_macs",
    "MAC addresses that this node remembers as unknown.",
    () => cache.figures.unknown,
  );
  return {
    name: "camera-cache",
    version: 1,
    settings: { $noVersionPrefix: true },
    started: () => cache.start(),
    stopped: () => cache.stop(),
    events: {
      [ADDRESSES_CHANGED]: (ctx: Ctx<AddressesChanged>) => cache.forget(ctx.params.macs),
    },
    actions: {
      get: implement(getCameraByMac, async (ctx) => {
        const { after, mac } = ctx.params;
        const answer = await (after === undefined ? cache.find(normalMac(mac)) : cache.fresh(normalMac(mac)));
        tellCache(ctx, answer, "event");
        const camera = answer.value;
        if (camera === null)
          throw new RefusedError(refuse("not_found", "camera.unknown", "No camera has this MAC address."));
        if (!mayWorkAt(callerOf(ctx), camera.branch_id)) throw new RefusedError(notYours());
        return camera;
      }),
      find: implement(findCamerasByMac, async (ctx) => {
        const answers = await Promise.all(ctx.params.macs.map((mac) => cache.find(mac)));
        return { cameras: answers.map(({ value }) => value) };
      }),
    },
  };
}
