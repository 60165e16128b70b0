import { randomUUID } from "node:crypto";
import { GUEST, type CallMeta, type Caller } from "../../../../mixins/contract/caller";
import {
  changeOwnPassword,
  changeUser,
  createUser,
  getUser,
  listUsers,
  login,
  refresh,
  resetPassword,
  revokeUserSessions,
} from "../../../../services/auth/auth.contract";
import { ensureAdmin } from "../../../../services/auth/ensure-admin";
import { openBranch } from "../../../../services/branch/branch.contract";
import { AuthNode, keyed } from "../../../support/auth-node";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

let database: TestDatabase;
let node: AuthNode;
let branch_id: string;
const PASSWORD = "correct horse battery";
const guest: CallMeta = { caller: GUEST, client_address: "192.0.2.1" };
const cook = () => ({
  role: "cook" as const,
  name: "Pyotr",
  email: "pyotr@example.com",
  password: PASSWORD,
  branch_ids: [branch_id],
});

beforeAll(async () => {
  database = await startTestDatabase();
  node = await AuthNode.start(database);
  const text = { ru: "Филиал", en: "Branch" };
  const opened = await node.call(openBranch, {
    code: "A",
    name: text,
    address: text,
    time_zone: "Europe/Moscow",
  });
  branch_id = opened.branch.branch_id;
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});
beforeEach(async () => {
  await database.pool.query("truncate users, sessions, refresh_tokens, login_attempts cascade");
});

const signIn = (password = PASSWORD) => node.call(login, { email: "pyotr@example.com", password }, guest);

describe("an account that a super admin opens", () => {
  it("signs in with its role and branches", async () => {
    const user = await node.call(createUser, cook());
    expect(user).toMatchObject({
      role: "cook",
      status: "active",
      has_password: true,
      branch_ids: [branch_id],
    });
    const { token } = await signIn();
    expect(await node.whoIs(token)).toMatchObject({
      role: "cook",
      user_id: user.user_id,
      branch_ids: [branch_id],
    });
  });

  it("without a password signs in by none until one is set", async () => {
    const { password, ...without } = cook();
    const user = await node.call(createUser, without);
    expect(user.has_password).toBe(false);
    expect(
      await node.refusal(login, { email: "pyotr@example.com", password: PASSWORD }, guest),
    ).toMatchObject({ code: "auth.invalid_credentials" });
    await node.call(resetPassword, { user_id: user.user_id, password });
    expect(await signIn(password)).toMatchObject({ role: "cook" });
  });

  it("is opened once under one key, and the log keeps neither its name nor its password", async () => {
    const key = keyed();
    const first = await node.answer(createUser, cook(), key);
    expect(await node.answer(createUser, cook(), key)).toEqual({ result: first.result, replayed: true });
    const { rows } = await database.pool.query<{ text: string }>(
      "select string_agg(answer::text, ' ') as text from es.command",
    );
    expect(rows[0]?.text).not.toMatch(/Pyotr|scrypt|example\.com/);
  });

  it.each([
    ["branch.unknown", () => ({ branch_ids: [randomUUID()] })],
    ["auth.role_needs_branches", () => ({ branch_ids: null })],
    ["auth.phone_invalid", () => ({ phone: "12 345" })],
    ["legal_entity.unknown", () => ({ legal_entity_id: randomUUID() })],
  ])("is refused as %s", async (code, changes) => {
    expect(await node.refusal(createUser, { ...cook(), ...changes() })).toMatchObject({ code });
  });

  it("is refused when email, username or id is taken", async () => {
    const user = await node.call(createUser, { ...cook(), username: "pyotr" });
    expect(await node.refusal(createUser, cook())).toMatchObject({ code: "auth.email_taken" });
    const other = { ...cook(), email: "other@example.com" };
    expect(await node.refusal(createUser, { ...other, username: "PYOTR" })).toMatchObject({
      code: "auth.username_taken",
    });
    expect(await node.refusal(createUser, { ...other, user_id: user.user_id })).toMatchObject({
      code: "auth.user_exists",
    });
  });

  it.each(["manager", "technologist", "cook", "courier", "customer"] as const)(
    "is not for a %s to open",
    async (role) => {
      const caller: Caller = { role, user_id: randomUUID(), branch_ids: null };
      expect(await node.refusal(createUser, cook(), { caller })).toMatchObject({
        refused: "forbidden",
        code: "auth.forbidden",
      });
    },
  );
});

describe("a change of an account", () => {
  it("of role or branches refuses the tokens with the old rights at once, and a refresh brings the new ones", async () => {
    const { user_id } = await node.call(createUser, cook());
    const { token, refresh_token } = await signIn();
    await node.call(changeUser, { user_id, role: "manager" });
    expect(await node.whoIs(token)).toBe("auth.token_revoked");
    const renewed = await node.call(refresh, { refresh_token }, guest);
    expect(await node.whoIs(renewed.token)).toMatchObject({ role: "manager", branch_ids: [branch_id] });
  });

  it("to blocked ends everything, and back to active needs a new login", async () => {
    const { user_id } = await node.call(createUser, cook());
    const { token, refresh_token } = await signIn();
    expect(await node.call(changeUser, { user_id, status: "blocked" })).toMatchObject({ status: "blocked" });
    expect(await node.whoIs(token)).toBe("auth.token_revoked");
    expect(await node.refusal(refresh, { refresh_token }, guest)).toMatchObject({
      code: "auth.token_revoked",
    });
    expect(
      await node.refusal(login, { email: "pyotr@example.com", password: PASSWORD }, guest),
    ).toMatchObject({ code: "auth.invalid_credentials" });
    await node.call(changeUser, { user_id, status: "active" });
    expect(await node.refusal(refresh, { refresh_token }, guest)).toMatchObject({
      code: "auth.token_revoked",
    });
    expect(await signIn()).toMatchObject({ role: "cook" });
  });

  it("can take a contact away, and cannot take somebody else's", async () => {
    const { user_id } = await node.call(createUser, { ...cook(), phone: "+79231234567" });
    await node.call(createUser, { ...cook(), email: "other@example.com" });
    expect(await node.call(changeUser, { user_id, phone: null })).toMatchObject({
      phone: null,
      email: "pyotr@example.com",
    });
    expect(await node.refusal(changeUser, { user_id, email: "OTHER@example.com" })).toMatchObject({
      code: "auth.email_taken",
    });
  });

  it("of an unknown account is refused", async () => {
    expect(await node.refusal(changeUser, { user_id: randomUUID(), name: "X" })).toMatchObject({
      code: "auth.user_unknown",
    });
    expect(await node.refusal(getUser, { user_id: randomUUID() })).toMatchObject({
      code: "auth.user_unknown",
    });
  });

  it("cannot take the last super admin away, also not two at once", async () => {
    await ensureAdmin(node.runtime, node.room);
    const second = await node.call(createUser, { role: "super_admin", name: "Second", username: "second" });
    const admins = await node.call(listUsers, { role: "super_admin" });
    const outcomes = await Promise.allSettled(
      admins.items.map(({ user_id }) => node.call(changeUser, { user_id, status: "blocked" })),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const [last] = (await node.call(listUsers, { role: "super_admin", status: "active" })).items;
    expect(
      await node.refusal(changeUser, { user_id: last?.user_id ?? second.user_id, role: "customer" }),
    ).toMatchObject({
      code: "auth.last_super_admin",
    });
  });
});

describe("a new password", () => {
  it("ends all sessions, and only it opens new ones", async () => {
    const { user_id } = await node.call(createUser, cook());
    const { token } = await signIn();
    const caller = (await node.whoIs(token)) as Caller;
    const change = { current_password: PASSWORD, new_password: "another good one" };
    expect(await node.call(changeOwnPassword, change, { ...guest, caller })).toEqual({ revoked_sessions: 1 });
    expect(await node.whoIs(token)).toBe("auth.token_revoked");
    expect(
      await node.refusal(login, { email: "pyotr@example.com", password: PASSWORD }, guest),
    ).toMatchObject({ code: "auth.invalid_credentials" });
    expect(await signIn("another good one")).toMatchObject({ user_id });
  });

  it("of one's own needs the current one, and guessing that is limited like a login", async () => {
    await node.call(createUser, cook());
    const caller = (await node.whoIs((await signIn()).token)) as Caller;
    const guess = () =>
      node.refusal(
        changeOwnPassword,
        { current_password: "guess", new_password: "another good one" },
        { ...guest, caller },
      );
    for (let n = 0; n < 6; n++) expect(await guess()).toMatchObject({ code: "auth.invalid_credentials" });
    expect(await guess()).toMatchObject({ code: "auth.too_many_attempts" });
  });
});

it("a super admin can end all sessions of an account", async () => {
  const { user_id } = await node.call(createUser, cook());
  const { token } = await signIn();
  expect(await node.call(revokeUserSessions, { user_id })).toEqual({ revoked_sessions: 1 });
  expect(await node.whoIs(token)).toBe("auth.token_revoked");
});

it("accounts are listed in pages, each once, without any hash", async () => {
  for (let n = 0; n < 5; n++)
    await node.call(createUser, { ...cook(), email: `cook${String(n)}@example.com` });
  const first = await node.call(listUsers, { role: "cook", limit: 3 });
  const second = await node.call(listUsers, { role: "cook", limit: 3, cursor: first.next_cursor ?? "" });
  expect(second.next_cursor).toBeNull();
  const emails = [...first.items, ...second.items].map(({ email }) => email);
  expect(new Set(emails).size).toBe(5);
  expect(JSON.stringify(first)).not.toContain("scrypt");
  expect(await node.refusal(listUsers, { cursor: "rubbish" })).toMatchObject({
    refused: "invalid",
    code: "input.cursor_malformed",
  });
});
