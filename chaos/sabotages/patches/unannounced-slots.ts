import * as announcements from "../../../services/gateway/socket/announcements";
import { replaceExport } from "../replace";

const ONE_IN = 50;

replaceExport(
  announcements,
  "announcementOf",
  (original) => (event) =>
    event.type.startsWith("slot.") && event.position % ONE_IN === 0 ? undefined : original(event),
);
