import { SignJWT, errors, jwtVerify } from "jose";
import type { Caller } from "../../mixins/contract/caller";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import type { UserRole } from "./auth.events";
import type { SigningKeys } from "./signing-keys";

/** What an access token says. */
export interface AccessClaims {
  readonly user_id: string;
  readonly session_id: string;
  readonly role: UserRole;
  readonly branch_ids: readonly string[] | null;
  /** Version of the user that these rights were read at. */
  readonly user_version: number;
}

/** How long an access token is good. */
export const ACCESS_TTL_MS = 15 * 60_000;

const ISSUER = "forno";
const ALGORITHM = "HS256";
/** A token of ours with 200 branches has 10 000 characters; what is longer is not ours. */
const TOKEN_CHARS_MAX = 16_384;
const ROLES: ReadonlySet<string> = new Set<UserRole>([
  "super_admin",
  "manager",
  "technologist",
  "cook",
  "courier",
  "customer",
]);

export const TOKEN_INVALID = refuse(
  "unauthorized",
  "auth.token_invalid",
  "This token was not issued here; sign in again.",
);
export const TOKEN_EXPIRED = refuse(
  "unauthorized",
  "auth.token_expired",
  "This token has expired; refresh it or sign in again.",
);
export const TOKEN_REVOKED = refuse(
  "unauthorized",
  "auth.token_revoked",
  "This token was revoked; refresh it or sign in again.",
);

/** A signed token for a session, and when it ends. */
export async function issueAccessToken(
  keys: SigningKeys,
  claims: AccessClaims,
  now_ms: number,
): Promise<{ token: string; expires_at: string }> {
  const issued_s = Math.floor(now_ms / 1000);
  const expires_s = issued_s + ACCESS_TTL_MS / 1000;
  const token = await new SignJWT({
    sid: claims.session_id,
    role: claims.role,
    branches: claims.branch_ids,
    uv: claims.user_version,
  })
    .setProtectedHeader({ alg: ALGORITHM, kid: keys.current.kid, typ: "JWT" })
    .setIssuer(ISSUER)
    .setSubject(claims.user_id)
    .setIssuedAt(issued_s)
    .setExpirationTime(expires_s)
    .sign(keys.current.key);
  return { token, expires_at: new Date(expires_s * 1000).toISOString() };
}

/** Reads a token that we signed and that has not expired; revocation is another question. */
export async function readAccessToken(
  keys: SigningKeys,
  token: string,
  now_ms: number,
): Promise<{ claims: AccessClaims; expires_ms: number } | Refusal> {
  if (token.length > TOKEN_CHARS_MAX) return TOKEN_INVALID;
  const verified = await jwtVerify(
    token,
    ({ kid }) => {
      const found = keys.find(kid);
      if (found === undefined) throw new errors.JWKSNoMatchingKey();
      return found.key;
    },
    // The algorithm is ours to say, not the token's: this is what `none` and key confusion die of.
    {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      requiredClaims: ["sub", "sid", "exp"],
      currentDate: new Date(now_ms),
    },
  ).catch(tokenRefusal);
  if (isRefusal(verified)) return verified;
  const claims = claimsOf(verified.payload);
  return claims === undefined ? TOKEN_INVALID : { claims, expires_ms: Number(verified.payload.exp) * 1000 };
}

function tokenRefusal(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) return TOKEN_EXPIRED;
  if (error instanceof errors.JOSEError) return TOKEN_INVALID;
  throw error;
}

function claimsOf(payload: Readonly<Record<string, unknown>>): AccessClaims | undefined {
  const { sub, sid, role, branches, uv } = payload;
  if (typeof sub !== "string" || typeof sid !== "string" || typeof uv !== "number") return undefined;
  if (typeof role !== "string" || !ROLES.has(role)) return undefined;
  if (branches !== null && !(Array.isArray(branches) && branches.every((id) => typeof id === "string")))
    return undefined;
  return { user_id: sub, session_id: sid, role: role as UserRole, branch_ids: branches, user_version: uv };
}

/** The caller that the claims stand for. */
export function callerOfClaims(claims: AccessClaims): Caller & { readonly session_id: string } {
  const { role, user_id, branch_ids, session_id } = claims;
  return { role, user_id, branch_ids, session_id };
}
