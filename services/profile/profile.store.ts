import type { Pool, PoolClient } from "pg";
import type { Profile } from "./profile.contract";

const COLUMNS = "name, phone, addresses, birthday::text as birthday, language, marketing_consent";

/** The profile as it is written; undefined: nothing was said yet. */
export async function readProfile(pool: Pool, user_id: string): Promise<Profile | undefined> {
  const { rows } = await pool.query<Profile>(`select ${COLUMNS} from profiles where user_id = $1`, [user_id]);
  return rows[0];
}

/** The same with the version of its stream, held until the transaction ends. */
export async function lockedProfile(
  tx: PoolClient,
  user_id: string,
): Promise<(Profile & { version: number }) | undefined> {
  const { rows } = await tx.query<Profile & { version: number }>(
    `select ${COLUMNS}, version from profiles where user_id = $1 for update`,
    [user_id],
  );
  return rows[0];
}

export async function writeProfile(
  tx: PoolClient,
  user_id: string,
  profile: Profile,
  version: number,
  at: string,
): Promise<void> {
  const { name, phone, addresses, birthday, language, marketing_consent } = profile;
  await tx.query(
    `insert into profiles (user_id, name, phone, addresses, birthday, language, marketing_consent, version, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (user_id) do update set
       name = excluded.name, phone = excluded.phone, addresses = excluded.addresses, birthday = excluded.birthday,
       language = excluded.language, marketing_consent = excluded.marketing_consent,
       version = excluded.version, updated_at = excluded.updated_at`,
    [user_id, name, phone, JSON.stringify(addresses), birthday, language, marketing_consent, version, at],
  );
}
