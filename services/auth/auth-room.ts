import type { CommandIdentity } from "../../mixins/contract/caller";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import type { TokenVerifier } from "../../mixins/contract/token-verifier";
import type { FeedHandle } from "../../mixins/event-feed/event-feed";
import type { Position } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { TOKEN_REVOKED, issueAccessToken } from "./access-token";
import { branchesOf } from "./account";
import { Accounts } from "./accounts";
import { DeviceTokens } from "./device-tokens";
import { LoginAttempts, accountKey, type Claim } from "./login-attempts";
import { PasswordHasher, type ScryptCost } from "./password-hasher";
import { REVOCATION_KEPT_MS, Revocations } from "./revocations";
import { Sessions, type OpenSession } from "./sessions";
import { loadSigningKeys, type SigningKeys } from "./signing-keys";
import { JwtVerifier } from "./token-verifier";
import { userById, type UserRow } from "./users";

/** The runtime's parts that auth lives on. */
export type AuthRuntime = Pick<Runtime, "settings" | "pool" | "log" | "feed" | "clock" | "ids">;

/** Everything that checks and issues credentials on this node. Nodes that only verify tokens have one, too. */
export interface AuthRoom {
  readonly verifier: TokenVerifier;
  readonly keys: SigningKeys;
  readonly hasher: PasswordHasher;
  readonly attempts: LoginAttempts;
  readonly devices: DeviceTokens;
  readonly sessions: Sessions;
  readonly accounts: Accounts;
  /** Stops following the log. */
  close(): Promise<void>;
}

const INVALID_CREDENTIALS = refuse(
  "unauthorized",
  "auth.invalid_credentials",
  "This login and password do not fit together.",
);

/**
 * Opens the room: loads or makes the signing keys, reads what was revoked lately, and follows the log from there.
 * @param cost work factor of new password hashes; strong unless said.
 */
export async function openAuthRoom(runtime: AuthRuntime, cost?: ScryptCost): Promise<AuthRoom> {
  const { pool, log, clock, ids } = runtime;
  const keys = loadSigningKeys(runtime.settings, clock.now());
  const revocations = new Revocations();
  const feed = await followRevocations(runtime, revocations);
  return {
    verifier: new JwtVerifier(keys, revocations, clock),
    keys,
    hasher: new PasswordHasher(cost),
    attempts: new LoginAttempts(pool, clock),
    devices: new DeviceTokens(keys, clock),
    sessions: new Sessions(pool, log, keys, clock, ids),
    accounts: new Accounts(runtime, revocations),
    close: () => feed.stop(),
  };
}

/** The head is asked before the tables: what happens between is read twice, never missed. */
async function followRevocations(runtime: AuthRuntime, revocations: Revocations): Promise<FeedHandle> {
  const { feed, clock } = runtime;
  return feed.subscribe({
    name: "auth:revocations",
    after: await readRevocations(runtime, revocations),
    onBatch: (events) => {
      revocations.learn(events, clock.now());
      return Promise.resolve();
    },
    wentBack: () => readRevocations(runtime, revocations),
  });
}

/** In place of what was known. Resolves with the position from which to go on. */
async function readRevocations(
  { pool, log, clock }: Pick<Runtime, "pool" | "log" | "clock">,
  revocations: Revocations,
): Promise<Position> {
  const after = await log.head();
  const since = new Date(clock.now() - REVOCATION_KEPT_MS);
  const [sessions, users] = await Promise.all([
    pool.query<{ session_id: string; revoked_at: Date }>(
      "select session_id, revoked_at from sessions where revoked_at >= $1",
      [since],
    ),
    pool.query<Pick<UserRow, "user_id" | "rights_version" | "changed_at">>(
      "select user_id, rights_version, changed_at from users where changed_at >= $1 and rights_version > 1",
      [since],
    ),
  ]);
  revocations.forget();
  for (const { session_id, revoked_at } of sessions.rows)
    revocations.revokeSession(session_id, revoked_at.getTime());
  for (const { user_id, changed_at, rights_version } of users.rows)
    revocations.changeUser(user_id, rights_version, changed_at.getTime());
  return after;
}

/** What a successful login hands out. */
export interface IssuedTokens {
  readonly user: UserRow;
  readonly legal_entity_id: string | null;
  readonly token: string;
  readonly refresh_token: string;
  readonly expires_at: string;
  readonly replayed: boolean;
}

/**
 * Whether a password belongs to an account that may sign in, as slowly for an unknown account as for a known one.
 * Refusals: `auth.invalid_credentials`, `auth.too_many_attempts`; which of its causes it was, the answer does not tell.
 * @param typed for counting attempts where there is no account: it is counted like any other.
 */
export async function checkPassword(
  room: AuthRoom,
  runtime: Pick<Runtime, "pool">,
  {
    user,
    typed,
    password,
    ...from
  }: { user: UserRow | undefined; typed: string; password: string } & Omit<Claim, "account">,
): Promise<UserRow | Refusal> {
  const attempt = await room.attempts.begin({ ...from, account: accountKey(user, typed) });
  if (isRefusal(attempt)) return attempt;
  const fits = await room.hasher
    .verify(password, user?.password_hash ?? null)
    .catch(async (error: unknown) => {
      await room.attempts.withdrawn(attempt);
      throw error;
    });
  if (!fits || user?.status !== "active") return INVALID_CREDENTIALS;
  await room.attempts.succeeded(attempt);
  await strengthen(room, runtime, user, password);
  return user;
}

/** A hash of weaker parameters is replaced while the password is at hand. */
async function strengthen(
  room: AuthRoom,
  { pool }: Pick<Runtime, "pool">,
  user: UserRow,
  password: string,
): Promise<void> {
  if (user.password_hash === null || !room.hasher.outdated(user.password_hash)) return;
  const stronger = await room.hasher.hash(password);
  await pool.query("update users set password_hash = $3 where user_id = $1 and password_hash = $2", [
    user.user_id,
    user.password_hash,
    stronger,
  ]);
}

/** Opens a session for somebody who has just proved who they are. */
export async function signIn(
  room: AuthRoom,
  runtime: Pick<Runtime, "clock">,
  user: UserRow,
  command: CommandIdentity,
  legal_entity_id = user.legal_entity_id,
): Promise<IssuedTokens | Refusal> {
  const session = await room.sessions.open(user.user_id, command, legal_entity_id);
  return isRefusal(session) ? session : issueTokens(room, runtime, user, session);
}

/** Tokens for an open session, with the rights that the user has now. */
export async function issueTokens(
  room: AuthRoom,
  { clock }: Pick<Runtime, "clock">,
  user: UserRow,
  session: OpenSession,
): Promise<IssuedTokens> {
  const { user_id, role, rights_version } = user;
  const { session_id } = session;
  const claims = { user_id, session_id, role, branch_ids: branchesOf(user), user_version: rights_version };
  const access = await issueAccessToken(room.keys, claims, clock.now());
  const { refresh_token, legal_entity_id, replayed } = session;
  return { user, legal_entity_id, refresh_token, replayed, ...access };
}

/** The user of a refreshed session; blocked and deleted ones have none. */
export async function activeUser(
  { pool }: Pick<Runtime, "pool">,
  user_id: string,
): Promise<UserRow | Refusal> {
  const user = await userById(pool, user_id);
  return user?.status === "active" ? user : TOKEN_REVOKED;
}
