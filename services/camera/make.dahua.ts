import type { Make } from "./makes";
import { recordOf, textOf } from "./report-fields";

/**
 * Dahua's event codes as its `eventManager` sends them: `Code`, `action` (`Start`, `Stop`, `Pulse`), `index` (the channel from
 * 0), and `data` of the code, whose `UTC` is the camera's clock in seconds.
 */
const TYPES: Readonly<Record<string, string>> = {
  VideoMotion: "motion_detected",
  SmartMotionHuman: "motion_detected",
  SmartMotionVehicle: "motion_detected",
  VideoLoss: "video_lost",
  VideoBlind: "tampering_detected",
  VideoAbnormalDetection: "scene_changed",
  VideoUnFocus: "defocused",
  CrossLineDetection: "line_crossed",
  CrossRegionDetection: "intrusion_detected",
  WanderDetection: "loitering_detected",
  FaceDetection: "face_detected",
  TrafficJunction: "plate_recognised",
  LeftDetection: "object_left",
  TakenAwayDetection: "object_removed",
  AudioMutation: "audio_anomaly",
  AudioAnomaly: "audio_anomaly",
  AlarmLocal: "alarm_input",
  StorageLowSpace: "disk_full",
  StorageFailure: "disk_failed",
  StorageNotExist: "disk_failed",
  NetAbort: "network_broken",
  IPConflict: "ip_conflict",
  LoginFailure: "access_denied",
  NumberStat: "people_counted",
};
const STATES: Readonly<Record<string, string>> = { start: "active", stop: "inactive", pulse: "pulse" };

export const dahua: Make = {
  models: /^(?:dahua|ipc-|dh-)/i,
  read({ event_type, timestamp, data }) {
    const vendor_type = textOf(data["Code"]) ?? event_type;
    if (vendor_type === undefined) return undefined;
    if (vendor_type === "KeepAlive" || vendor_type === "Heartbeat") return "alive";
    const action = textOf(data["action"] ?? data["Action"])?.toLowerCase() ?? "";
    const state = Object.hasOwn(STATES, action) ? STATES[action] : undefined;
    const channel = channelOf(data["index"] ?? data["Index"]);
    const known = Object.hasOwn(TYPES, vendor_type) ? TYPES[vendor_type] : undefined;
    const type = known ?? event_type ?? vendor_type;
    return {
      event_type: type,
      timestamp: timestamp ?? clockOf(recordOf(data["data"] ?? data["Data"])),
      data: {
        ...data,
        ...(vendor_type === type ? {} : { vendor_type }),
        ...(state === undefined ? {} : { state }),
        ...(channel === undefined ? {} : { channel }),
      },
    };
  },
};

/** Counted from 1, as on the camera's own pages. */
function channelOf(index: unknown): number | undefined {
  const channel = Number(index ?? NaN) + 1;
  return Number.isInteger(channel) && channel > 0 ? channel : undefined;
}

const SECONDS_MAX = 253_402_300_799;

/** Seconds since the epoch, with milliseconds beside them. */
function clockOf({ UTC, UTCMS }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof UTC !== "number" || !(UTC > 0 && UTC <= SECONDS_MAX)) return undefined;
  const ms = typeof UTCMS === "number" && UTCMS >= 0 && UTCMS < 1_000 ? UTCMS : 0;
  return new Date(Math.floor(UTC) * 1_000 + Math.floor(ms)).toISOString();
}
