import type { Holiday, OpeningHours, SlotRules } from "../../../../services/branch/branch.events";
import { openMinutes, rulesRefusal, timeOf, withWish } from "../../../../services/branch/branch.rules";
import { everyDay } from "../../../../services/branch/new-branch";

const rules: SlotRules = {
  capacity_minor: 1_000_000,
  slot_minutes: 15,
  lead_time_minutes: 30,
  preorder_hours: 24,
  oversize: "spread",
  hours: everyDay({ open: "09:45", close: "23:45" }),
  holidays: [],
};
const withHours = (hours: OpeningHours | null) =>
  rulesRefusal({ ...rules, hours: { ...rules.hours, "3": hours } });
const withHolidays = (...holidays: Holiday[]) => rulesRefusal({ ...rules, holidays });

describe("Opening hours", () => {
  it.each([
    ["09:45", "23:45", 840],
    ["00:00", "24:00", 1440],
    ["18:00", "02:00", 480],
    ["23:59", "00:14", 15],
    ["09:00", "09:00", 1440],
  ])("%s to %s are open for %i minutes", (open, close, minutes) => {
    expect(withHours({ open, close })).toBeUndefined();
    expect(openMinutes({ open, close })).toBe(minutes);
  });

  it.each([
    ["9:45", "23:45", "/hours/3/open"],
    ["24:00", "02:00", "/hours/3/open"],
    ["09:60", "23:45", "/hours/3/open"],
    ["09:45", "25:00", "/hours/3/close"],
    ["09:45", "24:01", "/hours/3/close"],
    ["09:45", "", "/hours/3/close"],
    ["09:45", "23:45:00", "/hours/3/close"],
    ["٠٩:٤٥", "23:45", "/hours/3/open"],
  ])("%s to %s are refused, and it says where", (open, close, path) => {
    expect(withHours({ open, close })).toMatchObject({
      refused: "invalid",
      code: "branch.hours_invalid",
      data: { errors: [{ path }] },
    });
  });

  it("may be none", () => {
    expect(withHours(null)).toBeUndefined();
  });

  it("must hold at least one slot", () => {
    expect(withHours({ open: "10:00", close: "10:15" })).toBeUndefined();
    expect(withHours({ open: "10:00", close: "10:14" })).toMatchObject({
      refused: "unprocessable",
      code: "branch.slot_longer_than_hours",
    });
  });
});

describe("Holidays", () => {
  it("are dates of the calendar, each once, closed or with hours of their own", () => {
    expect(
      withHolidays(
        { date: "2028-02-29", hours: null },
        { date: "2027-01-01", hours: { open: "12:00", close: "18:00" } },
      ),
    ).toBeUndefined();
  });

  it.each(["2027-02-29", "2027-13-01", "2027-1-1", "01.01.2027", "", "2027-00-10"])(
    "on %p are refused",
    (date) => {
      expect(withHolidays({ date, hours: null })).toMatchObject({
        refused: "invalid",
        code: "branch.holiday_invalid",
        data: { errors: [{ path: "/holidays/0/date" }] },
      });
    },
  );

  it("named twice are refused", () => {
    const day = { date: "2027-01-01", hours: null };
    expect(withHolidays(day, day)).toMatchObject({
      code: "branch.holiday_invalid",
      data: { errors: [{ path: "/holidays/1/date" }] },
    });
  });

  it("have hours as strict as a weekday's", () => {
    expect(withHolidays({ date: "2027-01-01", hours: { open: "noon", close: "18:00" } })).toMatchObject({
      code: "branch.hours_invalid",
      data: { errors: [{ path: "/holidays/0/hours/open" }] },
    });
    expect(withHolidays({ date: "2027-01-01", hours: { open: "12:00", close: "12:05" } })).toMatchObject({
      code: "branch.slot_longer_than_hours",
    });
  });
});

describe("A wish laid over the rules", () => {
  it("leaves alone what it does not name, and one weekday does not touch the others", () => {
    expect(withWish(rules, {})).toEqual(rules);
    const after = withWish(rules, { hours: { "1": null, "2": undefined }, capacity_minor: undefined });
    expect(after).toEqual({ ...rules, hours: { ...rules.hours, "1": null } });
  });

  it("replaces the list of holidays as a whole", () => {
    const before = { ...rules, holidays: [{ date: "2027-01-01", hours: null }] };
    expect(withWish(before, { holidays: [] }).holidays).toEqual([]);
  });
});

describe("A time of day", () => {
  it.each([
    [0, "00:00"],
    [1439, "23:59"],
    [1440 + 75, "01:15"],
    [-60, "23:00"],
  ])("of %i minutes reads %s", (minutes, text) => {
    expect(timeOf(minutes)).toBe(text);
  });
});
