import { Type, type Static } from "@sinclair/typebox";
import { MacAddress, normalMac } from "../../mixins/text/mac-address";
import { Lines } from "../../mixins/text/lines";
import type { FieldError } from "../../mixins/contract/refusal";
import { Timestamp } from "../../mixins/contract/schemas";
import { validatorOf } from "../../mixins/contract/validation";
import type { Report } from "./makes";
import { recordOf } from "./report-fields";

/** One entry as JSON. A picture belongs elsewhere. */
const ENTRY_CHARS_MAX = 32_000;

/** What every entry has; further fields are of the camera's make. */
const Entry = Type.Object({
  mac_address: MacAddress,
  event_type: Type.Optional(Lines(100)),
  timestamp: Type.Optional(Timestamp),
  data: Type.Optional(Type.Object({})),
});
const validate = validatorOf(Entry);

/** An entry that could be read: whose it is, and what it reports. */
export interface ReadEntry {
  readonly mac: string;
  readonly report: Report;
}

/**
 * Reads one entry. The address may stand where a make's own notification has it. A payload that has fields of its own is kept
 * whole; else it is what the entry's `data` holds.
 * @returns the entry, or what is wrong with it.
 */
export function readEntry(given: Readonly<Record<string, unknown>>): ReadEntry | readonly FieldError[] {
  const mac_address = given["mac_address"] ?? given["macAddress"] ?? recordOf(given["data"])["macAddress"];
  const entry = { ...given, mac_address };
  const refusal = validate(entry);
  if (refusal !== undefined) return (refusal.data as { errors: FieldError[] }).errors;
  if (JSON.stringify(given).length > ENTRY_CHARS_MAX)
    return [{ path: "/", message: `must be at most ${String(ENTRY_CHARS_MAX)} characters of JSON` }];
  const { mac_address: mac, event_type, timestamp, data, ...payload } = entry as Static<typeof Entry>;
  const own = Object.keys(payload).length > 0;
  return {
    mac: normalMac(mac),
    report: {
      event_type: event_type?.trim(),
      timestamp,
      data: own ? { ...payload, ...(data === undefined ? {} : { data }) } : { ...data },
    },
  };
}
