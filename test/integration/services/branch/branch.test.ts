import { randomUUID } from "node:crypto";
import { GUEST, type Caller } from "../../../../mixins/contract/caller";
import type { ParamsOf } from "../../../../mixins/contract/contract";
import {
  changeBranch,
  configureSlots,
  getBranch,
  getSlotConfig,
  listBranches,
  openBranch,
} from "../../../../services/branch/branch.contract";
import { createLegalEntity, listLegalEntities } from "../../../../services/branch/legal-entity.contract";
import { AuthNode, keyed } from "../../../support/auth-node";
import { eventually } from "../../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

let database: TestDatabase;
let node: AuthNode;
let first_id: string;
let letter = "A".charCodeAt(0);
const text = { ru: "Филиал", en: "Branch" };
const nextCode = (): string => `Z${String.fromCharCode(letter++)}`;
const wish = (): ParamsOf<typeof openBranch> => ({
  code: nextCode(),
  name: text,
  address: text,
  time_zone: "Asia/Krasnoyarsk",
});
const managerOf = (...branch_ids: string[]): { caller: Caller } => ({
  caller: { role: "manager", user_id: randomUUID(), branch_ids },
});

beforeAll(async () => {
  database = await startTestDatabase();
  node = await AuthNode.start(database, {
    BUSINESS_OPEN_HOUR: "2",
    BUSINESS_OPEN_MIN: "45",
    BUSINESS_CLOSE_HOUR: "16",
    BUSINESS_CLOSE_MIN: "45",
  });
  first_id = (await node.call(openBranch, wish())).branch.branch_id;
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});

const defaults = async (): Promise<string[]> =>
  (await node.call(listBranches, {})).items
    .filter(({ is_default }) => is_default)
    .map(({ branch_id }) => branch_id);

describe("a branch that opens", () => {
  it("is the default when it is the first, with hours and rules from the settings", async () => {
    expect(await node.call(getBranch, {})).toMatchObject({
      branch_id: first_id,
      is_default: true,
      slot_rules: {
        capacity_minor: 1_000_000,
        slot_minutes: 15,
        hours: { "1": { open: "09:45", close: "23:45" } },
      },
    });
  });

  it("is public with its hours, and with its next opening when it is closed", async () => {
    const { items } = await node.call(listBranches, {}, { caller: GUEST });
    expect(items.find(({ branch_id }) => branch_id === first_id)).toMatchObject({
      open_now: true,
      closes_at: "2026-03-02T16:45:00.000Z",
    });
    expect(JSON.stringify(items)).not.toContain("capacity_minor");
  });

  it("is opened once under one key", async () => {
    const key = keyed();
    const params = wish();
    const first = await node.answer(openBranch, params, key);
    expect(await node.answer(openBranch, params, key)).toEqual({ result: first.result, replayed: true });
  });

  it("is refused when its code is taken, also when two open at the same moment", async () => {
    const params = wish();
    const outcomes = await Promise.allSettled([node.call(openBranch, params), node.call(openBranch, params)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await node.refusal(openBranch, params)).toMatchObject({
      refused: "conflict",
      code: "branch.code_taken",
    });
  });

  it("is refused on two nodes at once but for one", async () => {
    const other = await AuthNode.start(database);
    try {
      const params = wish();
      const outcomes = await Promise.allSettled([
        node.call(openBranch, params),
        other.call(openBranch, params),
      ]);
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      const [lost] = outcomes.filter((outcome) => outcome.status === "rejected");
      expect(lost?.reason).toMatchObject({ type: "branch.code_taken" });
    } finally {
      await other.stop();
    }
  });

  it("has its phone in the one form of phones", async () => {
    const { branch } = await node.call(openBranch, { ...wish(), phone: "8 (391) 111‑22−33" });
    expect(branch.phone).toBe("+73911112233");
    const { branch_id } = branch;
    const changed = await node.call(changeBranch, { branch_id, phone: "391\u00a0444-55-66" });
    expect(changed.branch.phone).toBe("+73914445566");
  });

  it.each([
    ["branch.time_zone_unknown", { time_zone: "Asia/Atlantis" }],
    ["branch.currency_unknown", { currency: "ZZZ" }],
    ["branch.phone_invalid", { phone: "12-34-56" }],
    ["legal_entity.unknown", { legal_entity_id: randomUUID() }],
    ["branch.hours_invalid", { slots: { hours: { "1": { open: "9:45", close: "23:45" } } } }],
  ])("is refused as %s", async (code, changes) => {
    expect(await node.refusal(openBranch, { ...wish(), ...changes })).toMatchObject({ code });
  });
});

describe("the default branch", () => {
  it("is exactly one, however often and from wherever it is moved", async () => {
    const second = (await node.call(openBranch, { ...wish(), is_default: true })).branch.branch_id;
    expect(await defaults()).toEqual([second]);
    expect((await node.call(getBranch, { branch_id: first_id, fresh: true })).is_default).toBe(false);
    await Promise.all(
      [first_id, second, first_id].map((branch_id) =>
        node.call(changeBranch, { branch_id, is_default: true }),
      ),
    );
    expect(await defaults()).toHaveLength(1);
    await node.call(changeBranch, { branch_id: first_id, is_default: true });
    expect(await defaults()).toEqual([first_id]);
    expect(await node.refusal(changeBranch, { branch_id: first_id, is_default: false })).toMatchObject({
      code: "branch.default_required",
    });
    await eventually(async () => {
      const { rows } = await database.pool.query<{ branch_id: string }>(
        "select branch_id from branches where is_default",
      );
      expect(rows.map(({ branch_id }) => branch_id)).toEqual([first_id]);
    });
  });
});

describe("slot rules", () => {
  it("are changed only where they are named; 0 and null are values", async () => {
    const before = await node.call(getSlotConfig, {});
    const after = await node.call(configureSlots, {
      capacity_minor: 0,
      lead_time_minutes: 0,
      preorder_hours: 0,
      hours: { "7": null },
    });
    expect(after).toEqual({
      ...before,
      position: after.position,
      capacity_minor: 0,
      lead_time_minutes: 0,
      preorder_hours: 0,
      hours: { ...before.hours, "7": null },
    });
    expect(after.position).toBeGreaterThan(before.position);
    expect(await node.call(getSlotConfig, {})).toEqual(after);
  });

  it("are answered only once this node's memory has them, however late the feed brings them", async () => {
    let open = (): void => undefined;
    let gate = Promise.resolve();
    const late = await AuthNode.start(database, {}, (feed) => ({
      subscribe: (subscription) =>
        feed.subscribe({
          ...subscription,
          onBatch: (events, through) => gate.then(() => subscription.onBatch(events, through)),
        }),
    }));
    try {
      gate = new Promise((resolve) => (open = resolve));
      let answered = false;
      const change = late.call(configureSlots, { slot_minutes: 45 }).then(() => (answered = true));
      await eventually(async () => {
        expect(
          (await node.call(getBranch, { branch_id: first_id, fresh: true })).slot_rules.slot_minutes,
        ).toBe(45);
      });
      expect(answered).toBe(false);
      open();
      await change;
      expect((await late.call(getBranch, {})).slot_rules.slot_minutes).toBe(45);
    } finally {
      open();
      await late.stop();
    }
  });

  it("of a branch are read fresh with the version that a guard needs", async () => {
    await node.call(configureSlots, { oversize: "refuse" });
    const fresh = await node.call(getBranch, { branch_id: first_id, fresh: true });
    expect(fresh).toEqual(await node.call(getBranch, { branch_id: first_id }));
    const { rows } = await database.pool.query<{ version: number }>(
      "select version from es.stream where stream_id = $1",
      [`branch-${first_id}`],
    );
    expect(fresh.version).toBe(rows[0]?.version);
  });

  it.each([
    ["branch.hours_invalid", { hours: { "1": { open: "10:00", close: "24:30" } } }],
    ["branch.holiday_invalid", { holidays: [{ date: "2027-02-30", hours: null }] }],
    [
      "branch.slot_longer_than_hours",
      { slot_minutes: 60, hours: { "2": { open: "10:00", close: "10:30" } } },
    ],
    ["branch.unknown", { branch_id: randomUUID() }],
  ])("are refused as %s, and nothing changes", async (code, params) => {
    const before = await node.call(getSlotConfig, {});
    expect(await node.refusal(configureSlots, params)).toMatchObject({ code });
    expect(await node.call(getSlotConfig, {})).toEqual(before);
  });

  it.each([
    ["a slot of 4 minutes", { slot_minutes: 4 }],
    ["a slot of 241 minutes", { slot_minutes: 241 }],
    ["a negative capacity", { capacity_minor: -1 }],
    ["half a kopeck", { capacity_minor: 0.5 }],
    ["an eighth weekday", { hours: { "8": null } }],
    ["an unknown field", { capacity: 1 }],
    ["a number as text", { slot_minutes: "15" }],
    ["null where a number belongs", { slot_minutes: null }],
    [
      "a name that the table cannot hold",
      { holidays: [{ date: "2027-01-01", hours: null, name: "New\u0000Year" }] },
    ],
  ])("with %s are malformed", async (_name, params) => {
    expect(await node.refusal(configureSlots, params as ParamsOf<typeof configureSlots>)).toMatchObject({
      code: "input.invalid",
    });
  });

  it("are a manager's own branch's business", async () => {
    const other = (await node.call(openBranch, wish())).branch.branch_id;
    const manager = managerOf(other);
    expect(await node.call(configureSlots, { lead_time_minutes: 45 }, manager)).toMatchObject({
      branch_id: other,
      lead_time_minutes: 45,
    });
    expect(
      await node.refusal(configureSlots, { branch_id: first_id, lead_time_minutes: 45 }, manager),
    ).toMatchObject({
      refused: "forbidden",
      code: "branch.not_yours",
    });
    expect(await node.refusal(getSlotConfig, { branch_id: first_id }, manager)).toMatchObject({
      code: "branch.not_yours",
    });
  });
});

describe("the directory", () => {
  it("of another node learns every change, and one that starts later knows all", async () => {
    const other = await AuthNode.start(database);
    try {
      const { branch } = await node.call(changeBranch, { branch_id: first_id, phone: "+73911112233" });
      await eventually(async () => {
        expect((await other.call(getBranch, { branch_id: first_id })).version).toBe(branch.version);
      });
      expect(await other.call(listBranches, {})).toEqual(await node.call(listBranches, {}));
    } finally {
      await other.stop();
    }
  });

  it("starts from its snapshot", async () => {
    const filler = Array.from({ length: 5_000 }, () => ({ type: "filler", data: {} }));
    const stream = {
      stream_id: `filler-${randomUUID()}`,
      stream_type: "filler",
      expected_version: 0,
      events: filler,
    };
    await node.runtime.log.append({ streams: [stream], commands: [], meta: {} });
    await eventually(async () =>
      expect(await node.runtime.log.loadSnapshot("branch-directory", 1)).toBeDefined(),
    );
    const late = await AuthNode.start(database);
    try {
      expect(await late.call(listBranches, {})).toEqual(await node.call(listBranches, {}));
      expect((await late.call(getBranch, {})).branch_id).toBe(first_id);
      const { branch } = await node.call(changeBranch, { branch_id: first_id, phone: "+73914445566" });
      await eventually(async () => {
        expect((await late.call(getBranch, {})).version).toBe(branch.version);
      });
    } finally {
      await late.stop();
    }
  });
});

describe("the table of branches", () => {
  it("says what the directory says", async () => {
    await eventually(async () => {
      const { rows } = await database.pool.query<Record<string, unknown>>(
        "select * from branches order by branch_id",
      );
      const { items } = await node.call(listBranches, {});
      const branches = await Promise.all(items.map(({ branch_id }) => node.call(getBranch, { branch_id })));
      expect(rows).toEqual(branches.sort((a, b) => (a.branch_id < b.branch_id ? -1 : 1)));
    });
  });
});

describe("a legal entity", () => {
  it("is registered once, with a real INN", async () => {
    const entity = await node.call(createLegalEntity, { name: " Forno ", inn: "7707083893" });
    expect(entity).toMatchObject({ name: "Forno", inn: "7707083893" });
    expect(await node.refusal(createLegalEntity, { name: "Other", inn: "7707083893" })).toMatchObject({
      code: "legal_entity.inn_taken",
    });
    expect(await node.refusal(createLegalEntity, { name: "Other", inn: "7707083894" })).toMatchObject({
      code: "legal_entity.inn_invalid",
    });
    expect(await node.refusal(createLegalEntity, { ...entity, inn: "7830002293" })).toMatchObject({
      code: "legal_entity.exists",
    });
    expect((await node.call(listLegalEntities, {})).items).toEqual([entity]);
  });
});
