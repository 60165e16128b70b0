import type { Context } from "moleculer";

/** Everybody who may ask for something; `guest` has no token, `system` is Forno itself (process managers, jobs, REPL). */
export type Role =
  "super_admin" | "manager" | "technologist" | "cook" | "courier" | "customer" | "guest" | "system";

/** Who asks. Made by the gateway from a verified token, carried in `ctx.meta.caller`. */
export interface Caller {
  readonly role: Role;
  /** UUIDv7 of the user; null for guests and the system. */
  readonly user_id: string | null;
  /** Branches the caller works at; null means all (super_admin, system) or not applicable (customer, guest). */
  readonly branch_ids: readonly string[] | null;
}

/** What travels beside the parameters of every action call. */
export interface CallMeta {
  caller?: Caller;
  /** UUID of this command, stable over retries: derived from Idempotency-Key, or fresh. See {@link CommandIdentity}. */
  command?: CommandIdentity;
  /** One id per request from outside, in logs and problem documents. */
  request_id?: string;
  /** Network address of the client, as the gateway trusts it; limits attempts. */
  client_address?: string;
  /** Set by a command that gave an earlier answer again; travels back to the gateway. */
  replayed?: boolean;
  /** Opens a guest's cart; only for actions whose contract takes it. */
  cart_token?: string;
  /** A token that the client is to carry from now on, null: none any more. Travels back to the gateway. */
  new_cart_token?: string | null;
  /** What the device carries to be known again; only for actions whose contract takes it. */
  device_token?: string;
  /** What the device is to carry from now on. Travels back to the gateway. */
  new_device_token?: string;
  /** What a machine sent instead of a token, not verified; only for actions whose contract takes it. */
  api_key?: string;
  /** W3C trace context. */
  traceparent?: string;
}

/** Makes a write repeatable: the log stores the answer under `id` and returns it when the same id comes again. */
export interface CommandIdentity {
  readonly id: string;
  /** SHA-256 (hex, 32 chars) of action, key and parameters; the same id with another fingerprint is refused. */
  readonly fingerprint: string;
  /** Set when Forno made the id itself, so that no earlier answer can exist. */
  readonly fresh?: true;
  /**
   * Name of the log whose event has caused this command, where Forno itself sends it because of one: in a log of another name the
   * event may be lost, and then nothing follows from it.
   */
  readonly of_log?: string;
}

export type Ctx<P> = Context<P, CallMeta>;

export const SYSTEM: Caller = { role: "system", user_id: null, branch_ids: null };
export const GUEST: Caller = { role: "guest", user_id: null, branch_ids: null };
