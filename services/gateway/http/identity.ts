import { GUEST, type Caller } from "../../../mixins/contract/caller";
import { RefusedError, orThrow, refuse } from "../../../mixins/contract/refusal";
import type { TokenVerifier } from "../../../mixins/contract/token-verifier";

/**
 * Who sends this request. No Authorization header is a guest; one that is no good is refused everywhere, also where
 * guests may go: a client that believes it is signed in must hear that it is not.
 * @throws RefusedError (unauthorized)
 */
export async function callerOfRequest(
  authorization: string | undefined,
  auth: TokenVerifier,
): Promise<Caller> {
  if (authorization === undefined) return GUEST;
  const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization)?.[1];
  if (token === undefined)
    throw new RefusedError(
      refuse("unauthorized", "auth.bad_header", "Send the header as: Authorization: Bearer <token>."),
    );
  return orThrow(await auth.verify(token));
}
