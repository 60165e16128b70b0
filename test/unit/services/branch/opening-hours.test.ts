import { loadSettings } from "../../../../settings";
import type { SlotRules, WeekHours } from "../../../../services/branch/branch.events";
import { defaultSlotRules, everyDay } from "../../../../services/branch/new-branch";
import { openState } from "../../../../services/branch/opening-hours";

const ZONE = "Asia/Krasnoyarsk";
type Rules = Pick<SlotRules, "hours" | "holidays">;
const daily: Rules = { hours: everyDay({ open: "09:45", close: "23:45" }), holidays: [] };
const at = (time: string) => Date.parse(time);

describe("A branch in Krasnoyarsk, 9:45 to 23:45", () => {
  it("is open by its own clock, not by that of the server", () => {
    expect(openState(daily, ZONE, at("2026-03-02T02:44:59Z"))).toEqual({
      open_now: false,
      closes_at: null,
      next_opening_at: "2026-03-02T02:45:00.000Z",
    });
    expect(openState(daily, ZONE, at("2026-03-02T02:45:00Z"))).toEqual({
      open_now: true,
      closes_at: "2026-03-02T16:45:00.000Z",
      next_opening_at: null,
    });
    expect(openState(daily, ZONE, at("2026-03-02T16:45:00Z")).open_now).toBe(false);
  });

  it("is closed on a holiday and opens the day after", () => {
    const rules = { ...daily, holidays: [{ date: "2026-03-08", hours: null }] };
    expect(openState(rules, ZONE, at("2026-03-08T05:00:00Z"))).toMatchObject({
      open_now: false,
      next_opening_at: "2026-03-09T02:45:00.000Z",
    });
  });
});

describe("A branch that closes after midnight", () => {
  const friday: WeekHours = {
    ...everyDay({ open: "10:00", close: "22:00" }),
    "5": { open: "10:00", close: "03:00" },
  };

  it("is still open at night, on the day before's account", () => {
    const saturday_0230 = at("2026-03-06T19:30:00Z");
    expect(openState({ hours: friday, holidays: [] }, ZONE, saturday_0230)).toMatchObject({
      open_now: true,
      closes_at: "2026-03-06T20:00:00.000Z",
    });
  });
});

describe("A branch that is open round the clock", () => {
  const rules: Rules = { hours: everyDay({ open: "00:00", close: "24:00" }), holidays: [] };

  it("is open at midnight and never closes", () => {
    expect(openState(rules, "Europe/Moscow", at("2026-03-01T21:00:00Z"))).toEqual({
      open_now: true,
      closes_at: null,
      next_opening_at: null,
    });
  });

  it("closes where a holiday ends it", () => {
    const holiday = { ...rules, holidays: [{ date: "2026-03-04", hours: null }] };
    expect(openState(holiday, "Europe/Moscow", at("2026-03-03T12:00:00Z")).closes_at).toBe(
      "2026-03-03T21:00:00.000Z",
    );
  });
});

describe("A branch that is closed on all days", () => {
  it("opens no more", () => {
    const hours = Object.fromEntries(
      Object.keys(daily.hours).map((day) => [day, null]),
    ) as unknown as WeekHours;
    expect(openState({ hours, holidays: [] }, ZONE, at("2026-03-02T05:00:00Z"))).toEqual({
      open_now: false,
      closes_at: null,
      next_opening_at: null,
    });
  });
});

describe("On the days when the clock jumps", () => {
  const rules: Rules = { hours: everyDay({ open: "08:00", close: "20:00" }), holidays: [] };

  it.each([
    ["2026-03-29", "2026-03-29T06:00:00.000Z", "2026-03-29T18:00:00.000Z"],
    ["2026-10-25", "2026-10-25T07:00:00.000Z", "2026-10-25T19:00:00.000Z"],
  ])("%s in Berlin, doors open by the clock on the wall", (date, opens_at, closes_at) => {
    expect(openState(rules, "Europe/Berlin", at(`${date}T03:00:00Z`)).next_opening_at).toBe(opens_at);
    expect(openState(rules, "Europe/Berlin", at(opens_at)).closes_at).toBe(closes_at);
  });
});

describe("A night in which the clock jumps", () => {
  const nights = (open: string, close: string): Rules => ({ hours: everyDay({ open, close }), holidays: [] });

  it("ends at the last of two equal clock times", () => {
    const rules = nights("17:00", "02:30");
    expect(openState(rules, "Europe/Berlin", at("2027-10-31T00:45:00Z"))).toEqual({
      open_now: true,
      closes_at: "2027-10-31T01:30:00.000Z",
      next_opening_at: null,
    });
  });

  it("ends at midnight, also after a date that begins at 01:00", () => {
    const rules = nights("22:00", "24:00");
    expect(openState(rules, "Asia/Beirut", at("2027-03-28T20:59:59Z")).open_now).toBe(true);
    expect(openState(rules, "Asia/Beirut", at("2027-03-28T21:15:00Z"))).toMatchObject({
      open_now: false,
      next_opening_at: "2027-03-29T19:00:00.000Z",
    });
  });

  it("ends with its date where midnight comes twice", () => {
    const rules = nights("10:00", "24:00");
    // In Havana the clock goes back from 01:00 to 00:00.
    expect(openState(rules, "America/Havana", at("2027-11-06T20:00:00Z")).closes_at).toBe(
      "2027-11-07T04:00:00.000Z",
    );
  });
});

describe("The rules of a new branch", () => {
  const settings = loadSettings({
    BUSINESS_OPEN_HOUR: "2",
    BUSINESS_OPEN_MIN: "45",
    BUSINESS_CLOSE_HOUR: "16",
    BUSINESS_CLOSE_MIN: "45",
  });

  it("take the settings' hours from UTC into the branch's zone", () => {
    const rules = defaultSlotRules(settings, ZONE, at("2026-03-02T00:00:00Z"));
    expect(rules.hours).toEqual(daily.hours);
    expect(rules).toMatchObject({
      capacity_minor: 1_000_000,
      slot_minutes: 15,
      lead_time_minutes: 30,
      preorder_hours: 24,
      oversize: "spread",
    });
  });

  it("may close after midnight there", () => {
    const rules = defaultSlotRules(settings, "Asia/Kamchatka", at("2026-03-02T00:00:00Z"));
    expect(rules.hours["1"]).toEqual({ open: "14:45", close: "04:45" });
  });
});
