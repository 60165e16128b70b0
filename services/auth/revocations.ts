import type { RecordedEvent } from "../../mixins/event-log/event-log";
import { ACCESS_TTL_MS, type AccessClaims } from "./access-token";
import type { SessionRevoked, UserChanged } from "./auth.events";

/** Entries after which the old ones are looked for; a bound on memory together with the tokens' short life. */
const SWEEP_EVERY = 1_000;
/** Twice the life of a token: clocks of two nodes may differ. */
export const REVOCATION_KEPT_MS = 2 * ACCESS_TTL_MS;

/**
 * What this node knows of tokens that are good by signature and no longer by right: ended sessions, and users whose rights
 * changed. An entry is forgotten when every token that it speaks of has expired by itself.
 */
export class Revocations {
  readonly #sessions = new Map<string, number>();
  readonly #users = new Map<string, { readonly version: number; readonly at_ms: number }>();
  #added = 0;

  /** Everything may be untrue: it is told anew. */
  forget(): void {
    this.#sessions.clear();
    this.#users.clear();
  }

  revokeSession(session_id: string, at_ms: number): void {
    this.#sessions.set(session_id, at_ms);
    this.#sweep(at_ms);
  }

  /** Tokens of versions before this one are no good. */
  changeUser(user_id: string, version: number, at_ms: number): void {
    const known = this.#users.get(user_id);
    if (known === undefined || known.version < version) this.#users.set(user_id, { version, at_ms });
    this.#sweep(at_ms);
  }

  isRevoked(claims: AccessClaims): boolean {
    if (this.#sessions.has(claims.session_id)) return true;
    const changed = this.#users.get(claims.user_id);
    return changed !== undefined && claims.user_version < changed.version;
  }

  /** Learns from the log; events that can concern no living token are skipped. */
  learn(events: readonly RecordedEvent[], now_ms: number): void {
    for (const { type, data } of events) {
      if (type === "auth.session_revoked") {
        const { session_ids, at } = data as SessionRevoked["data"];
        if (isRecent(at, now_ms)) for (const id of session_ids) this.revokeSession(id, Date.parse(at));
      }
      if (type === "auth.user_changed") {
        const { user_id, user_version, at } = data as UserChanged["data"];
        if (isRecent(at, now_ms)) this.changeUser(user_id, user_version, Date.parse(at));
      }
    }
  }

  get size(): number {
    return this.#sessions.size + this.#users.size;
  }

  #sweep(now_ms: number): void {
    if (++this.#added % SWEEP_EVERY !== 0) return;
    const old_ms = now_ms - REVOCATION_KEPT_MS;
    for (const [id, at_ms] of this.#sessions) if (at_ms < old_ms) this.#sessions.delete(id);
    for (const [id, { at_ms }] of this.#users) if (at_ms < old_ms) this.#users.delete(id);
  }
}

function isRecent(at: string, now_ms: number): boolean {
  return Date.parse(at) + REVOCATION_KEPT_MS >= now_ms;
}
