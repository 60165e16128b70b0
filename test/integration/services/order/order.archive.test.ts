import { OrderEntity } from "../../../../entities/order.entity";
import { OrderItemEntity } from "../../../../entities/order-item.entity";
import { createActorHost } from "../../../../mixins/actor/create-actor-host";
import type { ActorHost } from "../../../../mixins/actor/actor-host";
import { LogFeed } from "../../../../mixins/event-feed/log-feed";
import { createEventLog } from "../../../../mixins/event-log/postgres-event-log";
import type { EventLog } from "../../../../mixins/event-log/event-log";
import type { ProjectionHost } from "../../../../mixins/projection/projection";
import { startProjection } from "../../../../mixins/projection/start-projection";
import { runArchive, type ArchiveDeps } from "../../../../services/order/order.archive";
import { orderDecider, type OrderCommand, type OrderState } from "../../../../services/order/order.decider";
import { orderStream, type OrderEvent } from "../../../../services/order/order.events";
import { orderProjection } from "../../../../services/order/order.projection";
import { cancelled, placed, stepsTo, uuidOf } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { QuietLogger } from "../../../support/quiet-logger";

jest.setTimeout(60_000);

const logger = new QuietLogger();
let now = Date.parse("2027-05-01T00:00:00.000Z");
const clock = { now: () => now };
let database: TestDatabase;
let log: EventLog;
let projection: ProjectionHost;
let orders: ActorHost<OrderState, OrderCommand>;
let deps: ArchiveDeps;

const write = async (...events: OrderEvent[]): Promise<void> => {
  const [first] = events;
  if (first === undefined) return;
  const stream_id = orderStream(first.data.order_id);
  const outcome = await log.append({
    streams: [{ stream_id, stream_type: "order", expected_version: 0, events }],
    commands: [],
    meta: {},
  });
  expect(outcome).toMatchObject({ status: "committed" });
  await projection.reached(await log.head());
};
const statuses = async (): Promise<Record<string, string>> => {
  const { rows } = await database.pool.query<{ display_id: string; status: string }>(
    "select display_id, status from orders order by display_id",
  );
  return Object.fromEntries(rows.map(({ display_id, status }) => [display_id, status]));
};
const archivedEvents = async (): Promise<number> => {
  const { rows } = await database.pool.query<{ n: number }>(
    "select count(*) as n from es.event where type = 'order.archived'",
  );
  return rows[0]?.n ?? -1;
};

beforeAll(async () => {
  database = await startTestDatabase({ entities: [OrderEntity, OrderItemEntity] });
  log = await createEventLog({ connection: database.connection, logger });
  projection = await startProjection(
    { pool: database.pool, feed: new LogFeed({ log, logger }), log, logger },
    orderProjection,
  );
  orders = createActorHost(
    { log, clock, logger },
    { kind: "order", decider: orderDecider, given: () => Promise.resolve({ given: undefined }) },
  );
  deps = { pool: database.pool, clock, logger, orders, reached: (position) => projection.reached(position) };
});
afterAll(async () => {
  await orders.stop();
  await projection.stop();
  await log.close();
  await database.stop();
});

it("archives what was finished a year ago, detaches the months that hold nothing else, and does it once", async () => {
  const february = { placed_at: "2026-02-10T09:00:00.000Z" };
  const old = placed(1, february);
  const older = placed(2, february);
  const stuck = placed(3); // March; nobody ever finished it
  const done = placed(4); // March
  const fresh = placed(5, { placed_at: "2027-04-20T09:00:00.000Z" });
  await write(old, cancelled(old, "2026-02-10T10:00:00.000Z"));
  await write(older, ...stepsTo(older, "delivered"));
  await write(stuck);
  await write(done, ...stepsTo(done, "delivered"));
  await write(fresh, cancelled(fresh, "2027-04-20T10:00:00.000Z"));

  const reached = jest.fn((position: number) => projection.reached(position));
  expect(await runArchive({ ...deps, reached })).toEqual({ archived: 3, detached: ["2026_02"] });
  // A month is looked at only when its rows say what the log says.
  expect(reached).toHaveBeenCalledWith(await log.head());
  expect(await statuses()).toEqual({ "K-003": "pending", "K-004": "archived", "K-005": "cancelled" });
  const { rows } = await database.pool.query(
    "select display_id, status from detached.orders_2026_02 order by display_id",
  );
  expect(rows).toEqual([
    { display_id: "K-001", status: "archived" },
    { display_id: "K-002", status: "archived" },
  ]);
  expect((await database.pool.query("select 1 from detached.order_items_2026_02")).rows).toHaveLength(4);

  expect(await runArchive(deps)).toEqual({ archived: 0, detached: [] });
  expect(await archivedEvents()).toBe(3);
});

it("goes on where a run was broken off, without archiving anything twice", async () => {
  now = Date.parse("2028-09-01T00:00:00.000Z");
  const may = { placed_at: "2027-05-10T09:00:00.000Z" };
  for (let number = 10; number < 14; number += 1) {
    const order = placed(number, { ...may, order_id: uuidOf(number) });
    await write(order, cancelled(order, "2027-05-10T10:00:00.000Z"));
  }
  const before = await archivedEvents();
  let told = 0;
  const dying: ArchiveDeps = {
    ...deps,
    orders: {
      tell: (...args) => ((told += 1) > 2 ? Promise.reject(new Error("killed")) : orders.tell(...args)),
    },
  };
  await expect(runArchive(dying)).rejects.toThrow("killed");
  await runArchive(deps);
  // Four of May and the one of April.
  expect((await archivedEvents()) - before).toBe(5);
  expect(await statuses()).toEqual({ "K-003": "pending", "K-004": "archived" });
});

it("a rebuild brings detached months back, and the next run detaches them again", async () => {
  await projection.rebuild();
  expect(Object.keys(await statuses())).toEqual(expect.arrayContaining(["K-001", "K-002"]));
  const { detached } = await runArchive(deps);
  expect(detached).toContain("2026_02");
  expect(await statuses()).toEqual({ "K-003": "pending", "K-004": "archived" });
});
