import { GUEST, type Caller } from "../../../mixins/contract/caller";
import { isRefusal, refuse, type Refusal } from "../../../mixins/contract/refusal";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";
import { takesGuests, type Door } from "./doors";

/** Whom a session has let in. */
export interface Identity {
  readonly caller: Caller;
  /** Absent for a guest. */
  readonly token?: string;
}

/** Whom a token lets in at a door, or why it does not. @throws UnavailableError when that cannot be told now. */
export async function admit(
  door: Door,
  token: string | undefined,
  verifier: TokenVerifier,
): Promise<Identity | Refusal> {
  if (token === undefined) {
    if (takesGuests(door)) return { caller: GUEST };
    return refuse("unauthorized", "auth.required", "Sign in first: this needs a valid access token.");
  }
  const caller = await verifier.verify(token);
  if (isRefusal(caller)) return caller;
  if (!door.admits(caller.role))
    return refuse("forbidden", "auth.forbidden", `Your role (${caller.role}) may not listen here.`);
  return { caller, token };
}

/** A token that says the same as the one before, only longer, changes nothing for the client. */
export function sameRights(one: Caller, other: Caller): boolean {
  return (
    one.user_id === other.user_id &&
    one.role === other.role &&
    JSON.stringify(one.branch_ids) === JSON.stringify(other.branch_ids)
  );
}
