/** Somebody changed their profile (stream `profile-<user_id>`). What they said stays in the table, where it can be deleted. */
export type ProfileChanged = {
  readonly type: "user.profile_changed";
  readonly data: {
    readonly user_id: string;
    /** Names of the changed fields, e.g. `phone`. */
    readonly changed: readonly string[];
    readonly at: string;
  };
};

export const profileStream = (user_id: string): string => `profile-${user_id}`;
