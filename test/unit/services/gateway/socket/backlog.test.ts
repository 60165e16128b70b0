import fc from "fast-check";
import { Backlog } from "../../../../../services/gateway/socket/backlog";
import type { Broadcast } from "../../../../../services/gateway/socket/frame";

const broadcast = (position: number): Broadcast => ({ position }) as unknown as Broadcast;
const positions = (broadcasts: readonly Broadcast[] | undefined) =>
  broadcasts?.map(({ position }) => position);

describe("the backlog", () => {
  it("knows nothing of what was before its start", () => {
    const backlog = new Backlog(10, 5);
    expect(backlog.after(4, 10)).toBeUndefined();
    expect(backlog.after(5, 10)).toEqual([]);
  });

  it("gives at most as many as asked for", () => {
    const backlog = new Backlog(10, 0);
    for (const position of [2, 4, 6]) backlog.add(broadcast(position));
    expect(positions(backlog.after(2, 1))).toEqual([4]);
    expect(positions(backlog.after(3, 10))).toEqual([4, 6]);
  });

  it("either gives every broadcast after a position or says that it cannot, and keeps at least the newest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 200 }),
        fc.integer({ min: 0, max: 600 }),
        fc.integer({ min: 1, max: 20 }),
        (steps, after, size) => {
          const backlog = new Backlog(size, 0);
          const all: number[] = [];
          for (const step of steps) {
            all.push((all.at(-1) ?? 0) + step);
            backlog.add(broadcast(all.at(-1) ?? 0));
          }
          const expected = all.filter((position) => position > after);
          const given = positions(backlog.after(after, Infinity));
          if (given === undefined) expect(expected.length).toBeGreaterThanOrEqual(size);
          else expect(given).toEqual(expected);
        },
      ),
    );
  });
});
