import { DropOldest } from "../../../mixins/messaging/drop-oldest";

it("gives back in order what it was given, and says when the oldest had to go", () => {
  const queue = new DropOldest<number>(3);
  expect([1, 2, 3, 4, 5].map((item) => queue.push(item))).toEqual([false, false, false, true, true]);
  expect(queue.size).toBe(3);
  expect([queue.next(), queue.next(), queue.next(), queue.next()]).toEqual([3, 4, 5, undefined]);
});

it("keeps order and bound through thousands of turns", () => {
  const queue = new DropOldest<number>(2_000);
  const seen: number[] = [];
  for (let item = 0; item < 20_000; item += 1) {
    queue.push(item);
    if (item % 3 === 0) seen.push(queue.next() ?? -1);
  }
  expect(queue.size).toBe(2_000);
  for (let item = queue.next(); item !== undefined; item = queue.next()) seen.push(item);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(19_999);
});

it("is empty after it was cleared", () => {
  const queue = new DropOldest<number>(3);
  queue.push(1);
  queue.clear();
  expect([queue.size, queue.next()]).toEqual([0, undefined]);
});
