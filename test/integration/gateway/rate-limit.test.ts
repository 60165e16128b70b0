import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { redisServer, type RedisServer } from "../../../fleet/servers/redis-server";
import { RedisLink } from "../../../mixins/redis/redis-link";
import { rateLimits, type TakesTokens } from "../../../services/gateway/http/rate-limit-redis";
import { loadSettings } from "../../../settings";
import { eventually } from "../../support/eventually";
import { QuietLogger } from "../../support/quiet-logger";

describe("rate limits of several nodes on one Redis", () => {
  let folder: string;
  let redis: RedisServer;
  let links: RedisLink[];
  let nodes: TakesTokens[];
  let key: string;
  let n = 0;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-redis-"));
    redis = await redisServer(folder);
    await redis.process.start();
    links = [1, 2].map(() => new RedisLink(redis.url, new QuietLogger()));
    const clock = { now: () => 1_000 };
    nodes = links.map((link) => rateLimits({ clock, settings: loadSettings({}), redis: link }, "test")!);
  });
  afterAll(async () => {
    for (const link of links) await link.close();
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    key = `client-${String((n += 1))}`;
    await eventually(() => {
      for (const link of links) expect(link.isUp).toBe(true);
    });
  });
  /** How many of some requests, spread over the nodes, get through. */
  async function admitted(requests: number, per_minute: number): Promise<number> {
    let count = 0;
    for (let i = 0; i < requests; i += 1)
      if ((await nodes[i % nodes.length]!.take(key, per_minute)) === 0) count += 1;
    return count;
  }

  it("count together", async () => {
    expect(await admitted(20, 7)).toBe(7);
    const wait_s = await nodes[1]!.take(key, 7);
    expect(wait_s).toBeGreaterThan(5);
    expect(wait_s).toBeLessThanOrEqual(60 / 7);
  });

  it("do not make a refused client wait longer for asking, and forget full buckets", async () => {
    await nodes[0]!.take(key, 1_200);
    for (let i = 0; i < 100; i += 1) await nodes[0]!.take(`${key} hasty`, 1);
    expect(await nodes[0]!.take(`${key} hasty`, 1)).toBeLessThanOrEqual(60);
    await eventually(async () => {
      expect(await links[0]!.client.exists(`forno:limit:forno:test:${key}`)).toBe(0);
    });
  });

  it("go on, each node by itself, while Redis hangs or is gone, and soon cost nothing", async () => {
    expect(await admitted(4, 10)).toBe(4);
    redis.process.suspend();
    expect(await admitted(60, 10)).toBe(2 * 10 - 4);
    const started = performance.now();
    await admitted(100, 10);
    expect(performance.now() - started).toBeLessThan(200);
    redis.process.resume();
    await redis.process.kill();
    key = `${key} gone`;
    expect(await admitted(60, 10)).toBe(2 * 10);
    await redis.process.start();
    key = `${key} back`;
    await eventually(async () => {
      key = `${key}.`;
      expect(await admitted(40, 10)).toBe(10);
    });
  });
});
