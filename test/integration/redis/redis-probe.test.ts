import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { redisServer, type RedisServer } from "../../../fleet/servers/redis-server";
import { RedisLink } from "../../../mixins/redis/redis-link";
import { redisProbe } from "../../../mixins/redis/redis-probe";
import { eventually } from "../../support/eventually";
import { QuietLogger } from "../../support/quiet-logger";

describe("health of Redis", () => {
  let folder: string;
  let server: RedisServer;
  let redis: RedisLink;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-redis-"));
    server = await redisServer(folder);
    await server.process.start();
    redis = new RedisLink(server.url, new QuietLogger());
    await eventually(() => {
      expect(redis.isUp).toBe(true);
    });
  });
  afterAll(async () => {
    await redis.close();
    await server.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const health = () => redisProbe(redis).probe();

  it("is up while it keeps what it is given and has room", async () => {
    expect(await health()).toMatchObject({
      status: "up",
      policy: "noeviction",
      evicted_keys: 0,
      max_bytes: 0,
    });
  });

  it("says that keys may vanish under any policy of eviction", async () => {
    for (const policy of ["allkeys-lru", "volatile-ttl"]) {
      await redis.client.config("SET", "maxmemory-policy", policy);
      const { status, detail } = await health();
      expect(status).toBe("degraded");
      expect(detail).toContain(`maxmemory-policy ${policy}`);
    }
    await redis.client.config("SET", "maxmemory-policy", "noeviction");
  });

  it("says that it is almost full before it refuses", async () => {
    await redis.client.set("filler", "x".repeat(4_000_000));
    const used = Number(/^used_memory:(\d+)/m.exec(await redis.client.info("memory"))?.[1]);
    await redis.client.config("SET", "maxmemory", String(Math.ceil(used * 1.05)));
    expect(await health()).toMatchObject({
      status: "degraded",
      detail: expect.stringContaining("almost full") as string,
    });
    await redis.client.config("SET", "maxmemory", String(used * 4));
    expect(await health()).toMatchObject({ status: "up", max_bytes: used * 4 });
  });
});
