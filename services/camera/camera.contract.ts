import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { PageParams, pageOf, PositionSchema, strictObject, Uuid } from "../../mixins/contract/schemas";
import type { Camera } from "./camera.events";
import { CameraFields, CameraRecord, ComplexId, ExpectedVersion, SavedCamera } from "./camera.schemas";

const SAVING = ["camera.mac_address_taken", "camera.settings_too_long", "branch.unknown", "branch.not_yours"];
const NAMING = ["camera.unknown", "branch.not_yours"];

export const createCamera = contract({
  name: "camera.create",
  summary: "Register a camera",
  kind: "command",
  permission: "camera.manage",
  rest: [{ method: "POST", path: "/api/v1/cameras", status: 201 }],
  params: strictObject({
    ...CameraFields,
    name: Type.Optional(CameraFields.name),
    settings: Type.Optional(CameraFields.settings),
    complex_id: Type.Optional(CameraFields.complex_id),
    enabled: Type.Optional(Type.Boolean({ default: true })),
  }),
  result: SavedCamera,
  refusals: SAVING,
});

export const getCamera = contract({
  name: "camera.get",
  summary: "One camera",
  kind: "query",
  permission: "camera.read",
  cacheable: true,
  rest: [{ method: "GET", path: "/api/v1/cameras/:camera_id" }],
  params: strictObject({ camera_id: Uuid }),
  result: strictObject(CameraRecord),
  refusals: NAMING,
});

/** A manager sees the cameras of the branches that they work at. */
export const listCameras = contract({
  name: "camera.list",
  summary: "Cameras, newest first",
  kind: "query",
  permission: "camera.read",
  cacheable: true,
  rest: [{ method: "GET", path: "/api/v1/cameras" }],
  params: strictObject({
    branch_id: Type.Optional(Uuid),
    complex_id: Type.Optional(ComplexId),
    enabled: Type.Optional(Type.Boolean()),
    ...PageParams,
  }),
  result: pageOf(strictObject(CameraRecord)),
  refusals: ["input.cursor_malformed", "branch.not_yours"],
});

/** Changes what it names. */
export const changeCamera = contract({
  name: "camera.change",
  summary: "Change a camera",
  kind: "command",
  permission: "camera.manage",
  rest: [{ method: "PUT", path: "/api/v1/cameras/:camera_id" }],
  params: strictObject({
    camera_id: Uuid,
    ...Type.Partial(strictObject(CameraFields)).properties,
    expected_version: ExpectedVersion,
  }),
  result: SavedCamera,
  refusals: [...SAVING, "camera.unknown", "camera.changed_meanwhile"],
});

export const deleteCamera = contract({
  name: "camera.delete",
  summary: "Remove a camera from the registry; its past events stay as long as they are kept",
  kind: "command",
  permission: "camera.manage",
  rest: [{ method: "DELETE", path: "/api/v1/cameras/:camera_id" }],
  params: strictObject({ camera_id: Uuid, expected_version: ExpectedVersion }),
  result: strictObject({ camera_id: Uuid, position: PositionSchema }),
  refusals: [...NAMING, "camera.changed_meanwhile"],
});

/** Addresses that one question to the registry may name. */
export const MACS_MAX = 500;

/** Those that are registered, in no order; straight from the registry. */
export const findCameras = contract({
  name: "camera.find",
  summary: "Cameras by their normalised MAC addresses",
  kind: "query",
  permission: "internal",
  params: strictObject({ macs: Type.Array(Type.String(), { maxItems: MACS_MAX }) }),
  result: strictObject({ cameras: Type.Array(Type.Unsafe<Camera>(Type.Object({}))) }),
});

/** Every operation of the registry. */
export const cameraContracts = [
  createCamera,
  getCamera,
  listCameras,
  changeCamera,
  deleteCamera,
  findCameras,
] as const;
