import path from "node:path";
import type { KafkaMessage } from "kafkajs";
import { loadSync } from "protobufjs";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import { eventOf, headOf, recordOf } from "../../../mixins/kafka/event-record";
import type { OrderEvent, OrderPlaced } from "../../../services/order/order.events";
import type { SlotBooked, SlotReleased, SlotShare, SlotView } from "../../../services/slot/slot.events";
import { placed, sampleOrder } from "../../support/order-events";

const Event = loadSync(path.resolve(__dirname, "../../../proto/forno/events/v1/events.proto")).lookupType(
  "forno.events.v1.Event",
);

function recorded(type: string, data: unknown, rest: Partial<RecordedEvent> = {}): RecordedEvent {
  return {
    ...{ position: 2 ** 40 + 7, partition: 5, stream_id: "thing-1", stream_type: "thing", version: 3 },
    ...{ event_id: "0b8f5a1c-0000-8000-a000-000000000003", type, schema_v: 2, data, meta: {} },
    recorded_at: "2026-01-01T10:00:00.123456Z",
    ...rest,
  };
}

const there = (event: RecordedEvent): KafkaMessage =>
  ({ ...recordOf(event, "log-1"), offset: "0" }) as unknown as KafkaMessage;

describe("what comes back is what was sent", () => {
  test.each<[string, RecordedEvent]>([
    ["bare", recorded("thing.happened", {})],
    ["whole", recorded("thing.happened", { a: [1, null, { b: "ё" }], c: -1.5 })],
    ["text that is no UTF-16", recorded("thing.happened", { text: "\ud800 and \u0000" })],
    [
      "all of meta",
      recorded("thing.happened", null, {
        meta: { correlation_id: "a", causation_id: "b", actor: "c", traceparent: "d" },
      }),
    ],
    ["an order", recorded("order.placed", placed(sampleOrder()).data)],
    [
      "data of another shape than its payload has",
      recorded("order.placed", { items: [7], total_minor: "x" }),
    ],
  ])("%s", (_, event) => {
    expect(eventOf(there(event))).toEqual(event);
    expect(headOf(there(event))).toEqual({ position: event.position, log: "log-1" });
  });
});

test("an order's record is keyed by the order, any other by its stream", () => {
  expect(recordOf(recorded("order.placed", {}, { stream_id: "order-42" }), "l").key).toBe("42");
  expect(recordOf(recorded("slot.booked", {}, { stream_id: "slots-1-2026-01-01" }), "l").key).toBe(
    "slots-1-2026-01-01",
  );
});

test("headers tell position, type, log and trace", () => {
  const meta = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  expect(recordOf(recorded("order.placed", {}, { position: 7, meta }), "log-1").headers).toEqual({
    ...{ position: "7", type: "order.placed", log: "log-1" },
    ...meta,
  });
  expect(recordOf(recorded("order.placed", {}), "log-1").headers).not.toHaveProperty("traceparent");
});

test.each([
  ["no headers", undefined],
  ["no position", { log: "l" }],
  ["no log", { position: "1" }],
  ["a position that is none", { log: "l", position: "one" }],
  ["position 0", { log: "l", position: "0" }],
  ["two positions", { log: "l", position: ["1", "2"] }],
])("a record with %s is none of ours", (_, headers) => {
  expect(headOf({ headers })).toBeUndefined();
});

test("a value that is no event is an error, not half an event", () => {
  expect(() => eventOf({ value: null })).toThrow();
  expect(() => eventOf({ value: Buffer.from("no protobuf") })).toThrow();
  expect(() => eventOf({ value: Buffer.alloc(0) })).toThrow();
});

test("what is too large for a record travels without its data", () => {
  const message = there(recorded("thing.filled", { text: "x".repeat(500_000) }));
  expect(message.value?.length).toBeLessThan(1_000);
  expect(eventOf(message)).toBeUndefined();
});

const SHARE: SlotShare = { slot_id: "s", start: "2026-01-01T10:30:00.000Z", end: "e", amount_minor: 5_000 };
const SLOT: SlotView = {
  ...{ slot_id: "s", branch_id: "b", start: "x", end: "y", capacity_minor: 1_000_000, load_minor: 5_000 },
  ...{
    orders_count: 1,
    delivery_count: 1,
    pickup_count: 2,
    delivery_plan: 3,
    pickup_plan: 4,
    disabled: true,
  },
};
const REF = {
  ...{ order_id: "o", branch_id: "b", display_id: "K-1", business_date: "2026-01-01" },
  fulfilment: "delivery" as const,
  ...{ placed_at: "2026-01-01T10:00:00.000Z", user_id: "u", at: "2026-01-01T10:05:00.000Z" },
};
const ORDER: OrderPlaced["data"] = {
  ...placed(sampleOrder({ user_id: "u", notes: "no onions" })).data,
  ...{ promo_code: "PIZZA", preferred_time: "2026-01-01T11:00:00.000Z", preorder: true },
  ...{ delivery_fee_minor: 19_900, discount_minor: 100 },
  holds: [{ quota_id: "q", hold_id: "h", units: 2 }],
};
/** With every field set: what is not in the .proto would be missing. */
const TYPED: readonly (OrderEvent | SlotBooked | SlotReleased)[] = [
  {
    type: "order.placed",
    data: {
      ...ORDER,
      items: ORDER.items.map((line) => ({
        ...{ ...line, flash_sale_id: "f" },
        extras: [{ extra_id: "x", name: { ru: "сыр", en: "cheese" }, price_minor: 9_900 }],
      })),
    },
  },
  {
    type: "order.status_changed",
    data: { ...REF, from: "ready", to: "delivery", courier_id: "c" },
  },
  {
    type: "order.cancelled",
    data: { ...REF, from: "pending", reason: "late", shares: [SHARE], holds: [...(ORDER.holds ?? [])] },
  },
  { type: "order.processed", data: { ...REF, by: "someone" } },
  {
    type: "order.refunded",
    data: { ...REF, amount_minor: 2 ** 33, refunded_total_minor: 2 ** 34, reason: "cold" },
  },
  { type: "order.archived", data: { ...REF, from: "delivered" } },
  {
    type: "slot.booked",
    data: {
      ...{ branch_id: "b", business_date: "2026-01-01", slots: [SLOT], order_id: "o", number: 7 },
      ...{ fulfilment: "delivery", shares: [SHARE], visible_at: "2026-01-01T10:00:00.000Z" },
    },
  },
  {
    type: "slot.released",
    data: { branch_id: "b", business_date: "2026-01-01", slots: [SLOT], order_id: "o", shares: [SHARE] },
  },
];

test.each(TYPED.map((event) => [event.type, event.data] as const))(
  "all of %s is in its typed payload",
  (type, data) => {
    const { value } = recordOf(recorded(type, data), "l");
    const message = Event.toObject(Event.decode(value as Buffer), { longs: Number });
    const payload: unknown = message[camel(type.replace(".", "_"))];
    expect(payload).toEqual(camelKeys(data));
  },
);

const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** As a program sees it that was generated from the .proto; a list without elements is absent there. */
function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [camel(name), camelKeys(each)]));
}
