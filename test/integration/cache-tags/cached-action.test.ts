import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Type } from "@sinclair/typebox";
import { ServiceBroker } from "moleculer";
import { redisServer, type RedisServer } from "../../../fleet/servers/redis-server";
import { cachedAction, type CacheRule } from "../../../mixins/cache-tags/cached-action";
import { followEvents } from "../../../mixins/cache-tags/follow-events";
import { MemoryTagCache } from "../../../mixins/cache-tags/memory-tag-cache";
import type { TagCache } from "../../../mixins/cache-tags/tag-cache";
import { GUEST, SYSTEM, type CallMeta } from "../../../mixins/contract/caller";
import { contract } from "../../../mixins/contract/contract";
import { act, implement } from "../../../mixins/contract/implement";
import { refusalOf } from "../../../mixins/contract/refusal";
import { strictObject } from "../../../mixins/contract/schemas";
import { LogFeed } from "../../../mixins/event-feed/log-feed";
import type { EventLog, Position } from "../../../mixins/event-log/event-log";
import { createEventLog } from "../../../mixins/event-log/postgres-event-log";
import { consumersOf } from "../../../mixins/projection/consumer-registry";
import { CacheNode } from "../../support/cache-node";
import { eventually } from "../../support/eventually";
import { systemClock } from "../../../boot";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { QuietLogger } from "../../support/quiet-logger";

const TIMES = { lazy_ms: 20, standby_ms: 50, still_ms_max: 150 };
const Params = strictObject({
  shelf: Type.String({ maxLength: 20 }),
  after: Type.Optional(Type.Integer()),
});

/** What the shelves hold: the truth behind the cache. */
type Shelves = Map<string, number>;

interface Shop {
  readonly broker: ServiceBroker;
  readonly log: EventLog;
  readonly computed: () => number;
  follow(): Promise<() => Promise<void>>;
  read(shelf: string, meta?: CallMeta, after?: number): Promise<{ value: number; headers: unknown }>;
  stop(): Promise<void>;
}

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());

/** A node with one cached action, `<room>.look`, whose answers an event `<room>.filled` ends. */
async function openShop(
  room: string,
  shelves: Shelves,
  cache: TagCache,
  more: Partial<CacheRule> = {},
): Promise<Shop> {
  const logger = new QuietLogger();
  const log = await createEventLog({ connection: database.connection, logger });
  const broker = new ServiceBroker({ nodeID: randomUUID(), logger: false, validator: false });
  const look = contract({
    ...{ name: `${room}.look`, summary: "", kind: "query", permission: "session" },
    ...{ params: Params, result: Type.Object({ value: Type.Integer() }) },
  });
  const ask = contract({ ...look, name: `${room}.ask` });
  const door = contract({ ...look, name: `${room}.door` });
  let computed = 0;
  const runtime = {
    ...{ broker, cache, log, feed: new LogFeed({ log, logger }), pool: database.pool },
    clock: systemClock,
  };
  broker.createService({
    name: room,
    actions: {
      look: cachedAction(
        runtime,
        look,
        {
          key: ({ shelf }) => shelf,
          ttl_s: 60,
          tags: ({ shelf }) => [`${room}/${shelf}`],
          invalidate_on: {
            [`${room}.filled`]: ({ data }) => [`${room}/${(data as { shelf: string }).shelf}`],
          },
          ...(more as object),
        },
        ({ params }) => {
          computed += 1;
          return { value: shelves.get(params.shelf) ?? 0 };
        },
      ),
      ask: implement(ask, (ctx) => act(ctx, look, ctx.params)),
      // As the gateway does: it calls an action in the context of its own.
      door: implement(door, (ctx) => act(ctx, ask, ctx.params)),
    },
  });
  await broker.start();
  const read = async (action: typeof look, shelf: string, meta: CallMeta, after?: number) => {
    const params = { shelf, ...(after === undefined ? {} : { after }) };
    const called = act(broker, action, params, { meta: { caller: SYSTEM, ...meta } });
    const { value } = await called;
    const { ctx } = called as { ctx?: { meta: { $responseHeaders?: unknown } } };
    return { value, headers: ctx?.meta.$responseHeaders };
  };
  return {
    ...{ broker, log, computed: () => computed },
    follow: () => followEvents(runtime, TIMES),
    read: (shelf, meta = {}, after) => read(look, shelf, meta, after),
    async stop() {
      await broker.stop();
      await log.close();
    },
  };
}

async function fill({ log }: Shop, room: string, shelves: Shelves, shelf: string): Promise<Position> {
  shelves.set(shelf, (shelves.get(shelf) ?? 0) + 1);
  const streams = [
    {
      ...{ stream_id: `shelf-${randomUUID()}`, stream_type: "shelf", expected_version: 0 },
      events: [{ type: `${room}.filled`, data: { shelf } }],
    },
  ];
  const outcome = await log.append({ streams, commands: [], meta: {} });
  if (outcome.status !== "committed") throw new Error(outcome.status);
  return outcome.position;
}

describe("a cached action on one node", () => {
  let shop: Shop;
  let unfollow: () => Promise<void>;
  const room = "single";
  const shelves: Shelves = new Map();
  beforeAll(async () => {
    shop = await openShop(room, shelves, new MemoryTagCache());
    unfollow = await shop.follow();
  });
  afterAll(async () => {
    await unfollow();
    await shop.stop();
  });

  it("says how its answer came about", async () => {
    const headers = { "X-Cache-Strategy": "event", Age: "0" };
    expect(await shop.read("a")).toEqual({ value: 0, headers: { ...headers, "X-Cache": "MISS" } });
    expect(await shop.read("a")).toEqual({ value: 0, headers: { ...headers, "X-Cache": "HIT" } });
    expect((await shop.read("a", {}, 1)).headers).toEqual({ ...headers, "X-Cache": "BYPASS" });
  });

  it("asks for permission and valid parameters before the cache", async () => {
    await shop.read("b");
    const code = (called: Promise<unknown>) => called.catch((error: unknown) => refusalOf(error)?.code);
    expect(await code(shop.read("b", { caller: GUEST }))).toBe("auth.required");
    expect(await code(shop.read("b".repeat(21)))).toBe("input.invalid");
  });

  it("tells nothing of what it asked of other actions", async () => {
    const called = shop.broker.call(`${room}.door`, { shelf: "c" }, { meta: { caller: SYSTEM } });
    await called;
    expect((called as { ctx?: { meta: object } }).ctx?.meta).not.toHaveProperty("$responseHeaders");
  });

  it("ends its answers when their events come", async () => {
    await shop.read("d");
    await shop.read("e");
    await fill(shop, room, shelves, "d");
    await eventually(async () => {
      expect((await shop.read("d")).value).toBe(1);
    });
    expect((await shop.read("e")).headers).toMatchObject({ "X-Cache": "HIT" });
  });
});

describe("a cached action of a fleet", () => {
  let folder: string;
  let redis: RedisServer;
  let caches: CacheNode[];
  let shops: Shop[];
  let unfollows: (() => Promise<void>)[];
  let room: string;
  let shelves: Shelves;
  let n = 0;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-redis-"));
    redis = await redisServer(folder);
    await redis.process.start();
    caches = await Promise.all([1, 2].map(() => CacheNode.start(redis.port)));
  });
  afterAll(async () => {
    for (const node of caches) await node.stop();
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  async function open(more: Partial<CacheRule> = {}): Promise<void> {
    room = `fleet${String((n += 1))}`;
    shelves = new Map();
    await Promise.all(caches.map((node) => node.ready()));
    shops = await Promise.all(caches.map(({ cache }) => openShop(room, shelves, cache, more)));
    unfollows = [];
    for (const shop of shops) unfollows.push(await shop.follow());
    await served(shops);
  }
  afterEach(async () => {
    await Promise.all(unfollows.map((unfollow) => unfollow()));
    await Promise.all(shops.map((shop) => shop.stop()));
  });
  /** Until they no longer go around the cache. */
  const served = (which: readonly Shop[]) =>
    eventually(async () => {
      for (const shop of which)
        expect((await shop.read("probe")).headers).not.toMatchObject({ "X-Cache": "BYPASS" });
    });
  const values = (shelf: string) => Promise.all(shops.map(async (shop) => (await shop.read(shelf)).value));

  it("has one consumer for all nodes, and ends answers on all of them", async () => {
    await open();
    expect(await values("a")).toEqual([0, 0]);
    const position = await fill(shops[1]!, room, shelves, "a");
    await eventually(async () => {
      expect(await values("a")).toEqual([1, 1]);
    });
    const consumers = shops.map(({ log }) => consumersOf(log).get(`cache:${room}`));
    expect(consumers.map((consumer) => consumer?.state).sort()).toEqual(["standby", "working"]);
    await eventually(() => {
      for (const consumer of consumers) expect(consumer?.position).toBeGreaterThanOrEqual(position);
    });
  });

  it("loses no invalidation while Redis cannot be reached, and serves nothing that may be outdated from the node that knows", async () => {
    await open();
    expect(await values("a")).toEqual([0, 0]);
    for (const node of caches) node.proxy.hold();
    await fill(shops[0]!, room, shelves, "a");
    await eventually(async () => {
      expect(await values("a")).toEqual([1, 1]);
    });
    // What was sent meanwhile is lost, and what Redis holds is not.
    for (const node of caches) node.proxy.cut();
    for (const node of caches) node.proxy.resume();
    await Promise.all(caches.map((node) => node.ready()));
    await served(shops);
    await eventually(async () => {
      expect(await values("a")).toEqual([1, 1]);
    });
  });

  it("serves nothing of before until what happened while nobody followed has ended it", async () => {
    await open();
    expect(await values("a")).toEqual([0, 0]);
    await Promise.all(unfollows.map((unfollow) => unfollow()));
    await fill(shops[0]!, room, shelves, "a");
    unfollows = [];
    for (const shop of shops) {
      unfollows.push(await shop.follow());
      expect((await shop.read("a")).value).toBe(1);
    }
    await served(shops);
    expect(await values("a")).toEqual([1, 1]);
  });

  it("waits for the read model that the answer is made of", async () => {
    const projection = `model-${randomUUID()}`;
    await open({ reads: [projection] });
    const model: Shelves = new Map();
    expect(await values("a")).toEqual([0, 0]);
    const position = await fill(shops[0]!, room, model, "a");
    const before = shops[0]!.computed();
    const { pool } = database;
    // The projection has not come that far: what is computed now would be kept as if it were new.
    await pool.query("insert into es.checkpoint (name, partition, pos) values ($1, -1, $2)", [
      projection,
      position - 1,
    ]);
    for (const until = Date.now() + 150; Date.now() < until;) expect(await values("a")).toEqual([0, 0]);
    expect(shops[0]!.computed()).toBe(before);
    shelves.set("a", 1);
    await pool.query("update es.checkpoint set pos = $2 where name = $1", [projection, position]);
    await eventually(async () => {
      expect(await values("a")).toEqual([1, 1]);
    });
  });
});
