import fc from "fast-check";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import { FeedGapError, FeedWindow, assertFollows } from "../../../mixins/event-feed/feed-window";

/** Events at the positions after `after`, up to and including `to`. */
const events = (after: number, to: number): RecordedEvent[] =>
  Array.from({ length: to - after }, (_, n) => ({ position: after + n + 1 }) as RecordedEvent);

const positions = (batch: readonly RecordedEvent[] | undefined): number[] | undefined =>
  batch?.map(({ position }) => position);

test("who reads at a batch's border gets the very batch", () => {
  const window = new FeedWindow(10, 100);
  const batch = events(10, 13);
  window.push(batch);
  expect(window.after(10, 1_000)).toBe(batch);
});

test("who comes in the middle gets the rest, and further batches up to the limit", () => {
  const window = new FeedWindow(0, 100);
  for (const [after, to] of [
    [0, 4],
    [4, 6],
    [6, 9],
    [9, 10],
  ] as const)
    window.push(events(after, to));
  expect(positions(window.after(2, 3))).toEqual([3, 4, 5, 6]);
  expect(positions(window.after(2, 100))).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  expect(window.after(10, 100)).toEqual([]);
});

test("the oldest batches go when there are too many events, and with them who reads there", () => {
  const window = new FeedWindow(0, 5);
  for (let to = 2; to <= 10; to += 2) window.push(events(to - 2, to));
  expect(window.after(5, 100)).toBeUndefined();
  expect(positions(window.after(6, 100))).toEqual([7, 8, 9, 10]);
});

test("an erasure takes everything before it along, which has to be read from the log again", () => {
  const window = new FeedWindow(0, 100);
  window.push(events(0, 4));
  window.push([{ position: 5, type: "customer.erased" } as RecordedEvent, ...events(5, 6)]);
  expect(window.after(3, 100)).toBeUndefined();
  expect(positions(window.after(4, 100))).toEqual([5, 6]);
  window.push(events(6, 8));
  expect(positions(window.after(4, 100))).toEqual([5, 6, 7, 8]);
});

test("what is known already is not taken again, what does not follow not at all", () => {
  const window = new FeedWindow(3, 100);
  expect(window.push(events(4, 6))).toBe(false);
  expect(window.push(events(1, 3))).toBe(true);
  expect(window.last).toBe(3);
  expect(window.push(events(1, 5))).toBe(true);
  expect(positions(window.after(3, 100))).toEqual([4, 5]);
});

test("a hole is a defect", () => {
  const holed = [...events(0, 2), ...events(3, 4)];
  expect(() => {
    assertFollows(holed, 0);
  }).toThrow(FeedGapError);
  expect(() => new FeedWindow(0, 10).push(holed)).toThrow("got position 4 where 3 is next");
  expect(() => {
    assertFollows(events(0, 2), 1);
  }).toThrow(FeedGapError);
});

test("whatever is pushed, reading along from any position gives everything once or says that it is too old", () => {
  const push = fc.record({ back: fc.integer({ min: 0, max: 5 }), length: fc.integer({ min: 0, max: 8 }) });
  fc.assert(
    fc.property(
      fc.array(push),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 10 }),
      (pushes, max, limit) => {
        const window = new FeedWindow(0, max);
        for (const { back, length } of pushes) {
          const from = Math.max(0, window.last - back);
          expect(window.push(events(from, from + length))).toBe(true);
        }
        for (let start = 0; start <= window.last; start += 1) {
          let at = start;
          for (
            let batch = window.after(at, limit);
            batch !== undefined && batch.length > 0;
            batch = window.after(at, limit)
          ) {
            assertFollows(batch, at);
            at += batch.length;
          }
          expect(at === window.last || window.after(at, limit) === undefined).toBe(true);
          if (window.last - start < 1) expect(window.after(start, limit)).toEqual([]);
        }
      },
    ),
  );
});
