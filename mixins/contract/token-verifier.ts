import type { Caller } from "./caller";
import type { Refusal } from "./refusal";

/** Whom an access token stands for; `session_id` is what a revocation names. */
export type VerifiedCaller = Caller & { readonly session_id?: string };

/** The port through which the gateways learn who asks. */
export interface TokenVerifier {
  /**
   * Tells whom a bearer token stands for, or why it is no good (`unauthorized`: malformed, forged, expired, revoked).
   * Never rejects because of what the token says.
   * @throws UnavailableError when the answer needs something that is down.
   */
  verify(token: string): Promise<VerifiedCaller | Refusal>;
}
