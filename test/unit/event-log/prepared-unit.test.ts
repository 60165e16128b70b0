import { randomUUID } from "node:crypto";
import type { AppendUnit, StreamAppend } from "../../../mixins/event-log/event-log";
import { prepareUnit } from "../../../mixins/event-log/prepared-unit";

const stream = (rest: Partial<StreamAppend> = {}): StreamAppend => ({
  stream_id: "a",
  stream_type: "t",
  expected_version: 0,
  events: [{ type: "t", data: {} }],
  ...rest,
});
const unit = (rest: Partial<AppendUnit> = {}): AppendUnit => ({
  streams: [stream()],
  commands: [],
  meta: {},
  ...rest,
});
const command = { id: randomUUID(), fingerprint: "f", answer: undefined };

it("numbers the events of a stream on from its expected version", () => {
  const events = [
    { type: "one", data: { n: 1 } },
    { type: "two", schema_v: 2, data: { n: 2 } },
  ];
  expect(prepareUnit(unit({ streams: [stream({ expected_version: 4, events })] })).events).toMatchObject([
    { version: 5, type: "one", schema_v: 1, data: '{"n":1}' },
    { version: 6, type: "two", schema_v: 2, data: '{"n":2}' },
  ]);
});

it("keeps no answer as null", () => {
  expect(prepareUnit(unit({ commands: [command] })).answers).toEqual(["null"]);
});

it.each<[string, AppendUnit]>([
  ["a stream twice", unit({ streams: [stream(), stream()] })],
  ["a stream without events", unit({ streams: [stream({ events: [] })] })],
  ["a nameless stream", unit({ streams: [stream({ stream_id: "" })] })],
  ["a separator in a stream id", unit({ streams: [stream({ stream_id: "a\u001eb" })] })],
  ["a separator in a type", unit({ streams: [stream({ events: [{ type: "a\u001eb", data: {} }] })] })],
  ["a negative version", unit({ streams: [stream({ expected_version: -1 })] })],
  ["a guard with half a version", unit({ guards: [{ stream_id: "g", expected_version: 0.5 }] })],
  ["a command twice", unit({ commands: [command, command] })],
  ["a command id that is no UUID", unit({ commands: [{ ...command, id: "7" }] })],
  [
    "too many events",
    unit({
      streams: [
        stream({ events: Array<StreamAppend["events"][number]>(10_001).fill({ type: "t", data: {} }) }),
      ],
    }),
  ],
])("is a defect with %s", (_, wrong) => {
  expect(() => prepareUnit(wrong)).toThrow();
});
