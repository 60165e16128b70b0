import { FlashSaleRow } from "../../../entities/flash-sale.entity";
import { MenuDraftRow } from "../../../entities/menu-draft.entity";
import { MenuHeadRow } from "../../../entities/menu-head.entity";
import { MenuItemRow } from "../../../entities/menu-item.entity";
import { MenuVersionRow } from "../../../entities/menu-version.entity";
import { PromoCodeRow } from "../../../entities/promo-code.entity";
import { migrate } from "../../../mixins/postgres/migrations";
import type { Runtime } from "../../../mixins/runtime";
import { seedDemo } from "../../../seed/demo";
import { BRANCHES, CAMERAS, PEOPLE } from "../../../seed/data";
import { login } from "../../../services/auth/auth.contract";
import { changeBranch, getBranch, listBranches } from "../../../services/branch/branch.contract";
import { AuthNode } from "../../support/auth-node";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

const tables = [MenuDraftRow, MenuHeadRow, MenuItemRow, MenuVersionRow, FlashSaleRow, PromoCodeRow];
const STEPS = 4 + BRANCHES.length + CAMERAS.length + PEOPLE.length;
let database: TestDatabase;
let node: AuthNode;

beforeAll(async () => {
  database = await startTestDatabase({ entities: tables, migrated: false });
});
afterAll(async () => {
  await database.stop();
});
beforeEach(async () => {
  await emptyDatabase();
  await migrate(database.db);
  node = await AuthNode.start(database);
});
afterEach(async () => {
  await node.stop();
});

/** One server for all tests, but a chain that has never started for each. */
async function emptyDatabase(): Promise<void> {
  const { rows } = await database.pool.query<{ name: string }>(
    "select nspname as name from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'",
  );
  for (const { name } of rows) await database.pool.query(`drop schema "${name}" cascade`);
  await database.pool.query("create schema public");
}

const seed = (runtime: Runtime = node.runtime) => seedDemo(runtime, node.room);
const head = () => node.runtime.log.head();

it("the first data is a legal entity, two branches, a menu, customers and staff", async () => {
  await seed();
  const { items } = await node.call(listBranches, {});
  expect(items.map(({ time_zone, is_default }) => [time_zone, is_default])).toEqual([
    ["Europe/Moscow", true],
    ["Asia/Krasnoyarsk", false],
  ]);
  expect(items[0]).toMatchObject({ open_now: true, closes_at: null });
  expect(items[1]?.hours["3"]).toEqual({ open: "09:45", close: "23:45" });
  expect((await node.call(getBranch, {})).time_zone).toBe("Europe/Moscow");
  const { rows } = await database.pool.query<{ role: string; people: number }>(
    "select role, count(*) as people from users group by role order by role",
  );
  expect(rows).toEqual([
    { role: "cook", people: 2 },
    { role: "courier", people: 2 },
    { role: "customer", people: 3 },
    { role: "manager", people: 2 },
    { role: "technologist", people: 1 },
  ]);
});

it("the customers have said something of what they ate", async () => {
  await seed();
  const { rows } = await database.pool.query<{ name: string; dishes: number; verified: boolean }>(
    `select u.name, count(distinct m.item_id) as dishes, bool_or(r.order_id is not null) as verified
     from reviews r join users u using (user_id) join menu_items m on m.item_id = r.menu_item_id
     group by u.name order by u.name`,
  );
  expect(rows).toEqual(
    ["Анна Смирнова", "Борис Ким", "Вера Орлова"].map((name) => ({ name, dishes: 3, verified: false })),
  );
});

it("nobody among them can sign in", async () => {
  await seed();
  const { rows } = await database.pool.query("select 1 from users where password_hash is not null");
  expect(rows).toEqual([]);
  for (const password of ["password", "12345678", "anna@example.com"])
    expect(await node.refusal(login, { email: "anna@example.com", password })).toMatchObject({
      code: "auth.invalid_credentials",
    });
});

it("seeding again changes nothing, not even what people have changed since", async () => {
  await seed();
  const branch_id = BRANCHES[1]?.branch_id ?? "";
  await node.call(changeBranch, { branch_id, phone: "+73911112233" });
  const before = await head();
  await seed();
  await seed();
  expect(await head()).toBe(before);
  expect(await node.call(getBranch, { branch_id })).toMatchObject({ phone: "+73911112233" });
});

it("seeding again does not even try: it looks once and finds all done", async () => {
  await seed();
  await seed(failingAfter(0));
});

it("two nodes that seed at once make everything once", async () => {
  await Promise.all([seed(), seed()]);
  expect((await node.call(listBranches, {})).items).toHaveLength(2);
  const { rows } = await database.pool.query("select 1 from users");
  expect(rows).toHaveLength(PEOPLE.length);
});

it.each(Array.from({ length: STEPS - 1 }, (_, at) => at + 1).filter((at) => at % 3 === 1))(
  "what was interrupted after step %i is made complete by the next start",
  async (steps) => {
    await expect(seed(failingAfter(steps))).rejects.toThrow(/power cut|does not answer/);
    await seed();
    expect((await node.call(listBranches, {})).items).toHaveLength(2);
    const { rows: users } = await database.pool.query("select 1 from users");
    expect(users).toHaveLength(PEOPLE.length);
    const { rows: menus } = await database.pool.query<{ version: number }>("select version from menu_head");
    expect(menus[0]?.version).toBeGreaterThan(0);
    const { rows: answers } = await database.pool.query("select 1 from es.command");
    expect(answers).toHaveLength(STEPS);
  },
);

/** The steps write one after the other, through the actors or through a row change: the next one after so many fails. */
function failingAfter(steps: number): Runtime {
  let left = steps;
  const spend = (): void => {
    if (left-- === 0) throw new Error("power cut");
  };
  const { broker, pool } = node.runtime;
  const call = ((...args: Parameters<typeof broker.call>) => {
    spend();
    return broker.call(...args);
  }) as typeof broker.call;
  const connect = (() => {
    spend();
    return pool.connect();
  }) as typeof pool.connect;
  const cutPool = new Proxy(pool, {
    get: (target, key) => (key === "connect" ? connect : (Reflect.get(target, key, target) as unknown)),
  });
  const cutBroker = new Proxy(broker, {
    get: (target, key) => (key === "call" ? call : (Reflect.get(target, key, target) as unknown)),
  });
  // Accounts keep the runtime that they were opened with, so theirs is cut as well.
  Object.assign(node.room.accounts, { runtime: { ...node.runtime, pool: left < 0 ? pool : cutPool } });
  return { ...node.runtime, broker: cutBroker, pool: cutPool };
}
