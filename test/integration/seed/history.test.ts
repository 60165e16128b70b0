import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { boot, systemClock, type Forno } from "../../../boot";
import { StoryClock } from "../../../seed/clock";
import { seedHistory } from "../../../seed/history";
import { listActiveOrders } from "../../../services/order/order.contract";
import { act } from "../../../mixins/contract/implement";
import { loadSettings } from "../../../settings";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

/** Thursday and Friday. */
const WISH = { days: 2, before: "2026-03-07" };
let database: TestDatabase;
let forno: Forno;
let home: string;
const clock = new StoryClock();

beforeAll(async () => {
  database = await startTestDatabase({ migrated: false });
  home = mkdtempSync(path.join(tmpdir(), "forno-history-"));
  const env = {
    DATABASE_URL: database.url,
    DATA_DIR: home,
    HOST: "127.0.0.1",
    PORT: "0",
    GRPC_PORT: "0",
    LOG_LEVEL: "fatal",
    RATE_LIMIT: "off",
    ADMIN_PASSWORD: "correct horse",
  };
  forno = await boot(loadSettings(env), systemClock, (now) => clock.over(now));
}, 60_000);
afterAll(async () => {
  await forno.stop();
  await database.stop();
  rmSync(home, { recursive: true, force: true });
});

async function counted<T extends object>(sql: string): Promise<T[]> {
  await act(forno.runtime.broker, listActiveOrders, { limit: 1, after: await forno.runtime.log.head() });
  return (await database.pool.query<T>(sql)).rows;
}

it("a history fills its days with finished orders, within the kitchens' capacity, and is made once", async () => {
  const progress: number[] = [];
  const { orders } = await seedHistory(forno.runtime, clock, WISH, ({ done }) => progress.push(done));
  expect(progress).toEqual([1, 2, 3, 4]);

  const sales = await counted<{ day: string; roubles: number }>(
    `select business_date::text as day, sum(total_minor)::bigint / 100 as roubles from orders where status = 'delivered' group by 1 order by 1`,
  );
  const [thursday, friday] = sales;
  expect(sales.map(({ day }) => day)).toEqual(["2026-03-05", "2026-03-06"]);
  expect(thursday?.roubles).toBeGreaterThan(250_000);
  expect(thursday?.roubles).toBeLessThan(300_000);
  expect(friday?.roubles).toBeGreaterThan(450_000);
  expect(friday?.roubles).toBeLessThan(550_000);

  const statuses = await counted<{ status: string; orders: number }>(
    "select status, count(*) as orders from orders group by status order by status",
  );
  expect(statuses.map(({ status }) => status)).toEqual(["cancelled", "delivered"]);
  expect(statuses.reduce((sum, each) => sum + each.orders, 0)).toBe(orders);

  const oversold = await counted("select slot_id from slots where load_minor > capacity_minor");
  expect(oversold).toEqual([]);
  const late = await counted(
    "select order_id from orders where placed_at >= '2026-03-07T00:00:00Z' or placed_at < '2026-03-04T16:00:00Z'",
  );
  expect(late).toEqual([]);

  const again = await seedHistory(forno.runtime, clock, WISH);
  expect(again.orders).toBe(0);
  const [after] = await counted<{ orders: number }>("select count(*) as orders from orders");
  expect(after?.orders).toBe(orders);
});

it("a history that was interrupted in the middle of a day is completed without a second copy of any order", async () => {
  const wish = { days: 1, before: "2026-03-10" };
  let calls = 0;
  const { broker, log } = forno.runtime;
  const cut = new Proxy(broker, {
    get: (target, key) =>
      key !== "call"
        ? (Reflect.get(target, key, target) as unknown)
        : (...args: Parameters<typeof broker.call>) => {
            if (++calls > 400) throw new Error("power cut");
            return broker.call(...args);
          },
  });
  await expect(seedHistory({ broker: cut, log }, clock, wish)).rejects.toThrow("power cut");
  await seedHistory(forno.runtime, clock, wish);
  const [sum] = await counted<{ roubles: number; open: number; numbers: number; orders: number }>(
    `select coalesce(sum(total_minor) filter (where status = 'delivered'), 0)::bigint / 100 as roubles,
       count(*) filter (where status not in ('delivered', 'cancelled')) as open,
       count(distinct (branch_id, display_id)) as numbers, count(*) as orders
     from orders where business_date = '2026-03-09'`,
  );
  expect(sum?.roubles).toBeGreaterThan(250_000);
  expect(sum?.roubles).toBeLessThan(300_000);
  expect(sum).toMatchObject({ open: 0, numbers: sum?.orders });
});
