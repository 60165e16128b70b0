import { freeOn, slotsOf, type BoardDay, type SlotRow } from "../../../../services/slot/slot.board";
import { loadOf, slotsIn } from "../../../../services/slot/slot.load";
import type { SlotView } from "../../../../services/slot/slot.events";
import { at, BRANCH_ID, branchWith, daily, givenFor, ms, slotId } from "./kitchen";

const FULL = 100_000;

type Row = Partial<SlotView> & { own_capacity_minor?: number | null };

function row(time: string, { own_capacity_minor = null, ...more }: Row = {}, minutes = 15): SlotRow {
  const view: SlotView = {
    slot_id: slotId(time),
    branch_id: BRANCH_ID,
    start: at(time),
    end: new Date(ms(time) + minutes * 60_000).toISOString(),
    capacity_minor: FULL,
    load_minor: 0,
    orders_count: 0,
    delivery_count: 0,
    pickup_count: 0,
    delivery_plan: null,
    pickup_plan: null,
    disabled: false,
    ...more,
  };
  return { view, own_capacity_minor };
}

function dayWith(rows: readonly SlotRow[], rules: Parameters<typeof branchWith>[0] = {}): BoardDay {
  const branch = branchWith({ hours: daily("12:00", "13:00"), ...rules });
  return { branch, grid: givenFor(branch).grid, rows };
}

const free = (day: BoardDay, from: string, amount_minor = 0, limit = 10): string[] =>
  freeOn(day, { amount_minor, from_ms: ms(from), to_ms: ms("23:00"), limit }).map(({ start }) =>
    start.slice(11, 16),
  );

describe("the slot board", () => {
  it("shows every slot that the rules offer, touched or not", () => {
    const slots = slotsOf(
      dayWith([row("12:15", { load_minor: 5, orders_count: 1, pickup_count: 1, pickup_plan: 0 })]),
    );
    expect(slots.map((slot) => [slot.start, slot.load_minor, slot.pickup_plan])).toEqual([
      [at("12:00"), 0, null],
      [at("12:15"), 5, 0],
      [at("12:30"), 0, null],
      [at("12:45"), 0, null],
    ]);
    expect(slots[0]).not.toHaveProperty("own_capacity_minor");
  });

  it("shows the capacity in force, not that of the last booking; a slot's own stays", () => {
    const rows = [
      row("12:00", { capacity_minor: 1 }),
      row("12:15", { capacity_minor: 0, own_capacity_minor: 0 }),
    ];
    expect(slotsOf(dayWith(rows)).map((slot) => slot.capacity_minor)).toEqual([FULL, 0, FULL, FULL]);
  });

  it("keeps showing what was booked under another slot length or other hours, but not what is empty", () => {
    const rows = [
      row("11:30", { load_minor: 7, orders_count: 1 }),
      row("12:20", { load_minor: 9, orders_count: 1 }, 10),
      row("12:50", {}, 10),
    ];
    expect(slotsOf(dayWith(rows)).map((slot) => slot.start.slice(11, 16))).toEqual([
      "11:30",
      "12:00",
      "12:15",
      "12:20",
      "12:30",
      "12:45",
    ]);
  });

  it("leaves the rows of other days to other days", () => {
    const yesterday = { start: at("12:00", "2026-03-01"), slot_id: slotId("12:00", "2026-03-01") };
    const rows = [row("12:00", { load_minor: 7, ...yesterday })];
    expect(slotsOf(dayWith(rows))).toHaveLength(4);
  });
});

describe("the free slots of a board", () => {
  it("are those with any room, or with room for an amount", () => {
    const day = dayWith([row("12:00", { load_minor: FULL }), row("12:15", { load_minor: 60_000 })]);
    expect(free(day, "12:00")).toEqual(["12:15", "12:30", "12:45"]);
    expect(free(day, "12:00", 50_000)).toEqual(["12:30", "12:45"]);
    expect(free(day, "12:00", 0, 1)).toEqual(["12:15"]);
  });

  it("are neither disabled, nor before the bounds, nor covered by bookings of another length", () => {
    const day = dayWith([row("12:15", { disabled: true }), row("12:30", { load_minor: 2 * FULL }, 30)]);
    expect(free(day, "12:00")).toEqual(["12:00"]);
    expect(free(day, "12:01")).toEqual([]);
  });

  it("are starts of runs for an order larger than a slot", () => {
    expect(free(dayWith([row("12:15", { load_minor: FULL })]), "12:00", 150_000)).toEqual(["12:30"]);
    expect(free(dayWith([], { oversize: "refuse" }), "12:00", 150_000)).toEqual([]);
  });
});

describe("the kitchen's load", () => {
  const day = dayWith([
    row("12:15", { load_minor: 49_999, orders_count: 2, delivery_count: 1, pickup_count: 1 }),
    row("12:30", { load_minor: 50_000, orders_count: 1, pickup_count: 1 }),
    row("12:45", { load_minor: 80_000, orders_count: 1, pickup_count: 1 }),
  ]);
  const slots = slotsOf(day);
  const inWindow = (window: Parameters<typeof slotsIn>[0], now: string): string[] =>
    slotsIn(window, ms(now), slots, slots).map((slot) => slot.start.slice(11, 16));

  it("has bands: low under 50 %, medium under 80 %, high from there", () => {
    expect(loadOf(slots).slots.map((slot) => [slot.load_percent, slot.band])).toEqual([
      [0, "low"],
      [49, "low"],
      [50, "medium"],
      [80, "high"],
    ]);
  });

  it("sums up", () => {
    expect(loadOf(slots)).toMatchObject({
      start: at("12:00"),
      end: at("13:00"),
      capacity_minor: 400_000,
      load_minor: 179_999,
      load_percent: 44,
      band: "low",
      orders_count: 4,
      delivery_count: 1,
      pickup_count: 3,
    });
  });

  it("is full where there is load without capacity, and nothing where there is neither", () => {
    const disabled = slots.map((slot) => ({ ...slot, disabled: true }));
    expect(loadOf(disabled)).toMatchObject({ capacity_minor: 0, load_percent: 100, band: "high" });
    expect(loadOf([])).toMatchObject({ start: null, end: null, load_percent: 0, band: "low", slots: [] });
  });

  it("looks at the running slot, the next one, the next hour, or the whole day", () => {
    expect(inWindow("current", "12:20")).toEqual(["12:15"]);
    expect(inWindow("next", "12:20")).toEqual(["12:30"]);
    expect(inWindow("operational", "11:40")).toEqual(["12:00", "12:15", "12:30"]);
    expect(inWindow("operational", "12:20")).toEqual(["12:15", "12:30", "12:45"]);
    expect(inWindow("shift", "12:20")).toEqual(["12:00", "12:15", "12:30", "12:45"]);
  });

  it("has no current slot while closed, and the opening as the next", () => {
    expect(inWindow("current", "11:00")).toEqual([]);
    expect(inWindow("next", "11:00")).toEqual(["12:00"]);
  });
});
