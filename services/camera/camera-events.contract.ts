import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import {
  literals,
  nullable,
  PageParams,
  pageOf,
  strictObject,
  Timestamp,
  Uuid,
} from "../../mixins/contract/schemas";
import { Line } from "../../mixins/text/lines";
import { ComplexId } from "./camera.schemas";

/** Entries of one request. */
export const ENTRIES_MAX = 1_000;
const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** A camera that sends its events one by one, behind one address with hundreds of others. */
const REQUESTS_PER_MINUTE = 12_000;

/** Said loosely here, because each entry is judged by itself: see `read-entry.ts`. */
const Entry = Type.Unsafe<Record<string, unknown>>(
  Type.Object(
    {},
    {
      description:
        "What a camera reports: `mac_address`, `event_type` (ours or the make's own code), `timestamp` (by the camera's clock; absent: its arrival), `data`. An entry without a `mac_address` is malformed; where no entry can be read, the request is refused as `input.invalid`. Further fields are a payload of the camera's make: Hikvision's EventNotificationAlert, Dahua's Code, action, index and data.",
      examples: [
        {
          mac_address: "44:19:B6:6D:24:85",
          event_type: "motion_detected",
          timestamp: "2026-03-10T09:00:00Z",
          data: { zone: 1 },
        },
      ],
    },
  ),
);

/**
 * - `accepted`: kept and published
 * - `unknown`: no camera of the sender's branches has this MAC address
 * - `disabled`: the camera is switched off in the registry
 * - `alive`: only a sign of life
 * - `malformed`: see `errors`
 */
const STATUSES = ["accepted", "unknown", "disabled", "alive", "malformed"] as const;
export type EntryStatus = (typeof STATUSES)[number];
const count = Type.Integer({ minimum: 0 });

export const sendCameraEvents = contract({
  name: "camera.events_send",
  summary: "Report what cameras saw: one event, or an array of them. Entries are judged one by one",
  kind: "command",
  permission: "camera.send",
  rate_per_minute: REQUESTS_PER_MINUTE,
  api_key: true,
  rest: [
    {
      method: "POST",
      path: "/api/v1/cameras/events",
      status: 202,
      body_array: "events",
      body_bytes_max: BODY_BYTES_MAX,
    },
  ],
  params: strictObject({ events: Type.Array(Entry, { minItems: 1, maxItems: ENTRIES_MAX }) }),
  result: strictObject({
    accepted: count,
    unknown: count,
    disabled: count,
    alive: count,
    malformed: count,
    results: Type.Array(
      strictObject({
        index: count,
        status: literals(...STATUSES),
        event_id: Type.Optional(Uuid),
        errors: Type.Optional(Type.Array(strictObject({ path: Type.String(), message: Type.String() }))),
      }),
      { description: "One for each entry, in their order" },
    ),
  }),
  refusals: ["camera.key_unknown", "input.invalid"],
});

/** Newest first by arrival; those of the last 24 hours, unless `from` says otherwise. */
export const listCameraEvents = contract({
  name: "camera.events_list",
  summary: "Events that cameras sent, newest first",
  kind: "query",
  permission: "camera.read",
  rest: [{ method: "GET", path: "/api/v1/cameras/events" }],
  params: strictObject({
    camera_id: Type.Optional(Uuid),
    branch_id: Type.Optional(Uuid),
    complex_id: Type.Optional(ComplexId),
    event_type: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
    ...PageParams,
  }),
  result: pageOf(
    strictObject({
      event_id: Uuid,
      event_type: Type.String(),
      camera_id: Uuid,
      mac_address: Type.String(),
      model: Type.String(),
      branch_id: Uuid,
      complex_id: nullable(Type.String()),
      timestamp: Timestamp,
      received_at: Timestamp,
      data: Type.Record(Type.String(), Type.Unknown()),
    }),
  ),
  refusals: ["branch.not_yours", "input.cursor_malformed"],
});

const KeyRecord = { key_id: Uuid, branch_id: Uuid, name: Type.String(), created_at: Timestamp };

export const createCameraKey = contract({
  name: "camera.key_create",
  summary: "Make a key by which devices of a branch send their events, in the header X-API-Key",
  kind: "command",
  permission: "camera.manage",
  rest: [{ method: "POST", path: "/api/v1/camera-keys", status: 201 }],
  params: strictObject({
    branch_id: Uuid,
    name: Line(100, "What the key is for"),
  }),
  result: strictObject({
    ...KeyRecord,
    key: nullable(Type.String({ description: "Shown this once; null when this answer is given again" })),
  }),
  refusals: ["branch.unknown", "branch.not_yours", "camera.too_many_keys"],
});

export const listCameraKeys = contract({
  name: "camera.key_list",
  summary: "Keys of cameras' branches, without the keys themselves",
  kind: "query",
  permission: "camera.manage",
  rest: [{ method: "GET", path: "/api/v1/camera-keys" }],
  params: strictObject({ branch_id: Type.Optional(Uuid), ...PageParams }),
  result: pageOf(strictObject(KeyRecord)),
  refusals: ["branch.not_yours", "input.cursor_malformed"],
});

export const deleteCameraKey = contract({
  name: "camera.key_delete",
  summary: "Make a key worthless",
  kind: "command",
  permission: "camera.manage",
  rest: [{ method: "DELETE", path: "/api/v1/camera-keys/:key_id" }],
  params: strictObject({ key_id: Uuid }),
  result: strictObject({ key_id: Uuid }),
  refusals: ["camera_key.unknown", "branch.not_yours"],
});

/** Every operation on camera events. */
export const cameraEventsContracts = [
  sendCameraEvents,
  listCameraEvents,
  createCameraKey,
  listCameraKeys,
  deleteCameraKey,
] as const;
