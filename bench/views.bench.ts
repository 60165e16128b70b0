import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Redis from "ioredis";
import { boot, type Forno } from "../boot";
import { redisServer } from "../fleet/servers/redis-server";
import type { Caller } from "../mixins/contract/caller";
import { act } from "../mixins/contract/implement";
import { createPost } from "../services/views/post.contract";
import { addView, addViews } from "../services/views/views.contract";
import { loadSettings } from "../settings";
import { loadFromOutside } from "./load-process";

export interface ViewFigures {
  readonly how: string;
  readonly views_per_s: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
}

const CALLERS = 256;
const BATCH = 100;
/** Of a request in a batch; fewer callers, so that as many views are under way. */
const BATCH_CALLERS = 16;
/** Coprime: sent in turn, they come to every pair before any comes again. */
const POSTS = 499;
const PEOPLE = 41;
const CONNECTIONS = 64;
const PASSWORD = "bench-views-password";
const ADMIN: Caller = { role: "super_admin", user_id: randomUUID(), branch_ids: null };
const TEXT = { ru: "Пост", en: "Post" };

/**
 * Views that are new and views that Redis knows, one by one and by the hundred, as actions and over REST, with Redis and
 * without; beside the commands that an older system sent to Redis for them, which promised nothing.
 */
export async function benchViews(seconds: number): Promise<ViewFigures[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-bench-views-"));
  const redis = await redisServer(path.join(folder, "redis"));
  await redis.process.start();
  try {
    return [
      ...(await bareRedis(redis.url, seconds)),
      ...(await onForno(path.join(folder, "with"), seconds, redis.url)),
      ...(await onForno(path.join(folder, "without"), seconds)),
    ];
  } finally {
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function onForno(home: string, seconds: number, redis_url?: string): Promise<ViewFigures[]> {
  const redis = redis_url === undefined ? {} : { REDIS_URL: redis_url };
  const ports = { PORT: "0", GRPC_PORT: "0", HOST: "127.0.0.1" };
  const quiet = { RATE_LIMIT: "off", LOG_LEVEL: "warn", ADMIN_PASSWORD: PASSWORD };
  const forno = await boot(loadSettings({ ...ports, ...quiet, ...redis, DATA_DIR: home }));
  try {
    const with_redis = redis_url === undefined ? "without Redis" : "with Redis";
    const post_ids = await posts(forno);
    const rows = [
      ...(await byAction(forno, post_ids, seconds)),
      ...(redis_url === undefined ? [] : await overRest(forno, post_ids, seconds)),
    ];
    return rows.map((row) => ({ ...row, how: `${row.how}, ${with_redis}` }));
  } finally {
    await forno.stop();
  }
}

async function posts({ runtime: { broker } }: Forno): Promise<string[]> {
  const wish = { title: TEXT, body: TEXT, status: "published" } as const;
  const made = Array.from({ length: POSTS }, () =>
    act(broker, createPost, wish, { meta: { caller: ADMIN } }),
  );
  return (await Promise.all(made)).map(({ post }) => post.post_id);
}

async function byAction(
  { runtime: { broker } }: Forno,
  post_ids: readonly string[],
  seconds: number,
): Promise<ViewFigures[]> {
  const somebody = (): { meta: { caller: Caller } } => ({
    meta: { caller: { role: "customer", user_id: randomUUID(), branch_ids: null } },
  });
  const known = Array.from({ length: PEOPLE }, somebody);
  const one = (n: number): { post_id: string } => ({ post_id: post_ids[n % POSTS] ?? "" });
  const many = { post_ids: post_ids.slice(0, BATCH) };
  const again = (n: number): (typeof known)[number] => known[n % PEOPLE] ?? somebody();
  for (const who of known) await act(broker, addViews, many, who);
  return [
    await load("action, one new view", seconds, CALLERS, 1, (n) => act(broker, addView, one(n), somebody())),
    await load("action, 100 new views", seconds, BATCH_CALLERS, BATCH, () =>
      act(broker, addViews, many, somebody()),
    ),
    await load("action, one known view", seconds, CALLERS, 1, (n) =>
      act(broker, addView, { post_id: post_ids[n % BATCH] ?? "" }, again(n)),
    ),
    await load("action, 100 known views", seconds, BATCH_CALLERS, BATCH, (n) =>
      act(broker, addViews, many, again(n)),
    ),
  ];
}

async function overRest(
  { ports }: Forno,
  post_ids: readonly string[],
  seconds: number,
): Promise<ViewFigures[]> {
  const tokens: string[] = [];
  for (let n = 0; n < PEOPLE; n += 1) {
    const body = JSON.stringify({ name: "Anna", email: `anna-${String(n)}@bench.test`, password: PASSWORD });
    const headers = { "content-type": "application/json" };
    const url = `http://127.0.0.1:${String(ports.http)}/api/v1/auth/register`;
    const answer = await fetch(url, { method: "POST", headers, body });
    tokens.push(((await answer.json()) as { token: string }).token);
  }
  const plan = { port: ports.http, connections: CONNECTIONS, method: "POST" as const, tokens };
  const duration_ms = seconds * 1000;
  const bodies = post_ids.map((post_id) => JSON.stringify({ post_id }));
  const batch = [JSON.stringify({ post_ids: post_ids.slice(0, BATCH) })];
  // What the first of these leaves over is new in its beginning only: the pairs are used up after 20 000 requests.
  const rest = await loadFromOutside({ ...plan, duration_ms, path: "/posts/view", bodies });
  const known = await loadFromOutside({ ...plan, duration_ms, path: "/posts/views-batch", bodies: batch });
  return [
    { how: "REST, one view", views_per_s: rest.per_second, p50_ms: rest.p50_ms, p99_ms: rest.p99_ms },
    {
      how: "REST, 100 known views",
      views_per_s: known.per_second * BATCH,
      p50_ms: known.p50_ms,
      p99_ms: known.p99_ms,
    },
  ];
}

async function bareRedis(url: string, seconds: number): Promise<ViewFigures[]> {
  const client = new Redis(url);
  const view = (pipeline: ReturnType<typeof client.pipeline>, post: number): void => {
    const key = `bench:${String(post)}:views`;
    pipeline.sadd(key, randomUUID()).expire(key, 86_400).scard(key);
  };
  const some = (count: number) => async (n: number) => {
    const pipeline = client.pipeline();
    for (let at = 0; at < count; at += 1) view(pipeline, (n + at) % POSTS);
    await pipeline.exec();
  };
  try {
    return [
      await load("bare Redis, a pipeline for each view", seconds, CALLERS, 1, some(1)),
      await load("bare Redis, a pipeline for 100 views", seconds, BATCH_CALLERS, BATCH, some(BATCH)),
    ];
  } finally {
    client.disconnect();
  }
}

async function load(
  how: string,
  seconds: number,
  callers: number,
  views: number,
  ask: (n: number) => Promise<unknown>,
): Promise<ViewFigures> {
  const times: number[] = [];
  let asked = 0;
  const started = performance.now();
  const deadline = started + seconds * 1000;
  const caller = async (): Promise<void> => {
    while (performance.now() < deadline) {
      const begun = performance.now();
      await ask((asked += 1));
      times.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsed_s = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { how, views_per_s: (times.length * views) / elapsed_s, p50_ms: at(0.5), p99_ms: at(0.99) };
}
