import { Listener } from "../../../mixins/messaging/listener";
import { eventually } from "../../support/eventually";
import { QuietLogger } from "../../support/quiet-logger";

const logger = new QuietLogger();

it("hands over one after the other, waiting for each", async () => {
  const seen: string[] = [];
  const listener = new Listener(
    async (message) => {
      seen.push(`begin ${String(message)}`);
      await new Promise(setImmediate);
      seen.push(`end ${String(message)}`);
    },
    logger,
    () => undefined,
  );
  for (const message of [1, 2]) listener.hand("c", message, 1);
  expect(seen).toEqual([]);
  await eventually(() => {
    expect(seen).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
  });
});

it("one that fails goes on with the next, and is counted and logged once", async () => {
  const [seen, lost]: [unknown[], string[]] = [[], []];
  const listener = new Listener(
    (message) => {
      seen.push(message);
      if (message === 2) return Promise.reject(new Error("later"));
      throw new Error("at once");
    },
    logger,
    (why) => void lost.push(why),
  );
  for (const message of [1, 2, 3]) listener.hand("broken", message, 1);
  await eventually(() => {
    expect(seen).toEqual([1, 2, 3]);
    expect(lost).toEqual(["listener_failed", "listener_failed", "listener_failed"]);
  });
  expect(logger.having("broken")).toHaveLength(1);
});

it("one that does not come to an end loses the oldest beyond its bound", async () => {
  const lost: [string, number][] = [];
  const seen: unknown[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const listener = new Listener(
    (message) => {
      seen.push(message);
      return held;
    },
    logger,
    (...what) => void lost.push(what),
  );
  listener.hand("c", "first", 1);
  await eventually(() => {
    expect(seen).toEqual(["first"]);
  });
  for (let message = 0; message < 10_005; message += 1) listener.hand("c", message, 1);
  expect(lost).toEqual(Array.from({ length: 5 }, () => ["slow_listener", 1]));
  release();
  await eventually(() => {
    expect(seen).toHaveLength(10_001);
    expect(seen.slice(0, 3)).toEqual(["first", 5, 6]);
  });
});

it("one that does not come to an end loses the oldest of what is too long together", async () => {
  const lost: [string, number][] = [];
  const seen: unknown[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const listener = new Listener(
    (message) => {
      seen.push(message);
      return held;
    },
    logger,
    (...what) => void lost.push(what),
  );
  listener.hand("c", "first", 200_000);
  await eventually(() => {
    expect(seen).toEqual(["first"]);
  });
  for (let message = 0; message < 165; message += 1) listener.hand("c", message, 200_000);
  listener.hand("c", "long", 600_000);
  expect(lost.reduce((sum, [, count]) => sum + count, 0)).toBe(8);
  expect(lost.at(-1)).toEqual(["slow_listener", 3]);
  release();
  await eventually(() => {
    expect([seen[1], seen.at(-1)]).toEqual([8, "long"]);
  });
});

it("one that was stopped is not called any more, not even with what waits", async () => {
  const seen: unknown[] = [];
  const listener = new Listener(
    (message) => void seen.push(message),
    logger,
    () => undefined,
  );
  listener.hand("c", 1, 1);
  listener.stop();
  listener.hand("c", 2, 1);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  expect(seen).toEqual([]);
});
