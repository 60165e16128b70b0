/**
 * Events of a user (stream `user-<user_id>`). They say who may do what, and who may no longer; names, addresses, phones
 * and password hashes stay in the table `users`, where they can be deleted.
 */
import type { Role } from "../../mixins/contract/caller";

/** Roles that an account can have. */
export type UserRole = Exclude<Role, "guest" | "system">;
export type UserStatus = "active" | "blocked";
export type RevocationReason = "logout" | "reuse" | "password" | "blocked" | "operator" | "erased";

export type UserCreated = {
  readonly type: "auth.user_created";
  readonly data: {
    readonly user_id: string;
    readonly role: UserRole;
    readonly status: UserStatus;
    readonly branch_ids: readonly string[] | null;
    readonly at: string;
  };
};

/** Access tokens of an older version of the user are refused from now on: they carry yesterday's rights. */
export type UserChanged = {
  readonly type: "auth.user_changed";
  readonly data: {
    readonly user_id: string;
    /** Version of the user's stream with this event. */
    readonly user_version: number;
    readonly role: UserRole;
    readonly status: UserStatus;
    readonly branch_ids: readonly string[] | null;
    /** Names of the changed fields, e.g. `role`, `password`. */
    readonly changed: readonly string[];
    readonly at: string;
  };
};

export type SessionRevoked = {
  readonly type: "auth.session_revoked";
  readonly data: {
    readonly user_id: string;
    readonly session_ids: readonly string[];
    readonly reason: RevocationReason;
    readonly at: string;
  };
};
export type AuthEvent = UserCreated | UserChanged | SessionRevoked;

export const USER_STREAM_TYPE = "user";

/** Stream of a user. */
export const userStream = (user_id: string): string => `user-${user_id}`;
