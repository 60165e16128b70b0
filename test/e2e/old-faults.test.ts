import { randomUUID } from "node:crypto";
import {
  Chain,
  GUEST_PHONE,
  trackTokenOf,
  type PageOf,
  type Placed,
  type Problem,
  type Slot,
} from "../support/chain";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { kitchenWorkOf } from "../support/kitchen-work";
import { heardOf, news, PlainListener } from "../support/listener";
import { hasSystemPostgres, startTestDatabase, type TestDatabase } from "../support/postgres";

const SHOP = "https://shop.example";
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

describe("faults of older systems, asked of two nodes on one PostgreSQL", () => {
  let database: TestDatabase;
  let one: FornoUnderTest;
  let other: FornoUnderTest;
  let chain: Chain;

  beforeAll(async () => {
    database = await startTestDatabase({
      server: hasSystemPostgres() ? "system" : "embedded",
      migrated: false,
    });
    const env = {
      DATABASE_URL: database.url,
      JWT_SECRET: "the same secret for both of the nodes",
      CORS_ORIGINS: SHOP,
    };
    [one, other] = await Promise.all([FornoUnderTest.started(env), FornoUnderTest.started(env)]);
    chain = await Chain.of(one);
  });
  afterAll(async () => {
    await Promise.all([one.remove(), other.remove()]);
    await database.stop();
  });

  const createdAt = (tablet: PlainListener): unknown[] =>
    news(tablet)
      .filter(({ type }) => type === "order:created")
      .map(({ data }) => data["order_id"]);
  const tabletAt = async (node: FornoUnderTest, token: string): Promise<PlainListener> => {
    const tablet = new PlainListener(node.port, `/api/v1/ws?access_token=${token}`);
    await heardOf(tablet, "ready");
    return tablet;
  };

  it("1: an order that was acknowledged is there although its node dies at once, and tablets have it", async () => {
    const branch_id = await chain.openBranch();
    const tablet = await tabletAt(other, await chain.account("cook", [branch_id]));
    const order = await chain.placed(chain.wish({ branch_id }));
    await one.end("SIGKILL");
    await eventually(() => {
      expect(createdAt(tablet)).toEqual([order.order_id]);
    });
    const track = await other.ask(
      "GET",
      `/api/v1/track/${trackTokenOf(order)}?after=${String(order.position)}`,
    );
    expect(track.body).toMatchObject({ order_id: order.order_id, status: "pending" });
    tablet.close();
    await one.start();
  });

  it("2: a restart forgets no slot's load, the same order counts once, and no price is negative", async () => {
    const branch_id = await chain.openBranch();
    const key = randomUUID();
    const wish = chain.wish({ branch_id, preferred_time: new Date(Date.now() + 5 * HOUR_MS).toISOString() });
    const order = await chain.placed(wish, { key });
    expect(await chain.placed(wish, { key })).toEqual(order);
    const expected = { load_minor: kitchenWorkOf(order), orders_count: 1 };
    expect(await chain.slotOf(branch_id, order, order.position)).toMatchObject(expected);
    await one.end();
    await one.start();
    expect(await chain.slotOf(branch_id, order, order.position)).toMatchObject(expected);
    const next = await chain.placed(wish, { key: randomUUID() });
    expect(await chain.slotOf(branch_id, order, next.position)).toMatchObject({
      orders_count: 2,
      load_minor: 2 * kitchenWorkOf(order),
    });
    const free = await one.ask<Problem>("PUT", `/api/v1/menu/items/${chain.dish("Pepperoni").id}`, {
      body: { price_minor: -1 },
      token: chain.admin,
    });
    expect(free.status).toBe(400);
  });

  it("3: an order just under the lead time ahead is not visible later than one just over", async () => {
    const branch_id = await chain.openBranch({ lead_time_minutes: 30, slot_minutes: 5 });
    const placed: Placed[] = [];
    for (const minutes of [31, 29, 45, 36, 30])
      placed.push(
        await chain.placed(
          chain.wish({ branch_id, preferred_time: new Date(Date.now() + minutes * MINUTE_MS).toISOString() }),
        ),
      );
    const inOrder = placed.map(({ slot, visible_at }) => `${slot.start} ${visible_at}`).sort();
    const visible = inOrder.map((line) => line.split(" ")[1] ?? "");
    expect(visible).toEqual([...visible].sort());
  });

  it("4: an order after closing time is for the next opening, and closing after midnight can be said", async () => {
    const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 16);
    const opening = Math.floor((Date.now() + 2 * HOUR_MS) / MINUTE_MS) * MINUTE_MS;
    const day = { open: clock(opening), close: clock(Date.now() - 2 * MINUTE_MS) };
    const hours = Object.fromEntries(["1", "2", "3", "4", "5", "6", "7"].map((weekday) => [weekday, day]));
    const order = await chain.placed(chain.wish({ branch_id: await chain.openBranch({ hours }) }));
    expect(order).toMatchObject({ preorder: true, slot: { start: new Date(opening).toISOString() } });
  });

  it("5: the client sets no price, discount or fee; an unknown pizza or extra is refused, not priced", async () => {
    for (const change of [
      { total_minor: 1 },
      { discount_minor: 1 },
      { delivery_fee_minor: 0 },
      { items: [{ name: "Pepperoni", quantity: -1 }] },
    ])
      expect((await chain.wanted(chain.wish(change))).status).toBe(400);
    expect((await chain.wanted(chain.wish({ items: [{ name: "Hawaii", quantity: 1 }] }))).body.code).toBe(
      "menu.unknown_item",
    );
    const items = [{ name: "Pepperoni", quantity: 2, extras: [chain.dish("Cheese crust").id] }];
    const order = await chain.placed(chain.wish({ items }));
    expect(order.total_minor).toBe(
      2 * (chain.dish("Pepperoni").price_minor + chain.dish("Cheese crust").price_minor),
    );
    expect(
      (
        await chain.wanted(
          chain.wish({ items: [{ name: "Pepperoni", quantity: 1, extras: [randomUUID()] }] }),
        )
      ).body.code,
    ).toBe("menu.unknown_extra");
  });

  it("6: one key is one order whichever node is asked, and no display id is given twice in a branch and day", async () => {
    const branch_id = await chain.openBranch({ capacity_minor: 3 * chain.dish("Pepperoni").price_minor });
    const asked = Array.from({ length: 20 }, () => randomUUID()).flatMap((key) => [key, key]);
    const answers = await Promise.all(
      asked.map((key, index) =>
        (index % 2 === 0 ? one : other).ask<Placed & { business_date: string }>("POST", "/api/v1/order", {
          body: chain.wish({ branch_id }),
          headers: { "idempotency-key": key },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 201));
    const orders = new Map(answers.map(({ body }) => [body.order_id, body]));
    expect(orders.size).toBe(20);
    const last = Math.max(...answers.map(({ body }) => body.position));
    const { body } = await chain.desk<PageOf<Placed & { business_date: string }>>(
      "GET",
      `/api/v1/erp/orders?branch_id=${branch_id}&limit=100&after=${String(last)}`,
    );
    expect(
      new Set(body.items.map(({ business_date, display_id }) => `${business_date} ${display_id}`)).size,
    ).toBe(20);
    const board = await chain.desk<PageOf<Slot>>(
      "GET",
      `/api/v1/erp/slots?branch_id=${branch_id}&from=${new Date().toISOString()}&to=${new Date(Date.now() + 30 * HOUR_MS).toISOString()}&after=${String(last)}`,
    );
    expect(board.body.items.reduce((sum, { orders_count }) => sum + orders_count, 0)).toBe(20);
    for (const { load_minor, capacity_minor } of board.body.items)
      expect(load_minor).toBeLessThanOrEqual(capacity_minor);
  });

  it("8: a PUT sets false and 0 like any other value", async () => {
    const { id } = chain.dish("Classic");
    const draft = await chain.desk("PUT", `/api/v1/menu/items/${id}`, { price_minor: 0, available: false });
    expect(draft.body).toMatchObject({ item: { price_minor: 0, available: false } });
    await chain.desk("DELETE", `/api/v1/menu/drafts/${id}`);
    const branch_id = await chain.openBranch();
    const config = await chain.desk("PUT", "/api/v1/erp/slots/config", {
      branch_id,
      capacity_minor: 0,
      lead_time_minutes: 0,
    });
    expect(config.body).toMatchObject({ capacity_minor: 0, lead_time_minutes: 0 });
    const branch = await chain.desk("PUT", `/api/v1/erp/branches/${branch_id}`, {
      delivery_fee_minor: 0,
      is_default: false,
    });
    expect(branch.body).toMatchObject({ branch: { delivery_fee_minor: 0, is_default: false } });
  });

  it("9: a socket that does not read stalls nobody, and a tablet at one node has the other node's orders", async () => {
    const branch_id = await chain.openBranch();
    const cook = await chain.account("cook", [branch_id]);
    const [slow, here, there] = await Promise.all([
      tabletAt(one, cook),
      tabletAt(one, cook),
      tabletAt(other, cook),
    ]);
    slow.ws.pause();
    const wish = chain.wish({ branch_id });
    const placed: string[] = [];
    for (const node of [one, other, one, other])
      placed.push((await node.ask<Placed>("POST", "/api/v1/order", { body: wish })).body.order_id);
    for (const tablet of [here, there])
      await eventually(() => {
        expect(createdAt(tablet)).toEqual(placed);
      });
    for (const tablet of [slow, here, there]) tablet.close();
  });

  it("10: no token is guessed or forged, no ?role= shows more, and strange origins get nothing", async () => {
    const order = await chain.placed(chain.delivery());
    const route = `/api/v1/erp/orders/${order.order_id}?role=admin`;
    for (const token of [undefined, "admin", order.order_id, `${chain.admin.slice(0, -3)}abc`]) {
      const answer = await one.ask("GET", route, { token });
      expect(answer.status).toBe(401);
      expect(JSON.stringify(answer.body)).not.toContain(GUEST_PHONE);
    }
    const technologist = await chain.account("technologist");
    expect((await one.ask("GET", route, { token: technologist })).status).toBe(400);
    const allowed = async (origin: string) =>
      (await one.ask("GET", "/api/v1/menu", { headers: { origin } })).headers.get(
        "access-control-allow-origin",
      );
    expect(await allowed(SHOP)).toBe(SHOP);
    expect(await allowed("https://evil.example")).toBeNull();
    const stranger = new PlainListener(one.port, "/ws", { origin: "https://evil.example" });
    await eventually(() => {
      expect(stranger.status).toBe(403);
    });
    stranger.close();
  });

  it("14: both nodes started at once on an empty database, and it has the schema and one seed", async () => {
    const count = async (table: string): Promise<number> =>
      (await database.pool.query<{ count: number }>(`select count(*) from ${table}`)).rows[0]?.count ?? 0;
    expect(await count("schema_migrations")).toBe(database.db.migrations.length);
    expect(await count("legal_entities")).toBe(1);
    expect(await count("menu_versions")).toBe(1);
  });

  it("15: health is no constant: it knows the log's newest position", async () => {
    const position = async (): Promise<number> =>
      (await one.askOps<{ checks: { event_log: { position: number } } }>("/api/v1/health")).body.checks
        .event_log.position;
    const before = await position();
    const order = await chain.placed(chain.wish());
    await eventually(async () => {
      expect(await position()).toBeGreaterThanOrEqual(order.position);
    });
    expect(order.position).toBeGreaterThan(before);
  });
});
