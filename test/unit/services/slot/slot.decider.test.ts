import type { Branch } from "../../../../services/branch/branch.events";
import { orderStream } from "../../../../services/order/order.events";
import {
  at,
  BRANCH_ID,
  branchWith,
  daily,
  DATE,
  draftOf,
  givenFor,
  Kitchen,
  ms,
  place,
  slotId,
} from "./kitchen";

const FULL = 100_000;

const kitchenWith = (rules: Partial<Branch["slot_rules"]> = {}): Kitchen =>
  new Kitchen(givenFor(branchWith(rules)));

describe("given an empty day, when an order is placed", () => {
  it("then it gets the first slot after the lead time, a number and a display id", () => {
    const decision = new Kitchen().accept(place("a", 50_000, { fulfilment: "delivery" }));
    const share = { slot_id: slotId("12:30"), start: at("12:30"), end: at("12:45"), amount_minor: 50_000 };
    expect(decision.events).toEqual([
      {
        type: "slot.booked",
        data: {
          branch_id: BRANCH_ID,
          business_date: DATE,
          order_id: "a",
          number: 1,
          fulfilment: "delivery",
          shares: [share],
          visible_at: at("12:00"),
          slots: [
            {
              slot_id: slotId("12:30"),
              branch_id: BRANCH_ID,
              start: at("12:30"),
              end: at("12:45"),
              capacity_minor: FULL,
              load_minor: 50_000,
              orders_count: 1,
              delivery_count: 1,
              pickup_count: 0,
              delivery_plan: null,
              pickup_plan: null,
              disabled: false,
            },
          ],
        },
      },
    ]);
    const placed = {
      ...draftOf("a", 50_000, { fulfilment: "delivery" }),
      display_id: "K-1",
      business_date: DATE,
      shares: [share],
      ready_at: at("12:45"),
      visible_at: at("12:00"),
      preorder: false,
    };
    expect(decision.answer).toEqual(placed);
    expect(decision.founds).toEqual([
      {
        stream_id: orderStream("a"),
        stream_type: "order",
        expected_version: 0,
        events: [{ type: "order.placed", data: placed }],
      },
    ]);
  });

  it("then orders are numbered as they come", () => {
    const kitchen = new Kitchen();
    const ids = ["a", "b", "c"].map((id) => kitchen.placed(place(id, 1)).display_id);
    expect(ids).toEqual(["K-1", "K-2", "K-3"]);
  });

  it.each([
    ["on a slot's start", "15:00", "15:00"],
    ["inside a running slot", "15:01", "15:15"],
    ["earlier than the lead time allows", "12:10", "12:30"],
    ["in the past", "09:00", "12:30"],
  ])("then a wish %s means the next start", (_what, wish, start) => {
    expect(new Kitchen().times(place("a", 1, { wish }))).toEqual([start]);
  });

  it("then only the items count, not the fee and not the discount", () => {
    const kitchen = new Kitchen();
    kitchen.accept(
      place("a", FULL, { delivery_fee_minor: 20_000, discount_minor: 50_000, total_minor: 70_000 }),
    );
    expect(kitchen.times(place("b", 1))).toEqual(["12:45"]);
  });

  it("then a wish for later in the opening hours is no preorder, an order before opening is one", () => {
    expect(new Kitchen().placed(place("a", 1, { wish: "20:00" })).preorder).toBe(false);
    const early = new Kitchen().placed(place("b", 1, { now: "08:00" }));
    expect(early.preorder).toBe(true);
    expect(early.shares[0]?.start).toBe(at("10:00"));
  });

  it("then an order of price zero is placed like any other", () => {
    const kitchen = new Kitchen();
    expect(kitchen.times(place("a", 0))).toEqual(["12:30"]);
    expect(kitchen.accept({ type: "slot.release", order_id: "a" }).events).toHaveLength(1);
  });
});

describe("given slots that are taken", () => {
  it("then an order that fits exactly fills a slot and the next one moves on", () => {
    const kitchen = new Kitchen();
    expect(kitchen.times(place("a", 60_000))).toEqual(["12:30"]);
    expect(kitchen.times(place("b", 40_000))).toEqual(["12:30"]);
    expect(kitchen.times(place("c", 1))).toEqual(["12:45"]);
  });

  it("then a small order still finds the gap that a large one had to skip", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 60_000));
    expect(kitchen.times(place("b", 50_000))).toEqual(["12:45"]);
    expect(kitchen.times(place("c", 40_000))).toEqual(["12:30"]);
  });

  it("then the day is full when no slot from the wish on has room, and the nearest times before are offered", () => {
    const kitchen = kitchenWith({ hours: daily("10:00", "14:00") });
    for (const wish of ["13:30", "13:45"]) kitchen.accept(place(`at ${wish}`, FULL, { wish }));
    const refusal = kitchen.refused(place("a", 1, { wish: "13:30" }));
    expect(refusal).toMatchObject({ refused: "unprocessable", code: "slot.full" });
    expect(refusal.data).toEqual({ next_free: [at("12:45"), at("13:00"), at("13:15")] });
  });

  it("then times that the order would not fit into are not offered", () => {
    const kitchen = kitchenWith({ hours: daily("10:00", "14:00") });
    for (const wish of ["13:00", "13:30", "13:45"]) kitchen.accept(place(`at ${wish}`, 90_000, { wish }));
    expect(kitchen.refused(place("a", 20_000, { wish: "13:30" })).data).toEqual({
      next_free: [at("12:30"), at("12:45"), at("13:15")],
    });
  });

  it("then nothing is offered when nothing is free", () => {
    const kitchen = kitchenWith({ hours: daily("10:00", "13:00") });
    kitchen.accept(place("a", FULL));
    kitchen.accept(place("b", FULL));
    expect(kitchen.refused(place("c", 1)).data).toEqual({ next_free: [] });
  });
});

describe("given opening hours", () => {
  it("then there is nothing after closing, and the day says that it is closed", () => {
    expect(new Kitchen().refused(place("a", 1, { now: "21:45" })).code).toBe("slot.branch_closed");
    expect(new Kitchen().times(place("b", 1, { now: "21:15" }))).toEqual(["21:45"]);
  });

  it("then a holiday without hours is closed all day", () => {
    const kitchen = kitchenWith({ holidays: [{ date: DATE, hours: null }] });
    expect(kitchen.refused(place("a", 1)).code).toBe("slot.branch_closed");
  });

  it("then an order is taken at most the preorder hours ahead", () => {
    const kitchen = kitchenWith({ preorder_hours: 2 });
    expect(kitchen.times(place("a", 1, { wish: "14:00" }))).toEqual(["14:00"]);
    expect(kitchen.refused(place("b", 1, { wish: "14:01" }))).toMatchObject({
      refused: "unprocessable",
      code: "order.time_too_far",
    });
    expect(kitchen.refused(place("c", 1, { now: "07:00" })).code).toBe("slot.branch_closed");
  });

  it("then a branch without preorders takes orders for now, and nothing else", () => {
    const kitchen = kitchenWith({ preorder_hours: 0 });
    expect(kitchen.times(place("a", 1, { now: "12:01" }))).toEqual(["12:45"]);
    expect(kitchen.refused(place("b", 1, { wish: "13:00" })).code).toBe("order.time_too_far");
    expect(kitchen.refused(place("c", 1, { now: "09:00" })).code).toBe("slot.branch_closed");
  });

  it("then slots beyond the preorder hours do not count as free", () => {
    const kitchen = kitchenWith({ preorder_hours: 1 });
    for (const id of ["a", "b", "c"]) kitchen.accept(place(id, FULL));
    expect(kitchen.refused(place("d", 1)).code).toBe("slot.full");
  });
});

describe("given an order larger than a slot", () => {
  it("then it is spread over consecutive slots, each filled with its free room only", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 70_000));
    const placed = kitchen.placed(place("b", 210_000));
    expect(placed.shares.map(({ start, amount_minor }) => [start, amount_minor])).toEqual([
      [at("12:30"), 30_000],
      [at("12:45"), 100_000],
      [at("13:00"), 80_000],
    ]);
    expect(placed.ready_at).toBe(at("13:15"));
    expect(placed.visible_at).toBe(at("12:00"));
    expect(kitchen.times(place("c", 20_000))).toEqual(["13:00"]);
  });

  it("then it counts as one order, where it starts", () => {
    const kitchen = new Kitchen();
    const [event] = kitchen.accept(place("a", 150_000)).events;
    expect(event?.data.slots.map((slot) => [slot.load_minor, slot.orders_count, slot.pickup_count])).toEqual([
      [100_000, 1, 1],
      [50_000, 0, 0],
    ]);
  });

  it.each([
    ["full", (kitchen: Kitchen) => kitchen.accept(place("x", FULL, { wish: "12:45" }))],
    [
      "disabled",
      (kitchen: Kitchen) =>
        kitchen.accept({
          type: "slot.set_disabled",
          start_ms: ms("12:45"),
          disabled: true,
          now_ms: ms("12:00"),
        }),
    ],
  ])("then a slot that is %s is not spanned", (_what, block) => {
    const kitchen = new Kitchen();
    block(kitchen);
    expect(kitchen.times(place("a", 150_000))).toEqual(["13:00", "13:15"]);
  });

  it("then it is refused at once when the whole day could not hold it", () => {
    const kitchen = kitchenWith({ hours: daily("10:00", "14:00") });
    expect(kitchen.refused(place("a", 1_600_001, { now: "09:30" }))).toMatchObject({
      refused: "unprocessable",
      code: "slot.order_too_large",
    });
    expect(kitchen.placed(place("b", 1_600_000, { now: "09:30" })).shares).toHaveLength(16);
  });

  it("then the day is full, not too small, when only today's bookings stand in the way", () => {
    const kitchen = kitchenWith({ hours: daily("10:00", "14:00") });
    kitchen.accept(place("a", 1, { wish: "13:00" }));
    expect(kitchen.refused(place("b", 600_000)).code).toBe("slot.full");
  });

  it("then a branch that does not spread refuses it at once", () => {
    const kitchen = kitchenWith({ oversize: "refuse" });
    expect(kitchen.refused(place("a", FULL + 1)).code).toBe("slot.order_too_large");
    expect(kitchen.times(place("b", FULL))).toEqual(["12:30"]);
  });

  it("then a branch that does not spread still uses a slot that was made large enough", () => {
    const kitchen = kitchenWith({ oversize: "refuse" });
    kitchen.accept({
      type: "slot.set_capacity",
      start_ms: ms("15:00"),
      capacity_minor: 300_000,
      now_ms: ms("12:00"),
    });
    expect(kitchen.times(place("a", 250_000))).toEqual(["15:00"]);
    expect(kitchen.refused(place("b", 250_000)).code).toBe("slot.full");
  });

  it("then slots that were all made small are spread over, too", () => {
    const kitchen = kitchenWith({ hours: daily("12:30", "13:00") });
    for (const time of ["12:30", "12:45"]) {
      kitchen.accept({
        type: "slot.set_capacity",
        start_ms: ms(time),
        capacity_minor: 50_000,
        now_ms: ms("12:00"),
      });
    }
    expect(kitchen.times(place("a", 80_000))).toEqual(["12:30", "12:45"]);
  });
});

describe("given a booking, when it is released", () => {
  it("then its slots are as before and the room is given again", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 250_000, { fulfilment: "delivery" }));
    const { events, answer } = kitchen.accept({ type: "slot.release", order_id: "a" });
    const shares = [
      { slot_id: slotId("12:30"), start: at("12:30"), end: at("12:45"), amount_minor: 100_000 },
      { slot_id: slotId("12:45"), start: at("12:45"), end: at("13:00"), amount_minor: 100_000 },
      { slot_id: slotId("13:00"), start: at("13:00"), end: at("13:15"), amount_minor: 50_000 },
    ];
    expect(answer).toEqual({ shares });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      type: "slot.released",
      data: { branch_id: BRANCH_ID, business_date: DATE, order_id: "a", shares },
    });
    expect(
      events[0]?.data.slots.map((slot) => [slot.load_minor, slot.orders_count, slot.delivery_count]),
    ).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(kitchen.placed(place("b", FULL)).shares).toHaveLength(1);
  });

  it("then a second release gives nothing back", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", FULL));
    kitchen.accept(place("b", FULL));
    kitchen.accept({ type: "slot.release", order_id: "a" });
    expect(kitchen.refused({ type: "slot.release", order_id: "a" })).toMatchObject({
      refused: "conflict",
      code: "slot.already_released",
    });
    expect([kitchen.loadAt("12:30"), kitchen.loadAt("12:45")]).toEqual([0, FULL]);
  });

  it("then an order that was never here is not known", () => {
    expect(new Kitchen().refused({ type: "slot.release", order_id: "a" })).toMatchObject({
      refused: "not_found",
      code: "slot.not_booked",
    });
  });

  it("then the number of the order is not given again", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 1));
    kitchen.accept({ type: "slot.release", order_id: "a" });
    expect(kitchen.placed(place("b", 1)).display_id).toBe("K-2");
  });
});

describe("given an order that has its slot, when it is placed again", () => {
  it("then it is refused and counted once, also after its release", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 60_000));
    expect(kitchen.refused(place("a", 60_000))).toMatchObject({
      refused: "conflict",
      code: "slot.already_booked",
    });
    expect(kitchen.loadAt("12:30")).toBe(60_000);
    kitchen.accept({ type: "slot.release", order_id: "a" });
    expect(kitchen.refused(place("a", 60_000)).code).toBe("slot.already_booked");
  });
});

describe("given a slot, when the shift leader disables it", () => {
  const disable = (disabled: boolean, now = "12:00", time = "12:30") =>
    ({ type: "slot.set_disabled", start_ms: ms(time), disabled, now_ms: ms(now) }) as const;

  it("then orders pass it by until it is enabled again, and what it holds stays", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 10_000));
    const { events, answer } = kitchen.accept(disable(true));
    const slot = { slot_id: slotId("12:30"), load_minor: 10_000, orders_count: 1, disabled: true };
    expect(events).toMatchObject([{ type: "slot.disabled_set", data: { disabled: true, slots: [slot] } }]);
    expect(answer).toMatchObject({ slots: [slot] });
    expect(kitchen.times(place("b", 0))).toEqual(["12:45"]);
    kitchen.accept(disable(false));
    expect(kitchen.times(place("c", 90_000))).toEqual(["12:30"]);
  });

  it("then a running slot may still be changed, a past one not", () => {
    expect(new Kitchen().accept(disable(true, "12:44")).events).toHaveLength(1);
    expect(new Kitchen().refused(disable(true, "12:45"))).toMatchObject({
      refused: "conflict",
      code: "slot.past",
    });
  });

  it.each(["12:31", "09:45", "22:00"])(
    "then a start at %s, which the grid does not have, is unknown",
    (time) => {
      expect(new Kitchen().refused(disable(true, "09:00", time))).toMatchObject({
        refused: "not_found",
        code: "slot.unknown",
      });
    },
  );

  it("then a day with all slots disabled is full, not closed", () => {
    const kitchen = kitchenWith({ hours: daily("12:30", "12:45") });
    kitchen.accept(disable(true));
    expect(kitchen.refused(place("a", 1)).code).toBe("slot.full");
  });
});

describe("given a slot, when it gets a capacity of its own", () => {
  const capacity = (capacity_minor: number | null, time = "12:30", now = "12:00") =>
    ({ type: "slot.set_capacity", start_ms: ms(time), capacity_minor, now_ms: ms(now) }) as const;

  it("then later orders are measured by it", () => {
    const kitchen = new Kitchen();
    const { events } = kitchen.accept(capacity(30_000));
    expect(events).toMatchObject([
      {
        type: "slot.capacity_set",
        data: { capacity_minor: 30_000, slots: [{ slot_id: slotId("12:30"), capacity_minor: 30_000 }] },
      },
    ]);
    expect(kitchen.times(place("a", 40_000))).toEqual(["12:45"]);
    expect(kitchen.times(place("b", 30_000))).toEqual(["12:30"]);
  });

  it("then a capacity below the load evicts nobody and leaves no room, not even for price zero", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 60_000));
    const { events } = kitchen.accept(capacity(50_000));
    expect(events[0]?.data.slots[0]).toMatchObject({
      capacity_minor: 50_000,
      load_minor: 60_000,
      orders_count: 1,
    });
    expect(kitchen.times(place("b", 0))).toEqual(["12:45"]);
    kitchen.accept({ type: "slot.release", order_id: "a" });
    expect(kitchen.times(place("c", 50_000))).toEqual(["12:30"]);
  });

  it("then it can be given back to the branch's rule", () => {
    const kitchen = new Kitchen();
    kitchen.accept(capacity(0));
    const { events } = kitchen.accept(capacity(null));
    expect(events[0]?.data).toMatchObject({ capacity_minor: null, slots: [{ capacity_minor: FULL }] });
    expect(kitchen.times(place("a", FULL))).toEqual(["12:30"]);
  });

  it("then its own capacity outlives a change of the branch's, and others follow it", () => {
    const kitchen = new Kitchen();
    kitchen.accept(capacity(50_000));
    kitchen.configure({ capacity_minor: 200_000 });
    expect(kitchen.times(place("a", 150_000))).toEqual(["12:45"]);
  });

  it("then past and unknown slots are refused", () => {
    expect(new Kitchen().refused(capacity(1, "12:30", "13:00")).code).toBe("slot.past");
    expect(new Kitchen().refused(capacity(1, "12:31")).code).toBe("slot.unknown");
  });
});

describe("given slots, when they are planned", () => {
  const plan = (
    ...plans: { start_ms: number; delivery_plan?: number | null; pickup_plan?: number | null }[]
  ) => ({ type: "slot.set_plan", plans, now_ms: ms("12:00") }) as const;

  it("then one event carries them all, and what was not named stays", () => {
    const kitchen = new Kitchen();
    kitchen.accept(plan({ start_ms: ms("15:00"), delivery_plan: 3, pickup_plan: 5 }));
    const { events } = kitchen.accept(
      plan({ start_ms: ms("15:00"), delivery_plan: null }, { start_ms: ms("15:15"), pickup_plan: 7 }),
    );
    expect(events).toHaveLength(1);
    expect(events[0]?.type).toBe("slot.plan_set");
    expect(events[0]?.data.slots.map((slot) => [slot.start, slot.delivery_plan, slot.pickup_plan])).toEqual([
      [at("15:00"), null, 5],
      [at("15:15"), null, 7],
    ]);
  });

  it("then a plan limits nothing", () => {
    const kitchen = new Kitchen();
    kitchen.accept(plan({ start_ms: ms("12:30"), delivery_plan: 0, pickup_plan: 0 }));
    expect(kitchen.times(place("a", 1))).toEqual(["12:30"]);
  });

  it("then one unknown or past slot refuses the whole batch", () => {
    const kitchen = new Kitchen();
    const good = { start_ms: ms("15:00"), pickup_plan: 5 };
    expect(kitchen.refused(plan(good, { start_ms: ms("15:01"), pickup_plan: 5 })).code).toBe("slot.unknown");
    expect(kitchen.refused(plan(good, { start_ms: ms("11:00"), pickup_plan: 5 })).code).toBe("slot.past");
    expect(kitchen.history).toEqual([]);
  });
});

describe("input that no caller may send", () => {
  it.each([-1, 0.5, Number.NaN, 2 ** 53])("is a defect: a list price of %s", (amount) => {
    expect(() => new Kitchen().tell(place("a", amount))).toThrow("list price");
  });

  it("is a defect: a negative capacity or plan", () => {
    const now_ms = ms("12:00");
    const start_ms = ms("15:00");
    expect(() =>
      new Kitchen().tell({ type: "slot.set_capacity", start_ms, capacity_minor: -1, now_ms }),
    ).toThrow("capacity_minor");
    expect(() =>
      new Kitchen().tell({ type: "slot.set_plan", plans: [{ start_ms, pickup_plan: -1 }], now_ms }),
    ).toThrow("plan");
  });
});
