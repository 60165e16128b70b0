import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import { OrderEntity } from "../../../../entities/order.entity";
import { OrderItemEntity } from "../../../../entities/order-item.entity";
import { LogFeed } from "../../../../mixins/event-feed/log-feed";
import { createEventLog, type PostgresEventLog } from "../../../../mixins/event-log/postgres-event-log";
import { inTransaction } from "../../../../mixins/postgres/transaction";
import { startProjection } from "../../../../mixins/projection/start-projection";
import { orderStream, type OrderEvent } from "../../../../services/order/order.events";
import { orderProjection } from "../../../../services/order/order.projection";
import { OrderReads } from "../../../../services/order/order.reads";
import { cancelled, courier, placed, refOf, stepsTo, uuidOf } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

jest.setTimeout(60_000);

let database: TestDatabase;
let reads: OrderReads;

beforeAll(async () => {
  database = await startTestDatabase({ entities: [OrderEntity, OrderItemEntity] });
  reads = new OrderReads(database.db);
});
afterAll(async () => {
  await database.stop();
});
beforeEach(async () => {
  await database.pool.query("truncate orders, order_items");
});

const recorded = (events: readonly OrderEvent[], first = 1): RecordedEvent[] =>
  events.map(
    ({ type, data }, index) => ({ position: first + index, type, data }) as unknown as RecordedEvent,
  );
const apply = (events: readonly RecordedEvent[]): Promise<void> =>
  inTransaction(database.pool, (tx) => orderProjection.apply(events, tx));
const rows = async (): Promise<unknown> => ({
  orders: (await database.pool.query("select * from orders order by order_id")).rows,
  items: (await database.pool.query("select * from order_items order by order_id, line_no")).rows,
});

const AT = "2026-03-10T10:00:00.000Z";
const done = placed(1);
const gone = placed(2, {
  fulfilment: "pickup",
  address: null,
  customer: { user_id: null, name: null, phone: null },
});
const april = placed(3, { placed_at: "2026-04-02T08:00:00.000Z" });
const history: OrderEvent[] = [
  done,
  gone,
  ...stepsTo(done, "delivered"),
  { type: "order.processed", data: { ...refOf(done), by: uuidOf(1, "a"), at: AT } },
  april,
  cancelled(gone, AT),
  {
    type: "order.refunded",
    data: { ...refOf(gone), amount_minor: 5, refunded_total_minor: 5, reason: "", at: AT },
  },
  { type: "order.archived", data: { ...refOf(done), from: "delivered", at: AT } },
];

it("a mixed batch leaves every order as its events say, each in the partition of its month", async () => {
  await apply(recorded(history));
  expect(await reads.byId(done.data.order_id)).toEqual({
    ...done.data,
    status: "archived",
    updated_at: AT,
    processed_at: AT,
    processed_by: uuidOf(1, "a"),
    cancel_reason: null,
    refunded_total_minor: 0,
    closed_at: "2026-03-10T09:10:00.000Z",
    courier_id: courier.user_id,
  });
  expect(await reads.byId(gone.data.order_id)).toMatchObject({
    ...gone.data,
    status: "cancelled",
    cancel_reason: "передумали",
    refunded_total_minor: 5,
    closed_at: AT,
    processed_at: null,
  });
  const { rows: places } = await database.pool.query(
    "select tableoid::regclass::text as part, display_id from orders order by display_id",
  );
  expect(places).toEqual([
    { part: "orders_2026_03", display_id: "K-001" },
    { part: "orders_2026_03", display_id: "K-002" },
    { part: "orders_2026_04", display_id: "K-003" },
  ]);
});

it("a phone that was kept before all were in E.164 is found in its one form", async () => {
  const customer = { user_id: null, name: null, phone: "4951234567" };
  await apply(
    recorded([placed(1, { customer }), placed(2, { customer: { ...customer, phone: "2128506" } })]),
  );
  const { rows } = await database.pool.query<{ customer_phone: string }>(
    "select customer_phone from orders order by order_id",
  );
  expect(rows.map(({ customer_phone }) => customer_phone)).toEqual(["+74951234567", "2128506"]);
});

it("event by event comes to the same as all at once", async () => {
  await apply(recorded(history));
  const at_once = await rows();
  await database.pool.query("truncate orders, order_items");
  for (const event of recorded(history)) await apply([event]);
  expect(await rows()).toEqual(at_once);
});

it("a batch that comes again changes nothing, in whatever pieces", async () => {
  const events = recorded(history);
  await apply(events);
  const before = await rows();
  for (const again of [events, events.slice(0, 5), events.slice(2, 4), events.slice(4)]) {
    await apply(again);
    expect(await rows()).toEqual(before);
  }
});

it("a rebuild comes to the same, also in a month for which nobody made a partition", async () => {
  const logger = { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error: jest.fn() };
  const log: PostgresEventLog = await createEventLog({ connection: database.connection, logger });
  const feed = new LogFeed({ log, logger });
  try {
    await database.pool.query("drop table if exists orders_2026_04, order_items_2026_04");
    const host = await startProjection({ pool: database.pool, feed, log, logger }, orderProjection);
    const versions = new Map<string, number>();
    for (const event of history) {
      const stream_id = orderStream(event.data.order_id);
      const expected_version = versions.get(stream_id) ?? 0;
      versions.set(stream_id, expected_version + 1);
      const streams = [{ stream_id, stream_type: "order", expected_version, events: [event] }];
      expect(await log.append({ streams, commands: [], meta: {} })).toMatchObject({ status: "committed" });
    }
    await host.reached(await log.head());
    const before = await rows();
    await host.rebuild();
    expect(await rows()).toEqual(before);
    expect(await reads.byId(april.data.order_id)).toMatchObject(april.data);
    await apply(recorded([placed(4)], 100));
    await host.stop();
  } finally {
    await log.close();
  }
});
