import { Closing } from "../../mixins/closing";

const NEVER = new Promise<never>(() => undefined);

let warnings: string[];
let closing: Closing;

beforeEach(() => {
  warnings = [];
  closing = new Closing({ warn: (line: unknown) => void warnings.push(String(line)) });
});

it("closes what was opened last first, one after another", async () => {
  const order: string[] = [];
  for (const what of ["database", "log", "gateway"])
    closing.add(what, async () => {
      await Promise.resolve();
      order.push(what);
    });
  expect(await closing.run(1_000)).toEqual([]);
  expect(order).toEqual(["gateway", "log", "database"]);
  expect(warnings).toEqual([]);
});

it("leaves what hangs behind, names it, and closes the rest", async () => {
  let closed = false;
  closing.add("database", () => (closed = true));
  closing.add("broker", () => NEVER, 60);
  expect(await closing.run(1_000)).toEqual(["broker"]);
  expect(closed).toBe(true);
  expect(warnings).toEqual(["Stopping: broker did not end within 60 ms and is cut."]);
});

it("names what fails, also at once, and closes the rest", async () => {
  let closed = false;
  closing.add("database", () => (closed = true));
  closing.add("log", () => Promise.reject(new Error("torn")));
  closing.add("feed", () => {
    throw new Error("worn");
  });
  expect(await closing.run(1_000)).toEqual(["feed", "log"]);
  expect(closed).toBe(true);
  expect(warnings).toEqual(["Stopping: feed failed: Error: worn", "Stopping: log failed: Error: torn"]);
});

it("keeps the time for all, and still gives each step a moment", async () => {
  const begun = performance.now();
  let closed = false;
  closing.add("database", () => (closed = true), 60_000);
  for (const what of ["a", "b", "c"]) closing.add(what, () => NEVER, 60_000);
  expect(await closing.run(100)).toEqual(["c", "b", "a"]);
  expect(performance.now() - begun).toBeLessThan(1_000);
  expect(closed).toBe(true);
});

it("closes nothing twice", async () => {
  let times = 0;
  closing.add("log", () => (times += 1));
  await closing.run(1_000);
  await closing.run(1_000);
  expect(times).toBe(1);
});
