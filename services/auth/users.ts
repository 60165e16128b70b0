import { DatabaseError, type Pool, type PoolClient } from "pg";
import type { UserRole, UserStatus } from "./auth.events";

/** A row of `users`. */
export interface UserRow {
  readonly user_id: string;
  readonly role: UserRole;
  readonly status: UserStatus;
  readonly name: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly username: string | null;
  readonly password_hash: string | null;
  readonly branch_ids: readonly string[] | null;
  readonly legal_entity_id: string | null;
  readonly version: number;
  readonly rights_version: number;
  /** Devices that were known before this are known no more; null: all that were made known are. */
  readonly devices_since: Date | null;
  readonly created_at: Date;
  readonly changed_at: Date;
}

/** The account as it is shown: all but the password's hash. */
export interface UserView {
  user_id: string;
  role: UserRole;
  status: UserStatus;
  name: string;
  email: string | null;
  phone: string | null;
  username: string | null;
  branch_ids: string[] | null;
  legal_entity_id: string | null;
  has_password: boolean;
  created_at: string;
}

type Connection = Pool | PoolClient;

async function oneUser(from: Connection, where: string, value: string): Promise<UserRow | undefined> {
  const { rows } = await from.query<UserRow>(`select * from users where ${where}`, [value]);
  return rows[0];
}

export const userById = (from: Connection, user_id: string) => oneUser(from, "user_id = $1", user_id);
/** @param email normalised */
export const userByEmail = (from: Connection, email: string) => oneUser(from, "email = $1", email);
/** @param username normalised */
export const userByUsername = (from: Connection, username: string) =>
  oneUser(from, "username = $1", username);
/** Held until the transaction ends. */
export const lockedUser = (tx: PoolClient, user_id: string) =>
  oneUser(tx, "user_id = $1 for update", user_id);

export function viewOf(user: UserRow): UserView {
  const { user_id, role, status, name, email, phone, username, legal_entity_id } = user;
  return {
    user_id,
    role,
    status,
    name,
    email,
    phone,
    username,
    branch_ids: user.branch_ids === null ? null : [...user.branch_ids],
    legal_entity_id,
    has_password: user.password_hash !== null,
    created_at: user.created_at.toISOString(),
  };
}

/** Inserts a user; which of its names is taken, when one is. */
export async function insertUser(
  tx: PoolClient,
  user: UserRow,
): Promise<"email" | "username" | "user_id" | undefined> {
  const { rowCount } = await tx.query(
    `insert into users (user_id, role, status, name, email, phone, username, password_hash, branch_ids, legal_entity_id,
       version, rights_version, devices_since, created_at, changed_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     on conflict do nothing`,
    [
      user.user_id,
      user.role,
      user.status,
      user.name,
      user.email,
      user.phone,
      user.username,
      user.password_hash,
      user.branch_ids,
      user.legal_entity_id,
      user.version,
      user.rights_version,
      user.devices_since,
      user.created_at,
      user.changed_at,
    ],
  );
  return rowCount === 1 ? undefined : takenName(tx, user);
}

async function takenName(
  tx: PoolClient,
  user: Pick<UserRow, "user_id" | "email" | "username">,
): Promise<"email" | "username" | "user_id"> {
  const { rows } = await tx.query<Pick<UserRow, "email" | "username">>(
    "select email, username from users where user_id <> $1 and (email = $2 or username = $3)",
    [user.user_id, user.email, user.username],
  );
  if (user.email !== null && rows.some(({ email }) => email === user.email)) return "email";
  return rows.length > 0 ? "username" : "user_id";
}

/** Writes a locked user back; which of its names is taken, when one is. */
export async function updateUser(tx: PoolClient, user: UserRow): Promise<"email" | "username" | undefined> {
  // A violated constraint ends a transaction, unless there is a point to return to.
  await tx.query("savepoint before_update");
  try {
    await tx.query(
      `update users set role = $2, status = $3, name = $4, email = $5, phone = $6, username = $7, password_hash = $8,
         branch_ids = $9, legal_entity_id = $10, version = $11, rights_version = $12, devices_since = $13,
         changed_at = $14
       where user_id = $1`,
      [
        user.user_id,
        user.role,
        user.status,
        user.name,
        user.email,
        user.phone,
        user.username,
        user.password_hash,
        user.branch_ids,
        user.legal_entity_id,
        user.version,
        user.rights_version,
        user.devices_since,
        user.changed_at,
      ],
    );
    return undefined;
  } catch (error) {
    const constraint = error instanceof DatabaseError ? error.constraint : undefined;
    const taken =
      constraint === "users_email_key"
        ? "email"
        : constraint === "users_username_key"
          ? "username"
          : undefined;
    if (taken === undefined) throw error;
    await tx.query("rollback to savepoint before_update");
    return taken;
  }
}

/** A page of users by id, which is by age. */
export async function pageOfUsers(
  pool: Pool,
  filter: {
    role: UserRole | undefined;
    status: UserStatus | undefined;
    after: string | undefined;
    limit: number;
  },
): Promise<UserRow[]> {
  const { rows } = await pool.query<UserRow>(
    `select * from users
     where ($1::text is null or role = $1) and ($2::text is null or status = $2) and ($3::uuid is null or user_id > $3)
     order by user_id limit $4`,
    [filter.role ?? null, filter.status ?? null, filter.after ?? null, filter.limit],
  );
  return rows;
}
