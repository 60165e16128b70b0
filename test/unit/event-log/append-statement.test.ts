import {
  appendStatement,
  committedEvents,
  outcomesOf,
  type AppendResult,
} from "../../../mixins/event-log/append-statement";
import { prepareUnit, type PreparedUnit } from "../../../mixins/event-log/prepared-unit";

const unit = (streams: Record<string, number>, guards: readonly string[] = []): PreparedUnit =>
  prepareUnit({
    streams: Object.entries(streams).map(([stream_id, events]) => ({
      stream_id,
      stream_type: "t",
      expected_version: 0,
      events: Array.from({ length: events }, (_, n) => ({ type: "t", data: { n } })),
    })),
    guards: guards.map((stream_id) => ({ stream_id, expected_version: 3 })),
    commands: [],
    meta: { actor: "me" },
  });

const result: AppendResult = {
  head_before: 100,
  recorded_at: "2026-01-02 03:04:05.6789+00",
  conflicts: [],
  duplicates: [],
};
const units = [unit({ a: 2 }), unit({ b: 1, c: 2 }, ["g"]), unit({ d: 1 }), unit({ e: 3 })];

it("lets positions run on past the units that were refused", () => {
  const outcomes = outcomesOf(units, { ...result, conflicts: [4], duplicates: [3] });
  expect(outcomes).toEqual([
    { status: "committed", position: 102 },
    { status: "conflict", stream_id: "g" },
    { status: "duplicate", answers: [] },
    { status: "committed", position: 105 },
  ]);
  const events = committedEvents(units, outcomes, result, "open");
  expect(events.map(({ stream_id, position }) => [stream_id, position])).toEqual([
    ["a", 101],
    ["a", 102],
    ["e", 103],
    ["e", 104],
    ["e", 105],
  ]);
  expect(events[0]).toMatchObject({
    version: 1,
    data: { n: 0 },
    meta: { actor: "me" },
    recorded_at: "2026-01-02T03:04:05.6789Z",
  });
});

it("calls a unit a duplicate that is a conflict as well", () => {
  expect(outcomesOf(units, { ...result, conflicts: [1], duplicates: [1] })[0]).toMatchObject({
    status: "duplicate",
  });
});

it("names the first of a unit's streams that was in the way", () => {
  expect(outcomesOf(units, { ...result, conflicts: [2, 3, 4] })[1]).toEqual({
    status: "conflict",
    stream_id: "b",
  });
});

it("has the same statement for every batch, so that the server plans it once", () => {
  const [one, other] = [
    appendStatement(units),
    appendStatement([unit({ z: 1 })], { appender: "x", batch: 7 }),
  ];
  expect({ name: other.name, text: other.text, values: other.values?.length }).toEqual({
    name: one.name,
    text: one.text,
    values: one.values?.length,
  });
});
