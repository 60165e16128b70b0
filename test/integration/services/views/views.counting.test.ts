import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Redis from "ioredis";
import { redisServer, type RedisServer } from "../../../../fleet/servers/redis-server";
import type { Caller } from "../../../../mixins/contract/caller";
import { changePost } from "../../../../services/views/post.contract";
import { addViews, syncViews, viewsByDay } from "../../../../services/views/views.contract";
import { eventually } from "../../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { AUTHOR, customer, ViewsNode } from "./views-node";

const USERS = 200;
/** For so long a count in Redis is believed. */
const SUM_GOOD_MS = 250;

let database: TestDatabase;
let folder: string;
let redis: RedisServer;
let reader: Redis;
let nodes: [ViewsNode, ViewsNode];

beforeAll(async () => {
  database = await startTestDatabase();
  folder = mkdtempSync(path.join(tmpdir(), "forno-views-"));
  redis = await redisServer(folder);
  await redis.process.start();
  reader = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  reader.on("error", () => undefined);
  nodes = [await ViewsNode.start(database, redis.url), await ViewsNode.start(database, redis.url)];
});
afterEach(async () => {
  redis.process.resume();
  await redis.process.start();
  // A guard that has seen Redis fail asks it again by a ping of its own.
  const post_id = await nodes[0].post();
  for (const node of nodes)
    await eventually(async () => {
      await node.view(post_id, customer());
      expect(await reader.hget(`post:${post_id}:views:count`, "n")).toBe(String(await node.count(post_id)));
    });
});
afterAll(async () => {
  for (const node of nodes) await node.stop();
  reader.disconnect();
  await redis.process.kill();
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});

const people = (count: number): Caller[] => Array.from({ length: count }, customer);
const any = (at: number): ViewsNode => nodes[at % 2 === 0 ? 0 : 1];
const viewAll = (post_id: string, viewers: readonly Caller[]): Promise<number[]> =>
  Promise.all(viewers.map((viewer, at) => any(at).view(post_id, viewer)));
const setOf = (post_id: string): string => `post:${post_id}:views`;
const sumOf = (post_id: string): string => `post:${post_id}:views:count`;

it("views of many people on two nodes at once are all counted, each answer no higher than the truth", async () => {
  const post_id = await nodes[0].post();
  const answers = await viewAll(post_id, people(USERS));
  expect(Math.max(...answers)).toBe(USERS);
  expect(Math.min(...answers)).toBeGreaterThan(0);
  expect(await nodes[0].count(post_id)).toBe(USERS);
  expect(await reader.scard(setOf(post_id))).toBe(USERS);
  expect(await reader.hget(sumOf(post_id), "n")).toBe(String(USERS));
});

it("the same person a hundred times at once, on two nodes, counts once and is always told so", async () => {
  const post_id = await nodes[0].post();
  const viewer = customer();
  const answers = await viewAll(
    post_id,
    Array.from({ length: 100 }, () => viewer),
  );
  expect(new Set(answers)).toEqual(new Set([1]));
  expect(await any(1).view(post_id, viewer)).toBe(1);
  expect(await nodes[0].count(post_id)).toBe(1);
});

it("who is known to Redis is not asked of PostgreSQL", async () => {
  const post_id = await nodes[0].post();
  const viewers = people(20);
  await viewAll(post_id, viewers);
  const before = await Promise.all(nodes.map((node) => node.metric("forno_views_asked_total")));
  await viewAll(post_id, viewers);
  expect(await Promise.all(nodes.map((node) => node.metric("forno_views_asked_total")))).toEqual(before);
});

it("the author never counts", async () => {
  const post_id = await nodes[0].post();
  await viewAll(post_id, [AUTHOR, customer(), AUTHOR, customer(), AUTHOR]);
  expect(await nodes[0].view(post_id, AUTHOR)).toBe(2);
  expect(await reader.sismember(setOf(post_id), AUTHOR.user_id ?? "")).toBe(0);
});

it("keys that expire or are deleted, one or both, neither lower the count nor count anybody twice", async () => {
  const post_id = await nodes[0].post();
  const viewers = people(10);
  await viewAll(post_id, viewers);
  for (const lose of [
    () => reader.del(setOf(post_id)),
    () => reader.del(sumOf(post_id)),
    () => reader.del(setOf(post_id), sumOf(post_id)),
    () => reader.pexpire(setOf(post_id), 0),
    () => reader.pexpire(sumOf(post_id), 0),
    () => reader.set(setOf(post_id), "no set"),
    () => reader.set(sumOf(post_id), "no hash"),
  ]) {
    await lose();
    expect(new Set(await viewAll(post_id, viewers))).toEqual(new Set([10]));
  }
  expect(await nodes[1].view(post_id, customer())).toBe(11);
});

it("both keys end within a day by themselves", async () => {
  const post_id = await nodes[0].post();
  await viewAll(post_id, people(2));
  for (const key of [setOf(post_id), sumOf(post_id)]) {
    const ttl = await reader.ttl(key);
    expect(ttl).toBeGreaterThan(86_000);
    expect(ttl).toBeLessThanOrEqual(86_400);
  }
});

it("the set is filled again from the database at the first touch", async () => {
  const post_id = await nodes[0].post();
  await viewAll(post_id, people(30));
  await reader.flushall();
  await nodes[0].view(post_id, AUTHOR);
  await eventually(async () => {
    expect(await reader.scard(setOf(post_id))).toBe(30);
  });
});

it("a flush between view and synchronisation loses nothing", async () => {
  const post_id = await nodes[0].post();
  const viewers = people(15);
  await viewAll(post_id, viewers);
  await reader.flushall();
  const { synced_posts } = await nodes[1].ask(syncViews, {});
  expect(synced_posts).toBeGreaterThan(0);
  expect(new Set(await viewAll(post_id, viewers))).toEqual(new Set([15]));
  expect((await nodes[0].ask(viewsByDay, { post_id })).days.map(({ views }) => views)).toEqual([15]);
});

it("a flush in the middle of the crowd never lowers the count that one viewer after the other is told", async () => {
  const post_id = await nodes[0].post();
  let [told, flushing] = [0, true];
  const flusher = (async () => {
    while (flushing) await reader.flushall();
  })();
  for (let at = 0; at < 100; at += 1) {
    const views = await any(at).view(post_id, customer());
    expect(views).toBe(told + 1);
    told = views;
  }
  flushing = false;
  await flusher;
});

it("a Redis that is killed in the middle loses no view, and one that comes back without its last second lowers no count", async () => {
  const post_id = await nodes[0].post();
  const viewers = people(USERS);
  const viewing = viewAll(post_id, viewers);
  await redis.process.kill();
  const answers = await viewing;
  expect(Math.max(...answers)).toBe(USERS);
  await viewAll(post_id, people(5));
  await redis.process.start();
  // What it has kept is of another run, and older than what was counted without it.
  const [viewer] = viewers;
  if (viewer === undefined) throw new Error("nobody");
  for (const node of nodes) expect(await node.view(post_id, viewer)).toBe(USERS + 5);
  await eventually(async () => {
    await nodes[0].view(post_id, viewer);
    expect(await reader.hget(sumOf(post_id), "n")).toBe(String(USERS + 5));
  });
});

it("a Redis that hangs costs a moment and no view, and what it has missed is not believed afterwards", async () => {
  const post_id = await nodes[0].post();
  const viewers = people(50);
  const [viewer] = viewers;
  if (viewer === undefined) throw new Error("nobody");
  await viewAll(post_id, viewers.slice(0, 10));
  // It asks nothing meanwhile, so it does not know that Redis was away.
  const bystander = await ViewsNode.start(database, redis.url);
  redis.process.suspend();
  expect(Math.max(...(await viewAll(post_id, viewers)))).toBe(50);
  const begun = performance.now();
  expect(new Set(await viewAll(post_id, viewers))).toEqual(new Set([50]));
  expect(performance.now() - begun).toBeLessThan(1_000);
  redis.process.resume();
  await eventually(async () => {
    const [seconds, micros] = await reader.time();
    const at_ms = Number(await reader.hget(sumOf(post_id), "at_ms"));
    expect(Number(seconds) * 1_000 + Number(micros) / 1_000 - at_ms).toBeGreaterThan(SUM_GOOD_MS);
  });
  for (const node of [bystander, ...nodes]) expect(await node.view(post_id, viewer)).toBe(50);
  await bystander.stop();
});

it("what Redis has learned of another database is not believed", async () => {
  const post_id = await nodes[0].post();
  const viewer = customer();
  await reader.sadd(setOf(post_id), viewer.user_id ?? "");
  await reader.hset(sumOf(post_id), {
    log: "another",
    run: "x",
    epoch: "y",
    n: "77",
    at_ms: "9999999999999",
  });
  expect(await nodes[0].view(post_id, viewer)).toBe(1);
});

it("many posts at once: those there are count, the others are named", async () => {
  const known = [await nodes[0].post(), await nodes[0].post()] as const;
  const draft = await nodes[0].post({ status: "draft" });
  const unknown = "01990000-0000-7000-8000-00000000dead";
  const viewer = customer();
  const post_ids = [known[0], unknown, known[1].toUpperCase(), draft, known[0]];
  expect(await nodes[0].ask(addViews, { post_ids }, viewer)).toMatchObject({
    processed_count: 2,
    post_ids: known,
    unknown_post_ids: [unknown, draft],
  });
  await nodes[1].ask(addViews, { post_ids }, viewer);
  for (const post_id of known) expect(await nodes[1].count(post_id)).toBe(1);
});

it("a post that is withdrawn is no longer viewed, also by who is known to Redis, and keeps its count for its return", async () => {
  const post_id = await nodes[0].post();
  const viewer = customer();
  await viewAll(post_id, [viewer, customer()]);
  await nodes[0].ask(changePost, { post_id, status: "archived" });
  expect(await reader.exists(setOf(post_id), sumOf(post_id))).toBe(0);
  expect(await nodes[1].ask(addViews, { post_ids: [post_id] }, viewer)).toMatchObject({ processed_count: 0 });
  await nodes[0].ask(changePost, { post_id, status: "published" });
  expect(await nodes[1].view(post_id, viewer)).toBe(2);
});

it("a node that starts tells an empty Redis of the posts that are asked for most", async () => {
  const post_id = await nodes[0].post();
  await viewAll(post_id, people(7));
  await reader.flushall();
  const third = await ViewsNode.start(database, redis.url);
  await eventually(async () => {
    expect(await reader.hget(sumOf(post_id), "n")).toBe("7");
    expect(await reader.scard(setOf(post_id))).toBe(7);
  });
  await third.stop();
});
