import type { PersonalRecords } from "../../mixins/erasure/personal-records";
import type { StreamAppend } from "../../mixins/event-log/event-log";
import { profileStream, type ProfileChanged } from "./profile.events";

interface Written {
  readonly user_id: string;
  readonly version: number;
}

/** What customers said of themselves to the shop. */
export const profileRecords: PersonalRecords = {
  name: "profiles",
  async known({ pool }, { user_id, phone }) {
    return (await pool.query<object>(KNOWN, [user_id, phone])).rows;
  },
  async forget(tx, { user_id, phone }, at) {
    // A number says nothing of whose account it is: there only the number goes.
    const { rows } =
      user_id === null
        ? await tx.query<Written>(WITHOUT_PHONE, [phone, at])
        : await tx.query<Written>(DELETE, [user_id]);
    const changed = user_id === null ? ["phone"] : FIELDS;
    return rows.map((profile) => changedBy(profile, changed, at));
  },
};

const FIELDS = ["addresses", "birthday", "language", "marketing_consent", "name", "phone"];

const KNOWN = `
  select user_id, name, phone, addresses, birthday::text as birthday, language, marketing_consent, updated_at
  from profiles where user_id = $1 or phone = $2 order by user_id`;
const DELETE = "delete from profiles where user_id = $1 returning user_id, version";
const WITHOUT_PHONE = `
  update profiles set phone = null, version = version + 1, updated_at = $2 where phone = $1
  returning user_id, version - 1 as version`;

function changedBy({ user_id, version }: Written, changed: readonly string[], at: Date): StreamAppend {
  const event: ProfileChanged = {
    type: "user.profile_changed",
    data: { user_id, changed, at: at.toISOString() },
  };
  return {
    stream_id: profileStream(user_id),
    stream_type: "profile",
    expected_version: version,
    events: [event],
  };
}
