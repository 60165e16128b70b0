import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { redisServer, type RedisServer } from "../../fleet/servers/redis-server";
import { Chain, type PageOf, type Problem } from "../support/chain";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { heardOf, PlainListener } from "../support/listener";

interface Dish {
  readonly item_id: string;
  readonly sold_count: number;
  readonly price_minor: number;
  readonly reason: string;
}
interface Review {
  readonly review_id: string;
  readonly text: string;
  readonly author: string | null;
  readonly verified: boolean;
  readonly rating: number;
  readonly helpful_count: number;
}
interface Reviews extends PageOf<Review> {
  readonly rating: { readonly average: number | null; readonly count: number };
}
interface Status {
  readonly backend: string;
  readonly caches: readonly {
    readonly name: string;
    readonly strategy: string;
    readonly entries: number;
    readonly hits: number;
    readonly last_invalidated_at: string | null;
  }[];
}

let folder: string;
let redis: RedisServer;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "forno-redis-"));
  redis = await redisServer(folder);
  await redis.process.start();
});
afterAll(async () => {
  await redis.process.kill();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(["memory", "redis"])("the shop of a Forno that caches in %s", (backend) => {
  let forno: FornoUnderTest;
  let chain: Chain;
  let manager: string;
  beforeAll(async () => {
    forno = await FornoUnderTest.started(backend === "redis" ? { REDIS_URL: redis.url } : {});
    chain = await Chain.of(forno);
    manager = await chain.account("manager", [await chain.openBranch()]);
  });
  afterAll(() => forno.remove());

  const get = <T>(route: string, token?: string) => forno.ask<T>("GET", route, { token });
  const post = <T = Problem>(route: string, token?: string, body?: object) =>
    forno.ask<T & Problem>("POST", route, { token, ...(body === undefined ? {} : { body }) });
  const cacheOf = async (route: string, token?: string) => {
    const { headers, status } = await get(route, token);
    expect(status).toBe(200);
    return [headers.get("x-cache"), headers.get("x-cache-strategy")];
  };
  const pizza = (name: string): string => chain.dish(name).id;

  /** Somebody orders these and, where it is said, receives them. */
  async function ordered(names: readonly string[], token?: string, delivered = false): Promise<string> {
    const items = names.map((name) => ({ menu_item_id: pizza(name), quantity: 1 }));
    const { order_id } = await chain.placed(chain.wish({ items }), token === undefined ? {} : { token });
    const steps = delivered ? ["preparing", "cooking", "ready", "delivered"] : [];
    for (const status of steps) expect((await chain.step(order_id, status)).status).toBe(200);
    return order_id;
  }

  it("has reviews to show on its first day", async () => {
    const { body } = await get<PageOf<Review>>("/api/comments/top");
    expect(body.items.length).toBeGreaterThan(5);
    expect(body.items.every(({ author, verified }) => /^\S+ \S\.$/.test(author ?? "") && !verified)).toBe(
      true,
    );
    const reviews = await get<Reviews>(`/api/menu/${pizza("Pepperoni")}/reviews`);
    expect(reviews.body.rating).toMatchObject({ average: 4.5, count: 2 });
  });

  it("shows what sells best and what goes with it, from real orders and from its caches", async () => {
    await ordered(["Margherita", "Hunter"]);
    await ordered(["Margherita", "Hunter"]);
    await ordered(["Margherita"]);
    const margherita = pizza("Margherita");
    await eventually(async () => {
      await post("/api/cache/invalidate/bestsellers", chain.admin);
      const { body } = await get<PageOf<Dish>>("/api/bestsellers?limit=2");
      expect(body.items).toMatchObject([
        { item_id: margherita, sold_count: 3, price_minor: chain.dish("Margherita").price_minor },
        { item_id: pizza("Hunter"), sold_count: 2 },
      ]);
    });
    expect(await cacheOf("/api/bestsellers")).toEqual(["HIT", "ttl"]);
    const also = `/api/recommendations?item_id=${margherita}&limit=1`;
    await eventually(async () => {
      const { body } = await get<PageOf<Dish>>(also);
      expect(body.items).toMatchObject([
        { item_id: pizza("Hunter"), reason: "ordered_together", orders_count: 2 },
      ]);
    });
    await eventually(async () => {
      expect(await cacheOf(also)).toEqual(["HIT", "tag"]);
    });
    const anna = await chain.account("customer");
    expect(await cacheOf("/api/recommendations", anna)).toEqual(["MISS", "tag"]);
    expect(await cacheOf("/api/recommendations", await chain.account("customer"))).toEqual(["MISS", "tag"]);
    expect((await get("/api/recommendations?item_id=1")).status).toBe(400);
    expect((await get(`/api/recommendations?item_id=${randomUUID()}`)).status).toBe(404);
  });

  it("takes reviews from who has received the dish, and from nobody else", async () => {
    const anna = await chain.account("customer");
    const route = `/api/menu/${pizza("Meat")}/reviews`;
    const wish = { menu_item_id: pizza("Meat"), rating: 5, text: "Ещё!" };
    const before = (await get<Reviews>(route)).body.rating.count;
    expect(await post("/api/reviews", undefined, wish)).toMatchObject({
      status: 401,
      body: { code: "auth.required" },
    });
    expect(await post("/api/reviews", anna, wish)).toMatchObject({
      status: 422,
      body: { code: "review.not_bought" },
    });
    const order_id = await ordered(["Meat"], anna);
    expect(await post("/api/reviews", anna, { ...wish, order_id })).toMatchObject({
      ...{ status: 422, body: { code: "review.not_delivered" } },
    });
    for (const status of ["preparing", "cooking", "ready", "delivered"]) await chain.step(order_id, status);
    const written = await post<Review>("/api/reviews", anna, wish);
    expect(written.status).toBe(201);
    const { review_id } = written.body;
    expect(await post("/api/reviews", anna, wish)).toMatchObject({
      ...{ status: 409, body: { code: "review.already_written", review_id } },
    });
    expect((await get<Reviews>(`${route}?sort=newest`)).body).toMatchObject({
      rating: { count: before + 1 },
    });
    const boris = await chain.account("customer");
    expect(await post(`/api/reviews/${review_id}/helpful`, boris)).toMatchObject({
      body: { helpful_count: 1 },
    });
    expect(await post(`/api/reviews/${review_id}/helpful`, boris)).toMatchObject({
      ...{ status: 409, body: { code: "review.already_voted" } },
    });
    expect((await get<PageOf<Review>>("/api/comments/top")).body.items[0]).toMatchObject({
      review_id,
      verified: true,
    });
    expect(
      (await forno.ask("PUT", `/api/reviews/${review_id}`, { token: boris, body: { rating: 1 } })).status,
    ).toBe(403);
    const hide = `/api/v1/erp/reviews/${review_id}/hide`;
    expect((await post(hide, boris, { reason: "нет" })).status).toBe(403);
    expect((await post(hide, manager, { reason: "проверка" })).status).toBe(200);
    expect((await get<Reviews>(route)).body.rating.count).toBe(before);
  });

  it("13: invalidates by name, and by no other name; the desks hear of it", async () => {
    const desk = new PlainListener(forno.port, `/api/v1/erp/ws?access_token=${chain.admin}`);
    try {
      await heardOf(desk, "ready");
      await get("/api/bestsellers");
      await get("/api/comments/top");
      for (const token of [undefined, await chain.account("customer"), manager]) {
        const { status } = await post("/api/cache/invalidate/all", token);
        expect(status).toBe(token === undefined ? 401 : 403);
      }
      expect((await get("/api/cache/status")).status).toBe(401);
      expect((await get("/api/cache/status", await chain.account("customer"))).status).toBe(403);
      for (const name of ["orders", "*", "session:1", "all%3A*", "shop.bestsellers", "__proto__"]) {
        const { status, body } = await post(`/api/cache/invalidate/${name}`, chain.admin);
        expect([name, status, body.code]).toEqual([name, 400, "input.invalid"]);
      }
      const { status, body } = await post<{ invalidated: string[] }>(
        "/api/cache/invalidate/all",
        chain.admin,
      );
      expect(status).toBe(200);
      expect(body.invalidated).toEqual(["bestsellers", "recommendations", "flash-sales", "profile"]);
      expect((await heardOf(desk, "cache:invalidated")).data).toMatchObject({ names: body.invalidated });
      const seen = (await get<Status>("/api/cache/status", chain.admin)).body;
      expect(seen.backend).toBe(backend);
      expect(seen.caches.map(({ name, strategy, entries }) => [name, strategy, entries])).toEqual([
        ["bestsellers", "ttl", 0],
        ["recommendations", "tag", 0],
        ["flash-sales", "event", 0],
        ["profile", "event", 0],
      ]);
      for (const { last_invalidated_at } of seen.caches) expect(last_invalidated_at).not.toBeNull();
      // What has no name was left alone.
      expect(await cacheOf("/api/comments/top")).toEqual(["HIT", "event"]);
      expect(await cacheOf("/api/bestsellers")).toEqual(["MISS", "ttl"]);
    } finally {
      desk.close();
    }
  });
});
