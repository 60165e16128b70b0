import fc from "fast-check";
import { gridOf } from "../../../../services/slot/slot.calendar";
import { DayRooms, type SlotSetting } from "../../../../services/slot/slot.rooms";
import { branchWith, DATE, MINUTE, ms } from "./kitchen";

const grid = gridOf(branchWith(), DATE);
const nothingSet = (): SlotSetting | undefined => undefined;
const rooms = (capacity: number): DayRooms => DayRooms.of(grid, capacity, nothingSet, []);

describe("the free rooms of a day", () => {
  it("are the capacities, where nothing is booked", () => {
    const day = rooms(100);
    expect([day.roomOf(0), day.roomOf(47)]).toEqual([100, 100]);
    expect([day.largest_minor, day.total_minor]).toEqual([100, 4_800]);
  });

  it("count what overlaps a slot by its share of time, rounded up, exactly even for the largest amounts", () => {
    const load = (from: string, to: string, load_minor: number) => ({
      start_ms: ms(from),
      end_ms: ms(to),
      load_minor,
    });
    const day = (...loads: ReturnType<typeof load>[]) => DayRooms.of(grid, 2 ** 52, nothingSet, loads);
    expect(day(load("09:50", "10:05", 100)).roomOf(0)).toBe(2 ** 52 - 34);
    expect(day(load("10:05", "10:10", 100)).roomOf(0)).toBe(2 ** 52 - 100);
    const wide = day(load("10:00", "10:45", 2 ** 52 - 1));
    expect([0, 1, 2, 3].map((index) => wide.roomOf(index))).toEqual([
      ...Array<number>(3).fill(2 ** 52 - Math.ceil((2 ** 52 - 1) / 3)),
      2 ** 52,
    ]);
  });

  it("find nothing behind the end of the window, nor in a day without slots", () => {
    expect(rooms(100).firstWithRoom(100, 3, 2)).toBeUndefined();
    expect(rooms(100).firstWithRoom(101, 0, 47)).toBeUndefined();
    const none = DayRooms.of({ ...grid, slots: [] }, 100, nothingSet, []);
    expect([none.largest_minor, none.total_minor]).toEqual([0, 0]);
  });

  it("find the same first slot as a walk over all of them, whatever was taken and given back", () => {
    const move = fc.record({ index: fc.nat(47), amount: fc.integer({ min: -50, max: 100 }) });
    const question = fc.record({ amount: fc.nat(120), from: fc.nat(47), to: fc.nat(47) });
    fc.assert(
      fc.property(fc.array(move), fc.array(question), (moves, questions) => {
        const day = rooms(100);
        for (const { index, amount } of moves) day.take(index, amount);
        for (const { amount, from, to } of questions) {
          const walked = grid.slots.findIndex(
            (_, index) => index >= from && index <= to && day.roomOf(index) >= amount,
          );
          expect(day.firstWithRoom(amount, from, to)).toBe(walked === -1 ? undefined : walked);
        }
      }),
    );
  });

  it("lay a run over adjacent rooms only", () => {
    const day = rooms(100);
    day.take(1, 100);
    day.take(2, 30);
    expect(day.firstRun(150, 0, 47)).toEqual([
      { index: 2, amount_minor: 70 },
      { index: 3, amount_minor: 80 },
    ]);
    expect(day.firstRun(200, 46, 47)).toHaveLength(2);
    expect(day.firstRun(201, 46, 47)).toBeUndefined();
  });

  it("never touch a slot after the last one", () => {
    const late = { start_ms: grid.closes_ms, end_ms: grid.closes_ms + 15 * MINUTE, load_minor: 50 };
    expect(DayRooms.of(grid, 100, nothingSet, [late]).roomOf(47)).toBe(100);
  });
});
