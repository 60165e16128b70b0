import { GUEST, type CallMeta, type Caller } from "../../../../mixins/contract/caller";
import {
  changeOwnPassword,
  createUser,
  login,
  register,
  resetPassword,
} from "../../../../services/auth/auth.contract";
import { ensureAdmin } from "../../../../services/auth/ensure-admin";
import { SettingsError } from "../../../../settings";
import { AuthNode } from "../../../support/auth-node";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

let database: TestDatabase;
let node: AuthNode;
const GOOD = "correct horse battery";
const guest: CallMeta = { caller: GUEST, client_address: "192.0.2.1" };
const anna = { name: "Anna Petrova", email: "anna.petrova@example.com", password: GOOD };
const technologist = { role: "technologist" as const, name: "Pyotr", email: "pyotr@example.com" };
const weak = (reason: string) => ({
  ...{ refused: "unprocessable", code: "auth.password_weak", data: { reason } },
});
const signedIn = async (email: string): Promise<CallMeta> => {
  const { token } = await node.call(login, { email, password: GOOD }, guest);
  return { ...guest, caller: (await node.whoIs(token)) as Caller };
};

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

describe("A weak password is refused", () => {
  it("to who registers", async () => {
    for (const [password, reason] of [
      ["password1", "common"],
      ["Petrova1", "personal"],
    ] as const)
      expect(await node.refusal(register, { ...anna, password }, guest)).toMatchObject(weak(reason));
    expect((await database.pool.query("select 1 from users")).rows).toEqual([]);
  });

  it("to who changes their own, and the old one stays", async () => {
    await node.call(register, anna, guest);
    const change = { current_password: GOOD, new_password: "annapetrova" };
    const meta = await signedIn(anna.email);
    expect(await node.refusal(changeOwnPassword, change, meta)).toMatchObject(weak("personal"));
    expect(await signedIn(anna.email)).toBeDefined();
  });

  it("only to who has proved the current one", async () => {
    await node.call(register, anna, guest);
    const change = { current_password: "not this one", new_password: "password1" };
    expect(await node.refusal(changeOwnPassword, change, await signedIn(anna.email))).toMatchObject({
      code: "auth.invalid_credentials",
    });
  });

  it("to the super admin who opens an account, by the measure of its role", async () => {
    const password = "Summer2024!";
    expect(await node.refusal(createUser, { ...technologist, password })).toMatchObject(weak("common"));
    await node.call(createUser, { role: "customer", name: "Boris", email: "boris@example.com", password });
  });

  it("to the super admin who sets another one", async () => {
    const { user_id } = await node.call(createUser, { ...technologist, password: GOOD });
    expect(await node.refusal(resetPassword, { user_id, password: "pyotr-1990" })).toMatchObject(
      weak("personal"),
    );
    expect(await signedIn(technologist.email)).toBeDefined();
  });

  it("as the first super admin's, before anybody is made", async () => {
    const settings = { ...node.runtime.settings, ADMIN_PASSWORD: "administrator" };
    await expect(ensureAdmin({ ...node.runtime, settings }, node.room)).rejects.toThrow(SettingsError);
    expect((await database.pool.query("select 1 from users")).rows).toEqual([]);
  });
});
