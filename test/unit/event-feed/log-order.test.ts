import fc from "fast-check";
import { LogOrder } from "../../../mixins/event-feed/log-order";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";

const event = (position: number): RecordedEvent => ({ position }) as RecordedEvent;
const released = (order: LogOrder): number[] => order.release().map(({ position }) => position);

test("an event waits for those before it, and comes once", () => {
  const order = new LogOrder(10, 100);
  for (const position of [13, 12, 13, 10, 9]) order.add(event(position));
  expect(released(order)).toEqual([]);
  order.add(event(11));
  expect(released(order)).toEqual([11, 12, 13]);
  order.add(event(12));
  expect(released(order)).toEqual([]);
  expect(order.position).toBe(13);
});

test("knows what is still to come before anybody decodes it", () => {
  const order = new LogOrder(10, 100);
  order.add(event(12));
  expect([9, 10, 11, 12, 13].map((position) => order.lacks(position))).toEqual([
    false,
    false,
    true,
    false,
    true,
  ]);
});

test("skips a hole, and never goes back", () => {
  const order = new LogOrder(10, 100);
  for (const position of [12, 14, 15]) order.add(event(position));
  order.skipTo(13);
  expect(released(order)).toEqual([14, 15]);
  order.skipTo(3);
  expect(order.position).toBe(15);
});

test("says when too many wait, and has room again behind the hole", () => {
  const order = new LogOrder(0, 3);
  for (const position of [2, 3]) order.add(event(position));
  expect(order.isFull).toBe(false);
  order.add(event(4));
  expect(order.isFull).toBe(true);
  order.skipTo(3);
  expect(order.isFull).toBe(false);
  for (let position = 5; position < 20; position += 1) {
    order.add(event(position));
    order.release();
  }
  expect(order.isFull).toBe(false);
});

test("whatever comes in whatever order and however often, leaves once and in the order of the log", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }).chain((count) => {
        const all = Array.from({ length: count }, (_, n) => n + 1);
        return fc
          .tuple(fc.shuffledSubarray(all, { minLength: count }), fc.array(fc.integer({ min: 0, max: count })))
          .map(([each, again]) => ({ all, arriving: [...again, ...each, ...again] }));
      }),
      ({ all, arriving }) => {
        const order = new LogOrder(0, 1_000);
        const left: number[] = [];
        for (const position of arriving) {
          order.add(event(position));
          left.push(...released(order));
        }
        expect(left).toEqual(all);
      },
    ),
  );
});
