import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Redis from "ioredis";
import { redisServer, type RedisServer } from "../../../../fleet/servers/redis-server";
import { RedisLink } from "../../../../mixins/redis/redis-link";
import { ViewsMemory, type Look } from "../../../../services/views/views.memory";
import { eventually } from "../../../support/eventually";
import { QuietLogger } from "../../../support/quiet-logger";

let folder: string;
let redis: RedisServer;
let reader: Redis;
let link: RedisLink;
let memory: ViewsMemory;
let post_id: string;
const [anna, boris] = [randomUUID(), randomUUID()] as const;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "forno-views-"));
  redis = await redisServer(folder);
  await redis.process.start();
  reader = new Redis(redis.url);
  link = new RedisLink(redis.url, new QuietLogger());
  memory = new ViewsMemory(link, () => "this database");
  await eventually(() => link.ping());
});
afterAll(async () => {
  await link.close();
  reader.disconnect();
  await redis.process.kill();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  post_id = randomUUID();
});

async function look(user_ids: readonly string[] = []): Promise<Look> {
  const found = (await memory.look(new Map([[post_id, user_ids]]))).get(post_id);
  if (found === undefined) throw new Error("no answer");
  return found;
}
const note = (under: Look, views: number | undefined, user_ids: readonly string[] = []): Promise<void> =>
  memory.note([{ post_id, look: under, views, user_ids }]);
const setOf = (): string => `post:${post_id}:views`;
const sumOf = (): string => `post:${post_id}:views:count`;

it("knows nothing at first, then who was noted, and how many they are", async () => {
  const first = await look([anna, boris]);
  expect(first).toMatchObject({ is_new: true, views: undefined, seen: new Set() });
  await note(first, 7, [anna]);
  expect(await look([anna, boris])).toMatchObject({ is_new: false, views: 7, seen: new Set([anna]) });
});

it("keeps what it was merely asked about for some seconds, and what the database knows for a day", async () => {
  const asked = await look([anna]);
  expect(await reader.pttl(sumOf())).toBeLessThanOrEqual(10_000);
  await note(asked, 7, [anna]);
  for (const key of [setOf(), sumOf()]) expect(await reader.pttl(key)).toBeGreaterThan(86_000_000);
});

it("takes up no sum that was asked for before a flush: somebody may have been told of a higher one", async () => {
  const before = await look();
  await reader.del(setOf(), sumOf());
  const after = await look();
  await note(before, 11, [anna]);
  expect(await look([anna])).toMatchObject({ views: undefined, seen: new Set() });
  await note(after, 12);
  expect((await look()).views).toBe(12);
});

it("never takes a lower sum for a higher one, in whatever order they come", async () => {
  const [one, two] = [await look(), await look()];
  await note(two, 12);
  await note(one, 11);
  expect((await look()).views).toBe(12);
});

it("does not believe a sum of another run of the server, which may have lost the last ones", async () => {
  await note(await look(), 5, [anna]);
  await reader.hset(sumOf(), "run", "before");
  expect(await look([anna])).toMatchObject({ views: undefined, is_new: false, seen: new Set([anna]) });
});

it("believes a sum for a quarter of a second from when it was asked for, and as long as it is asked for again", async () => {
  const asked = await look();
  await note({ ...asked, at_ms: asked.at_ms - 250 }, 5);
  expect((await look()).views).toBeUndefined();
  await note(await look(), 5);
  expect((await look()).views).toBe(5);
  await eventually(async () => {
    expect((await look()).views).toBeUndefined();
  });
});

it("throws away what was learned of another database", async () => {
  await note(await look(), 5, [anna]);
  const other = new ViewsMemory(link, () => "another database");
  const found = (await other.look(new Map([[post_id, [anna]]]))).get(post_id);
  expect(found).toMatchObject({ is_new: true, views: undefined, seen: new Set() });
});

it("keeps at most 100 000 people of a post", async () => {
  await look();
  for (let at = 0; at < 100_000; at += 10_000)
    await reader.sadd(setOf(), ...Array.from({ length: 10_000 }, (_, n) => `user ${String(at + n)}`));
  await note(await look(), 100_001, [anna]);
  expect(await reader.scard(setOf())).toBe(100_000);
  expect(await look([anna, "user 99999"])).toMatchObject({ views: 100_001, seen: new Set(["user 99999"]) });
});
