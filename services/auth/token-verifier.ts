import { LRUCache } from "lru-cache";
import { isRefusal, type Refusal } from "../../mixins/contract/refusal";
import type { Clock } from "../../mixins/runtime";
import type { TokenVerifier, VerifiedCaller } from "../../mixins/contract/token-verifier";
import {
  TOKEN_EXPIRED,
  TOKEN_REVOKED,
  callerOfClaims,
  readAccessToken,
  type AccessClaims,
} from "./access-token";
import type { Revocations } from "./revocations";
import type { SigningKeys } from "./signing-keys";

interface Known {
  readonly claims: AccessClaims;
  readonly caller: VerifiedCaller;
  readonly expires_ms: number;
}

/** Tokens remembered; about 1 KB each. */
const KNOWN_MAX = 10_000;

/**
 * Checks bearer tokens. A signature is checked once a token (about 0.1 ms) and then remembered; expiry and revocation are
 * asked at every call (under a microsecond), so that remembering never makes a token live longer.
 */
export class JwtVerifier implements TokenVerifier {
  readonly #known = new LRUCache<string, Known>({ max: KNOWN_MAX });

  constructor(
    private readonly keys: SigningKeys,
    private readonly revocations: Revocations,
    private readonly clock: Clock,
  ) {}

  verify(token: string): Promise<VerifiedCaller | Refusal> {
    const known = this.#known.get(token);
    return known === undefined ? this.#read(token) : Promise.resolve(this.#judge(token, known));
  }

  async #read(token: string): Promise<VerifiedCaller | Refusal> {
    const read = await readAccessToken(this.keys, token, this.clock.now());
    if (isRefusal(read)) return read;
    const known = { ...read, caller: callerOfClaims(read.claims) };
    this.#known.set(token, known);
    return this.#judge(token, known);
  }

  #judge(token: string, { claims, caller, expires_ms }: Known): VerifiedCaller | Refusal {
    if (expires_ms <= this.clock.now()) {
      this.#known.delete(token);
      return TOKEN_EXPIRED;
    }
    return this.revocations.isRevoked(claims) ? TOKEN_REVOKED : caller;
  }
}
