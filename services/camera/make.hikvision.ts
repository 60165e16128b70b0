import type { Make } from "./makes";
import { textOf } from "./report-fields";

/**
 * Hikvision's `EventNotificationAlert` (ISAPI) as JSON: `eventType`, `eventState` (`active`, `inactive`), `dateTime`, `channelID`,
 * `activePostCount`, and what belongs to the type. Names are in lower case here: firmwares differ.
 */
const TYPES: Readonly<Record<string, string>> = {
  vmd: "motion_detected",
  pir: "motion_detected",
  videoloss: "video_lost",
  shelteralarm: "tampering_detected",
  tamperdetection: "tampering_detected",
  linedetection: "line_crossed",
  fielddetection: "intrusion_detected",
  regionentrance: "region_entered",
  regionexiting: "region_left",
  loitering: "loitering_detected",
  facedetection: "face_detected",
  facecapture: "face_detected",
  anpr: "plate_recognised",
  unattendedbaggage: "object_left",
  attendedbaggage: "object_removed",
  scenechangedetection: "scene_changed",
  defocus: "defocused",
  audioexception: "audio_anomaly",
  io: "alarm_input",
  diskfull: "disk_full",
  diskerror: "disk_failed",
  nicbroken: "network_broken",
  ipconflict: "ip_conflict",
  illaccess: "access_denied",
  peoplecounting: "people_counted",
  accesscontrollerevent: "access_controlled",
};

export const hikvision: Make = {
  models: /^(?:hikvision|hiwatch|ds-)/i,
  read({ event_type, timestamp, data }) {
    const vendor_type = textOf(data["eventType"]) ?? event_type;
    if (vendor_type === undefined) return undefined;
    const state = textOf(data["eventState"]);
    // Cameras repeat "no video is lost" as their sign of life, some of them three times a second.
    if (vendor_type.toLowerCase() === "videoloss" && state === "inactive") return "alive";
    const code = vendor_type.toLowerCase();
    const known = Object.hasOwn(TYPES, code) ? TYPES[code] : undefined;
    const type = known ?? event_type ?? vendor_type;
    return {
      event_type: type,
      timestamp: timestamp ?? textOf(data["dateTime"]),
      data: {
        ...data,
        ...(vendor_type === type ? {} : { vendor_type }),
        ...(state === undefined ? {} : { state }),
        ...(data["channelID"] === undefined ? {} : { channel: data["channelID"] }),
      },
    };
  },
};
