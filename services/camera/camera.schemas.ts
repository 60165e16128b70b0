import { Type } from "@sinclair/typebox";
import { MacAddress } from "../../mixins/text/mac-address";
import { nullable, PositionSchema, strictObject, Timestamp, Uuid } from "../../mixins/contract/schemas";
import { Line } from "../../mixins/text/lines";

/** Settings travel in events, messages and cache: they are no place for pictures. */
export const SETTINGS_CHARS_MAX = 16_000;

const ComplexId = Type.String({
  pattern: "^[A-Za-z0-9_.-]{1,64}$",
  description: "Letters, digits, `_`, `.` and `-`",
});
const Settings = Type.Record(Type.String({ maxLength: 200 }), Type.Unknown(), {
  description: `Whatever the reader of its events needs; at most ${String(SETTINGS_CHARS_MAX)} characters of JSON. No passwords: they would go into events.`,
});

/** What people say of a camera. */
export const CameraFields = {
  mac_address: MacAddress,
  model: Line(100),
  name: nullable(Line(100)),
  settings: Settings,
  branch_id: Uuid,
  complex_id: nullable(ComplexId),
  enabled: Type.Boolean(),
};

/** A camera as it is shown. */
export const CameraRecord = {
  camera_id: Uuid,
  ...CameraFields,
  version: Type.Integer({ description: "Give it as `expected_version` to change just this state" }),
  created_at: Timestamp,
  updated_at: Timestamp,
};

export const SavedCamera = strictObject({ ...CameraRecord, position: PositionSchema });
export const ExpectedVersion = Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }));
export { ComplexId };
