import { UnavailableError } from "../../../../mixins/contract/refusal";
import { firstRecordedSince } from "../../../../services/relay/first-recorded-since";
import { MemoryLog } from "../../../support/memory-log";

/** Event n is recorded n milliseconds after the beginning of 2026. */
const at = (ms: number): Date => new Date(Date.UTC(2026, 0, 1) + ms);

function logOf(count: number): MemoryLog {
  const log = new MemoryLog();
  for (let n = 0; n < count; n += 1) log.write({ type: "thing.happened", data: {} });
  return log;
}

test.each([
  [0, 1],
  [1, 1],
  [2, 2],
  [57, 57],
  [100, 100],
  [101, 101],
  [10_000, 101],
])("of a hundred events the first since %i ms is at %i", async (ms, position) => {
  expect(await firstRecordedSince(logOf(100), at(ms))).toBe(position);
});

test("an empty log begins at 1", async () => {
  expect(await firstRecordedSince(logOf(0), at(0))).toBe(1);
});

test("what this node cannot read counts as older; a log that is away does not", async () => {
  const log = logOf(100);
  const read = log.readAll.bind(log);
  log.readAll = (after, limit) =>
    after < 40 ? Promise.reject(new Error("archived elsewhere")) : read(after, limit);
  expect(await firstRecordedSince(log, at(0))).toBe(41);
  log.readAll = () => Promise.reject(new UnavailableError("log.unavailable", "gone"));
  await expect(firstRecordedSince(log, at(0))).rejects.toThrow("gone");
});
