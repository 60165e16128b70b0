import { DropOldest } from "../../../mixins/messaging/drop-oldest";

const item = (n: number, chars = 1) => ({ n, chars });

it("gives back in order what it was given, and says when the oldest had to go", () => {
  const queue = new DropOldest<ReturnType<typeof item>>({ items: 3, chars: 100 });
  expect([1, 2, 3, 4, 5].map((n) => queue.push(item(n)))).toEqual([0, 0, 0, 1, 1]);
  expect(queue.size).toBe(3);
  expect([queue.next()?.n, queue.next()?.n, queue.next()?.n, queue.next()]).toEqual([3, 4, 5, undefined]);
});

it("keeps order and bounds through thousands of turns", () => {
  const queue = new DropOldest<ReturnType<typeof item>>({ items: 2_000, chars: 3_000 });
  const seen: number[] = [];
  for (let n = 0; n < 20_000; n += 1) {
    queue.push(item(n, n < 10_000 ? 1 : 2));
    if (n % 3 === 0) seen.push(queue.next()?.n ?? -1);
    if (n === 9_998) expect(queue.size).toBe(2_000);
  }
  expect(queue.size).toBe(1_500);
  for (let next = queue.next(); next !== undefined; next = queue.next()) seen.push(next.n);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(19_999);
});

it("makes room for who is long, and keeps the newest however long it is", () => {
  const queue = new DropOldest<ReturnType<typeof item>>({ items: 100, chars: 10 });
  expect([4, 3, 3, 6, 50, 1].map((chars, n) => queue.push(item(n, chars)))).toEqual([0, 0, 0, 2, 2, 1]);
  expect([queue.next()?.n, queue.next()]).toEqual([5, undefined]);
});

it("is empty after it was cleared", () => {
  const queue = new DropOldest<ReturnType<typeof item>>({ items: 3, chars: 10 });
  queue.push(item(1, 9));
  queue.clear();
  expect([queue.size, queue.next()]).toEqual([0, undefined]);
  expect([queue.push(item(2, 5)), queue.push(item(3, 5))]).toEqual([0, 0]);
});
