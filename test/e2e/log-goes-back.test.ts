import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "pg";
import { redisServer, type RedisServer } from "../../fleet/servers/redis-server";
import { ErpSocket } from "../support/erp-socket";
import { eventually } from "../support/eventually";
import { startFailingPair, type FailingPair } from "../support/failing-pair";
import { FornoUnderTest } from "../support/forno";
import { kitchenWorkOf, type WorkedLine } from "../support/kitchen-work";

interface Placed {
  readonly position: number;
  readonly order_id: string;
}
interface Listed extends Placed {
  readonly status: string;
  readonly items: readonly WorkedLine[];
  readonly slot: { readonly slot_id: string };
}
interface Slot {
  readonly slot_id: string;
  readonly load_minor: number;
  readonly orders_count: number;
}
interface PageOf<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}
interface LogEvent {
  readonly type: string;
  readonly data: { readonly order_id: string; readonly to?: string };
}

const PATIENCE_MS = 60_000;

/** Orders that a node acknowledged are lost with its database's first server: what is left must be one story. */
describe("a node whose log goes back, because a standby that lacks the newest takes over", () => {
  let pair: FailingPair;
  let redis: RedisServer;
  let folder: string;
  let forno: FornoUnderTest;
  let desk: ErpSocket;
  let token: string;
  let pizzas: { id: string }[];
  const kept: Placed[] = [];
  const lost: Placed[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-redis-"));
    redis = await redisServer(folder);
    await redis.process.start();
    pair = await startFailingPair({ migrated: false });
    forno = await FornoUnderTest.started({
      DATABASE_URL: pair.url,
      REDIS_URL: `redis://127.0.0.1:${String(redis.port)}`,
      JWT_SECRET: "a secret of thirty-two characters",
      LOG_LEVEL: "info",
    });
    token = await forno.adminToken();
    await forno.ask("PUT", "/api/v1/erp/slots/config", { token, body: { capacity_minor: 8_000_000 } });
    pizzas = (await forno.ask<{ pizzas: { id: string }[] }>("GET", "/api/v1/menu")).body.pizzas;
    desk = new ErpSocket(forno.url, token);
    await desk.connect();
    for (let n = 0; n < 24; n += 1) kept.push(await place(n));
    for (const { order_id } of kept.slice(0, 4)) await cancel(order_id);
    await eventually(() => expect(desk.created()).toHaveLength(24));
    await pair.caughtUp();
    await pair.freezeStandby();
    for (let n = 0; n < 18; n += 1) lost.push(await place(n));
    // Lost as well: these orders are to be cooked again.
    for (const { order_id } of kept.slice(4, 10)) await cancel(order_id);
    await eventually(() => expect(desk.created()).toHaveLength(42));
    await pair.failOver();
    for (let n = 0; n < 30; n += 1) kept.push(await eventually(() => place(n), PATIENCE_MS));
    for (const { order_id } of [...kept.slice(10, 14), ...kept.slice(24, 30)]) await cancel(order_id);
  }, 240_000);

  afterAll(async () => {
    desk.close();
    await forno.end();
    rmSync(forno.home, { recursive: true, force: true });
    await pair.stop();
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  async function place(n: number): Promise<Placed> {
    const answer = await forno.ask<Placed>("POST", "/api/v1/order", {
      body: {
        fulfilment: "pickup",
        payment_method: "cash",
        items: [{ menu_item_id: pizzas[n % pizzas.length]?.id, quantity: 1 + (n % 3) }],
      },
      headers: { "idempotency-key": randomUUID() },
    });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  }

  async function cancel(order_id: string): Promise<void> {
    const { status, body } = await forno.ask("POST", `/api/v1/erp/orders/${order_id}/cancel`, {
      token,
      body: { reason: "the customer left" },
      headers: { "idempotency-key": randomUUID() },
    });
    if (status !== 200) throw new Error(JSON.stringify(body));
  }

  /** What the log itself says, past everything that Forno made of it. */
  async function statesInLog(): Promise<Map<string, string>> {
    const client = new Client(pair.connection);
    await client.connect();
    const { rows } = await client.query<LogEvent>(
      "select type, data from es.event where stream_type = 'order' order by pos",
    );
    await client.end();
    const states = new Map<string, string>();
    for (const { type, data } of rows) {
      if (type === "order.placed") states.set(data.order_id, "pending");
      if (type === "order.status_changed") states.set(data.order_id, data.to ?? "");
      if (type === "order.cancelled") states.set(data.order_id, "cancelled");
    }
    return states;
  }

  async function everyOrder(): Promise<Listed[]> {
    const listed: Listed[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const query: string = cursor === "" ? "" : `?cursor=${encodeURIComponent(cursor)}`;
      const page = await forno.ask<PageOf<Listed>>("GET", `/api/v1/erp/orders/batch${query}`, { token });
      expect(page.status).toBe(200);
      listed.push(...page.body.items);
      cursor = page.body.next_cursor;
    }
    return listed;
  }

  async function expectOneStory(): Promise<void> {
    await eventually(async () => {
      const [orders, states] = [await everyOrder(), await statesInLog()];
      expect(new Map(orders.map(({ order_id, status }) => [order_id, status]))).toEqual(states);
      const expected = new Map<string, { load: number; count: number }>();
      for (const order of orders.filter(({ status }) => status !== "cancelled")) {
        const { slot_id } = order.slot;
        const sum = expected.get(slot_id) ?? { load: 0, count: 0 };
        expected.set(slot_id, { load: sum.load + kitchenWorkOf(order), count: sum.count + 1 });
      }
      const now = Date.now();
      const range = `from=${new Date(now - 3_600_000).toISOString()}&to=${new Date(now + 36 * 3_600_000).toISOString()}`;
      const { body } = await forno.ask<PageOf<Slot>>("GET", `/api/v1/erp/slots?${range}`, { token });
      const held = body.items.filter(({ orders_count }) => orders_count > 0);
      expect(
        new Map(
          held.map(({ slot_id, load_minor, orders_count }) => [
            slot_id,
            { load: load_minor, count: orders_count },
          ]),
        ),
      ).toEqual(expected);
    }, PATIENCE_MS);
  }

  it("shows what the log holds: no ghost, nobody missing, and slots that hold exactly the live orders", async () => {
    await expectOneStory();
    const ids = new Set((await everyOrder()).map(({ order_id }) => order_id));
    for (const { order_id } of kept) expect(ids).toContain(order_id);
    for (const { order_id } of lost) expect(ids).not.toContain(order_id);
  });

  it("tells the sockets to load anew, and goes on with what is new", async () => {
    const resync = desk.messages.findIndex(({ type }) => type === "resync_required");
    expect(desk.messages[resync]?.data).toMatchObject({ reason: "log.went_back" });
    const last = kept.at(-1)?.order_id ?? "";
    await eventually(() => expect(desk.created()).toContain(last));
    const after = desk.messages.slice(resync + 1).filter(({ type }) => type.startsWith("order:"));
    const positions = after.map(({ position }) => position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  it("tells who comes back with a position that was taken back to load anew, too", async () => {
    const late = new ErpSocket(forno.url, token, lost.at(-1)?.position);
    await late.connect();
    await eventually(() => {
      expect(late.messages.map(({ type }) => type)).toContain("resync_required");
    });
    late.close();
  });

  it("says so in health, and that it is made good", async () => {
    await eventually(async () => {
      const { body } = await forno.ask<{ checks: Record<string, Record<string, unknown>> }>(
        "GET",
        "/api/v1/health",
        { token },
      );
      expect(body.checks["lineage"]).toMatchObject({ status: "up" });
      expect(body.checks["lineage"]?.["went_back_at"]).toMatch(/^\d{4}-/);
      expect(body.checks["lineage"]?.["from_position"]).toBeGreaterThanOrEqual(lost.at(-1)?.position ?? 0);
      expect(String(body.checks["lineage"]?.["detail"])).toMatch(/The log went back/);
    }, PATIENCE_MS);
  });

  it("has orders in Redis as the log has them", async () => {
    const { Redis } = await import("ioredis");
    const client = new Redis(redis.port, "127.0.0.1");
    try {
      await eventually(async () => {
        for (const { order_id } of lost) expect(await client.exists(`order:${order_id}`)).toBe(0);
        const states = await statesInLog();
        for (const { order_id } of kept)
          expect(await client.get(`order:${order_id}:status`)).toBe(states.get(order_id));
      }, PATIENCE_MS);
    } finally {
      client.disconnect();
    }
  });

  it("is the same after a restart", async () => {
    const code = await forno.end();
    // What was cut off, where anything was.
    if (code !== 0) throw new Error(forno.output.slice(-1_000));
    await forno.start();
    await expectOneStory();
    await place(1);
    await expectOneStory();
  });
});
