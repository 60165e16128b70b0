import { randomUUID } from "node:crypto";
import type { Caller } from "../../../../mixins/contract/caller";
import { refusalOf, UnavailableError } from "../../../../mixins/contract/refusal";
import { consumersOf } from "../../../../mixins/projection/consumer-registry";
import { getBranch } from "../../../../services/branch/branch.contract";
import { orderStream } from "../../../../services/order/order.events";
import {
  freeSlots,
  kitchenLoad,
  listSlots,
  placeInSlot,
  releaseSlot,
  setSlotCapacity,
  setSlotDisabled,
  setSlotPlan,
  setSlotPlans,
} from "../../../../services/slot/slot.contract";
import { slotIdOf } from "../../../../services/slot/slot.id";
import { eventually } from "../../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { daily, draftOf, SlotNode } from "./slot-node";

const FULL = 100_000;
const DATE = "2026-03-02";
const at = (time: string, date = DATE): string => `${date}T${time}:00.000Z`;
const slotId = (branch_id: string, time: string, date = DATE): string =>
  slotIdOf(branch_id, Date.parse(at(time, date)));

let database: TestDatabase;
let node: SlotNode;

beforeAll(async () => {
  database = await startTestDatabase();
  node = await SlotNode.start(database);
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});
beforeEach(() => {
  node.now = Date.parse(at("12:00"));
});

/** Places an order, through faults, as a client would: again under the same key. The refusal's code when it is refused. */
async function placeOrHearWhy(
  by: SlotNode,
  branch_id: string,
  amount: number,
): Promise<{ position: number; display_id: string } | string> {
  const key = randomUUID();
  for (;;) {
    try {
      return await by.place(branch_id, amount, { key });
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== undefined) return refusal.code;
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
}

describe("placing an order", () => {
  it("gives it a slot and founds its stream in one append", async () => {
    const placed = await node.place(await node.openBranch(), 40_000);
    expect(placed).toMatchObject({
      business_date: DATE,
      preorder: false,
      visible_at: at("12:00"),
      ready_at: at("12:45"),
    });
    const events = await node.runtime.log.readStream(orderStream(placed.order_id));
    expect(events).toMatchObject([
      { type: "order.placed", position: placed.position, data: { display_id: placed.display_id } },
    ]);
  });

  it("answers a repetition with the first answer, and books once", async () => {
    const branch_id = await node.openBranch();
    const key = randomUUID();
    const first = await node.place(branch_id, 60_000, { key });
    expect(await node.place(branch_id, 60_000, { key })).toEqual(first);
    expect((await node.place(branch_id, 40_000)).shares[0]?.start).toBe(at("12:30"));
  });

  it("answers a repetition of a full day with the first answer, too", async () => {
    const branch_id = await node.openBranch({ hours: daily("12:30", "12:45"), preorder_hours: 1 });
    const key = randomUUID();
    const first = await node.place(branch_id, FULL, { key });
    expect(await node.place(branch_id, FULL, { key })).toEqual(first);
  });

  it("goes on to the next business day when today is full or over", async () => {
    const branch_id = await node.openBranch({ hours: daily("12:30", "12:45"), preorder_hours: 25 });
    await node.place(branch_id, FULL);
    const second = await node.place(branch_id, FULL);
    expect(second).toMatchObject({
      business_date: "2026-03-03",
      preorder: true,
      display_id: expect.stringMatching(/-1$/) as string,
    });
    node.now = Date.parse(at("23:59"));
    expect((await node.place(branch_id, 0)).business_date).toBe("2026-03-03");
  });

  it("is full when every day within the preorder hours is, and says when there is room", async () => {
    const branch_id = await node.openBranch({ hours: daily("13:00", "13:30"), preorder_hours: 26 });
    for (const date of [DATE, "2026-03-03"]) await node.place(branch_id, FULL, { wish: at("13:15", date) });
    expect(
      (await node.refused(placeInSlot, { draft: draftOf(branch_id, FULL, at("13:10", "2026-03-03")) })).data,
    ).toMatchObject({
      next_free: [at("13:00"), at("13:00", "2026-03-03")],
    });
  });

  it("offers times beyond the preorder hours when there are none within", async () => {
    const branch_id = await node.openBranch({ hours: daily("12:30", "12:45"), preorder_hours: 2 });
    await node.place(branch_id, FULL);
    const refusal = await node.refused(placeInSlot, { draft: draftOf(branch_id, FULL) });
    expect(refusal).toMatchObject({ refused: "unprocessable", code: "slot.full" });
    expect(refusal.data).toEqual({
      next_free: ["03", "04", "05"].map((day) => at("12:30", `2026-03-${day}`)),
    });
  });

  it("refuses what no day could hold, what nothing opens for, and what lies too far ahead", async () => {
    const small = await node.openBranch({ hours: daily("12:30", "13:00"), oversize: "spread" });
    expect(await node.refused(placeInSlot, { draft: draftOf(small, 2 * FULL + 1) })).toMatchObject({
      code: "slot.order_too_large",
    });
    expect(
      await node.refused(placeInSlot, { draft: draftOf(small, 1, at("12:30", "2026-03-04")) }),
    ).toMatchObject({ code: "order.time_too_far" });
    const closed = await node.openBranch({
      holidays: [DATE, "2026-03-03"].map((date) => ({ date, hours: null })),
    });
    expect(await node.refused(placeInSlot, { draft: draftOf(closed, 1) })).toMatchObject({
      code: "slot.branch_closed",
    });
    expect(await node.refused(placeInSlot, { draft: draftOf(randomUUID(), 1) })).toMatchObject({
      code: "branch.unknown",
    });
  });

  it("finds the business date of a night that is still open", async () => {
    const branch_id = await node.openBranch({ hours: daily("10:00", "03:00") });
    node.now = Date.parse(at("01:30", "2026-03-03"));
    expect(await node.place(branch_id, 1)).toMatchObject({ business_date: DATE, preorder: false });
  });
});

describe("releasing an order", () => {
  it("gives its capacity back, once", async () => {
    const branch_id = await node.openBranch();
    const order = await node.place(branch_id, 150_000);
    const { shares, position } = await node.release(order);
    expect(shares).toEqual(order.shares);
    const { order_id, business_date } = order;
    expect((await node.refused(releaseSlot, { order_id, branch_id, business_date })).code).toBe(
      "slot.already_released",
    );
    const unknown = { order_id: randomUUID(), branch_id, business_date };
    expect((await node.refused(releaseSlot, unknown)).code).toBe("slot.not_booked");
    const { items } = await node.ask(listSlots, { branch_id, after: position });
    expect(items.reduce((sum, slot) => sum + slot.load_minor + slot.orders_count, 0)).toBe(0);
  });
});

describe("the slot board", () => {
  it("shows today's slots, booked or not, as soon as the write's position is asked for", async () => {
    const branch_id = await node.openBranch({ hours: daily("12:00", "13:00") });
    const { position } = await node.place(branch_id, 30_000);
    const { items } = await node.ask(listSlots, { branch_id, after: position });
    expect(items.map((slot) => [slot.slot_id, slot.load_minor, slot.orders_count])).toEqual([
      [slotId(branch_id, "12:00"), 0, 0],
      [slotId(branch_id, "12:15"), 0, 0],
      [slotId(branch_id, "12:30"), 30_000, 1],
      [slotId(branch_id, "12:45"), 0, 0],
    ]);
    expect(Object.keys(items[2] ?? {}).sort()).toEqual(Object.keys(items[0] ?? {}).sort());
  });

  it("takes business days or instants as its range, and only so many", async () => {
    const branch_id = await node.openBranch({ hours: daily("12:00", "13:00") });
    expect((await node.ask(listSlots, { branch_id, from: DATE, to: "2026-03-09" })).items).toHaveLength(32);
    expect((await node.ask(listSlots, { branch_id, from: at("12:15"), to: at("12:45") })).items).toHaveLength(
      2,
    );
    expect((await node.refused(listSlots, { branch_id, from: DATE, to: "2026-04-09" })).code).toBe(
      "slot.bad_range",
    );
  });

  it("keeps showing orders that no longer fit the slots' length", async () => {
    const branch_id = await node.openBranch({ hours: daily("12:00", "14:00") });
    await node.place(branch_id, 10_000, { wish: at("12:45") });
    await node.configure(branch_id, { slot_minutes: 30 });
    const { position } = await node.place(branch_id, 90_000, { wish: at("12:30") });
    const { items } = await node.ask(listSlots, { branch_id, after: position });
    expect(items.map((slot) => [slot.start, slot.end, slot.load_minor])).toEqual([
      [at("12:00"), at("12:30"), 0],
      [at("12:30"), at("13:00"), 90_000],
      [at("12:45"), at("13:00"), 10_000],
      [at("13:00"), at("13:30"), 0],
      [at("13:30"), at("14:00"), 0],
    ]);
    expect((await node.place(branch_id, 1, { wish: at("12:30") })).shares[0]?.start).toBe(at("13:00"));
  });
});

describe("the board's rebuild", () => {
  it("comes to the same board from the log alone", async () => {
    const branch_id = await node.openBranch();
    const order = await node.place(branch_id, 250_000);
    await node.place(branch_id, 30_000);
    await node.release(order);
    const { position } = await node.ask(setSlotCapacity, {
      slot_id: slotId(branch_id, "15:00"),
      capacity_minor: 5,
    });
    const before = await node.ask(listSlots, { branch_id, after: position });
    const slots = consumersOf(node.runtime.log).get("slots");
    await node.runtime.pool.query("update slots set load_minor = load_minor + 1, own_capacity_minor = null");
    await slots?.rebuild?.();
    expect(await node.ask(listSlots, { branch_id })).toEqual(before);
    expect(before.items.reduce((sum, slot) => sum + slot.load_minor, 0)).toBe(30_000);
  });
});

describe("free times", () => {
  it("are those that a customer may order now", async () => {
    const branch_id = await node.openBranch({ hours: daily("12:00", "13:15"), preorder_hours: 25 });
    const { position } = await node.place(branch_id, FULL);
    const { items } = await node.ask(freeSlots, { branch_id, after: position, limit: 3 });
    expect(items).toEqual(
      [at("12:45"), at("13:00"), at("12:00", "2026-03-03")].map((start) => ({
        slot_id: slotIdOf(branch_id, Date.parse(start)),
        start,
        end: new Date(Date.parse(start) + 900_000).toISOString(),
      })),
    );
  });

  it("may be asked for from a time on, and for an amount", async () => {
    const branch_id = await node.openBranch({ hours: daily("12:00", "14:00"), preorder_hours: 2 });
    const { position } = await node.place(branch_id, 60_000, { wish: at("13:30") });
    const starts = async (amount_minor: number): Promise<string[]> =>
      (await node.ask(freeSlots, { branch_id, from: at("13:20"), amount_minor, after: position })).items.map(
        ({ start }) => start,
      );
    expect(await starts(40_000)).toEqual([at("13:30"), at("13:45")]);
    expect(await starts(40_001)).toEqual([at("13:45")]);
    expect((await node.refused(freeSlots, { branch_id, from: "2016-12-31T23:59:60Z" })).code).toBe(
      "input.invalid",
    );
  });
});

describe("the shift leader", () => {
  it("disables a slot and gives it a capacity of its own, as the board then shows", async () => {
    const branch_id = await node.openBranch({ hours: daily("12:30", "13:00"), preorder_hours: 25 });
    const [first, second] = [slotId(branch_id, "12:30"), slotId(branch_id, "12:45")];
    expect(await node.ask(setSlotDisabled, { slot_id: first, disabled: true })).toMatchObject({
      slot_id: first,
      disabled: true,
    });
    const { position } = await node.ask(setSlotCapacity, { slot_id: second, capacity_minor: 0 });
    await node.configure(branch_id, { capacity_minor: 200_000 });
    const board = async (after: number) =>
      (await node.ask(listSlots, { branch_id, after })).items.map((slot) => [
        slot.disabled,
        slot.capacity_minor,
      ]);
    expect(await board(position)).toEqual([
      [true, 200_000],
      [false, 0],
    ]);
    expect((await node.place(branch_id, 1)).business_date).toBe("2026-03-03");
    await node.ask(setSlotDisabled, { slot_id: first, disabled: false });
    const back = await node.ask(setSlotCapacity, { slot_id: second, capacity_minor: null });
    expect(await board(back.position)).toEqual([
      [false, 200_000],
      [false, 200_000],
    ]);
  });

  it("plans one slot, or many of a day at once, all or none", async () => {
    const branch_id = await node.openBranch();
    const name = (time: string, date = DATE) => slotId(branch_id, time, date);
    expect(await node.ask(setSlotPlan, { slot_id: name("15:00"), pickup_plan: 4 })).toMatchObject({
      pickup_plan: 4,
      delivery_plan: null,
    });
    const plans = [
      { slot_id: name("15:00"), delivery_plan: 0 },
      { slot_id: name("15:15"), pickup_plan: 2 },
    ];
    const { items } = await node.ask(setSlotPlans, { plans });
    expect(items.map((slot) => [slot.delivery_plan, slot.pickup_plan])).toEqual([
      [0, 4],
      [null, 2],
    ]);
    const refused = async (slot_id: string) =>
      (await node.refused(setSlotPlans, { plans: [...plans, { slot_id, pickup_plan: 9 }] })).code;
    expect(await refused(name("15:15"))).toBe("slot.planned_twice");
    expect(await refused(name("15:00", "2026-03-03"))).toBe("slot.plan_spans_days");
    expect(await refused(name("15:01"))).toBe("slot.unknown");
    expect(await refused(name("11:00"))).toBe("slot.past");
  });

  it.each(["nonsense", `${randomUUID()}_20260302T1230Z`, ""])(
    "does not change a slot that is none: %s",
    async (slot_id) => {
      const code = slot_id === "" ? "input.invalid" : "slot.unknown";
      expect((await node.refused(setSlotDisabled, { slot_id, disabled: true })).code).toBe(code);
    },
  );

  it("has a say at their own branches only", async () => {
    const [own, foreign] = [await node.openBranch(), await node.openBranch()];
    const caller: Caller = { role: "manager", user_id: randomUUID(), branch_ids: [own] };
    expect((await node.ask(listSlots, {}, { caller })).items[0]?.branch_id).toBe(own);
    expect((await node.ask(kitchenLoad, {}, { caller })).branch_id).toBe(own);
    for (const contract of [listSlots, kitchenLoad]) {
      expect((await node.refused(contract, { branch_id: foreign }, { caller })).code).toBe(
        "branch.not_yours",
      );
    }
    const slot_id = slotId(foreign, "15:00");
    expect((await node.refused(setSlotDisabled, { slot_id, disabled: true }, { caller })).code).toBe(
      "branch.not_yours",
    );
    expect(
      (await node.refused(setSlotPlans, { plans: [{ slot_id, pickup_plan: 1 }] }, { caller })).code,
    ).toBe("branch.not_yours");
    const cook: Caller = { ...caller, role: "cook" };
    expect(
      (
        await node.refused(
          setSlotDisabled,
          { slot_id: slotId(own, "15:00"), disabled: true },
          { caller: cook },
        )
      ).code,
    ).toBe("auth.forbidden");
  });
});

describe("the kitchen's load", () => {
  it("is summed up over the window that is asked for", async () => {
    const branch_id = await node.openBranch({ hours: daily("12:00", "14:00") });
    await node.place(branch_id, 80_000, { wish: at("12:30") });
    const { position } = await node.place(branch_id, 50_000, { wish: at("13:30") });
    node.now = Date.parse(at("12:35"));
    const load = (window: "current" | "next" | "operational" | "shift") =>
      node.ask(kitchenLoad, { branch_id, window, after: position });
    expect(await load("current")).toMatchObject({
      start: at("12:30"),
      load_minor: 80_000,
      load_percent: 80,
      band: "high",
      orders_count: 1,
    });
    expect(await load("next")).toMatchObject({
      start: at("12:45"),
      end: at("13:00"),
      load_percent: 0,
      band: "low",
    });
    expect(await load("operational")).toMatchObject({
      start: at("12:30"),
      end: at("13:45"),
      load_minor: 130_000,
      load_percent: 26,
    });
    expect(await load("shift")).toMatchObject({
      start: at("12:00"),
      end: at("14:00"),
      load_minor: 130_000,
      load_percent: 16,
    });
  });

  it("looks past the night for the next slot", async () => {
    const branch_id = await node.openBranch({ holidays: [{ date: "2026-03-03", hours: null }] });
    node.now = Date.parse(at("23:00"));
    expect(await node.ask(kitchenLoad, { branch_id })).toMatchObject({
      window: "current",
      start: null,
      slots: [],
    });
    expect(await node.ask(kitchenLoad, { branch_id, window: "next" })).toMatchObject({
      start: at("10:00", "2026-03-04"),
    });
  });
});

// Last, because other nodes come and go here, and the board is written by one node at a time: after one that wrote it has
// gone, the next one takes some seconds to make sure before it takes over.
describe("under any schedule", () => {
  it("two nodes that both think they own a day never oversell it, nor place one order twice", async () => {
    const other = await SlotNode.start(database);
    try {
      const branch_id = await node.openBranch({ hours: daily("12:30", "14:00"), preorder_hours: 2 });
      await eventually(() => other.ask(getBranch, { branch_id }));
      const outcomes = await Promise.all(
        Array.from({ length: 120 }, (_, index) =>
          placeOrHearWhy(index % 2 === 0 ? node : other, branch_id, 9_000),
        ),
      );
      const placed = outcomes.filter((outcome) => typeof outcome !== "string");
      expect(new Set(outcomes.filter((outcome) => typeof outcome === "string"))).toEqual(
        new Set(["slot.full"]),
      );
      const after = Math.max(...placed.map(({ position }) => position));
      const { items } = await node.ask(listSlots, { branch_id, after });
      expect(placed).toHaveLength(6 * 11);
      expect(items.map((slot) => [slot.load_minor, slot.orders_count])).toEqual(Array(6).fill([99_000, 11]));
      expect(new Set(placed.map(({ display_id }) => display_id)).size).toBe(placed.length);
    } finally {
      await other.stop();
    }
  });

  it("no order lands under rules that have been replaced", async () => {
    const branch_id = await node.openBranch();
    await node.place(branch_id, 1);
    const twenty = () => Promise.all(Array.from({ length: 20 }, () => node.place(branch_id, 1_000)));
    const before = await twenty();
    const [meanwhile] = await Promise.all([
      twenty(),
      node.configure(branch_id, { hours: daily("15:00", "22:00"), lead_time_minutes: 60 }),
    ]);
    const after = await twenty();
    const [changed] = (await node.runtime.log.readStream(`branch-${branch_id}`)).slice(-1);
    if (changed === undefined) throw new Error("The rules were not changed.");
    expect(changed.type).toBe("branch.slots_configured");
    for (const order of [...before, ...meanwhile, ...after])
      expect([order.position, order.shares[0]?.start]).toEqual([
        order.position,
        order.position < changed.position ? at("12:30") : at("15:00"),
      ]);
    expect(before.every(({ position }) => position < changed.position)).toBe(true);
    expect(after.every(({ position }) => position > changed.position)).toBe(true);
  });

  it("what last night has sold is not sold again when its hours become this morning's", async () => {
    const branch_id = await node.openBranch({ hours: daily("10:00", "02:00") });
    await node.place(branch_id, FULL, { wish: at("01:00", "2026-03-03") });
    await node.configure(branch_id, { hours: daily("00:00", "24:00") });
    const order = await node.place(branch_id, 1, { wish: at("01:00", "2026-03-03") });
    expect(order).toMatchObject({
      business_date: "2026-03-03",
      shares: [{ start: at("01:15", "2026-03-03") }],
    });
  });

  it("a restart forgets neither numbers nor loads", async () => {
    const branch_id = await node.openBranch();
    const first = await node.place(branch_id, FULL);
    const other = await SlotNode.start(database);
    try {
      const second = await other.place(branch_id, 1);
      expect(second.shares[0]?.start).toBe(at("12:45"));
      expect(second.display_id).toBe(first.display_id.replace(/1$/, "2"));
    } finally {
      await other.stop();
    }
  });
});
