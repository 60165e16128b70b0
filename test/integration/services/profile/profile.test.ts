import { followEvents } from "../../../../mixins/cache-tags/follow-events";
import type { CallMeta, Caller } from "../../../../mixins/contract/caller";
import { SYSTEM } from "../../../../mixins/contract/caller";
import { changeUser, createUser } from "../../../../services/auth/auth.contract";
import { changeProfile, getProfile } from "../../../../services/profile/profile.contract";
import { profileStream } from "../../../../services/profile/profile.events";
import { createProfileService } from "../../../../services/profile/profile.service";
import { AuthNode, keyed } from "../../../support/auth-node";
import { eventually } from "../../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

jest.setTimeout(60_000);

const PERSONAL = ["Anna Petrova", "+79130000001", "Lenin street 5", "1990-02-28"];

let database: TestDatabase;
let node: AuthNode;
let stopFollowing: () => Promise<void>;
let people = 0;

/** Opens an account; its owner, for calls. */
async function somebody(): Promise<{ caller: Caller & { user_id: string } }> {
  const email = `somebody-${String(++people)}@forno.test`;
  const user = { role: "customer", name: "Anna", email, phone: "+79231234567" } as const;
  const { user_id } = await node.call(createUser, user);
  return { caller: { role: "customer", user_id, branch_ids: null } };
}
const profileOf = (meta: CallMeta) => node.call(getProfile, {}, meta);
const cacheState = async (meta: CallMeta): Promise<string | undefined> => {
  const { broker } = node.runtime;
  const called = broker.call(getProfile.name, {}, { meta });
  await called;
  const { ctx } = called as unknown as { ctx: { meta: { $responseHeaders?: Record<string, string> } } };
  return ctx.meta.$responseHeaders?.["X-Cache"];
};

beforeAll(async () => {
  database = await startTestDatabase();
  node = await AuthNode.start(database);
  node.runtime.broker.createService(createProfileService(node.runtime));
  await node.runtime.broker.waitForServices("profile");
  stopFollowing = await followEvents(node.runtime);
});
afterAll(async () => {
  await stopFollowing();
  await node.stop();
  await database.stop();
});

it("begins with what the account says", async () => {
  const anna = await somebody();
  expect(await profileOf(anna)).toEqual({
    ...{ user_id: anna.caller.user_id, email: expect.stringContaining("@forno.test") as string },
    ...{
      name: "Anna",
      phone: "+79231234567",
      addresses: [],
      birthday: null,
      language: "ru",
      marketing_consent: false,
    },
  });
});

it("changes what is named, each caller's own, and takes null, false and none for values", async () => {
  const [anna, boris] = [await somebody(), await somebody()];
  const address = { label: "home", address: "Lenin street 5", comment: null, is_default: true };
  const all = {
    ...{ name: "Anna Petrova", phone: "+79130000001", addresses: [address], birthday: "1990-02-28" },
    ...({ language: "en", marketing_consent: true } as const),
  };
  expect(await node.call(changeProfile, all, anna)).toMatchObject({
    ...all,
    position: expect.any(Number) as number,
  });
  expect(await profileOf(anna)).toMatchObject(all);
  await node.call(changeProfile, { marketing_consent: false }, anna);
  expect(await profileOf(anna)).toMatchObject({ ...all, marketing_consent: false });
  const nothing = { phone: null, birthday: null, addresses: [] };
  await node.call(changeProfile, nothing, anna);
  expect(await profileOf(anna)).toMatchObject({ ...all, ...nothing, marketing_consent: false });
  expect(await profileOf(boris)).toMatchObject({ name: "Anna", phone: "+79231234567", language: "ru" });
});

it("is served from the cache until the profile or the account changes", async () => {
  const [anna, boris] = [await somebody(), await somebody()];
  for (const who of [anna, boris]) {
    expect(await cacheState(who)).toBe("MISS");
    expect(await cacheState(who)).toBe("HIT");
  }
  await node.call(changeProfile, { language: "en" }, anna);
  expect(await cacheState(anna)).toBe("MISS");
  expect(await cacheState(boris)).toBe("HIT");
  await node.call(changeUser, { user_id: boris.caller.user_id, email: "boris@forno.test" });
  await eventually(async () => {
    expect((await profileOf(boris)).email).toBe("boris@forno.test");
  });
});

it("writes nothing personal into the log", async () => {
  const anna = await somebody();
  const [name = "", phone = "", address = "", birthday = ""] = PERSONAL;
  const addresses = [{ label: null, address, comment: null, is_default: false }];
  await node.call(changeProfile, { name, phone, addresses, birthday }, { ...anna, ...keyed() });
  const events = await node.runtime.log.readStream(profileStream(anna.caller.user_id));
  expect(events.map(({ type, data }) => ({ type, data }))).toMatchObject([
    { type: "user.profile_changed", data: { changed: ["addresses", "birthday", "name", "phone"] } },
  ]);
  for (const table of ["es.event", "es.command"])
    for (const text of PERSONAL) {
      const { rows } = await database.pool.query(`select 1 from ${table} t where t::text like $1`, [
        `%${text}%`,
      ]);
      expect(rows).toEqual([]);
    }
});

it("does a change once under one key", async () => {
  const anna = await somebody();
  const once = { ...anna, ...keyed() };
  await node.call(changeProfile, { language: "en" }, once);
  await node.call(changeProfile, { language: "ru" }, anna);
  const again = await node.answer(changeProfile, { language: "en" }, once);
  expect(again.replayed).toBe(true);
  expect((await profileOf(anna)).language).toBe("ru");
});

it("loses nothing when two tabs change different things at once", async () => {
  const anna = await somebody();
  await Promise.all([
    node.call(changeProfile, { name: "Anna P." }, anna),
    node.call(changeProfile, { language: "en" }, anna),
    node.call(changeProfile, { marketing_consent: true }, anna),
  ]);
  expect(await profileOf(anna)).toMatchObject({ name: "Anna P.", language: "en", marketing_consent: true });
});

it("keeps a phone in its one form, whatever people type", async () => {
  const anna = await somebody();
  for (const phone of ["8 (999) 123-45-67", "+7\u00a0999\u202f123‑45−67", "9991234567"]) {
    await node.call(changeProfile, { phone: null }, anna);
    expect(await node.call(changeProfile, { phone }, anna)).toMatchObject({ phone: "+79991234567" });
  }
});

it("refuses by name what makes no sense", async () => {
  const anna = await somebody();
  const refused = async (wish: object) => (await node.refusal(changeProfile, wish, anna)).code;
  const address = { label: null, address: "Lenin street 5", comment: null, is_default: true };
  expect(await refused({ phone: "12-34-56" })).toBe("profile.phone_invalid");
  expect(await refused({ birthday: "2999-01-01" })).toBe("profile.birthday_in_future");
  expect(await refused({ addresses: [address, address] })).toBe("profile.several_default_addresses");
  for (const wish of [
    ...[{ birthday: "1990-02-30" }, { phone: "8923" }, { phone: "" }, { name: " " }, { name: null }],
    ...[
      { language: "fr" },
      { marketing_consent: "no" },
      { email: "x@y.z" },
      { user_id: anna.caller.user_id },
    ],
    { addresses: Array.from({ length: 11 }, () => ({ ...address, is_default: false })) },
  ])
    expect(await refused(wish)).toBe("input.invalid");
  const guest = { caller: { role: "guest", user_id: null, branch_ids: null } } as const;
  expect((await node.refusal(getProfile, {}, guest)).code).toBe("auth.required");
  expect((await node.refusal(changeProfile, {}, guest)).code).toBe("auth.required");
  expect((await node.refusal(getProfile, {}, { caller: SYSTEM })).code).toBe("auth.user_unknown");
});
