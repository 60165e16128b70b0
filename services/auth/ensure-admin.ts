import { randomBytes } from "node:crypto";
import { RefusedError, isRefusal } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import { usernameOf } from "../../mixins/text/forms";
import { SettingsError } from "../../settings";
import type { AuthRoom } from "./auth-room";
import { passwordRefusal } from "./password-judge";

/** 120 bits, in letters that survive being read aloud or typed. */
const GENERATED_BYTES = 15;

/** The first super admin; the password only when it was made here, to be shown once. */
export interface EnsuredAdmin {
  readonly username: string;
  readonly generated_password?: string;
}

/**
 * Makes the first super admin when there is none, with ADMIN_PASSWORD or a generated password. With an active super admin it
 * does nothing and says only the name. Safe when several nodes start at once: one of them makes it.
 * @throws SettingsError when ADMIN_PASSWORD is one that everybody tries.
 */
export async function ensureAdmin(
  runtime: Pick<Runtime, "settings" | "pool" | "ids">,
  room: AuthRoom,
): Promise<EnsuredAdmin> {
  const { ADMIN_USERNAME, ADMIN_PASSWORD } = runtime.settings;
  const existing = await activeAdmin(runtime);
  if (existing !== undefined) return existing;
  const username = usernameOf(ADMIN_USERNAME);
  if (ADMIN_PASSWORD !== undefined) {
    const weak = await passwordRefusal(ADMIN_PASSWORD, { role: "super_admin", username });
    if (weak !== undefined) throw new SettingsError(`ADMIN_PASSWORD: ${weak.detail}`);
  }
  const password = ADMIN_PASSWORD ?? randomBytes(GENERATED_BYTES).toString("base64url");
  const password_hash = await room.hasher.hash(password);
  const created = await room.accounts.create(
    { role: "super_admin", name: ADMIN_USERNAME, username, password_hash },
    { id: runtime.ids.uuid(), fingerprint: "", fresh: true },
    { actor: "system:first-start" },
  );
  if (isRefusal(created)) {
    // Another node was faster, and its password is the one that counts; or the name belongs to somebody else.
    const other = await activeAdmin(runtime);
    if (other === undefined) throw new RefusedError(created);
    return other;
  }
  return ADMIN_PASSWORD === undefined ? { username, generated_password: password } : { username };
}

async function activeAdmin({ pool }: Pick<Runtime, "pool">): Promise<EnsuredAdmin | undefined> {
  const { rows } = await pool.query<{ username: string | null; user_id: string }>(
    "select username, user_id from users where role = 'super_admin' and status = 'active' order by user_id limit 1",
  );
  const [admin] = rows;
  return admin === undefined ? undefined : { username: admin.username ?? admin.user_id };
}
