import { forgetReplicas, removeReplica } from "../../../fleet/replica/remove-replica";
import { setUpReplica } from "../../../fleet/replica/set-up-replica";
import { databaseProbe } from "../../../services/ops/health";
import { eventually } from "../../support/eventually";
import { hasSystemPostgres, startTestDatabase, type TestDatabase } from "../../support/postgres";
import { startTestReplica, type TestReplica } from "../../support/replica";

const PASSWORD = "a password of the role";
const USER = "01990000-0000-7000-8000-000000000001";
const SALE = "01990000-0000-7000-8000-000000000002";

const servers = ["embedded", ...(hasSystemPostgres() ? (["system"] as const) : [])] as const;
if (!hasSystemPostgres()) console.warn("SKIPPED: a replica on the system's PostgreSQL 15, there is none.");

const insertUser = ({ pool }: TestDatabase, user_id: string, name: string) =>
  pool.query(
    `insert into users (user_id, role, status, name, email, password_hash, version, rights_version, created_at, changed_at)
     values ($1, 'customer', 'active', $2, $2 || '@customers.test', 'a secret hash', 1, 1, now(), now())`,
    [user_id, name],
  );
const rowsOf = async ({ pool }: TestDatabase, sql: string): Promise<Record<string, unknown>[]> =>
  (await pool.query<Record<string, unknown>>(sql)).rows;
const slotsOf = (primary: TestDatabase) =>
  rowsOf(primary, "select slot_name, active from pg_replication_slots order by slot_name");

describe.each(servers)("replica:setup, from the embedded PostgreSQL to the %s one", (server) => {
  let servers: TestReplica;
  let primary: TestDatabase;
  let replica: TestDatabase;
  const shown = (sql: string, rows: object[]) =>
    eventually(async () => {
      expect(await rowsOf(replica, sql)).toEqual(rows);
    });

  beforeAll(async () => {
    servers = await startTestReplica({ replica: server });
    ({ primary, replica } = servers);
    await insertUser(primary, USER, "Anna");
  });
  afterAll(() => servers.stop());
  beforeEach(() => {
    servers.said.length = 0;
  });

  it("copies what is there, and says a generated password once", async () => {
    const states = await servers.setUp();
    expect(
      states.map(({ part, subscription, waiting_for, slot, differences }) => ({
        part,
        subscription,
        waiting_for,
        active: slot?.active,
        differences,
      })),
    ).toEqual(
      ["products", "users", "flash_sales"].map((part) => {
        return { part, subscription: "enabled", waiting_for: [], active: true, differences: [] };
      }),
    );
    await shown("select user_id, name from users", [{ user_id: USER, name: "Anna" }]);
    await shown("select version, currency from menu_head", [{ version: 0, currency: "RUB" }]);
    expect(servers.said.filter((line) => line.includes("with the password"))).toHaveLength(1);
  });

  it("changes nothing when it runs again, and says nothing", async () => {
    const before = await slotsOf(primary);
    expect(before).toHaveLength(3);
    await servers.setUp();
    expect(servers.said).toEqual([]);
    expect(await slotsOf(primary)).toEqual(before);
  });

  it("has every change arrive: new rows, changed ones, deleted ones, a truncation", async () => {
    await primary.pool.query("update users set name = 'Anna Petrovna', version = 2");
    await primary.pool.query(
      `insert into flash_sales (sale_id, name_ru, name_en, item_ids, percent, starts_at, ends_at)
       values ('${SALE}', 'Час', 'Hour', '{${SALE}}', 20, '2026-01-01', '2026-01-02')`,
    );
    await shown("select name, version from users", [{ name: "Anna Petrovna", version: 2 }]);
    await shown("select sale_id, item_ids, percent from flash_sales", [
      { sale_id: SALE, item_ids: [SALE], percent: 20 },
    ]);
    await primary.pool.query("delete from flash_sales; truncate menu_items");
    await shown("select from flash_sales", []);
  });

  it("leaves secrets at home: no hash on the replica, and none for the role on the primary", async () => {
    const columns = await rowsOf(
      replica,
      "select column_name from information_schema.columns where table_name = 'users'",
    );
    const names = columns.map(({ column_name }) => column_name);
    expect(names).toContain("email");
    expect(names).not.toContain("password_hash");
    expect(names).not.toContain("username");
    expect(await rowsOf(replica, "select to_regclass('promo_codes') as promo_codes")).toEqual([
      { promo_codes: null },
    ]);
    await expect(
      primary.pool.query("begin; set local role forno_replication; select password_hash from users"),
    ).rejects.toThrow("permission denied");
    await primary.pool.query("rollback");
  });

  it("refuses to make a subscription without the password of a role that exists, and takes a new one", async () => {
    await replica.pool.query("alter subscription sub_users disable");
    await replica.pool.query("alter subscription sub_users set (slot_name = none)");
    await replica.pool.query("drop subscription sub_users");
    await expect(servers.setUp()).rejects.toThrow("REPLICATION_PASSWORD");
    // Rows that changed meanwhile, and the slot that was left behind, are no obstacle.
    await primary.pool.query("update users set name = 'Anna P.'");
    await servers.setUp(PASSWORD);
    await shown("select name from users", [{ name: "Anna P." }]);
    expect(await slotsOf(primary)).toHaveLength(3);
  });

  it("begins anew where a slot was lost", async () => {
    await replica.pool.query("alter subscription sub_users disable");
    const [slot] = await rowsOf(
      primary,
      "select slot_name from pg_replication_slots where slot_name like 'forno%users'",
    );
    await eventually(() => primary.pool.query("select pg_drop_replication_slot($1)", [slot?.["slot_name"]]));
    await primary.pool.query("update users set name = 'Anna A.'");
    await servers.setUp(PASSWORD);
    expect(servers.said.join()).toContain("sub_users had lost its slot");
    await shown("select name from users", [{ name: "Anna A." }]);
  });

  it("begins anew where the primary has given up keeping WAL for a slot, which health says", async () => {
    const { pool } = primary;
    await replica.pool.query("alter subscription sub_users disable");
    await pool.query("alter system set max_slot_wal_keep_size = '1MB'");
    await pool.query("select pg_reload_conf()");
    await eventually(async () => {
      await pool.query("update menu_head set draft_edits = draft_edits");
      await pool.query("select pg_switch_wal()");
      await pool.query("checkpoint");
      const { detail } = await databaseProbe(pool, true).probe();
      expect(detail).toContain("left behind");
    });
    await pool.query("alter system reset max_slot_wal_keep_size");
    await pool.query("select pg_reload_conf()");
    await pool.query("update users set name = 'Anna B.'");
    await servers.setUp(PASSWORD);
    await shown("select name from users", [{ name: "Anna B." }]);
    await eventually(async () => {
      expect(await databaseProbe(pool, true).probe()).toMatchObject({ status: "up" });
    });
  });

  it("takes up a disabled subscription again", async () => {
    await replica.pool.query("alter subscription sub_users disable");
    const [, users] = await servers.setUp();
    expect(users?.subscription).toBe("enabled");
  });

  it("stands still at a column that the replica lacks, loses nothing, and copies the table anew at the next run", async () => {
    await primary.pool.query("alter table menu_items add column spicy boolean not null default true");
    const item = "insert into menu_items (kind, name_ru, name_en, price_minor) values ('extra', $1, $1, 100)";
    await primary.pool.query(item, ["first"]);
    await primary.pool.query("update menu_head set draft_edits = 7");
    await servers.setUp();
    expect(servers.said).toEqual([
      "The replica has no menu_items.spicy.",
      "Made the table menu_items on the replica.",
    ]);
    await primary.pool.query(item, ["later"]);
    await shown("select name_ru, spicy from menu_items order by name_ru", [
      { name_ru: "first", spicy: true },
      { name_ru: "later", spicy: true },
    ]);
    await shown("select draft_edits from menu_head", [{ draft_edits: 7 }]);
  });

  it("lets a migration change and drop columns of what is published whole, and follows", async () => {
    await primary.pool.query("alter table menu_items alter column sort_order type bigint");
    await servers.setUp();
    expect(servers.said).toContain("menu_items.sort_order is bigint here and integer on the replica.");
    await primary.pool.query(
      "alter table menu_items alter column sort_order type integer, drop column spicy; delete from menu_items",
    );
    const [products] = await servers.setUp();
    expect(products).toMatchObject({ differences: [], waiting_for: [] });
    await shown("select from menu_items", []);
  });

  it("mends a listed column that was dropped with cascade, which takes the table out of its publication", async () => {
    await expect(primary.pool.query("alter table users drop column phone")).rejects.toThrow("depend");
    await primary.pool.query("alter table users drop column phone cascade");
    const [, users] = await servers.setUp();
    expect(users?.differences).toEqual([]);
    await primary.pool.query("alter table users add column phone text");
    await servers.setUp();
    await primary.pool.query("update users set name = 'with a phone'");
    await shown("select name, phone from users", [{ name: "with a phone", phone: null }]);
  });

  it("serves several replicas, and lets each one go by itself, with its slots", async () => {
    await replica.pool.query("create database second");
    const second = replica.url.replace("/postgres?", "/second?");
    await setUpReplica({ primary: primary.url, replica: second, replication_password: PASSWORD });
    expect(await slotsOf(primary)).toHaveLength(6);
    await removeReplica({ primary: primary.url, replica: second });
    expect(await slotsOf(primary)).toHaveLength(3);
    await primary.pool.query("update users set name = 'still here'");
    await shown("select name from users", [{ name: "still here" }]);

    await removeReplica({ primary: primary.url, replica: replica.url });
    expect(await slotsOf(primary)).toEqual([]);
    expect(await rowsOf(primary, "select pubname from pg_publication")).toEqual([]);
    expect(await rowsOf(primary, "select rolname from pg_roles where rolname like 'forno_%'")).toEqual([]);
    expect(await rowsOf(replica, "select tablename from pg_tables where schemaname = 'public'")).toEqual([]);
    // Nothing is in the way of a new beginning, nor of being removed twice.
    await removeReplica({ primary: primary.url, replica: replica.url });
    await servers.setUp();
    await shown("select name from users", [{ name: "still here" }]);
  });

  it("frees the primary of a replica that is gone for good", async () => {
    await replica.cluster.stop();
    await expect(removeReplica({ primary: primary.url, replica: replica.url })).rejects.toThrow(
      "DATABASE_REPLICA_URL does not lead to a server",
    );
    await eventually(async () => {
      await forgetReplicas({ primary: primary.url, replica: replica.url });
      expect(await slotsOf(primary)).toEqual([]);
    });
    expect(await rowsOf(primary, "select pubname from pg_publication")).toEqual([]);
  });
});

describe("replica:setup refuses", () => {
  let servers: TestReplica;
  let other: TestDatabase;
  const setUp = (primary: string, replica: string) => setUpReplica({ primary, replica });

  beforeAll(async () => {
    servers = await startTestReplica();
    other = await startTestDatabase({ migrated: false });
  });
  afterAll(async () => {
    await other.stop();
    await servers.stop();
  });

  it("a primary whose WAL cannot be decoded", async () => {
    await expect(setUp(other.url, servers.replica.url)).rejects.toThrow(
      "wal_level of the primary is replica",
    );
  });

  it("a primary that has no Forno in it", async () => {
    await servers.primary.pool.query("create database bare");
    const bare = servers.primary.url.replace("/postgres?", "/bare?");
    await expect(setUp(bare, other.url)).rejects.toThrow("start Forno on it once");
  });

  it("the primary as its own replica, another database of it included", async () => {
    const { url } = servers.primary;
    for (const same of [url, url.replace("/postgres?", "/template1?")])
      await expect(setUp(url, same)).rejects.toThrow("the primary itself");
  });

  it("the database of another Forno as the replica, and tables of somebody else", async () => {
    await other.pool.query("create table users (name text); insert into users values ('theirs')");
    await expect(setUp(servers.primary.url, other.url)).rejects.toThrow("that are not copies: users");
    await other.pool.query("create schema es; create table es.event (); ");
    await expect(setUp(servers.primary.url, other.url)).rejects.toThrow("has an event log");
    expect((await other.pool.query("select name from users")).rows).toEqual([{ name: "theirs" }]);
  });

  it("servers that are not there, without saying a password", async () => {
    const nowhere = "postgres://forno:hidden@127.0.0.1:1/postgres";
    const refused = await setUp(nowhere, other.url).catch(String);
    expect(refused).toContain("DATABASE_URL does not lead to a server");
    expect(refused).not.toContain("hidden");
    await expect(setUp(servers.primary.url, nowhere)).rejects.toThrow("DATABASE_REPLICA_URL does not lead");
  });

  it("a primary that the replica cannot reach, and can be run again with where it is", async () => {
    const { primary, replica } = servers;
    const setup = { primary: primary.url, replica: replica.url, replication_password: "p'ass\\word" };
    await expect(setUpReplica({ ...setup, replication_host: "127.0.0.1:1" })).rejects.toThrow(
      /could not subscribe at 127\.0\.0\.1:1 .*REPLICATION_HOST/s,
    );
    const states = await setUpReplica(setup);
    expect(states.map(({ subscription }) => subscription)).toEqual(["enabled", "enabled", "enabled"]);
  });
});
