import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Redis from "ioredis";
import { Client } from "pg";
import { redisServer, type RedisServer } from "../../fleet/servers/redis-server";
import { Chain } from "../support/chain";
import { eventually } from "../support/eventually";
import { FleetUnderTest } from "../support/fleet-under-test";
import { FornoUnderTest } from "../support/forno";
import { describeWithKafka, readTopic, startTestKafka, type TestKafka } from "../support/kafka";
import { heardOf, news, PlainListener } from "../support/listener";
import { GUESTS_PHONE, PASSWORD, SOUGHT, TwoPeople } from "../support/two-people";
import {
  HEAP_ON_SIGNAL,
  tracesInFiles,
  tracesInHeap,
  tracesInRedis,
  tracesInTables,
  type Trace,
} from "../support/traces";

jest.setTimeout(180_000);

describeWithKafka("two people who are erased, on two nodes with Redis and Kafka", () => {
  let fleet: FleetUnderTest;
  let folder: string;
  let redis: RedisServer;
  let reader: Redis;
  let kafka: TestKafka;
  let nodes: FornoUnderTest[];
  let chain: Chain;
  let people: TwoPeople;
  let before_position: number;
  /** The customer's own, at the node where she does not delete her account. */
  let annas: PlainListener;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-erasure-"));
    redis = await redisServer(folder);
    await redis.process.start();
    reader = new Redis(redis.url);
    [kafka, fleet] = await Promise.all([startTestKafka(), FleetUnderTest.prepared()]);
    const env = {
      ...HEAP_ON_SIGNAL,
      ...{ REDIS_URL: redis.url, KAFKA_BROKERS: kafka.server.brokers, LOG_LEVEL: "debug" },
    };
    nodes = [await fleet.node(env), await fleet.node(env)];
    for (const node of nodes) await node.start();
    chain = await Chain.of(nodes[0] as FornoUnderTest);
    before_position = Number(
      (await fleet.database.pool.query<{ head: string }>("select head from es.lane")).rows[0]?.head,
    );
    people = new TwoPeople(chain, nodes);
    await people.live();
    annas = new PlainListener(nodes[1]?.port ?? 0, `/ws?access_token=${people.token}`);
    await heardOf(annas, "ready");
  });
  afterAll(async () => {
    annas.close();
    reader.disconnect();
    await fleet.remove();
    await redis.process.kill();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const inTables = () => tracesInTables(fleet.database.pool, SOUGHT);
  const inRedis = () => tracesInRedis(reader, SOUGHT);
  const inLogs = (): Trace[] =>
    nodes.flatMap(({ output }) => output.split("\n").filter((line) => SOUGHT.test(line)));
  const inKafka = async (): Promise<string[]> => {
    const link = kafka.link({ KAFKA_TOPIC: "pizza-orders" });
    const records = await readTopic(link);
    return records.flatMap(({ key, value, headers }) => {
      const text = [key, value, ...Object.values(headers ?? {})]
        .map((part) => part?.toString("latin1") ?? "")
        .join(" ");
      return SOUGHT.test(text) ? [text] : [];
    });
  };

  it("are found before: in tables, in Redis and in the memory of both nodes; in no log line and no record of Kafka", async () => {
    const tables = await inTables();
    for (const table of ["public.users", "public.profiles", "public.reviews", "public.orders_"])
      expect(tables.some((trace) => trace.startsWith(table))).toBe(true);
    await eventually(async () => {
      const keys = (await inRedis()).join("\n");
      expect(keys).toContain("redis order:");
      expect(keys).toContain("profile.get:");
      expect(keys).toContain("comments_top");
    });
    for (const node of nodes) expect(await tracesInHeap(node, SOUGHT)).not.toEqual([]);
    expect(inLogs()).toEqual([]);
    expect(await inKafka()).toEqual([]);
  });

  it("are found nowhere after", async () => {
    const erasures = await people.leave();
    expect(erasures.map(({ streams }) => streams)).toEqual([1, 2]);
    await eventually(async () => expect(await inTables()).toEqual([]), 20_000);
    await eventually(async () => expect(await inRedis()).toEqual([]), 20_000);
    expect(inLogs()).toEqual([]);
    expect(await inKafka()).toEqual([]);
    const after = Math.max(...erasures.map(({ position }) => position));
    for (const node of nodes) {
      const { body } = await node.ask("GET", `/api/v1/erp/orders/batch?after=${String(after)}`, {
        token: chain.admin,
      });
      expect(JSON.stringify(body)).not.toMatch(SOUGHT);
      expect(JSON.stringify(body)).toContain('"phone":"erased"');
    }
  });

  it("are in the memory of no node", async () => {
    for (const node of nodes)
      await eventually(async () => {
        // What V8 holds of the last request goes with the next one.
        for (let n = 0; n < 20; n += 1) await node.ask("GET", "/api/v1/erp/orders", { token: chain.admin });
        expect(await tracesInHeap(node, SOUGHT)).toEqual([]);
      }, 60_000);
  });

  it("are shown to no desk that comes back and asks for what it missed", async () => {
    for (const { port } of nodes) {
      const query = `access_token=${chain.admin}&after=${String(before_position)}`;
      const desk = new PlainListener(port, `/api/v1/erp/ws?${query}`);
      await heardOf(desk, "ready");
      const own = news(desk).filter(({ data }) => people.orders.includes(String(data["order_id"])));
      expect(own.length).toBeGreaterThan(0);
      expect(JSON.stringify(own)).not.toMatch(SOUGHT);
      desk.close();
    }
  });

  it("come in nowhere any more, are sent away where they are, and may come again", async () => {
    expect(await annas.ended()).toMatchObject({ code: 4401 });
    for (const node of nodes) {
      await eventually(async () => {
        expect((await node.ask("GET", "/api/user/profile", { token: people.token })).status).toBe(401);
      });
      const body = { email: people.email, password: PASSWORD };
      expect((await node.ask("POST", "/api/v1/auth/login", { body })).status).toBe(401);
    }
    const again = { name: "Anna", email: people.email, password: PASSWORD };
    expect((await nodes[1]?.ask("POST", "/api/v1/auth/register", { body: again }))?.status).toBe(201);
  });
});

describe("a Forno that is killed in the middle of an erasure", () => {
  let fleet: FleetUnderTest;
  let node: FornoUnderTest;
  let chain: Chain;

  beforeAll(async () => {
    fleet = await FleetUnderTest.prepared();
    node = await fleet.node();
    await node.start();
    chain = await Chain.of(node);
  });
  afterAll(() => fleet.remove());

  const inTables = () => tracesInTables(fleet.database.pool, SOUGHT);

  /** Keeps what a statement locks until it is let go. */
  async function holding(
    statement: string,
  ): Promise<{ letGo(): Promise<void>; readonly waiting: () => Promise<number> }> {
    const holder = new Client(fleet.database.connection);
    await holder.connect();
    await holder.query("set idle_in_transaction_session_timeout = 0");
    await holder.query("begin");
    await holder.query(statement);
    return {
      async letGo() {
        await holder.end();
      },
      waiting: async () =>
        (await fleet.database.pool.query("select from pg_stat_activity where wait_event_type = 'Lock'"))
          .rowCount ?? 0,
    };
  }

  it("has erased nothing where that is not committed, and everything when it is asked again", async () => {
    const people = new TwoPeople(chain, [node]);
    await people.live();
    const before = (await inTables()).length;
    const held = await holding("select from profiles for update");
    const headers = { "idempotency-key": randomUUID() };
    const erase = () =>
      node.ask("POST", "/api/v1/erp/customers/erase", {
        body: { user_id: people.user_id },
        token: chain.admin,
        headers,
      });
    const cut_off = erase().then(
      () => "answered",
      () => "cut off",
    );
    await eventually(async () => expect(await held.waiting()).toBeGreaterThan(0));
    await node.end("SIGKILL");
    expect(await cut_off).toBe("cut off");
    await held.letGo();
    await node.start();
    expect((await inTables()).length).toBe(before);
    const { rows } = await fleet.database.pool.query("select from es.data_key where key is null");
    expect(rows).toEqual([]);
    expect((await erase()).status).toBe(200);
    const body = { phone: GUESTS_PHONE };
    expect((await node.ask("POST", "/api/v1/erp/customers/erase", { body, token: chain.admin })).status).toBe(
      200,
    );
    await eventually(async () => expect(await inTables()).toEqual([]));
  });

  it("brings it to its end where it is committed, in every read model", async () => {
    const people = new TwoPeople(chain, [node]);
    await people.live();
    const held = await holding("lock table orders, post_views in share row exclusive mode");
    await people.leave();
    await eventually(async () => expect(await held.waiting()).toBeGreaterThan(0));
    expect((await inTables()).some((trace) => trace.startsWith("public.orders_"))).toBe(true);
    await node.end("SIGKILL");
    await held.letGo();
    await node.start();
    await eventually(async () => expect(await inTables()).toEqual([]), 20_000);
    await eventually(async () => {
      const mine = "select from post_views where user_id = $1";
      expect((await fleet.database.pool.query(mine, [people.user_id])).rowCount).toBe(0);
    });
  });
});

describe("a Forno with its own database", () => {
  let forno: FornoUnderTest;

  beforeAll(async () => {
    forno = await FornoUnderTest.started({ LOG_LEVEL: "debug" }, "--repl");
  });
  afterAll(() => forno.remove());

  it("has nothing of whom it erased in any file of its own, and shows them erased after a rebuild", async () => {
    const chain = await Chain.of(forno);
    const people = new TwoPeople(chain, [forno]);
    await people.live();
    await people.leave();
    forno.type("projection rebuild orders");
    await eventually(
      () => expect(forno.output).toMatch(/rebuilt up to position|orders.*(done|rebuilt)/i),
      20_000,
    );
    for (const order_id of people.orders) {
      const { body } = await chain.desk<{ address: string; total_minor: number }>(
        "GET",
        `/api/v1/erp/orders/${order_id}`,
      );
      expect(body).toMatchObject({
        address: "erased",
        customer: { name: "erased", phone: "erased" },
        notes: "erased",
      });
      expect(body.total_minor).toBeGreaterThan(0);
    }
    // PostgreSQL's own files hold dead rows until it needs their place, and its WAL until it is recycled: see docs/operations.md.
    expect(tracesInFiles(forno.dataDir, SOUGHT, ["postgres"])).toEqual([]);
    expect(forno.output).not.toMatch(SOUGHT);
  });
});
