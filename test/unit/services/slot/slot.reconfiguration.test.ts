import { overhangOf } from "../../../../services/slot/slot.overhang";
import { branchWith, at, daily, givenFor, Kitchen, ms, place, slotId } from "./kitchen";

const FULL = 100_000;

describe("given bookings, when the slots' length changes", () => {
  it("then a longer slot carries the load of all that it covers", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 60_000, { wish: "13:00" }));
    kitchen.accept(place("b", 30_000, { wish: "13:15" }));
    kitchen.configure({ slot_minutes: 30 });
    expect(kitchen.times(place("c", 10_001, { wish: "13:00" }))).toEqual(["13:30"]);
    expect(kitchen.times(place("d", 10_000, { wish: "13:00" }))).toEqual(["13:00"]);
  });

  it("then shorter slots carry it by their share of time, rounded up", () => {
    const kitchen = new Kitchen(givenFor(branchWith({ slot_minutes: 30 })));
    kitchen.accept(place("a", 70_001, { wish: "13:00" }));
    kitchen.configure({ slot_minutes: 15 });
    expect(kitchen.times(place("b", 65_000, { wish: "13:00" }))).toEqual(["13:30"]);
    expect(kitchen.times(place("c", 64_999, { wish: "13:00" }))).toEqual(["13:00"]);
    expect(kitchen.times(place("d", 64_999, { wish: "13:00" }))).toEqual(["13:15"]);
  });

  it("then a release of an older booking gives its time back", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", FULL, { wish: "13:00" }));
    kitchen.configure({ slot_minutes: 30 });
    expect(kitchen.times(place("b", FULL, { wish: "13:00" }))).toEqual(["13:30"]);
    const { events } = kitchen.accept({ type: "slot.release", order_id: "a" });
    expect(events[0]?.data.slots).toMatchObject([{ slot_id: slotId("13:00"), load_minor: 0 }]);
    expect(kitchen.times(place("c", FULL, { wish: "13:00" }))).toEqual(["13:00"]);
  });

  it("then there and back again nothing is forgotten", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 80_000, { wish: "13:00" }));
    kitchen.configure({ slot_minutes: 45 });
    kitchen.configure({ slot_minutes: 15 });
    expect(kitchen.times(place("b", 20_001, { wish: "13:00" }))).toEqual(["13:15"]);
    expect(kitchen.times(place("c", 20_000, { wish: "13:00" }))).toEqual(["13:00"]);
  });

  it("then bookings of both lengths under one slot_id add up in its view", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 40_000, { wish: "13:00" }));
    kitchen.configure({ slot_minutes: 30 });
    const [event] = kitchen.accept(place("b", 50_000, { wish: "13:00" })).events;
    expect(event?.data.slots).toMatchObject([
      { slot_id: slotId("13:00"), end: at("13:30"), load_minor: 90_000, orders_count: 2 },
    ]);
    kitchen.accept({ type: "slot.release", order_id: "a" });
    kitchen.accept({ type: "slot.release", order_id: "b" });
    expect(kitchen.loadAt("13:00")).toBe(0);
  });
});

describe("given bookings, when hours or capacity change", () => {
  it("then orders outside the new hours stay and can be released", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 10_000, { wish: "21:00" }));
    kitchen.configure({ hours: daily("10:00", "20:00") });
    expect(kitchen.refused(place("b", 1, { wish: "20:00" })).code).toBe("slot.branch_closed");
    expect(kitchen.accept({ type: "slot.release", order_id: "a" }).events[0]?.data.slots).toMatchObject([
      { slot_id: slotId("21:00"), end: at("21:15"), load_minor: 0 },
    ]);
  });

  it("then a capacity below the load leaves no room and a higher one gives more", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 60_000));
    kitchen.configure({ capacity_minor: 50_000 });
    expect(kitchen.times(place("b", 1))).toEqual(["12:45"]);
    kitchen.configure({ capacity_minor: 150_000 });
    expect(kitchen.times(place("c", 90_000))).toEqual(["12:30"]);
  });
});

describe("given yesterday's night, when its hours become this morning's", () => {
  const yesterday = "2026-03-01";

  it("then what the night has sold is not sold again", () => {
    const night = new Kitchen(givenFor(branchWith({ hours: daily("10:00", "02:00") }), undefined, yesterday));
    night.accept({ ...place("a", FULL, { preferred_time: at("01:00") }), now_ms: ms("22:00", yesterday) });
    const roundTheClock = branchWith({ hours: daily("00:00", "24:00") }, { version: 2 });
    const today = new Kitchen(givenFor(roundTheClock, overhangOf([night.state])));
    expect(today.times(place("b", 1, { now: "00:00", preferred_time: at("01:00") }))).toEqual(["01:15"]);
  });

  it("then an early slot of this morning is not visible before the late ones of last night", () => {
    const rules = { hours: daily("00:00", "24:00"), lead_time_minutes: 30 };
    const night = new Kitchen(givenFor(branchWith(rules), undefined, yesterday));
    night.accept({
      ...place("a", 1, { preferred_time: at("23:45", yesterday) }),
      now_ms: ms("20:00", yesterday),
    });
    const longer = branchWith({ ...rules, lead_time_minutes: 120 }, { version: 2 });
    const today = new Kitchen(givenFor(longer, overhangOf([night.state])));
    const early = today.placed({
      ...place("b", 1, { preferred_time: at("00:00") }),
      now_ms: ms("21:00", yesterday),
    });
    expect(early.visible_at).toBe(at("23:15", yesterday));
  });
});
