import { randomUUID } from "node:crypto";
import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import { ACCESS_TTL_MS, issueAccessToken, type AccessClaims } from "../../../../services/auth/access-token";
import { REVOCATION_KEPT_MS, Revocations } from "../../../../services/auth/revocations";
import { SigningKeys } from "../../../../services/auth/signing-keys";
import { JwtVerifier } from "../../../../services/auth/token-verifier";

const keys = new SigningKeys([Buffer.from("s".repeat(40))]);
const claims: AccessClaims = {
  user_id: randomUUID(),
  session_id: randomUUID(),
  role: "cook",
  branch_ids: [],
  user_version: 3,
};
let now_ms: number;
let revocations: Revocations;
let verifier: JwtVerifier;
let token: string;

beforeEach(async () => {
  now_ms = Date.parse("2026-03-01T10:00:00Z");
  revocations = new Revocations();
  verifier = new JwtVerifier(keys, revocations, { now: () => now_ms });
  token = (await issueAccessToken(keys, claims, now_ms)).token;
});

const event = (type: string, data: object): RecordedEvent => ({ type, data }) as RecordedEvent;
const at = (): string => new Date(now_ms).toISOString();

describe("A bearer token", () => {
  it("stands for its caller, the second time from memory", async () => {
    const first = await verifier.verify(token);
    expect(first).toEqual({
      role: "cook",
      user_id: claims.user_id,
      branch_ids: [],
      session_id: claims.session_id,
    });
    expect(await verifier.verify(token)).toBe(first);
  });

  it("expires on time although it is remembered", async () => {
    await verifier.verify(token);
    now_ms += ACCESS_TTL_MS;
    expect(await verifier.verify(token)).toMatchObject({ code: "auth.token_expired" });
    expect(await verifier.verify(token)).toMatchObject({ code: "auth.token_expired" });
  });

  it.each([
    ["remembered", true],
    ["met for the first time", false],
  ])("is refused at once when its session is revoked, %s", async (_name, remembered) => {
    if (remembered) await verifier.verify(token);
    revocations.learn(
      [event("auth.session_revoked", { session_ids: [claims.session_id], at: at() })],
      now_ms,
    );
    expect(await verifier.verify(token)).toMatchObject({
      refused: "unauthorized",
      code: "auth.token_revoked",
    });
  });

  it("is refused when its user has changed since, and a newer token is not", async () => {
    await verifier.verify(token);
    revocations.learn(
      [event("auth.user_changed", { user_id: claims.user_id, user_version: 4, at: at() })],
      now_ms,
    );
    expect(await verifier.verify(token)).toMatchObject({ code: "auth.token_revoked" });
    const newer = await issueAccessToken(keys, { ...claims, user_version: 4 }, now_ms);
    expect(await verifier.verify(newer.token)).toMatchObject({ role: "cook" });
  });

  it("is not touched by what happens to other sessions and users", async () => {
    const other = { session_ids: [randomUUID()], at: at() };
    revocations.learn([event("auth.session_revoked", other), event("order.placed", {})], now_ms);
    revocations.learn(
      [event("auth.user_changed", { user_id: randomUUID(), user_version: 9, at: at() })],
      now_ms,
    );
    expect(await verifier.verify(token)).toMatchObject({ role: "cook" });
  });
});

describe("What is known of revocations", () => {
  it("does not go back to an older version of a user", () => {
    revocations.changeUser(claims.user_id, 5, now_ms);
    revocations.changeUser(claims.user_id, 2, now_ms);
    expect(revocations.isRevoked({ ...claims, user_version: 4 })).toBe(true);
  });

  it("is forgotten once every token that it concerns has expired", () => {
    for (let n = 0; n < 999; n++) revocations.revokeSession(randomUUID(), now_ms);
    expect(revocations.size).toBe(999);
    revocations.revokeSession(claims.session_id, now_ms + REVOCATION_KEPT_MS + 1);
    expect(revocations.size).toBe(1);
  });

  it("skips events of long ago", () => {
    const long_ago = new Date(now_ms - REVOCATION_KEPT_MS - 1).toISOString();
    revocations.learn([event("auth.session_revoked", { session_ids: [randomUUID()], at: long_ago })], now_ms);
    expect(revocations.size).toBe(0);
  });
});
