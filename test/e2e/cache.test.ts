import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { redisServer, type RedisServer } from "../../fleet/servers/redis-server";
import { CacheNode, TEST_TIMES } from "../support/cache-node";
import { Chain } from "../support/chain";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";

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

/**
 * A cache in a process of its own that reads a key all the time, by a timer: after a pause timers run before anything is read
 * from a connection. It tells whenever the answer is another one, and what the first answer after a pause is.
 */
const READER = `
const { RedisTagCache } = require("./dist/mixins/cache-tags/redis-tag-cache.js");
const { RedisLink } = require("./dist/mixins/redis/redis-link.js");
const [port, times] = process.argv.slice(1);
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const link = new RedisLink("redis://127.0.0.1:" + port, logger);
const cache = new RedisTagCache(link, { namespace: "test", node: "reader", logger, times: JSON.parse(times) });
let key, told, last = performance.now();
process.on("message", (next) => { key = next; told = undefined; });
setInterval(async () => {
  const woke = performance.now() - last > 150;
  last = performance.now();
  if (key === undefined) return;
  const { value } = await cache.getOrCompute(key, { ttl_s: 60 }, () => "computed");
  const held = cache.figures.first_level_entries;
  if (woke || told !== value + held) process.send({ woke, key, value, held });
  told = value + held;
}, 2);
`;

interface Reading {
  readonly woke: boolean;
  readonly key: string;
  readonly value: string;
  readonly held: number;
}

test("a node that was frozen wakes up without trusting what it remembers", async () => {
  const writer = await CacheNode.start(redis.port);
  const reader: ChildProcess = spawn(
    process.execPath,
    ["-e", READER, String(redis.port), JSON.stringify(TEST_TIMES)],
    { cwd: path.resolve(__dirname, "../.."), stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
  const told: Reading[] = [];
  reader.on("message", (reading: Reading) => told.push(reading));
  const seen = (wanted: Partial<Reading>): Promise<Reading> =>
    eventually(() => {
      expect(told).toContainEqual(expect.objectContaining(wanted));
      return told.find((each) =>
        Object.entries(wanted).every(([name, value]) => each[name as "key"] === value),
      )!;
    });
  try {
    await writer.ready();
    for (let round = 0; round < 5; round += 1) {
      const key = `frozen:${String(round)}`;
      await writer.cache.set(key, "old", { ttl_s: 60, tags: [key] });
      reader.send(key);
      await seen({ key, value: "old", held: round + 1 });
      reader.kill("SIGSTOP");
      const started = performance.now();
      await writer.cache.invalidateTags(key);
      expect(performance.now() - started).toBeLessThan(1_000);
      told.length = 0;
      reader.kill("SIGCONT");
      expect((await seen({ key, woke: true })).value).toBe("computed");
    }
  } finally {
    reader.kill("SIGKILL");
    await writer.stop();
  }
});

describe.each(["memory", "redis"])("a Forno that caches in %s", (backend) => {
  let forno: FornoUnderTest;
  let chain: Chain;
  const SALES = "/api/v1/menu/flash-sales/active";

  beforeAll(async () => {
    forno = await FornoUnderTest.started(backend === "redis" ? { REDIS_URL: redis.url } : {});
    chain = await Chain.of(forno);
  });
  afterAll(() => forno.remove());

  const headers = async (path: string, token?: string) => {
    const answer = await forno.ask("GET", path, token === undefined ? {} : { token });
    expect(answer.status).toBe(200);
    return ["x-cache", "x-cache-strategy", "age"].map((name) => answer.headers.get(name));
  };

  it("says so in its answers, and serves what was just changed", async () => {
    await eventually(async () => {
      expect(await headers(SALES)).toEqual(["HIT", "event", expect.stringMatching(/^\d+$/)]);
    });
    const [pizza] = chain.menu.pizzas;
    const now = Date.now();
    const { body } = await chain.desk<{ sale: { sale_id: string } }>("POST", "/api/v1/menu/flash-sales", {
      ...{ name: { ru: "Сейчас", en: "Now" }, item_ids: [pizza?.id], percent: 10 },
      ...{ starts_at: new Date(now - 1_000).toISOString(), ends_at: new Date(now + 3_600_000).toISOString() },
    });
    const { items } = (await forno.ask<{ items: { sale_id: string }[] }>("GET", SALES)).body;
    expect(items.map(({ sale_id }) => sale_id)).toContain(body.sale.sale_id);
  });

  it("keeps what never changes by its age alone", async () => {
    await eventually(async () => {
      expect(await headers("/api/v1/menu/versions/1", chain.admin)).toEqual([
        "HIT",
        "ttl",
        expect.anything(),
      ]);
    });
  });

  it("counts in metrics and says in health what it has", async () => {
    const metrics = (await forno.askOps<{ text: string }>("/metrics")).body.text;
    expect(metrics).toMatch(/^forno_cache_hits_total [1-9]/m);
    expect(metrics).toMatch(/^forno_cache_invalidations_total [1-9]/m);
    const { body } = await forno.askOps<{ checks: { redis: { status: string } } }>("/api/v1/health");
    expect(body.checks.redis.status).toBe(backend === "redis" ? "up" : "off");
  });
});
