import { randomUUID } from "node:crypto";
import type { Caller } from "../../../../mixins/contract/caller";
import type { ActionContract, ParamsOf } from "../../../../mixins/contract/contract";
import { act } from "../../../../mixins/contract/implement";
import { refusalOf } from "../../../../mixins/contract/refusal";
import * as offers from "../../../../services/menu/menu-offer.contract";
import * as desk from "../../../../services/menu/menu-desk.contract";
import { seedMenu } from "../../../../services/menu/menu.seed";
import { SEED_ITEMS } from "../../../../services/menu/menu.seed-data";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { freshCommand, MANAGER, MenuNode } from "./menu-node";

jest.setTimeout(60_000);

let database: TestDatabase;
let node: MenuNode;

beforeAll(async () => {
  database = await startTestDatabase();
  node = await MenuNode.start(database, (runtime) => seedMenu(runtime, freshCommand()));
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});

const bound = (role: Caller["role"]): Caller => ({
  ...{ role, user_id: randomUUID() },
  branch_ids: ["01990000-0000-7000-8000-000000000001"],
});
const ADMIN: Caller = { role: "super_admin", user_id: randomUUID(), branch_ids: null };
const [pizza] = SEED_ITEMS.filter(({ kind }) => kind === "pizza");
const item_id = pizza?.item_id ?? "";
const price_minor = pizza?.price_minor ?? 0;
const name = { ru: "Час", en: "Hour" };
const times = { starts_at: "2026-03-03T12:00:00.000Z", ends_at: "2026-03-03T13:00:00.000Z" };
let codes = 0;
const code = (): string => `CODE${String(++codes)}`;

/** `ok`, or the code of the refusal. */
async function outcome<C extends ActionContract>(
  caller: Caller,
  contract: C,
  params: ParamsOf<C>,
): Promise<string> {
  try {
    await act(node.runtime.broker, contract, params, { meta: { caller } });
    return "ok";
  } catch (error) {
    return refusalOf(error)?.code ?? String(error);
  }
}

describe("what all branches share", () => {
  it.each(["manager", "technologist"] as const)(
    "is not changed by a %s who is bound to one",
    async (role) => {
      const who = bound(role);
      const refused = "auth.chain_only";
      expect(await outcome(who, desk.switchItem, { item_id, available: false })).toBe(refused);
      expect(await outcome(who, desk.changeItem, { item_id, price_minor: 1 })).toBe(refused);
      expect(await outcome(who, offers.createPromo, { code: code(), percent: 1 })).toBe(refused);
      expect(await outcome(who, offers.createSale, { name, item_ids: [item_id], percent: 1, ...times })).toBe(
        refused,
      );
      expect(await outcome(who, desk.listItems, {})).toBe("ok");
      expect(await outcome(who, offers.listPromos, {})).toBe("ok");
    },
  );

  it("is changed by who is bound to none", async () => {
    expect(await outcome(MANAGER, desk.changeItem, { item_id, price_minor })).not.toBe("auth.chain_only");
    expect(await outcome(MANAGER, offers.createPromo, { code: code(), percent: 10 })).toBe("ok");
  });
});

describe("the size of a discount", () => {
  const promo = (who: Caller, terms: object) => outcome(who, offers.createPromo, { code: code(), ...terms });
  const sale = (who: Caller, terms: object) =>
    outcome(who, offers.createSale, { name, item_ids: [item_id], ...times, ...terms });
  const TOO_MUCH = "offer.too_generous";

  it("is 50 % for anybody but a super admin, to the percent", async () => {
    expect(await promo(MANAGER, { percent: 50 })).toBe("ok");
    expect(await promo(MANAGER, { percent: 51 })).toBe(TOO_MUCH);
    expect(await promo(ADMIN, { percent: 100 })).toBe("ok");
    expect(await sale(MANAGER, { percent: 50 })).toBe("ok");
    expect(await sale(MANAGER, { percent: 51 })).toBe(TOO_MUCH);
    expect(await sale(ADMIN, { percent: 99 })).toBe("ok");
  });

  it("of an amount is counted from the smallest order that it is good for", async () => {
    expect(await promo(MANAGER, { amount_minor: 50_000 })).toBe(TOO_MUCH);
    expect(await promo(MANAGER, { amount_minor: 50_000, min_total_minor: 99_999 })).toBe(TOO_MUCH);
    expect(await promo(MANAGER, { amount_minor: 50_000, min_total_minor: 100_000 })).toBe("ok");
  });

  it("of a price is counted from the menu's price", async () => {
    expect(await sale(MANAGER, { price_minor: Math.ceil(price_minor / 2) })).toBe("ok");
    expect(await sale(MANAGER, { price_minor: Math.ceil(price_minor / 2) - 1 })).toBe(TOO_MUCH);
  });

  it("holds for a change, too; switching a code off is nobody's gift", async () => {
    const caller = ADMIN;
    const { promo: made } = await act(
      node.runtime.broker,
      offers.createPromo,
      { code: code(), percent: 90 },
      { meta: { caller } },
    );
    const { promo_id } = made;
    expect(await outcome(MANAGER, offers.changePromo, { promo_id, limit_total: 5 })).toBe(TOO_MUCH);
    expect(await outcome(MANAGER, offers.changePromo, { promo_id, active: false })).toBe("ok");
    expect(await outcome(MANAGER, offers.changePromo, { promo_id, active: true })).toBe(TOO_MUCH);
    expect(await outcome(MANAGER, offers.changePromo, { promo_id, percent: 40, active: true })).toBe("ok");
  });
});
