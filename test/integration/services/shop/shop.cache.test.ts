import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { redisServer, type RedisServer } from "../../../../fleet/servers/redis-server";
import { MemoryTagCache } from "../../../../mixins/cache-tags/memory-tag-cache";
import type { TagCache } from "../../../../mixins/cache-tags/tag-cache";
import { faultOf } from "../../../../mixins/contract/fault";
import { GUEST, type Caller } from "../../../../mixins/contract/caller";
import { act } from "../../../../mixins/contract/implement";
import { activeSales } from "../../../../services/menu/menu-offer.contract";
import { cacheStatus, invalidateCache, type CacheName } from "../../../../services/shop/cache.contract";
import { topComments } from "../../../../services/shop/review.contract";
import { bestsellers, recommendations } from "../../../../services/shop/shop.contract";
import { CacheNode } from "../../../support/cache-node";
import { eventually } from "../../../support/eventually";
import { cook, customer, manager } from "../../../support/orders";
import type { TestDatabase } from "../../../support/postgres";
import { newCustomer, shopDatabase, ShopNode } from "./shop-node";

const admin: Caller = { role: "super_admin", user_id: randomUUID(), branch_ids: null };

let database: TestDatabase;
let folder: string;
let redis: RedisServer;
beforeAll(async () => {
  database = await shopDatabase();
  folder = mkdtempSync(path.join(tmpdir(), "forno-redis-"));
  redis = await redisServer(folder);
  await redis.process.start();
});
afterAll(async () => {
  await redis.process.kill();
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(["memory", "redis"] as const)("the shop's caches in %s", (backend) => {
  let cache: TagCache;
  let node: CacheNode | undefined;
  let shop: ShopNode;

  beforeEach(async () => {
    node = backend === "redis" ? await CacheNode.start(redis.port, { namespace: randomUUID() }) : undefined;
    await node?.ready();
    cache = node?.cache ?? new MemoryTagCache();
    shop = await ShopNode.start(database, cache);
    await shop.order([0, 1]);
    await eventually(async () => {
      expect((await headersOf(activeSales))["X-Cache"]).not.toBe("BYPASS");
      expect((await headersOf(recommendations))["X-Cache"]).not.toBe("BYPASS");
      // That nothing is sold is kept for a while, too.
      await cache.invalidatePattern("*");
      expect((await shop.call(bestsellers, {})).items).not.toEqual([]);
    });
    await cache.invalidatePattern("*");
  });
  afterEach(async () => {
    await shop.stop();
    await node?.stop();
  });

  const headersOf = async (contract: Parameters<ShopNode["answer"]>[0], who = GUEST) =>
    (await shop.answer(contract, {}, who)).headers;
  const status = () => shop.call(cacheStatus, {}, manager);
  const of = async (name: CacheName) => (await status()).caches.find((each) => each.name === name)!;

  it("are told with strategy, entries and how often they serve", async () => {
    const before = await of("bestsellers");
    for (let n = 0; n < 4; n += 1) await shop.call(bestsellers, {});
    await shop.call(activeSales, {});
    const { backend: kind, up, nodes, silent_nodes, caches } = await status();
    expect({ kind, up, silent_nodes }).toEqual({ kind: backend, up: true, silent_nodes: [] });
    expect(nodes).toHaveLength(1);
    expect(caches.map(({ name, strategy, ttl_s }) => [name, strategy, ttl_s])).toEqual([
      ["bestsellers", "ttl", 3_600],
      ["recommendations", "tag", 3_600],
      ["flash-sales", "event", 300],
      // Nobody runs the profiles here.
      ["profile", null, null],
    ]);
    const after = await of("bestsellers");
    expect(after.entries).toBe(1);
    expect([after.hits - before.hits, after.misses - before.misses]).toEqual([3, 1]);
    expect(after.hit_rate).toBeCloseTo(after.hits / (after.hits + after.misses + after.bypasses), 4);
    expect((await of("profile")).hit_rate).toBeNull();
    expect((await of("flash-sales")).entries).toBe(1);
  });

  it("end by their name, each alone, and the log says so", async () => {
    const anna = await newCustomer(database);
    const fill = async () => {
      await shop.call(bestsellers, {});
      await shop.call(recommendations, {}, anna);
      await shop.call(recommendations, { item_id: shop.pizza(0) });
      await shop.call(activeSales, {});
    };
    await fill();
    const log = shop.orders.runtime.log;
    const head = await log.head();
    const asked_ms = shop.orders.now;
    const { invalidated, position, at } = await shop.call(
      invalidateCache,
      { name: "recommendations" },
      admin,
    );
    expect(invalidated).toEqual(["recommendations"]);
    const counts = (await status()).caches.map(({ name, entries }) => [name, entries]);
    expect(counts).toEqual([
      ["bestsellers", 1],
      ["recommendations", 0],
      ["flash-sales", 1],
      ["profile", 0],
    ]);
    const { last_invalidated_at } = await of("recommendations");
    expect(Date.parse(last_invalidated_at ?? "")).toBeGreaterThanOrEqual(asked_ms);
    expect((await headersOf(recommendations, anna))["X-Cache"]).toBe("MISS");
    expect((await headersOf(bestsellers))["X-Cache"]).toBe("HIT");
    const events = (await log.readAll(head, 10)).filter(({ type }) => type === "cache.invalidated");
    expect(events).toMatchObject([{ position, data: { names: ["recommendations"], by: admin.user_id, at } }]);
  });

  it("all means those with a name, and nothing else that is kept", async () => {
    await cache.set("all", "a key that is called so", { ttl_s: 60 });
    await cache.set("session:1", "of somebody", { ttl_s: 60 });
    await shop.call(topComments, {});
    await shop.call(bestsellers, {});
    await shop.call(activeSales, {});
    const { invalidated } = await shop.call(invalidateCache, { name: "all" }, admin);
    expect(invalidated).toEqual(["bestsellers", "recommendations", "flash-sales", "profile"]);
    expect((await status()).caches.map(({ entries }) => entries)).toEqual([0, 0, 0, 0]);
    expect(await cache.get("all")).toBe("a key that is called so");
    expect(await cache.get("session:1")).toBe("of somebody");
    expect((await headersOf(topComments))["X-Cache"]).toBe("HIT");
  });

  it.each(["orders", "all:*", "*", "shop.bestsellers", "bestsellers:chain", "session:1", "__proto__", ""])(
    "nothing is called %s",
    async (name) => {
      expect(await shop.refusal(invalidateCache, { name }, admin)).toBe("input.invalid");
    },
  );

  it("are the operators' to end, and the desk's to look at", async () => {
    for (const who of [manager, cook, customer])
      expect(await shop.refusal(invalidateCache, { name: "all" }, who)).toBe("auth.forbidden");
    for (const who of [cook, customer])
      expect(await shop.refusal(cacheStatus, {}, who)).toBe("auth.forbidden");
    expect(await shop.refusal(invalidateCache, { name: "all" }, GUEST)).toBe("auth.required");
    expect(await shop.refusal(cacheStatus, {}, GUEST)).toBe("auth.required");
  });

  if (backend === "memory")
    it("end on other nodes, too, each of which has a cache of its own", async () => {
      const other = await ShopNode.start(database);
      try {
        await shop.call(bestsellers, {});
        expect((await headersOf(bestsellers))["X-Cache"]).toBe("HIT");
        await other.call(invalidateCache, { name: "bestsellers" }, admin);
        await eventually(async () => {
          expect((await of("bestsellers")).entries).toBe(0);
        });
      } finally {
        await other.stop();
      }
    });

  it("are ended once under one key", async () => {
    const key = randomUUID();
    const first = await shop.call(invalidateCache, { name: "all" }, admin, key);
    expect(await shop.call(invalidateCache, { name: "all" }, admin, key)).toEqual(first);
  });

  if (backend === "redis")
    it("are not said to be ended when Redis was not reached", async () => {
      await shop.call(bestsellers, {});
      const log = shop.orders.runtime.log;
      const head = await log.head();
      node?.proxy.hold();
      const ended = act(
        shop.orders.runtime.broker,
        invalidateCache,
        { name: "all" },
        { meta: { caller: admin } },
      );
      expect(faultOf(await ended.catch((error: unknown) => error))?.code).toBe("cache.unavailable");
      expect((await log.readAll(head, 10)).map(({ type }) => type)).not.toContain("cache.invalidated");
      expect((await shop.call(bestsellers, {})).items).not.toEqual([]);
    });
});
