import { GUEST, type CallMeta } from "../../../../mixins/contract/caller";
import type { ParamsOf } from "../../../../mixins/contract/contract";
import {
  login,
  logout,
  me,
  refresh,
  register,
  superAdminLogin,
} from "../../../../services/auth/auth.contract";
import { ensureAdmin } from "../../../../services/auth/ensure-admin";
import { PasswordHasher } from "../../../../services/auth/password-hasher";
import { AuthNode, keyed } from "../../../support/auth-node";
import { eventually } from "../../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

let database: TestDatabase;
let node: AuthNode;
const PASSWORD = "correct horse battery";
const guest: CallMeta = { caller: GUEST, client_address: "192.0.2.1" };
const as = (token: string) =>
  node.whoIs(token).then((caller) => ({ ...guest, caller: caller as NonNullable<CallMeta["caller"]> }));

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(async () => {
  await database.stop();
});
beforeEach(async () => {
  await database.pool.query("truncate users, sessions, refresh_tokens, login_attempts cascade");
  node = await AuthNode.start(database);
});
afterEach(async () => {
  await node.stop();
});

const anna = { name: "Anna", email: "Anna@Example.com", phone: "8 923 123-45-67", password: PASSWORD };
const signUp = (changes: Partial<ParamsOf<typeof register>> = {}, meta: CallMeta = guest) =>
  node.call(register, { ...anna, ...changes }, meta);
const signIn = (password = PASSWORD, meta: CallMeta = guest) =>
  node.call(login, { email: "anna@example.com", password }, meta);

describe("registering", () => {
  it("opens an account and signs in", async () => {
    const tokens = await signUp();
    expect(tokens).toMatchObject({ role: "customer", expires_at: "2026-03-02T12:15:00.000Z" });
    expect(await node.whoIs(tokens.token)).toMatchObject({
      role: "customer",
      user_id: tokens.user_id,
      branch_ids: null,
    });
    expect(await node.call(me, {}, await as(tokens.token))).toMatchObject({
      user_id: tokens.user_id,
      email: "anna@example.com",
      phone: "+79231234567",
      has_password: true,
    });
  });

  it("twice with one email is refused, however it is written", async () => {
    await signUp();
    expect(await node.refusal(register, { ...anna, email: "aNNa@example.COM" }, guest)).toMatchObject({
      refused: "conflict",
      code: "auth.email_taken",
    });
  });

  it("at the same moment makes one account", async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => signUp()));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const { rows } = await database.pool.query("select 1 from users");
    expect(rows).toHaveLength(1);
  });

  it("repeated under the same key gives the same account and session again", async () => {
    const key = keyed();
    const first = await node.answer(register, anna, { ...guest, ...key });
    const again = await node.answer(register, anna, { ...guest, ...key });
    expect(first.replayed).toBe(false);
    expect(again.replayed).toBe(true);
    expect(again.result).toMatchObject({
      user_id: first.result.user_id,
      refresh_token: first.result.refresh_token,
    });
    expect(await node.whoIs(again.result.token)).toMatchObject({ user_id: first.result.user_id });
  });

  it("with the same key and another body is refused", async () => {
    const key = keyed("one body");
    await node.call(register, anna, { ...guest, ...key });
    const other = { command: { ...key.command, fingerprint: "another body" } };
    const refusal = await node.refusal(
      register,
      { ...anna, email: "boris@example.com" },
      { ...guest, ...other },
    );
    expect(refusal).toMatchObject({ refused: "conflict", code: "idempotency.key_reused" });
  });

  it.each([
    ["a short password", { password: "1234567" }],
    ["a huge password", { password: "x".repeat(201) }],
    ["an email that is none", { email: "anna" }],
    ["an empty name", { name: "   " }],
    ["a name that cannot be stored", { name: "An\u0000na" }],
    ["half a character for a name", { name: "Anna \ud83c" }],
    ["a role", { role: "super_admin" }],
  ])("with %s is malformed", async (_name, changes) => {
    expect(await node.refusal(register, { ...anna, ...changes }, guest)).toMatchObject({
      refused: "invalid",
    });
  });

  it("leaves no password, hash, token, name, email or phone in the log", async () => {
    const tokens = await node.call(register, anna, { ...guest, ...keyed("deadbeef") });
    const { rows } = await database.pool.query<{ text: string }>(
      `select coalesce(string_agg(e::text, ' '), '') || (select string_agg(c::text, ' ') from es.command c) as text from es.event e`,
    );
    const text = rows[0]?.text ?? "";
    expect(text).toContain(tokens.user_id);
    for (const secret of [
      PASSWORD,
      "scrypt",
      tokens.token,
      tokens.refresh_token,
      "Anna",
      "anna@example.com",
      "9231234567",
      "deadbeef",
    ])
      expect(text).not.toContain(secret);
  });
});

describe("signing in", () => {
  beforeEach(() => signUp());

  it("works with the right password alone", async () => {
    expect(await signIn()).toMatchObject({ role: "customer" });
    expect(await node.refusal(login, { email: "anna@example.com", password: "wrong" }, guest)).toMatchObject({
      refused: "unauthorized",
      code: "auth.invalid_credentials",
    });
  });

  it("does not tell whether an account exists", async () => {
    const wrong = await node.refusal(login, { email: "anna@example.com", password: "wrong" }, guest);
    const unknown = await node.refusal(login, { email: "nobody@example.com", password: "wrong" }, guest);
    expect(unknown).toEqual(wrong);
  });

  it.each(["a\u0000@example.com", "a\ud83c@example.com"])(
    "as %j is malformed, not a fault",
    async (email) => {
      expect(await node.refusal(login, { email, password: "x" }, guest)).toMatchObject({
        code: "input.invalid",
      });
      expect(await node.refusal(superAdminLogin, { username: email, password: "x" }, guest)).toMatchObject({
        code: "input.invalid",
      });
    },
  );

  it("takes every character that a password may hold", async () => {
    const password = "\u0001 \t пароль 🍕";
    await signUp({ email: "vera@example.com", password });
    expect(await node.call(login, { email: "vera@example.com", password }, guest)).toMatchObject({
      role: "customer",
    });
  });

  it("under the same key opens one session", async () => {
    const key = keyed();
    const first = await signIn(PASSWORD, { ...guest, ...key });
    const again = await node.answer(
      login,
      { email: "anna@example.com", password: PASSWORD },
      { ...guest, ...key },
    );
    expect(again).toMatchObject({ replayed: true, result: { refresh_token: first.refresh_token } });
  });

  it("as super admin takes a super admin", async () => {
    const admin = { username: "anna@example.com", password: PASSWORD };
    expect(await node.refusal(superAdminLogin, admin, guest)).toMatchObject({
      code: "auth.invalid_credentials",
    });
  });

  it("replaces a hash of weaker parameters", async () => {
    const weak = await new PasswordHasher({ ln: 9, r: 8, p: 1 }).hash(PASSWORD);
    await database.pool.query("update users set password_hash = $1", [weak]);
    await signIn();
    const { rows } = await database.pool.query<{ password_hash: string }>("select password_hash from users");
    expect(rows[0]?.password_hash).toContain("$scrypt$ln=10,r=8,p=1$");
    expect(await signIn()).toMatchObject({ role: "customer" });
  });
});

describe("a refresh token", () => {
  it("gives new tokens, with the rights of that moment", async () => {
    const first = await signUp();
    node.now += 14 * 60_000;
    const second = await node.call(refresh, { refresh_token: first.refresh_token }, guest);
    expect(second.user_id).toBe(first.user_id);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    node.now += 14 * 60_000;
    expect(await node.whoIs(first.token)).toBe("auth.token_expired");
    expect(await node.whoIs(second.token)).toMatchObject({ user_id: first.user_id });
  });

  it("used a second time ends its session, for the thief and for the owner", async () => {
    const first = await signUp();
    const second = await node.call(refresh, { refresh_token: first.refresh_token }, guest);
    expect(await node.refusal(refresh, { refresh_token: first.refresh_token }, guest)).toMatchObject({
      refused: "unauthorized",
      code: "auth.refresh_reused",
    });
    expect(await node.whoIs(second.token)).toBe("auth.token_revoked");
    expect(await node.refusal(refresh, { refresh_token: second.refresh_token }, guest)).toMatchObject({
      code: "auth.token_revoked",
    });
  });

  it("may be used again by the same command: its client has lost the answer", async () => {
    const first = await signUp();
    const key = keyed();
    const second = await node.call(refresh, { refresh_token: first.refresh_token }, { ...guest, ...key });
    const again = await node.answer(refresh, { refresh_token: first.refresh_token }, { ...guest, ...key });
    expect(again).toMatchObject({ replayed: true, result: { refresh_token: second.refresh_token } });
    expect(await node.whoIs(second.token)).toMatchObject({ user_id: first.user_id });
  });

  it("used by many at once gives new tokens to one at most", async () => {
    const first = await signUp();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => node.call(refresh, { refresh_token: first.refresh_token }, guest)),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("expires after 30 days without use", async () => {
    const first = await signUp();
    node.now += 29 * 86_400_000;
    const second = await node.call(refresh, { refresh_token: first.refresh_token }, guest);
    node.now += 30 * 86_400_000;
    expect(await node.refusal(refresh, { refresh_token: second.refresh_token }, guest)).toMatchObject({
      code: "auth.token_expired",
    });
  });

  it("that was never given out is refused", async () => {
    expect(await node.refusal(refresh, { refresh_token: "x".repeat(43) }, guest)).toMatchObject({
      code: "auth.token_invalid",
    });
  });

  it("is kept as a hash alone", async () => {
    const { refresh_token } = await signUp();
    const { rows } = await database.pool.query<{ text: string }>(
      "select string_agg(t::text, ' ') as text from refresh_tokens t",
    );
    expect(rows[0]?.text).not.toContain(Buffer.from(refresh_token).toString("hex"));
    expect(rows[0]?.text).not.toContain(refresh_token);
  });
});

describe("signing out", () => {
  it("ends this session at once and no other", async () => {
    const phone = await signUp();
    const tablet = await signIn();
    expect(await node.call(logout, {}, await as(phone.token))).toEqual({ revoked_sessions: 1 });
    expect(await node.whoIs(phone.token)).toBe("auth.token_revoked");
    expect(await node.whoIs(tablet.token)).toMatchObject({ role: "customer" });
    expect(await node.refusal(refresh, { refresh_token: phone.refresh_token }, guest)).toMatchObject({
      code: "auth.token_revoked",
    });
  });

  it("everywhere ends all of them", async () => {
    const phone = await signUp();
    const tablet = await signIn();
    expect(await node.call(logout, { everywhere: true }, await as(phone.token))).toEqual({
      revoked_sessions: 2,
    });
    expect(await node.whoIs(tablet.token)).toBe("auth.token_revoked");
  });

  it("works by the refresh token when the access token has expired", async () => {
    const { refresh_token } = await signUp();
    node.now += 3_600_000;
    expect(await node.call(logout, { refresh_token }, guest)).toEqual({ revoked_sessions: 1 });
  });

  it("twice is harmless, and repeated under its key gives the first answer", async () => {
    const { refresh_token } = await signUp();
    const key = keyed();
    expect(await node.call(logout, { refresh_token }, { ...guest, ...key })).toEqual({ revoked_sessions: 1 });
    expect(await node.call(logout, { refresh_token }, { ...guest, ...key })).toEqual({ revoked_sessions: 1 });
    expect(await node.call(logout, { refresh_token }, guest)).toEqual({ revoked_sessions: 0 });
  });

  it("of nobody is refused", async () => {
    expect(await node.refusal(logout, {}, guest)).toMatchObject({ code: "auth.required" });
  });

  it("is known to another node soon, and to one that starts later at once", async () => {
    const { token, refresh_token } = await signUp();
    const other = await AuthNode.start(database);
    try {
      expect(await other.whoIs(token)).toMatchObject({ role: "customer" });
      await node.call(logout, { refresh_token }, guest);
      await eventually(async () => {
        expect(await other.whoIs(token)).toBe("auth.token_revoked");
      });
      const late = await AuthNode.start(database);
      expect(await late.whoIs(token)).toBe("auth.token_revoked");
      await late.stop();
    } finally {
      await other.stop();
    }
  });
});

describe("sweeping", () => {
  it("deletes expired sessions and old counters, and nothing that still means something", async () => {
    await signUp();
    await node.refusal(login, { email: "anna@example.com", password: "guess" }, guest);
    const left = async () => {
      await Promise.all([node.room.sessions.sweep(), node.room.attempts.sweep()]);
      const { rows } = await database.pool.query<{ sessions: number; tokens: number; counters: number }>(
        `select (select count(*) from sessions) as sessions, (select count(*) from refresh_tokens) as tokens,
           (select count(*) from login_attempts) as counters`,
      );
      return rows[0];
    };
    expect(await left()).toEqual({ sessions: 1, tokens: 1, counters: 5 });
    node.now += 32 * 86_400_000;
    expect(await left()).toEqual({ sessions: 0, tokens: 0, counters: 0 });
  });
});

describe("the first super admin", () => {
  it("is made once, with a generated password that works and is told once", async () => {
    const first = await ensureAdmin(node.runtime, node.room);
    expect(first).toMatchObject({ username: "admin" });
    const password = first.generated_password ?? "";
    expect(password.length).toBeGreaterThanOrEqual(20);
    expect(await ensureAdmin(node.runtime, node.room)).toEqual({ username: "admin" });
    const answer = await node.call(superAdminLogin, { username: "Admin", password }, guest);
    expect(answer).toMatchObject({
      username: "admin",
      legal_entity_id: null,
      expires_at: "2026-03-02T12:15:00.000Z",
    });
    expect(await node.whoIs(answer.token)).toMatchObject({ role: "super_admin", branch_ids: null });
  });

  it("has the name and password of the settings, and does not tell it back", async () => {
    const runtime = {
      ...node.runtime,
      settings: { ...node.runtime.settings, ADMIN_USERNAME: "Chef", ADMIN_PASSWORD: PASSWORD },
    };
    expect(await ensureAdmin(runtime, node.room)).toEqual({ username: "chef" });
    expect(await node.call(superAdminLogin, { username: "chef", password: PASSWORD }, guest)).toMatchObject({
      username: "chef",
    });
  });

  it("is one when several nodes start at once", async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => ensureAdmin(node.runtime, node.room)));
    expect(all.filter(({ generated_password }) => generated_password !== undefined)).toHaveLength(1);
    const { rows } = await database.pool.query("select 1 from users where role = 'super_admin'");
    expect(rows).toHaveLength(1);
  });

  it("may name a legal entity that exists", async () => {
    const { generated_password = "" } = await ensureAdmin(node.runtime, node.room);
    const nowhere = {
      username: "admin",
      password: generated_password,
      legal_entity_id: "0196a000-0000-7000-8000-00000000dead",
    };
    expect(await node.refusal(superAdminLogin, nowhere, guest)).toMatchObject({
      code: "legal_entity.unknown",
    });
  });
});
