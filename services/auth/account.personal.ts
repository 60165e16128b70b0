import type { PoolClient } from "pg";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { PersonalRecords } from "../../mixins/erasure/personal-records";
import { ERASED } from "../../mixins/event-log/personal-data";
import type { StreamAppend } from "../../mixins/event-log/event-log";
import { USER_STREAM_TYPE, userStream, type AuthEvent } from "./auth.events";
import { lockedUser, updateUser, viewOf, type UserRow } from "./users";

const IS_STAFF = refuse(
  "conflict",
  "customer.is_staff",
  "This account belongs to staff, whose work has to be told apart; only customers are forgotten.",
);

/** What accounts tell of customers. A row stays, without anything in it, so that old orders and tokens have nobody to point at. */
export const accountRecords: PersonalRecords = {
  name: "accounts",
  async known({ pool }, { user_id, phone }) {
    const { rows } = await pool.query<UserRow>(OF_PERSON, [user_id, phone]);
    return Promise.all(
      rows.map(async (user) => {
        const sessions = await pool.query<object>(SESSIONS, [user.user_id]);
        return { ...viewOf(user), sessions: sessions.rows };
      }),
    );
  },
  async refusal(tx, { user_id }) {
    return user_id === null ? undefined : staffRefusal(await lockedUser(tx, user_id));
  },
  async forget(tx, person, at) {
    const { rows } = await tx.query<UserRow>(`${OF_PERSON} order by user_id for update`, [
      person.user_id,
      person.phone,
    ]);
    const streams: StreamAppend[] = [];
    for (const user of rows) {
      if (staffRefusal(user) !== undefined || (await wasErased(tx, user.user_id))) continue;
      streams.push(await (person.user_id === null ? withoutPhone(tx, user, at) : emptied(tx, user, at)));
    }
    return streams;
  },
};

const OF_PERSON = "select * from users where (user_id = $1 or phone = $2)";
const SESSIONS =
  "select created_at, expires_at, revoked_at from sessions where user_id = $1 order by created_at";

function staffRefusal(user: UserRow | undefined): Refusal | undefined {
  return user === undefined || user.role === "customer" ? undefined : IS_STAFF;
}

async function wasErased(tx: PoolClient, user_id: string): Promise<boolean> {
  return ((await tx.query("select from es.erasure where person_id = $1", [user_id])).rowCount ?? 0) > 0;
}

/** Whoever has this number is somebody else, or wants to be known by their account no more than by the number. */
function withoutPhone(tx: PoolClient, user: UserRow, at: Date): Promise<StreamAppend> {
  return written(tx, { ...user, phone: null }, at, ["phone"], []);
}

async function emptied(tx: PoolClient, user: UserRow, at: Date): Promise<StreamAppend> {
  const { rows } = await tx.query<{ session_id: string }>(
    "delete from sessions where user_id = $1 returning session_id",
    [user.user_id],
  );
  const session_ids = rows.map(({ session_id }) => session_id);
  const revoked: AuthEvent = {
    type: "auth.session_revoked",
    data: { user_id: user.user_id, session_ids, reason: "erased", at: at.toISOString() },
  };
  const empty = { email: null, phone: null, username: null, password_hash: null, devices_since: at };
  const changed = ["status", "name", "email", "username", "phone", "password"];
  return written(tx, { ...user, ...empty, name: ERASED, status: "blocked" }, at, changed, [revoked]);
}

async function written(
  tx: PoolClient,
  user: UserRow,
  at: Date,
  changed: readonly string[],
  further: readonly AuthEvent[],
): Promise<StreamAppend> {
  const { user_id, role, status, branch_ids } = user;
  const user_version = user.version + 1;
  const version = user_version + further.length;
  await updateUser(tx, { ...user, version, rights_version: user_version, changed_at: at });
  const data = { user_id, user_version, role, status, branch_ids, changed, at: at.toISOString() };
  return {
    stream_id: userStream(user_id),
    stream_type: USER_STREAM_TYPE,
    expected_version: user.version,
    events: [{ type: "auth.user_changed", data }, ...further],
  };
}
