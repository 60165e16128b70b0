import { isRefusal } from "../../../../mixins/contract/refusal";
import { SlotCalendar } from "../../../../services/slot/slot.calendar";
import { rangeOf } from "../../../../services/slot/slot.range";
import { branchWith, daily, ms } from "./kitchen";

const branch = branchWith({ hours: daily("10:00", "02:00") });
const range = (from?: string, to?: string): string | string[] => {
  const wish = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const found = rangeOf(new SlotCalendar(), branch, wish, ms("12:00"));
  return isRefusal(found)
    ? found.code
    : [found.from_ms, found.to_ms].map((instant) => new Date(instant).toISOString().slice(0, 16));
};

describe("the range of a slot board", () => {
  it("is the running business day, unless said otherwise", () => {
    expect(range()).toEqual(["2026-03-02T02:00", "2026-03-03T02:00"]);
  });

  it("is whole business days for dates, both included", () => {
    expect(range("2026-03-05")).toEqual(["2026-03-05T02:00", "2026-03-06T02:00"]);
    expect(range("2026-03-05", "2026-03-12")).toEqual(["2026-03-05T02:00", "2026-03-13T02:00"]);
    expect(range(undefined, "2026-03-03")).toEqual(["2026-03-02T02:00", "2026-03-04T02:00"]);
  });

  it("is what instants say, or a day from one on", () => {
    expect(range("2026-03-05T12:30:00+07:00", "2026-03-05T06:00:00Z")).toEqual([
      "2026-03-05T05:30",
      "2026-03-05T06:00",
    ]);
    expect(range("2026-03-05T12:30:00Z")).toEqual(["2026-03-05T12:30", "2026-03-06T12:30"]);
  });

  it.each([
    ["that ends before it begins", "2026-03-05", "2026-03-04"],
    ["that ends when it begins", "2026-03-05T10:00:00Z", "2026-03-05T10:00:00Z"],
    ["of too many days", "2026-03-05", "2026-03-15"],
    ["before all calendars", "0001-01-01", undefined],
    ["after all calendars", "9999-12-31", undefined],
  ])("is refused: one %s", (_what, from, to) => {
    expect(range(from, to)).toBe("slot.bad_range");
  });
});
