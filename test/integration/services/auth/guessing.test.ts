import { GUEST, type CallMeta, type Caller } from "../../../../mixins/contract/caller";
import {
  changeOwnPassword,
  createUser,
  login,
  logout,
  register,
  revokeUserSessions,
  superAdminLogin,
} from "../../../../services/auth/auth.contract";
import { AuthNode } from "../../../support/auth-node";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

let database: TestDatabase;
let node: AuthNode;
const PASSWORD = "correct horse battery";
const EMAIL = "anna@example.com";
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const from = (client_address: string, device_token?: string): CallMeta => ({
  ...{ caller: GUEST, client_address },
  ...(device_token === undefined ? {} : { device_token }),
});
/** Where the owner lives, and where nobody has been yet. */
const HOME = "192.0.2.1";
const ELSEWHERE = "198.51.100.7";
/** Twenty addresses, each of a network of its own. */
const BOTNET = Array.from({ length: 20 }, (_, n) => `203.0.${String(n)}.9`);

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(async () => {
  await database.stop();
});
/** What the owner's own device carries since they have registered. */
let at_home: CallMeta;
beforeEach(async () => {
  await database.pool.query("truncate users, sessions, refresh_tokens, login_attempts cascade");
  node = await AuthNode.start(database);
  const anna = { name: "Anna", email: EMAIL, password: PASSWORD };
  const { device_token } = await node.answer(register, anna, from(HOME));
  at_home = from(HOME, device_token);
});
afterEach(async () => {
  await node.stop();
});

const guess = async (meta: CallMeta, email = EMAIL): Promise<string | number> => {
  const { code, data } = await node.refusal(login, { email, password: "guess" }, meta);
  return code === "auth.too_many_attempts" ? Number(data?.["retry_after_s"]) : code;
};
const signIn = (meta: CallMeta, password = PASSWORD) => node.answer(login, { email: EMAIL, password }, meta);
const WRONG = "auth.invalid_credentials";
const guesses = async (times: number, meta: CallMeta): Promise<(string | number)[]> => {
  const codes: (string | number)[] = [];
  for (let n = 0; n < times; n += 1) codes.push(await guess(meta));
  return codes;
};
/** As much as the account is tried from all over until it is under pressure, and a bit. */
const siege = async (rounds = 2): Promise<void> => {
  for (let n = 0; n < rounds; n += 1) for (const address of BOTNET) await guess(from(address));
};

describe("Guessing from one address", () => {
  it("is paused after six failures, longer each time, also for the right password", async () => {
    expect(await guesses(7, from(ELSEWHERE))).toEqual([...Array<string>(6).fill(WRONG), 1]);
    expect(await node.refusal(login, { email: EMAIL, password: PASSWORD }, from(ELSEWHERE))).toMatchObject({
      ...{ refused: "rate_limited", code: "auth.too_many_attempts", data: { retry_after_s: 1 } },
    });
    node.now += SECOND;
    expect(await guesses(2, from(ELSEWHERE))).toEqual([WRONG, 2]);
    node.now += 2 * SECOND;
    expect(await signIn(from(ELSEWHERE))).toMatchObject({ result: { role: "customer" } });
    expect(await guesses(7, from(ELSEWHERE))).toEqual([...Array<string>(6).fill(WRONG), 1]);
  });

  it("is paused across a restart", async () => {
    await guesses(6, from(ELSEWHERE));
    const { now } = node;
    await node.stop();
    node = await AuthNode.start(database);
    node.now = now;
    expect(await guess(from(ELSEWHERE))).toBe(1);
  });

  it("in parallel, on two nodes, gets no further than one after the other", async () => {
    const other = await AuthNode.start(database);
    try {
      const wish = { email: EMAIL, password: "guess" };
      const outcomes = await Promise.all(
        Array.from({ length: 30 }, (_, n) =>
          (n % 2 === 0 ? node : other).refusal(login, wish, from(ELSEWHERE)),
        ),
      );
      expect(outcomes.filter(({ code }) => code === WRONG)).toHaveLength(6);
    } finally {
      await other.stop();
    }
  });

  it("at an account that does not exist looks the same", async () => {
    const nobody = "nobody@example.com";
    const codes: (string | number)[] = [];
    for (let n = 0; n < 8; n += 1) codes.push(await guess(from(ELSEWHERE), nobody));
    expect(codes).toEqual(await guesses(8, from("198.51.200.7")));
  });

  it("over many accounts is paused for the address, for those of them whose device is known not", async () => {
    const codes: (string | number)[] = [];
    for (let n = 0; n < 32; n += 1) codes.push(await guess(from(HOME), `user${String(n)}@example.com`));
    expect(codes.slice(-2)).toEqual([WRONG, 1]);
    expect(await guess(from(HOME), "one-more@example.com")).toBe(1);
    expect(await signIn(at_home)).toMatchObject({ result: { role: "customer" } });
  });
});

describe("Guessing from many addresses", () => {
  it.each([
    ["an IPv4 /24", (n: number) => `203.0.113.${String(n)}`, "203.0.114.1"],
    ["an IPv6 /48", (n: number) => `2001:db8:7:${n.toString(16)}`, "2001:db8:8:1"],
  ])("of %s is paused for all of it, and for nobody beside", async (_name, address, beside) => {
    const codes: (string | number)[] = [];
    for (let n = 1; n <= 12; n += 1) codes.push(await guess(from(address(n))));
    expect(codes).toEqual([...Array<string>(11).fill(WRONG), 1]);
    expect(await guess(from(beside))).toBe(WRONG);
  });

  it("over many accounts is paused for the network", async () => {
    const codes: (string | number)[] = [];
    for (let n = 0; n < 103; n += 1)
      codes.push(await guess(from(`203.0.113.${String(n)}`), `user${String(n)}@example.com`));
    expect(codes.slice(99)).toEqual([WRONG, WRONG, 1, 1]);
  });

  it("leaves each address one try, then half a minute and more, but never closes the account", async () => {
    await siege();
    expect(await guesses(2, from(ELSEWHERE))).toEqual([WRONG, 30]);
    node.now += 30 * SECOND;
    expect(await guesses(2, from(ELSEWHERE))).toEqual([WRONG, 60]);
    // Whoever is new somewhere gets in while it goes on.
    await siege();
    expect(await signIn(from("100.64.0.1"))).toMatchObject({ result: { role: "customer" } });
  });

  it("keeps the owner out at no device of theirs, as long as it goes on", async () => {
    for (let minute = 0; minute < 5; minute += 1) {
      await siege(1);
      await guesses(3, from(HOME));
      expect(await signIn(at_home)).toMatchObject({ result: { role: "customer" } });
      node.now += MINUTE;
    }
  });

  it("of another account holds nobody up", async () => {
    await node.call(register, { name: "B", email: "boris@example.com", password: PASSWORD }, from(HOME));
    await siege();
    const boris = { email: "boris@example.com", password: PASSWORD };
    expect(await node.call(login, boris, from(BOTNET[0] ?? ""))).toMatchObject({ role: "customer" });
  });
});

describe("A device that knows the account", () => {
  it("has a budget of its own, and when that is used up it is the only one to wait", async () => {
    expect(await guesses(8, at_home)).toEqual([...Array<string>(6).fill(WRONG), 1, 1]);
    expect(await signIn(from(HOME))).toMatchObject({ result: { role: "customer" } });
    expect(await guess(at_home)).toBe(1);
  });

  it("is one that has signed in, or registered, and no other's", async () => {
    await node.call(register, { name: "B", email: "boris@example.com", password: PASSWORD }, from(HOME));
    const { device_token } = await signIn(from(ELSEWHERE));
    await guesses(6, from(ELSEWHERE));
    expect(await guess(from(ELSEWHERE, device_token))).toBe(WRONG);
    // It says nothing about anybody else's account.
    for (let n = 0; n < 6; n += 1) await guess(from(ELSEWHERE, device_token), "boris@example.com");
    expect(await guess(from(ELSEWHERE, device_token), "boris@example.com")).toBe(1);
  });

  it("is not who has guessed wrong", async () => {
    const refused = node.answer(login, { email: EMAIL, password: "guess" }, from(ELSEWHERE));
    await expect(refused).rejects.toThrow();
    const { ctx } = refused as unknown as { ctx?: { meta: CallMeta } };
    expect(ctx?.meta.new_device_token).toBeUndefined();
  });

  /** Whether the device still has a budget of its own. */
  const isKnown = async (meta: CallMeta): Promise<boolean> => {
    await guesses(7, from(HOME));
    return (await guess(meta)) === WRONG;
  };

  it("is forgotten with a changed password, all but the one that has changed it", async () => {
    const { result, device_token } = await signIn(from(ELSEWHERE));
    const caller = (await node.whoIs(result.token)) as Caller;
    const other = from(ELSEWHERE, device_token);
    const change = { current_password: PASSWORD, new_password: "another good one" };
    node.now += 1;
    const changed = await node.answer(changeOwnPassword, change, { ...other, caller });
    expect(await isKnown(at_home)).toBe(false);
    expect(await isKnown(from(HOME, changed.device_token))).toBe(true);
  });

  it("is forgotten when all sessions are ended, by the owner or by a super admin", async () => {
    for (const end of [
      async () => {
        const { result } = await signIn(at_home);
        const caller = (await node.whoIs(result.token)) as Caller;
        await node.call(logout, { everywhere: true }, { ...at_home, caller });
      },
      async () => node.call(revokeUserSessions, { user_id: (await signIn(at_home)).result.user_id }),
    ]) {
      const { device_token } = await signIn(from(ELSEWHERE));
      node.now += 1;
      await end();
      expect(await isKnown(from(HOME, device_token))).toBe(false);
      node.now += 24 * 60 * MINUTE + 1;
      at_home = from(HOME, (await signIn(from(HOME))).device_token);
    }
  });

  it("is not forgotten when one session is ended", async () => {
    const { result } = await signIn(at_home);
    node.now += 1;
    await node.call(logout, { refresh_token: result.refresh_token }, at_home);
    expect(await isKnown(at_home)).toBe(true);
  });
});

describe("One account", () => {
  const boss = { role: "super_admin" as const, name: "Boss", email: "boss@example.com", username: "boss" };
  const byName = async (meta: CallMeta): Promise<string> =>
    (await node.refusal(superAdminLogin, { username: "boss", password: "guess" }, meta)).code;

  it("has one counter, whatever name is typed", async () => {
    await node.call(createUser, { ...boss, password: PASSWORD });
    for (let n = 0; n < 3; n += 1) {
      expect(await guess(from(ELSEWHERE), "boss@example.com")).toBe(WRONG);
      expect(await byName(from(ELSEWHERE))).toBe(WRONG);
    }
    expect(await guess(from(ELSEWHERE), "BOSS@example.com")).toBe(1);
    expect(await byName(from(ELSEWHERE))).toBe("auth.too_many_attempts");
  });

  it("is put under pressure by who guesses in a session of it, who is held up alone", async () => {
    const { result } = await signIn(at_home);
    const caller = (await node.whoIs(result.token)) as Caller;
    const change = { current_password: "guess", new_password: "another good one" };
    const codes: string[] = [];
    for (let n = 0; n < 7; n += 1)
      codes.push((await node.refusal(changeOwnPassword, change, { ...from(HOME), caller })).code);
    expect(codes).toEqual([...Array<string>(6).fill(WRONG), "auth.too_many_attempts"]);
    expect(await signIn(at_home)).toMatchObject({ result: { role: "customer" } });
    expect(await signIn(from(HOME))).toMatchObject({ result: { role: "customer" } });
  });
});
