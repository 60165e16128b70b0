import {
  firstSlotFrom,
  gridOf,
  lastSlotUntil,
  slotStartingAt,
  SlotCalendar,
  type DayGrid,
} from "../../../../services/slot/slot.calendar";
import { addDays } from "../../../../mixins/calendar/opening";
import { branchWith, daily } from "./kitchen";

const MINUTE = 60_000;
const shown = (grid: DayGrid): string[] => grid.slots.map((slot) => slot.start.slice(0, 16));
const iso = (instant_ms: number): string => new Date(instant_ms).toISOString();
const dateOf = (branch: ReturnType<typeof branchWith>, instant: string): string =>
  new SlotCalendar().dayAt(branch, Date.parse(instant)).business_date;

function expectAdjacent(grid: DayGrid): void {
  const starts = grid.slots.map((slot) => slot.start_ms);
  expect(starts).toEqual(grid.slots.map((_, index) => grid.opens_ms + index * grid.slot_ms));
  expect(grid.slots.every((slot) => slot.end_ms - slot.start_ms === grid.slot_ms)).toBe(true);
  expect(new Set(grid.slots.map((slot) => slot.slot_id)).size).toBe(grid.slots.length);
}

describe("a day of the branch in Krasnoyarsk, 9:45 to 23:45", () => {
  const branch = branchWith({ hours: daily("09:45", "23:45") }, { time_zone: "Asia/Krasnoyarsk" });
  const grid = gridOf(branch, "2026-03-02");

  it("opens at 02:45 UTC and closes at 16:45 UTC", () => {
    expect(iso(grid.opens_ms)).toBe("2026-03-02T02:45:00.000Z");
    expect(iso(grid.closes_ms)).toBe("2026-03-02T16:45:00.000Z");
  });

  it("has 56 adjacent slots of a quarter of an hour", () => {
    expect(grid.slots).toHaveLength(56);
    expect(shown(grid)[0]).toBe("2026-03-02T02:45");
    expect(shown(grid).at(-1)).toBe("2026-03-02T16:30");
    expectAdjacent(grid);
  });

  it("belongs to its local date, whatever the date in UTC is", () => {
    expect(dateOf(branch, "2026-03-01T18:00:00Z")).toBe("2026-03-02");
    expect(dateOf(branch, "2026-03-02T16:59:59Z")).toBe("2026-03-02");
    expect(dateOf(branch, "2026-03-02T17:00:00Z")).toBe("2026-03-03");
  });
});

describe("the slots of a day", () => {
  it("do not include a last one that closing would cut", () => {
    const grid = gridOf(branchWith({ hours: daily("10:00", "11:00"), slot_minutes: 25 }), "2026-03-02");
    expect(shown(grid)).toEqual(["2026-03-02T10:00", "2026-03-02T10:25"]);
  });

  it("go round the clock from 00:00 to 24:00", () => {
    const grid = gridOf(branchWith({ hours: daily("00:00", "24:00") }), "2026-03-02");
    expect(grid.slots).toHaveLength(96);
    expect(grid.closes_ms).toBe(grid.until_ms);
  });

  it("go round the clock, too, when opening and closing are the same time", () => {
    expect(gridOf(branchWith({ hours: daily("09:00", "09:00") }), "2026-03-02").slots).toHaveLength(96);
  });

  it("are none on a weekday that is closed", () => {
    const branch = branchWith({ hours: { ...daily("10:00", "22:00"), 1: null } });
    expect(gridOf(branch, "2026-03-02").slots).toEqual([]);
    expect(gridOf(branch, "2026-03-03").slots).toHaveLength(48);
  });

  it("follow a holiday instead of the weekday, open or closed", () => {
    const holidays = [
      { date: "2026-03-08", hours: { open: "12:00", close: "14:00" }, name: "Women's Day" },
      { date: "2026-05-09", hours: null },
    ];
    const branch = branchWith({ holidays });
    expect(shown(gridOf(branch, "2026-03-08")).at(0)).toBe("2026-03-08T12:00");
    expect(gridOf(branch, "2026-03-08").slots).toHaveLength(8);
    expect(gridOf(branch, "2026-05-09").slots).toEqual([]);
  });
});

describe("a day that closes at 02:00", () => {
  const branch = branchWith({ hours: daily("10:00", "02:00") });

  it("has the slots after midnight among its own", () => {
    const grid = gridOf(branch, "2026-03-02");
    expect(grid.slots).toHaveLength(64);
    expect(shown(grid).at(-1)).toBe("2026-03-03T01:45");
  });

  it("owns the time after midnight while it is open, and no longer", () => {
    expect(dateOf(branch, "2026-03-03T00:00:00Z")).toBe("2026-03-02");
    expect(dateOf(branch, "2026-03-03T01:30:00Z")).toBe("2026-03-02");
    expect(dateOf(branch, "2026-03-03T01:59:59Z")).toBe("2026-03-02");
    expect(dateOf(branch, "2026-03-03T02:00:00Z")).toBe("2026-03-03");
  });

  it("leaves the time after midnight to the calendar date where the night before was closed", () => {
    const closedMonday = branchWith({ hours: { ...daily("10:00", "02:00"), 1: null } });
    expect(dateOf(closedMonday, "2026-03-02T01:30:00Z")).toBe("2026-03-01");
    expect(dateOf(closedMonday, "2026-03-03T01:30:00Z")).toBe("2026-03-03");
  });

  it("ends where the next day opens, so that no time is sold by two days", () => {
    const early = branchWith({
      hours: daily("10:00", "02:00"),
      holidays: [{ date: "2026-03-03", hours: { open: "01:00", close: "23:00" } }],
    });
    expect(iso(gridOf(early, "2026-03-02").closes_ms)).toBe("2026-03-03T01:00:00.000Z");
    expect(dateOf(early, "2026-03-03T00:59:00Z")).toBe("2026-03-02");
    expect(dateOf(early, "2026-03-03T01:00:00Z")).toBe("2026-03-03");
  });
});

describe("a change of the clocks in Berlin", () => {
  const roundTheClock = branchWith({ hours: daily("00:00", "24:00") }, { time_zone: "Europe/Berlin" });
  const nights = branchWith({ hours: daily("18:00", "04:00") }, { time_zone: "Europe/Berlin" });

  it("takes an hour from the day in spring", () => {
    const grid = gridOf(roundTheClock, "2026-03-29");
    expect(grid.slots).toHaveLength(92);
    expectAdjacent(grid);
    expect(gridOf(nights, "2026-03-28").slots).toHaveLength(36);
  });

  it("gives the day an hour in autumn, without two slots of one name", () => {
    const grid = gridOf(roundTheClock, "2026-10-25");
    expect(grid.slots).toHaveLength(100);
    expectAdjacent(grid);
    expect(gridOf(nights, "2026-10-24").slots).toHaveLength(44);
  });

  it("opens at the first and closes at the last of two equal clock times", () => {
    const opensIn = branchWith({ hours: daily("02:30", "12:00") }, { time_zone: "Europe/Berlin" });
    expect(iso(gridOf(opensIn, "2026-10-25").opens_ms)).toBe("2026-10-25T00:30:00.000Z");
    const closesIn = branchWith({ hours: daily("18:00", "02:30") }, { time_zone: "Europe/Berlin" });
    expect(iso(gridOf(closesIn, "2026-10-24").closes_ms)).toBe("2026-10-25T01:30:00.000Z");
  });

  it("keeps the real length of hours that end at a time that is skipped", () => {
    const branch = branchWith({ hours: daily("18:00", "02:30") }, { time_zone: "Europe/Berlin" });
    const grid = gridOf(branch, "2026-03-28");
    expect(grid.closes_ms - grid.opens_ms).toBe(8.5 * 60 * MINUTE);
  });
});

describe.each([
  ["Europe/Berlin", daily("18:00", "04:00")],
  ["Asia/Krasnoyarsk", daily("09:45", "23:45")],
  ["Australia/Lord_Howe", daily("00:00", "24:00")],
  ["America/Sao_Paulo", daily("11:00", "02:30")],
  ["Asia/Beirut", daily("00:00", "24:00")],
  ["Pacific/Apia", daily("20:00", "06:00")],
])("the business dates of a year in %s", (time_zone, hours) => {
  it("cover all time without gap or overlap, each with its slots inside", () => {
    const branch = branchWith({ hours, slot_minutes: 60 }, { time_zone });
    let day = gridOf(branch, "2026-01-01");
    for (let days = 0; days < 370; days += 1) {
      const next = gridOf(branch, addDays(day.business_date, 1));
      expect(day.until_ms).toBe(next.from_ms);
      expect(day.opens_ms).toBeGreaterThanOrEqual(day.from_ms);
      expect(day.closes_ms).toBeLessThanOrEqual(day.until_ms);
      expect(day.slots.at(-1)?.end_ms ?? day.opens_ms).toBeLessThanOrEqual(day.closes_ms);
      expectAdjacent(day);
      day = next;
    }
  });
});

describe("looking up a slot", () => {
  const grid = gridOf(branchWith(), "2026-03-02");
  const open = grid.opens_ms;

  it("finds the first that starts at or after an instant", () => {
    expect(firstSlotFrom(grid, open - MINUTE)).toBe(0);
    expect(firstSlotFrom(grid, open)).toBe(0);
    expect(firstSlotFrom(grid, open + 1)).toBe(1);
    expect(firstSlotFrom(grid, grid.closes_ms)).toBe(48);
    expect(firstSlotFrom(grid, grid.closes_ms + 1_000 * MINUTE)).toBe(48);
  });

  it("finds the last that starts at or before an instant", () => {
    expect(lastSlotUntil(grid, open - 1)).toBe(-1);
    expect(lastSlotUntil(grid, open)).toBe(0);
    expect(lastSlotUntil(grid, open + 16 * MINUTE)).toBe(1);
    expect(lastSlotUntil(grid, grid.closes_ms + MINUTE)).toBe(47);
  });

  it("finds the one that starts exactly then, or none", () => {
    expect(slotStartingAt(grid, open + 15 * MINUTE)).toBe(1);
    expect(slotStartingAt(grid, open + 16 * MINUTE)).toBeUndefined();
    expect(slotStartingAt(grid, grid.closes_ms)).toBeUndefined();
    expect(slotStartingAt(grid, open - 15 * MINUTE)).toBeUndefined();
  });

  it("finds nothing on a closed day", () => {
    const closed = gridOf(branchWith({ hours: { ...daily("10:00", "22:00"), 1: null } }), "2026-03-02");
    expect(firstSlotFrom(closed, open)).toBeGreaterThan(lastSlotUntil(closed, open));
    expect(slotStartingAt(closed, closed.opens_ms)).toBeUndefined();
  });
});

describe("the calendar's memory", () => {
  it("computes a day once a version of the branch", () => {
    const calendar = new SlotCalendar();
    const branch = branchWith();
    expect(calendar.day(branch, "2026-03-02")).toBe(calendar.day(branch, "2026-03-02"));
  });

  it("never answers by rules that have been replaced", () => {
    const calendar = new SlotCalendar();
    const noon = Date.parse("2026-03-02T12:00:00Z");
    const late = branchWith({ hours: daily("10:00", "03:00") }, { version: 2 });
    const night = Date.parse("2026-03-03T02:30:00Z");
    expect(calendar.dayAt(branchWith(), night).business_date).toBe("2026-03-03");
    expect(calendar.dayAt(late, night).business_date).toBe("2026-03-02");
    expect(calendar.dayAt(late, noon).slots).toHaveLength(68);
  });

  it("walks from day to day over a range of time", () => {
    const days = [
      ...new SlotCalendar().daysBetween(
        branchWith(),
        Date.parse("2026-03-02T23:00:00Z"),
        Date.parse("2026-03-04T00:00:00Z"),
      ),
    ];
    expect(days.map((day) => day.business_date)).toEqual(["2026-03-02", "2026-03-03", "2026-03-04"]);
  });
});
