import { CAMERA_EVENT_TYPES } from "../camera/camera.events";

/** Names and lifetimes of what readers outside Forno find in Redis. The names are those of older systems: a contract. */

const HOUR_MS = 3_600_000;

/** An order stays so long after its last change, counted from the time of the change. */
export const ORDER_KEPT_MS = 24 * HOUR_MS;
/** A slot stays so long after its end: a reader of the running shift still finds what has just been cooked. */
export const SLOT_KEPT_MS = 6 * HOUR_MS;

export const orderKey = (order_id: string): string => `order:${order_id}`;
export const orderStatusKey = (order_id: string): string => `order:${order_id}:status`;
export const slotKey = (slot_id: string): string => `slot:${slot_id}`;
/** A hash: branch id → the branch's slot rules. */
export const SLOT_CONFIG_KEY = "slot:config";
export const MENU_KEY = "menu:full";

/** A hash: how far the mirror is. See {@link Marker}. */
export const MARKER_KEY = "forno:mirror";

/** Anybody publishes anything here when the menu's rows were changed. */
export const MENU_UPDATE_CHANNEL = "menu:update";

export type OutgoingChannel =
  "order:created" | "order:status:changed" | "menu:updated" | (typeof ENTITY_EVENTS)[number];

/** Events of entities that go out as they are, each on the channel of its own name. */
export const ENTITY_EVENTS = [...CAMERA_EVENT_TYPES] as const;

/** A value that belongs into Redis because of the log up to a position. */
export interface KeyWrite {
  readonly key: string;
  /** Set where the key is a hash. */
  readonly field?: string;
  /** Ends in `"position":N}`, or begins with `{"version":N,`: what the guard of later writes reads. */
  readonly value: string;
  /** The write counts only over a value that carries a lower number. */
  readonly guard: number;
  /** Milliseconds since the epoch; without it the key stays. */
  readonly expires_at_ms?: number;
  /** A second key that is written, and forgotten, together with the first. */
  readonly beside?: { readonly key: string; readonly value: string };
}

/** A message that one event becomes. */
export interface Message {
  readonly channel: OutgoingChannel;
  readonly text: string;
  readonly position: number;
}
