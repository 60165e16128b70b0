import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import Redis from "ioredis";
import { redisServer, type RedisServer } from "../../../../fleet/servers/redis-server";
import type { Caller } from "../../../../mixins/contract/caller";
import { addViews, syncViews, viewsByDay } from "../../../../services/views/views.contract";
import { eventually } from "../../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { AUTHOR, customer, ViewsNode } from "./views-node";

const RUNS = Number(process.env["VIEWS_RUNS"] ?? 25);
const POSTS = 3;
const PEOPLE = 5;

let database: TestDatabase;
let folder: string;
let redis: RedisServer;
let reader: Redis;
let nodes: ViewsNode[];
/** The last of them is the author of every post. */
const people: readonly Caller[] = [...Array.from({ length: PEOPLE }, customer), AUTHOR];

beforeAll(async () => {
  database = await startTestDatabase();
  folder = mkdtempSync(path.join(tmpdir(), "forno-views-"));
  redis = await redisServer(folder);
  await redis.process.start();
  reader = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  reader.on("error", () => undefined);
  nodes = [
    await ViewsNode.start(database, redis.url),
    await ViewsNode.start(database, redis.url),
    // One that has never heard of Redis.
    await ViewsNode.start(database),
  ];
});
afterAll(async () => {
  for (const node of nodes) await node.stop();
  reader.disconnect();
  await redis.process.kill();
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Look {
  readonly node: number;
  readonly who: number;
  readonly posts: readonly number[];
}
type Step =
  | { readonly does: "views"; readonly looks: readonly Look[] }
  | { readonly does: "sync" | "flush" | "die" | "hang" | "restart" | "forget" };

const look = fc.record({
  node: fc.nat(2),
  who: fc.nat(PEOPLE),
  posts: fc.array(fc.nat(POSTS - 1), { minLength: 1, maxLength: 4 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant("views" as const),
      looks: fc.array(look, { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom(
        "sync" as const,
        "flush" as const,
        "die" as const,
        "hang" as const,
        "restart" as const,
        "forget" as const,
      ),
    }),
  },
);

/** What is done to Redis itself goes one after the other: a server that hangs cannot be waited for. */
let server: Promise<unknown> = Promise.resolve();
/** What Redis was told when it may not have been there. */
const late: Promise<unknown>[] = [];

async function toServer(does: "die" | "hang" | "restart"): Promise<void> {
  const before = server;
  const done = (async () => {
    await before;
    if (does === "die") await redis.process.kill();
    if (does === "hang") redis.process.suspend();
    if (does !== "restart") return;
    redis.process.resume();
    await redis.process.start();
  })();
  server = done.catch(() => undefined);
  await done;
}

/** One step of the world; several may go on at once. */
async function take(one: Step, post_ids: readonly string[], seen: Set<string>): Promise<void> {
  switch (one.does) {
    case "views":
      await Promise.all(one.looks.map((each) => viewed(each, post_ids, seen)));
      return;
    case "sync":
      await Promise.all(nodes.map((node) => node.ask(syncViews, {})));
      return;
    case "flush":
      late.push(reader.flushall().catch(() => undefined));
      return;
    case "forget":
      late.push(reader.del(...post_ids.map((id) => `post:${id}:views:count`)).catch(() => undefined));
      return;
    default:
      await toServer(one.does);
  }
}

async function viewed(
  { node, who, posts }: Look,
  post_ids: readonly string[],
  seen: Set<string>,
): Promise<void> {
  const viewer = people[who] ?? AUTHOR;
  const wanted = posts.map((at) => post_ids[at] ?? "");
  await nodes[node]?.ask(addViews, { post_ids: wanted }, viewer);
  if (viewer !== AUTHOR) for (const post_id of wanted) seen.add(`${post_id} ${viewer.user_id ?? ""}`);
}

it("whatever interleaving of views, synchronisations, flushes and deaths: the count is that of different viewers", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(step, fc.boolean()), { minLength: 3, maxLength: 14 }),
      async (steps) => {
        const [first] = nodes;
        if (first === undefined) throw new Error("no node");
        const post_ids = await Promise.all(Array.from({ length: POSTS }, () => first.post()));
        const seen = new Set<string>();
        let beside: Promise<void>[] = [];
        for (const [one, waits] of steps) {
          beside.push(take(one, post_ids, seen));
          if (!waits) continue;
          await Promise.all(beside);
          beside = [];
        }
        await Promise.all(beside);
        await take({ does: "restart" }, post_ids, seen);
        await Promise.all(late.splice(0));
        for (const post_id of post_ids) {
          const truth = [...seen].filter((pair) => pair.startsWith(post_id)).length;
          // Everybody comes once more, on every node, and is told the same: a count may be a quarter of a second old, and is
          // never too high.
          const settled = async (node: ViewsNode, who: Caller): Promise<void> =>
            eventually(async () => {
              const told = await node.view(post_id, who);
              if (told > truth) throw new Error(`${String(told)} views are told where ${String(truth)} are.`);
              expect(told).toBe(truth);
            });
          for (const node of nodes) await settled(node, AUTHOR);
          for (const who of people.slice(0, PEOPLE))
            if (seen.has(`${post_id} ${who.user_id ?? ""}`))
              for (const node of nodes) await settled(node, who);
          await first.ask(syncViews, {});
          const { days, views_count } = await first.ask(viewsByDay, { post_id });
          expect([views_count, days.reduce((sum, { views }) => sum + views, 0)]).toEqual([truth, truth]);
        }
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  );
}, 300_000);
