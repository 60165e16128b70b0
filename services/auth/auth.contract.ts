import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { PageParams, Timestamp, Uuid, nullable, pageOf, strictObject } from "../../mixins/contract/schemas";
import { readAs } from "../../mixins/text/forms";
import { Line } from "../../mixins/text/lines";
import { Phone } from "../../mixins/text/phone";

const Name = Line(200);
/** What is typed at a login as email or username: looked for as it is. */
const GivenLogin = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const Email = Type.String({ ...readAs("email"), format: "email", maxLength: 254 });
const Username = Type.String({
  ...readAs("username"),
  pattern: "^[A-Za-z0-9._-]{3,64}$",
  description: "Letters, digits, dot, dash, underscore",
});
const NewPassword = Type.String({
  minLength: 8,
  maxLength: 200,
  description: "Not one that is easily guessed: see auth.password_weak",
});
/** What is typed at a login: whatever it is, it only has to be compared. */
const GivenPassword = Type.String({ minLength: 1, maxLength: 200 });
const RefreshToken = Type.String({ minLength: 20, maxLength: 200 });
const Roles = Type.Union(
  (["super_admin", "manager", "technologist", "cook", "courier", "customer"] as const).map((role) =>
    Type.Literal(role),
  ),
);
const Status = Type.Union([Type.Literal("active"), Type.Literal("blocked")]);
const BranchIds = nullable(Type.Array(Uuid, { maxItems: 200, uniqueItems: true }));

/** What a login answers. The access token lives for minutes, the refresh token for weeks and for one use. */
export const Tokens = strictObject({
  token: Type.String(),
  refresh_token: Type.String(),
  user_id: Uuid,
  role: Roles,
  expires_at: Timestamp,
});

/** An account as its owner and a super admin see it. */
export const User = strictObject({
  user_id: Uuid,
  role: Roles,
  status: Status,
  name: Type.String(),
  email: nullable(Type.String()),
  phone: nullable(Type.String()),
  username: nullable(Type.String()),
  branch_ids: BranchIds,
  legal_entity_id: nullable(Uuid),
  /** Whether a password is set at all. */
  has_password: Type.Boolean(),
  created_at: Timestamp,
});

/** Requests a minute from one address: a shop full of people signing in; pauses after failures come on top. */
const LOGIN_RATE = 30;
const PASSWORD_REFUSAL = "auth.password_weak";
const LOGIN_REFUSALS = ["auth.invalid_credentials", "auth.too_many_attempts"] as const;

export const superAdminLogin = contract({
  name: "auth.super_admin_login",
  summary: "Sign in as super admin",
  kind: "command",
  permission: "public",
  rate_per_minute: LOGIN_RATE,
  device_token: true,
  rest: [{ method: "POST", path: "/api/v1/auth/super-admin/login" }],
  params: strictObject({
    username: GivenLogin(64),
    password: GivenPassword,
    legal_entity_id: Type.Optional(nullable(Uuid)),
  }),
  result: strictObject({
    token: Type.String(),
    refresh_token: Type.String(),
    user_id: Uuid,
    username: Type.String(),
    expires_at: Timestamp,
    legal_entity_id: nullable(Uuid),
  }),
  refusals: [...LOGIN_REFUSALS, "legal_entity.unknown"],
});

export const register = contract({
  name: "auth.register",
  summary: "Open a customer's account and sign in",
  kind: "command",
  permission: "public",
  rate_per_minute: LOGIN_RATE,
  device_token: true,
  rest: [{ method: "POST", path: "/api/v1/auth/register", status: 201 }],
  params: strictObject({ name: Name, email: Email, phone: Type.Optional(Phone), password: NewPassword }),
  result: Tokens,
  refusals: ["auth.email_taken", "auth.phone_invalid", PASSWORD_REFUSAL],
});

export const login = contract({
  name: "auth.login",
  summary: "Sign in by email and password",
  kind: "command",
  permission: "public",
  rate_per_minute: LOGIN_RATE,
  device_token: true,
  rest: [{ method: "POST", path: "/api/v1/auth/login" }],
  params: strictObject({ email: GivenLogin(254), password: GivenPassword }),
  result: Tokens,
  refusals: LOGIN_REFUSALS,
});

export const refresh = contract({
  name: "auth.refresh",
  summary: "Trade a refresh token for new tokens; each one works once",
  kind: "command",
  permission: "public",
  rest: [{ method: "POST", path: "/api/v1/auth/refresh" }],
  params: strictObject({ refresh_token: RefreshToken }),
  result: Tokens,
  refusals: ["auth.token_invalid", "auth.token_expired", "auth.token_revoked", "auth.refresh_reused"],
});

/** Names the session by its refresh token, or ends the one of the access token that comes with the call. */
export const logout = contract({
  name: "auth.logout",
  summary: "End this session, or all of the caller's with `everywhere`",
  kind: "command",
  permission: "public",
  rest: [{ method: "POST", path: "/api/v1/auth/logout" }],
  params: strictObject({
    refresh_token: Type.Optional(RefreshToken),
    everywhere: Type.Optional(Type.Boolean()),
  }),
  result: strictObject({ revoked_sessions: Type.Integer({ minimum: 0 }) }),
  refusals: ["auth.required", "auth.token_invalid"],
});

export const me = contract({
  name: "auth.me",
  summary: "The caller's own account",
  kind: "query",
  permission: "session",
  rest: [{ method: "GET", path: "/api/v1/auth/me" }],
  params: strictObject({}),
  result: User,
  refusals: ["auth.user_unknown"],
});

export const changeOwnPassword = contract({
  name: "auth.change_password",
  summary: "Change the caller's own password; ends all sessions",
  kind: "command",
  permission: "session",
  rate_per_minute: LOGIN_RATE,
  device_token: true,
  rest: [{ method: "PUT", path: "/api/v1/auth/password" }],
  params: strictObject({ current_password: GivenPassword, new_password: NewPassword }),
  result: strictObject({ revoked_sessions: Type.Integer({ minimum: 0 }) }),
  refusals: [...LOGIN_REFUSALS, PASSWORD_REFUSAL],
});

export const listUsers = contract({
  name: "auth.user_list",
  summary: "Accounts, oldest first",
  kind: "query",
  permission: "user.manage",
  rest: [{ method: "GET", path: "/api/v1/auth/users" }],
  params: strictObject({ role: Type.Optional(Roles), status: Type.Optional(Status), ...PageParams }),
  result: pageOf(User),
  refusals: ["input.cursor_malformed"],
});

export const getUser = contract({
  name: "auth.user_get",
  summary: "One account",
  kind: "query",
  permission: "user.manage",
  rest: [{ method: "GET", path: "/api/v1/auth/users/:user_id" }],
  params: strictObject({ user_id: Uuid }),
  result: User,
  refusals: ["auth.user_unknown"],
});

const USER_REFUSALS = [
  "auth.email_taken",
  "auth.username_taken",
  "auth.phone_invalid",
  "auth.role_needs_branches",
  "branch.unknown",
  "legal_entity.unknown",
] as const;

/** Without a password the account cannot sign in until a super admin sets one. */
export const createUser = contract({
  name: "auth.user_create",
  summary: "Open an account with any role",
  kind: "command",
  permission: "user.manage",
  rest: [{ method: "POST", path: "/api/v1/auth/users", status: 201 }],
  params: strictObject({
    user_id: Type.Optional(Uuid),
    role: Roles,
    name: Name,
    email: Type.Optional(nullable(Email)),
    username: Type.Optional(nullable(Username)),
    phone: Type.Optional(nullable(Phone)),
    password: Type.Optional(NewPassword),
    branch_ids: Type.Optional(BranchIds),
    legal_entity_id: Type.Optional(nullable(Uuid)),
  }),
  result: User,
  refusals: [...USER_REFUSALS, "auth.user_exists", PASSWORD_REFUSAL],
});

/** Changes what it names. A change of role, branches or status takes effect at once, also for tokens already given. */
export const changeUser = contract({
  name: "auth.user_change",
  summary: "Change an account: role, branches, status, contacts",
  kind: "command",
  permission: "user.manage",
  rest: [{ method: "PUT", path: "/api/v1/auth/users/:user_id" }],
  params: strictObject({
    user_id: Uuid,
    role: Type.Optional(Roles),
    status: Type.Optional(Status),
    name: Type.Optional(Name),
    email: Type.Optional(nullable(Email)),
    username: Type.Optional(nullable(Username)),
    phone: Type.Optional(nullable(Phone)),
    branch_ids: Type.Optional(BranchIds),
    legal_entity_id: Type.Optional(nullable(Uuid)),
  }),
  result: User,
  refusals: [...USER_REFUSALS, "auth.user_unknown", "auth.last_super_admin"],
});

export const resetPassword = contract({
  name: "auth.user_reset_password",
  summary: "Set an account's password; ends all its sessions",
  kind: "command",
  permission: "user.manage",
  rest: [{ method: "PUT", path: "/api/v1/auth/users/:user_id/password" }],
  params: strictObject({ user_id: Uuid, password: NewPassword }),
  result: strictObject({ revoked_sessions: Type.Integer({ minimum: 0 }) }),
  refusals: ["auth.user_unknown", PASSWORD_REFUSAL],
});

export const revokeUserSessions = contract({
  name: "auth.user_revoke_sessions",
  summary: "End all sessions of an account",
  kind: "command",
  permission: "user.manage",
  rest: [{ method: "POST", path: "/api/v1/auth/users/:user_id/revoke-sessions" }],
  params: strictObject({ user_id: Uuid }),
  result: strictObject({ revoked_sessions: Type.Integer({ minimum: 0 }) }),
  refusals: ["auth.user_unknown"],
});

/** When somebody last proved who they are in this session; null: it is none, or has ended. A refresh proves nothing. */
export const signedInAt = contract({
  name: "auth.signed_in_at",
  summary: "When a session was opened",
  kind: "query",
  permission: "internal",
  params: strictObject({ session_id: Uuid }),
  result: strictObject({ at: nullable(Timestamp) }),
});

/** Every operation of the room. */
export const authContracts = [
  superAdminLogin,
  register,
  login,
  refresh,
  logout,
  me,
  changeOwnPassword,
  listUsers,
  getUser,
  createUser,
  changeUser,
  resetPassword,
  revokeUserSessions,
] as const;
