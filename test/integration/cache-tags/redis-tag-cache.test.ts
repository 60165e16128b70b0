import { cpSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { redisServer, type RedisServer } from "../../../fleet/servers/redis-server";
import { CacheNode, PATIENT } from "../../support/cache-node";
import { eventually } from "../../support/eventually";
import { Gate, tagCacheSuite } from "../../support/tag-cache.suite";

const MINUTE = { ttl_s: 60 };
let folder: string;
let redis: RedisServer;
/** Wait for Redis as long as it takes: what is tested with them does not hang on how busy this machine is. */
let nodes: CacheNode[];
/** Give Redis up as soon as a real node does. */
let quick: CacheNode[];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "forno-redis-"));
  redis = await redisServer(folder);
  await redis.process.start();
  nodes = await Promise.all([1, 2, 3].map(() => CacheNode.start(redis.port, PATIENT)));
  quick = await Promise.all([1, 2, 3].map(() => CacheNode.start(redis.port)));
  await Promise.all([...nodes, ...quick].map((node) => node.ready()));
});
afterAll(async () => {
  for (const node of [...nodes, ...quick]) await node.stop();
  await redis.process.kill();
  rmSync(folder, { recursive: true, force: true });
});

tagCacheSuite("Redis", () => Promise.resolve(nodes[0]!.cache));

describe("a tagged cache of several nodes", () => {
  let key: string;
  let tag: string;
  let n = 0;
  beforeEach(() => {
    n += 1;
    key = `chain:${String(n)}`;
    tag = `chain-tag-${String(n)}`;
  });
  const terms = () => ({ ...MINUTE, tags: [tag] });

  test("what one node has computed is there for the others", async () => {
    await nodes[0]!.cache.getOrCompute(key, terms(), () => "once");
    const answers = await Promise.all(
      nodes.map(({ cache }) => cache.getOrCompute(key, terms(), () => "again")),
    );
    expect(answers.map(({ value, state }) => [value, state])).toEqual(nodes.map(() => ["once", "HIT"]));
  });

  test("parallel misses of all nodes make one computation", async () => {
    let computed = 0;
    const compute = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return ++computed;
    };
    const answers = nodes.flatMap(({ cache }) =>
      Array.from({ length: 3_000 }, () => cache.getOrCompute(key, terms(), compute)),
    );
    expect(new Set((await Promise.all(answers)).map(({ value }) => value))).toEqual(new Set([1]));
  });

  test("a node that dies while it computes does not hold up the others for long", async () => {
    const [begun, never] = [new Gate(), new Gate()];
    const dead = nodes[0]!.cache.getOrCompute(key, terms(), async () => {
      begun.open();
      await never.passed;
    });
    await begun.passed;
    const started = performance.now();
    expect(await nodes[1]!.cache.getOrCompute(key, terms(), () => "alive")).toMatchObject({ value: "alive" });
    expect(performance.now() - started).toBeLessThan(2_000);
    never.open();
    await dead;
    expect(await nodes[2]!.cache.get(key)).toBe("alive");
  });

  test("no first level serves what an acknowledged invalidation has ended, and acknowledging is quick", async () => {
    const [writer, ...readers] = nodes;
    let truth = 0;
    const waits: number[] = [];
    while (truth < 100) {
      for (const { cache } of readers) await cache.getOrCompute(key, terms(), () => truth);
      truth += 1;
      const started = performance.now();
      await writer!.cache.invalidateTags(tag);
      waits.push(performance.now() - started);
      for (const { cache } of nodes)
        expect((await cache.getOrCompute(key, terms(), () => truth)).value).toBe(truth);
    }
    // Most are acknowledged by every node, long before a lease is out.
    expect(waits.sort((a, b) => a - b)[50]).toBeLessThan(PATIENT.times.lease_ms / 2);
  });

  test("a node that is cut off in silence stops trusting its first level before an invalidation is acknowledged", async () => {
    const [writer, reader] = [quick[0]!, quick[1]!];
    await reader.ready();
    await reader.cache.getOrCompute(key, terms(), () => "old");
    expect((await reader.cache.getOrCompute(key, terms(), () => "new")).state).toBe("HIT");
    reader.proxy.hold();
    await writer.cache.invalidateTags(tag);
    const answer = await reader.cache.getOrCompute(key, terms(), () => "new");
    expect(answer).toMatchObject({ value: "new", state: "BYPASS" });
    reader.proxy.resume();
    await reader.ready();
    expect((await reader.cache.getOrCompute(key, terms(), () => "new")).value).toBe("new");
  });

  test("a node whose connections break does not either", async () => {
    const [writer, reader] = [quick[0]!, quick[1]!];
    for (let truth = 0; truth < 12; truth += 1) {
      await reader.ready();
      await reader.cache.getOrCompute(key, terms(), () => truth);
      if (truth % 2 === 0) reader.proxy.cut();
      const invalidated = writer.cache.invalidateTags(tag);
      if (truth % 2 === 1) reader.proxy.cut();
      await invalidated;
      expect((await reader.cache.getOrCompute(key, terms(), () => truth + 1)).value).toBe(truth + 1);
      await writer.cache.invalidateTags(tag);
    }
  });

  test("a value whose tag was evicted is not served", async () => {
    await nodes[0]!.cache.set(key, "kept", terms());
    await nodes[0]!.link.client.del(`forno:cache:test:t:${tag}`);
    expect(await nodes[2]!.cache.get(key)).toBeUndefined();
    expect(await nodes[2]!.cache.getOrCompute(key, terms(), () => "new")).toMatchObject({ state: "MISS" });
    expect(await nodes[1]!.cache.get(key)).toBe("new");
  });

  test("every key in Redis ends by itself", async () => {
    const { client } = nodes[0]!.link;
    await nodes[0]!.cache.invalidate(`${key}:none`);
    const keys = await client.keys("*");
    expect(keys.length).toBeGreaterThan(10);
    for (const each of keys) expect([each, (await client.pttl(each)) > 0]).toEqual([each, true]);
  });

  test("after FLUSHALL nothing of before fits, and nothing of before is kept", async () => {
    const [begun, finish] = [new Gate(), new Gate()];
    await nodes[1]!.cache.getOrCompute(`${key}:held`, terms(), () => "old");
    const old = nodes[0]!.cache.getOrCompute(key, terms(), async () => {
      begun.open();
      await finish.passed;
      return "old";
    });
    await begun.passed;
    await nodes[0]!.cache.invalidateTags(tag);
    await nodes[0]!.link.client.flushall();
    await nodes[2]!.cache.invalidateTags(tag);
    expect((await nodes[1]!.cache.getOrCompute(`${key}:held`, terms(), () => "new")).value).toBe("new");
    finish.open();
    await old;
    expect(await nodes[1]!.cache.get(key)).toBeUndefined();
    expect((await nodes[1]!.cache.getOrCompute(key, terms(), () => "new")).value).toBe("new");
    await Promise.all(nodes.map((node) => node.ready()));
  });
});

describe("a tagged cache whose Redis fails", () => {
  const terms = { ...MINUTE, tags: ["failing"] };
  /** How long some reads take, one after another; all are computed. */
  async function timeOf(reads: number): Promise<number> {
    const started = performance.now();
    for (let i = 0; i < reads; i += 1) {
      const { state } = await quick[0]!.cache.getOrCompute(`failing:${String(i)}`, terms, () => i);
      expect(state).toBe("BYPASS");
    }
    return performance.now() - started;
  }
  async function recovered(): Promise<void> {
    await Promise.all([...nodes, ...quick].map((node) => node.ready()));
    await eventually(async () => {
      const { state } = await quick[0]!.cache.getOrCompute("failing:back", terms, () => 1);
      expect(state).toBe("HIT");
    });
  }

  test("a Redis that hangs costs the first reader little, and those after it nothing", async () => {
    redis.process.suspend();
    expect(await timeOf(1)).toBeLessThan(400);
    expect(await timeOf(100)).toBeLessThan(400);
    await expect(quick[0]!.cache.invalidateTags("failing")).rejects.toMatchObject({
      type: "cache.unavailable",
    });
    expect(await quick[0]!.cache.status()).toMatchObject({ up: false, backend: "redis" });
    redis.process.resume();
    await recovered();
  });

  test("parallel reads around a Redis that is away share computations", async () => {
    await redis.process.kill();
    await eventually(() => {
      expect(quick[0]!.link.isUp).toBe(false);
    });
    let computed = 0;
    const compute = async () => {
      await new Promise(setImmediate);
      return ++computed;
    };
    await Promise.all(
      Array.from({ length: 1_000 }, () => quick[0]!.cache.getOrCompute("failing:p", terms, compute)),
    );
    expect(computed).toBeLessThanOrEqual(2);
    expect(await timeOf(100)).toBeLessThan(400);
    await expect(quick[0]!.cache.set("failing:x", 1, terms)).rejects.toMatchObject({
      type: "cache.unavailable",
    });
    await redis.process.start();
    await recovered();
  });

  test("a Redis that has lost its last second serves nothing of before", async () => {
    await quick[0]!.cache.set("failing:lost", "old", terms);
    const { client } = quick[0]!.link;
    await client.config("SET", "appendfsync", "always");
    await client.set("fsync", "now", "EX", 60);
    const log = path.join(folder, "appendonlydir");
    const copy = path.join(folder, "copy");
    cpSync(log, copy, { recursive: true });
    await quick[1]!.cache.invalidateTags("failing");
    await redis.process.kill();
    rmSync(log, { recursive: true });
    renameSync(copy, log);
    await redis.process.start();
    await eventually(async () => {
      expect(await client.exists("forno:cache:test:v:failing:lost")).toBe(1);
    });
    await recovered();
    expect(await quick[2]!.cache.getOrCompute("failing:lost", terms, () => "new")).toMatchObject({
      value: "new",
      state: "MISS",
    });
  });
});
