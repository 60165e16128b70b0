import { at, Kitchen, place } from "./kitchen";

describe("when the kitchen sees an order", () => {
  it("is the lead time before its slot starts", () => {
    expect(new Kitchen().placed(place("a", 1, { wish: "18:00" })).visible_at).toBe(at("17:30"));
  });

  it("is at once for the first slot that the lead time allows", () => {
    expect(new Kitchen().placed(place("a", 1, { now: "12:15" })).visible_at).toBe(at("12:15"));
  });

  it("is never later for a slot just under the lead time ahead than for one just over", () => {
    const kitchen = new Kitchen();
    const over = kitchen.placed(place("over", 1, { now: "12:00", wish: "12:31" }));
    const under = kitchen.placed(place("under", 1, { now: "12:00", wish: "12:29" }));
    expect([under.shares[0]?.start, over.shares[0]?.start]).toEqual([at("12:30"), at("12:45")]);
    expect(Date.parse(under.visible_at)).toBeLessThanOrEqual(Date.parse(over.visible_at));
  });

  it("follows earlier slots when the lead time has become longer", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("early", 1, { wish: "16:00" }));
    kitchen.configure({ lead_time_minutes: 60 });
    expect(kitchen.placed(place("late", 1, { wish: "16:15" })).visible_at).toBe(at("15:30"));
    expect(kitchen.placed(place("later", 1, { wish: "17:00" })).visible_at).toBe(at("16:00"));
  });

  it("precedes later slots when the lead time has become shorter", () => {
    const kitchen = new Kitchen();
    kitchen.configure({ lead_time_minutes: 60 });
    kitchen.accept(place("late", 1, { wish: "16:15" }));
    kitchen.configure({ lead_time_minutes: 10 });
    expect(kitchen.placed(place("early", 1, { wish: "16:00" })).visible_at).toBe(at("15:15"));
  });

  it("is at once, even as a moment that has passed, when later slots are visible already", () => {
    const kitchen = new Kitchen();
    kitchen.configure({ lead_time_minutes: 60 });
    kitchen.accept(place("late", 1, { wish: "13:15" }));
    kitchen.configure({ lead_time_minutes: 10 });
    expect(kitchen.placed(place("early", 1, { now: "12:40" })).visible_at).toBe(at("12:15"));
  });
});
