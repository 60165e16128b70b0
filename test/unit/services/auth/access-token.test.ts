import { createHmac, createSecretKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { SignJWT, UnsecuredJWT } from "jose";
import { isRefusal } from "../../../../mixins/contract/refusal";
import {
  ACCESS_TTL_MS,
  callerOfClaims,
  issueAccessToken,
  readAccessToken,
  type AccessClaims,
} from "../../../../services/auth/access-token";
import { SigningKeys } from "../../../../services/auth/signing-keys";

const NOW = Date.parse("2026-03-01T10:00:00Z");
const SECRET = Buffer.from("s".repeat(40));
const keys = new SigningKeys([SECRET]);
const claims: AccessClaims = {
  user_id: randomUUID(),
  session_id: randomUUID(),
  role: "manager",
  branch_ids: [randomUUID()],
  user_version: 3,
};

const issued = () => issueAccessToken(keys, claims, NOW);
const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const payload = {
  sub: claims.user_id,
  sid: claims.session_id,
  role: "super_admin",
  branches: null,
  uv: 1,
  iss: "forno",
  exp: NOW / 1000 + 600,
};
const header = { alg: "HS256", kid: keys.current.kid, typ: "JWT" };

function signed(head: object, body: object, secret: Buffer | string = SECRET): string {
  const text = `${base64(head)}.${base64(body)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

describe("An access token", () => {
  it("is read back as what was written", async () => {
    const { token, expires_at } = await issued();
    const read = await readAccessToken(keys, token, NOW + ACCESS_TTL_MS - 1000);
    expect(read).toEqual({ claims, expires_ms: NOW + ACCESS_TTL_MS });
    expect(expires_at).toBe("2026-03-01T10:15:00.000Z");
    expect(callerOfClaims(claims)).toEqual({
      role: "manager",
      user_id: claims.user_id,
      branch_ids: claims.branch_ids,
      session_id: claims.session_id,
    });
  });

  it("is good to the last of several keys", async () => {
    const { token } = await issued();
    const renewed = new SigningKeys([Buffer.from("n".repeat(40)), SECRET]);
    expect(isRefusal(await readAccessToken(renewed, token, NOW))).toBe(false);
  });

  it("expires after 15 minutes, to the second", async () => {
    const { token } = await issued();
    expect(await readAccessToken(keys, token, NOW + ACCESS_TTL_MS)).toMatchObject({
      refused: "unauthorized",
      code: "auth.token_expired",
    });
  });
});

describe("A token that is refused as invalid", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const attacks: Record<string, () => string | Promise<string>> = {
    "is empty": () => "",
    "is no JWT": () => "hello",
    "is three dots": () => "...",
    "has no signature": async () => `${(await issued()).token.split(".").slice(0, 2).join(".")}.`,
    "has alg none": () => new UnsecuredJWT(payload).encode(),
    "has alg None and our kid": () => `${base64({ ...header, alg: "None" })}.${base64(payload)}.`,
    "is signed by another secret": () => signed(header, payload, "another secret of a good length.."),
    "has an unknown kid": () => signed({ ...header, kid: "0123456789abcdef" }, payload),
    "has no kid": () => signed({ alg: "HS256" }, payload),
    "has a kid that is a path": () => signed({ ...header, kid: "../../../../dev/null" }, payload, ""),
    "is signed with RSA under our kid": () =>
      new SignJWT(payload).setProtectedHeader({ ...header, alg: "RS256" }).sign(privateKey),
    "takes a public key for the secret": () =>
      signed(header, payload, publicKey.export({ type: "spki", format: "pem" }).toString()),
    "brings its own key": () =>
      signed(
        { ...header, jwk: { kty: "oct", k: Buffer.from("x".repeat(32)).toString("base64url") } },
        payload,
        "x".repeat(32),
      ),
    "is HS512 with our secret": () =>
      new SignJWT(payload).setProtectedHeader({ ...header, alg: "HS512" }).sign(createSecretKey(SECRET)),
    "has a changed role": async () => {
      const [head = "", , signature = ""] = (await issued()).token.split(".");
      return `${head}.${base64(payload)}.${signature}`;
    },
    "is of another issuer": () => signed(header, { ...payload, iss: "elsewhere" }),
    "never expires": () => signed(header, { ...payload, exp: undefined }),
    "has an expiry that is text": () => signed(header, { ...payload, exp: "tomorrow" }),
    "names no user": () => signed(header, { ...payload, sub: undefined }),
    "names no session": () => signed(header, { ...payload, sid: undefined }),
    "has an unknown role": () => signed(header, { ...payload, role: "system" }),
    "has branches that are no list": () => signed(header, { ...payload, branches: "all" }),
    "is not valid yet": () => signed(header, { ...payload, nbf: NOW / 1000 + 60 }),
    "is far too long": () => signed(header, { ...payload, padding: "x".repeat(20_000) }),
    "has a header of rubbish": () => `${Buffer.from("{").toString("base64url")}.${base64(payload)}.xxxx`,
    "wants critical extensions": () => signed({ ...header, crit: ["b64"], b64: false }, payload),
  };

  it.each(Object.entries(attacks))("%s", async (_name, attack) => {
    const refusal = await readAccessToken(keys, await attack(), NOW);
    expect(refusal).toMatchObject({ refused: "unauthorized", code: "auth.token_invalid" });
  });

  it("and the same payload with the right header and secret is none of them", async () => {
    expect(isRefusal(await readAccessToken(keys, signed(header, payload), NOW))).toBe(false);
  });
});
