import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { redisServer, type RedisServer } from "../../../fleet/servers/redis-server";
import { CacheNode } from "../../support/cache-node";

const NODES = 3;
const RUNS = 25;
const RUN_MS = 80;

/** Something that one node does at one moment of a run. */
type Step = { readonly at_ms: number; readonly node: number } & (
  | { readonly does: "read"; readonly computing_ms: number }
  | { readonly does: "change" }
  | { readonly does: "cut" }
  | { readonly does: "flush" }
  | { readonly does: "hold"; readonly held_ms: number }
);

const when = { at_ms: fc.integer({ min: 0, max: RUN_MS }), node: fc.nat({ max: NODES - 1 }) };
const read = fc.record({
  ...when,
  does: fc.constant("read" as const),
  computing_ms: fc.integer({ min: 0, max: 15 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 60, arbitrary: read },
  { weight: 15, arbitrary: fc.record({ ...when, does: fc.constant("change" as const) }) },
  { weight: 2, arbitrary: fc.record({ ...when, does: fc.constant("cut" as const) }) },
  { weight: 1, arbitrary: fc.record({ ...when, does: fc.constant("flush" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ...when,
      does: fc.constant("hold" as const),
      held_ms: fc.integer({ min: 1, max: 300 }),
    }),
  },
);

describe("a tagged cache of several nodes, whatever happens when", () => {
  let folder: string;
  let redis: RedisServer;
  let nodes: CacheNode[];
  let runs = 0;
  const seen = { hits: 0, changes: 0, refused: 0 };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-redis-"));
    redis = await redisServer(folder);
    await redis.process.start();
    nodes = await Promise.all(Array.from({ length: NODES }, () => CacheNode.start(redis.port)));
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Plays the steps; says which read got a value older than a change that was acknowledged before it began. */
  async function play(steps: readonly Step[]): Promise<string[]> {
    await Promise.all(nodes.map((node) => node.ready()));
    const name = `run-${String((runs += 1))}`;
    const complaints: string[] = [];
    let truth = 0;
    let acknowledged = 0;

    async function look({ cache }: CacheNode, computing_ms: number): Promise<void> {
      const floor = acknowledged;
      const terms = { ttl_s: 60, tags: [name] };
      const { value, state } = await cache.getOrCompute(`${name}:key`, terms, async () => {
        const found = truth;
        await pause(computing_ms);
        return found;
      });
      if (state === "HIT") seen.hits += 1;
      if (value < floor) complaints.push(`${state} ${String(value)} after ${String(floor)} was acknowledged`);
    }
    async function change({ cache }: CacheNode): Promise<void> {
      const mine = (truth += 1);
      try {
        await cache.invalidateTags(name);
        acknowledged = Math.max(acknowledged, mine);
        seen.changes += 1;
      } catch {
        seen.refused += 1;
      }
    }
    async function act(one: Step): Promise<void> {
      await pause(one.at_ms);
      const node = nodes[one.node]!;
      if (one.does === "read") await look(node, one.computing_ms);
      else if (one.does === "change") await change(node);
      else if (one.does === "cut") node.proxy.cut();
      else if (one.does === "flush") await node.link.client.flushall().catch(() => undefined);
      else {
        node.proxy.hold();
        await pause(one.held_ms);
        node.proxy.resume();
      }
    }
    await Promise.all(steps.map(act));
    return complaints;
  }

  test("never serves a value older than an invalidation that was acknowledged", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 120 }), async (steps) => {
        expect(await play(steps)).toEqual([]);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(seen.hits).toBeGreaterThan(RUNS);
    expect(seen.changes).toBeGreaterThan(RUNS);
  }, 120_000);
});
