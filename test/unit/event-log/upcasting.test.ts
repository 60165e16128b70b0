import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import { upcasting } from "../../../mixins/event-log/upcasting";

const event = (type: string, schema_v: number): RecordedEvent => ({
  position: 1,
  partition: 0,
  stream_id: "s",
  stream_type: "t",
  version: 1,
  event_id: "00000000-0000-8000-a000-000000000001",
  type,
  schema_v,
  data: { path: [] },
  meta: {},
  recorded_at: "2026-01-01T00:00:00Z",
});

const step = (type: string, from_schema_v: number) => ({
  type,
  from_schema_v,
  upcast: (data: unknown) => ({ path: [...(data as { path: number[] }).path, from_schema_v] }),
});

it("takes an event through every step from its own shape on", () => {
  const upcast = upcasting([step("a", 2), step("a", 1), step("a", 4), step("b", 3)]);
  expect(upcast(event("a", 1))).toMatchObject({ schema_v: 3, data: { path: [1, 2] } });
  expect(upcast(event("a", 2))).toMatchObject({ schema_v: 3, data: { path: [2] } });
  expect(upcast(event("b", 1))).toEqual(event("b", 1));
});

it("takes no two steps from the same shape", () => {
  expect(() => upcasting([step("a", 1), step("a", 1)])).toThrow("a v1");
});
