import type { CountryCode } from "libphonenumber-js/min";
import type { PoolClient } from "pg";
import type { CommandIdentity } from "../../mixins/contract/caller";
import type { CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { changeRows, type RowChange } from "../../mixins/crud/row-change";
import type { EventMeta, StreamAppend } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import {
  NEW_ACCOUNT,
  changedFields,
  fieldsOf,
  isActiveSuperAdmin,
  wishedAccount,
  type AccountFields,
  type AccountWish,
} from "./account";
import {
  USER_STREAM_TYPE,
  userStream,
  type AuthEvent,
  type RevocationReason,
  type UserRole,
} from "./auth.events";
import type { Revocations } from "./revocations";
import { revokeSessions } from "./sessions";
import { insertUser, lockedUser, updateUser, userById, type UserRow } from "./users";

/** A new account; its password comes hashed. */
export interface AccountDraft extends AccountWish {
  readonly user_id?: string;
  readonly role: UserRole;
  readonly name: string;
  readonly password_hash: string | null;
}

/** What the log keeps of a change: never a name, a token or a hash. */
export interface AccountAnswer {
  readonly user_id: string;
  /** Set where rights changed. */
  readonly user_version?: number;
  readonly revoked_session_ids: readonly string[];
}

const UNKNOWN = refuse("not_found", "auth.user_unknown", "There is no such account.");
const TAKEN = {
  email: refuse(
    "conflict",
    "auth.email_taken",
    "An account with this email exists; sign in, or use another one.",
  ),
  username: refuse(
    "conflict",
    "auth.username_taken",
    "An account with this username exists; choose another one.",
  ),
  user_id: refuse("conflict", "auth.user_exists", "An account with this id exists."),
} as const;
const LAST_SUPER_ADMIN = refuse(
  "conflict",
  "auth.last_super_admin",
  "This is the last active super admin; make another one first.",
);

/**
 * Changes of accounts: the row and its event in one transaction. A change of rights is known to this node's token check
 * before the caller hears of it, and to the others as soon as they have read the log.
 */
export class Accounts {
  constructor(
    private readonly runtime: Pick<Runtime, "pool" | "log" | "clock" | "ids" | "settings">,
    private readonly revocations: Revocations,
  ) {}

  /** Refusals: `auth.email_taken`, `auth.username_taken`, `auth.user_exists`, `auth.phone_invalid`, `auth.role_needs_branches`. */
  create(draft: AccountDraft, command: CommandIdentity, meta: EventMeta): Promise<CommandOutcome | Refusal> {
    return changeRows(this.runtime, command, async (tx) => {
      const { user_id = this.runtime.ids.uuid(), password_hash, ...wish } = draft;
      const fields = wishedAccount(
        { ...NEW_ACCOUNT, role: draft.role, name: draft.name },
        wish,
        this.#country,
      );
      if (isRefusal(fields)) return fields;
      const now = this.#now();
      const taken = await insertUser(tx, {
        user_id,
        ...fields,
        password_hash,
        version: 1,
        rights_version: 1,
        devices_since: null,
        created_at: now,
        changed_at: now,
      });
      if (taken !== undefined) return TAKEN[taken];
      const { role, status, branch_ids } = fields;
      const data = { user_id, role, status, branch_ids, at: now.toISOString() };
      const answer: AccountAnswer = { user_id, revoked_session_ids: [] };
      return { streams: [userAppend(user_id, 0, [{ type: "auth.user_created", data }])], answer, meta };
    });
  }

  /** Changes what the wish names. Refusals: as of `create`, and `auth.user_unknown`, `auth.last_super_admin`. */
  change(
    user_id: string,
    wish: AccountWish,
    command: CommandIdentity,
    meta: EventMeta,
  ): Promise<CommandOutcome | Refusal> {
    return this.#changing(command, async (tx) => {
      const admins = wish.role === undefined && wish.status === undefined ? [] : await lockedSuperAdmins(tx);
      const user = await lockedUser(tx, user_id);
      if (user === undefined) return UNKNOWN;
      const before = fieldsOf(user);
      const after = wishedAccount(before, wish, this.#country);
      if (isRefusal(after)) return after;
      if (isActiveSuperAdmin(before) && !isActiveSuperAdmin(after) && !admins.some((id) => id !== user_id))
        return LAST_SUPER_ADMIN;
      const reason = after.status === "blocked" ? "blocked" : undefined;
      return this.#written(tx, user, after, { changed: changedFields(before, after), reason, meta });
    });
  }

  /** Sets a password and ends all sessions. Refusals: `auth.user_unknown`. */
  setPassword(
    user_id: string,
    password_hash: string,
    command: CommandIdentity,
    meta: EventMeta,
  ): Promise<CommandOutcome | Refusal> {
    return this.#changing(command, async (tx) => {
      const user = await lockedUser(tx, user_id);
      if (user === undefined) return UNKNOWN;
      return this.#written(tx, { ...user, password_hash }, fieldsOf(user), {
        changed: ["password"],
        reason: "password",
        meta,
      });
    });
  }

  /** Ends one session of a user, or all. Refusals: `auth.user_unknown`. */
  endSessions(
    which: { user_id: string; session_id?: string | undefined },
    reason: RevocationReason,
    command: CommandIdentity,
    meta: EventMeta,
  ): Promise<CommandOutcome | Refusal> {
    return this.#changing(command, async (tx) => {
      const user = await lockedUser(tx, which.user_id);
      if (user === undefined) return UNKNOWN;
      const now = this.#now();
      const session_ids = await revokeSessions(tx, which, reason, now);
      // All sessions at once are ended where a device may be in wrong hands.
      const devices_since = which.session_id === undefined ? now : user.devices_since;
      await tx.query("update users set version = version + 1, devices_since = $2 where user_id = $1", [
        ...[user.user_id, devices_since],
      ]);
      const answer: AccountAnswer = { user_id: user.user_id, revoked_session_ids: session_ids };
      const revoked = sessionsRevoked(user.user_id, session_ids, reason, now);
      return { streams: [userAppend(user.user_id, user.version, [revoked])], answer, meta };
    });
  }

  async #written(
    tx: PoolClient,
    user: UserRow,
    fields: AccountFields,
    why: { changed: string[]; reason: RevocationReason | undefined; meta: EventMeta },
  ): Promise<RowChange | Refusal> {
    const { user_id } = user;
    const now = this.#now();
    const session_ids =
      why.reason === undefined ? [] : await revokeSessions(tx, { user_id }, why.reason, now);
    const revoked = why.reason === undefined ? [] : [sessionsRevoked(user_id, session_ids, why.reason, now)];
    const user_version = user.version + 1;
    const version = user_version + revoked.length;
    const taken = await updateUser(tx, {
      ...user,
      ...fields,
      version,
      rights_version: user_version,
      devices_since: why.reason === undefined ? user.devices_since : now,
      changed_at: now,
    });
    if (taken !== undefined) return TAKEN[taken];
    const { role, status, branch_ids } = fields;
    const data = {
      user_id,
      user_version,
      role,
      status,
      branch_ids,
      changed: why.changed,
      at: now.toISOString(),
    };
    const answer: AccountAnswer = { user_id, user_version, revoked_session_ids: session_ids };
    const events: AuthEvent[] = [{ type: "auth.user_changed", data }, ...revoked];
    return { streams: [userAppend(user_id, user.version, events)], answer, meta: why.meta };
  }

  /** Runs a change and lets this node's token check know at once. */
  async #changing(
    command: CommandIdentity,
    work: (tx: PoolClient) => Promise<RowChange | Refusal>,
  ): Promise<CommandOutcome | Refusal> {
    const outcome = await changeRows(this.runtime, command, work);
    if (isRefusal(outcome)) return outcome;
    const { user_id, user_version, revoked_session_ids } = outcome.answer as AccountAnswer;
    const now_ms = this.runtime.clock.now();
    for (const id of revoked_session_ids) this.revocations.revokeSession(id, now_ms);
    if (user_version !== undefined) this.revocations.changeUser(user_id, user_version, now_ms);
    return outcome;
  }

  get #country(): CountryCode {
    return this.runtime.settings.PHONE_COUNTRY;
  }

  #now(): Date {
    return new Date(this.runtime.clock.now());
  }

  /** The account, for a caller that names itself or is allowed to see all. Refusal: `auth.user_unknown`. */
  async get(user_id: string): Promise<UserRow | Refusal> {
    return (await userById(this.runtime.pool, user_id)) ?? UNKNOWN;
  }
}

function userAppend(user_id: string, expected_version: number, events: readonly AuthEvent[]): StreamAppend {
  return { stream_id: userStream(user_id), stream_type: USER_STREAM_TYPE, expected_version, events };
}

function sessionsRevoked(
  user_id: string,
  session_ids: string[],
  reason: RevocationReason,
  at: Date,
): AuthEvent {
  return { type: "auth.session_revoked", data: { user_id, session_ids, reason, at: at.toISOString() } };
}

/** Ids of the active ones, locked in one order: two super admins cannot block each other in the same moment. */
async function lockedSuperAdmins(tx: PoolClient): Promise<string[]> {
  const { rows } = await tx.query<{ user_id: string }>(
    "select user_id from users where role = 'super_admin' and status = 'active' order by user_id for update",
  );
  return rows.map(({ user_id }) => user_id);
}
