import type { PersonalRecords } from "../../mixins/erasure/personal-records";

/** Which posts somebody has viewed. Forgotten by a process that follows the erasure. */
export const viewRecords: PersonalRecords = {
  name: "views",
  async known({ pool }, { user_id }) {
    if (user_id === null) return [];
    return (await pool.query<object>(KNOWN, [user_id])).rows;
  },
};

const KNOWN = "select post_id, viewed_at from post_views where user_id = $1 order by viewed_at";
