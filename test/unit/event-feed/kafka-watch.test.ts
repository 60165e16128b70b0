import { KafkaWatch, type Verdict } from "../../../mixins/event-feed/kafka-watch";

const TIMES = { late_ms: 2_000, proof_ms: 1_000, proof_max_ms: 4_000 };

/** Looks in turn: time in ms, the log's head, Kafka's position. */
function verdicts(watch: KafkaWatch, ...looks: readonly (readonly [number, number, number])[]): Verdict[] {
  return looks.map((look) => watch.look(...look));
}

/** What it says at the first look at which Kafka is in time again after it was blamed so often. */
function firstInTimeAfter(blamed: number): number {
  const watch = new KafkaWatch(TIMES);
  for (let n = 0; n < blamed; n += 1) watch.restart(10, "blamed");
  for (let now_ms = 0; now_ms < 10_000; now_ms += 500)
    if (watch.look(now_ms, 11 + now_ms, 11 + now_ms) === "in_time") return now_ms;
  return Number.NaN;
}

test("a quiet log proves nothing", () => {
  const watch = new KafkaWatch(TIMES);
  watch.restart(10);
  expect(verdicts(watch, [0, 10, 10], [60_000, 10, 10])).toEqual(["unknown", "unknown"]);
});

test("Kafka is in time as soon as it has brought what the log had", () => {
  const watch = new KafkaWatch(TIMES);
  watch.restart(10);
  expect(verdicts(watch, [0, 12, 10], [500, 15, 12], [1_000, 15, 15])).toEqual([
    "unknown",
    "in_time",
    "in_time",
  ]);
});

test("Kafka is late when something is in the log for too long, also while it brings other things", () => {
  const watch = new KafkaWatch(TIMES);
  watch.restart(10);
  expect(verdicts(watch, [0, 20, 10], [1_000, 30, 14], [1_999, 40, 18], [2_000, 40, 19])).toEqual([
    "unknown",
    "unknown",
    "unknown",
    "late",
  ]);
});

test("a log that runs ahead is no lateness as long as Kafka follows in time", () => {
  const watch = new KafkaWatch(TIMES);
  watch.restart(0);
  const looks = Array.from({ length: 20 }, (_, n) => [n * 1_000, (n + 1) * 100, n * 100] as const);
  expect(verdicts(watch, ...looks)).not.toContain("late");
});

test("who was relied upon and late has to prove itself, each time for twice as long, up to a limit", () => {
  expect([0, 1, 2, 3, 4, 9].map(firstInTimeAfter)).toEqual([0, 1_000, 2_000, 4_000, 4_000, 4_000]);
});

test("a restart without blame costs nothing", () => {
  const watch = new KafkaWatch(TIMES);
  watch.restart(10);
  watch.restart(12);
  expect(verdicts(watch, [0, 12, 12], [500, 13, 13])).toEqual(["unknown", "in_time"]);
});

test("after the longest proof the past is forgotten", () => {
  const watch = new KafkaWatch(TIMES);
  for (let n = 0; n < 5; n += 1) watch.restart(0, "blamed");
  for (let now_ms = 0; now_ms <= 4_000; now_ms += 500) watch.look(now_ms, now_ms + 1, now_ms + 1);
  watch.restart(5_000, "blamed");
  expect(verdicts(watch, [5_000, 5_001, 5_001], [6_000, 5_002, 5_002])).toEqual(["unknown", "in_time"]);
});
