import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { redisServer, type RedisServer } from "../../../fleet/servers/redis-server";
import { guardOf } from "../../../mixins/redis/redis-guard";
import { RedisLink } from "../../../mixins/redis/redis-link";
import { eventually } from "../../support/eventually";
import { QuietLogger } from "../../support/quiet-logger";

describe("asking Redis in passing", () => {
  let folder: string;
  let redis: RedisServer;
  let link: RedisLink;
  const ask = () => guardOf(link).ask(() => link.client.get("anything"));

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-redis-"));
    redis = await redisServer(folder);
    await redis.process.start();
    link = new RedisLink(redis.url, new QuietLogger());
    await eventually(() => {
      expect(guardOf(link).usable).toBe(true);
    });
  });
  afterAll(async () => {
    await link.close();
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it("gives up soon, asks no more, and asks again once Redis answers", async () => {
    expect(await ask()).toBeNull();
    redis.process.suspend();
    const started = performance.now();
    await expect(ask()).rejects.toMatchObject({ type: "redis.unavailable" });
    expect(performance.now() - started).toBeLessThan(400);
    expect(guardOf(link).usable).toBe(false);
    redis.process.resume();
    await eventually(async () => {
      expect(await ask()).toBeNull();
    });
  });

  it("gives a connection up that stays silent, so that nothing piles up in it", async () => {
    redis.process.suspend();
    const closed = new Promise((resolve) => link.client.once("close", resolve));
    await expect(ask()).rejects.toMatchObject({ type: "redis.unavailable" });
    await closed;
    redis.process.resume();
    await eventually(async () => {
      expect(await ask()).toBeNull();
    });
  });
});
