import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { MacAddress } from "../../mixins/text/mac-address";
import { AfterParam, nullable, strictObject } from "../../mixins/contract/schemas";
import { getCamera } from "../camera/camera.contract";
import type { Camera } from "../camera/camera.events";

export const getCameraByMac = contract({
  name: "camera-cache.get",
  summary: "The camera with a MAC address, from the cache; with `after`, from the registry",
  kind: "query",
  permission: "camera.read",
  cacheable: true,
  rest: [{ method: "GET", path: "/api/v1/cameras/by-mac/:mac" }],
  params: strictObject({ mac: MacAddress, ...AfterParam }),
  result: getCamera.result,
  refusals: ["camera.unknown", "branch.not_yours"],
});

/** One for each address, in their order; null: no camera has it. */
export const findCamerasByMac = contract({
  name: "camera-cache.find",
  summary: "The cameras with some normalised MAC addresses, from the cache",
  kind: "query",
  permission: "internal",
  params: strictObject({ macs: Type.Array(Type.String(), { maxItems: 1_000 }) }),
  result: strictObject({ cameras: Type.Array(nullable(Type.Unsafe<Camera>(Type.Object({})))) }),
});

/** Every operation of the room. */
export const cameraCacheContracts = [getCameraByMac, findCamerasByMac] as const;
