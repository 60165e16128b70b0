import type { EntityEventData, EntityEvents } from "../../mixins/crud/entity-events";
import type { RowStamps } from "../../mixins/crud/entity-rows";

/** A camera of the registry. */
export interface Camera extends RowStamps {
  readonly camera_id: string;
  /** As AA:BB:CC:DD:EE:FF. */
  readonly mac_address: string;
  /** Its beginning chooses how the camera's events are read: `Hikvision …`, `Dahua …`. */
  readonly model: string;
  readonly name: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly branch_id: string;
  /** A building or site of several branches' cameras, by a name of the chain's own. */
  readonly complex_id: string | null;
  /** Events of a camera that is not enabled are not taken. */
  readonly enabled: boolean;
}

/** What a change of the registry becomes in the log (stream `camera-<camera_id>`), and on Redis' channels of the same names. */
export const cameraEntityEvents = {
  create: "camera.created",
  update: "camera.updated",
  delete: "camera.deleted",
  update_of: { settings: "camera.settings.updated" },
  payload_fields: [
    ...(["camera_id", "mac_address", "model", "name"] as const),
    ...(["settings", "branch_id", "complex_id", "enabled"] as const),
  ],
  key_fields: ["mac_address"],
} as const satisfies EntityEvents<Camera>;

const { create, update, update_of } = cameraEntityEvents;
/** Events of the registry. */
export const CAMERA_EVENT_TYPES = [create, update, update_of.settings, cameraEntityEvents.delete] as const;

/** One of {@link CAMERA_EVENT_TYPES}. */
export interface CameraChanged {
  readonly type: (typeof CAMERA_EVENT_TYPES)[number];
  readonly data: EntityEventData<Camera, (typeof cameraEntityEvents.payload_fields)[number]>;
}

/** The addresses under which a changed camera may be remembered: its own, and the one before. */
export function macsOf({ mac_address, previous }: CameraChanged["data"]): readonly string[] {
  const before = previous?.mac_address;
  return before === undefined ? [mac_address] : [mac_address, before];
}

/** The cache tag of whatever is remembered by a MAC address. */
export const macTag = (mac_address: string): string => `camera-mac:${mac_address}`;

/**
 * A broker event within this node, before the answer to whoever changed the registry: what is remembered of these addresses
 * is no good any more. Other nodes hear of it by {@link CAMERA_EVENT_TYPES}.
 */
export const ADDRESSES_CHANGED = "camera.addresses_changed";
export interface AddressesChanged {
  readonly macs: readonly string[];
}

/** What a camera reported, in one form for all makes: a message on channels, not an event of the log. */
export interface CameraEvent {
  readonly event_id: string;
  readonly event_type: string;
  readonly camera_id: string;
  readonly mac_address: string;
  readonly model: string;
  readonly branch_id: string;
  readonly complex_id: string | null;
  /** By the camera's clock, RFC 3339 UTC. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Every {@link CameraEvent}. */
export const CAMERA_EVENTS_CHANNEL = "camera.events";
/** Those of one complex. */
export const complexChannel = (complex_id: string): string =>
  `${CAMERA_EVENTS_CHANNEL}.complex:${complex_id}`;
