import { createReadStream, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { Redis } from "ioredis";
import type { Pool } from "pg";
import { eventually } from "./eventually";
import type { FornoUnderTest } from "./forno";

/** Where a text was found, and a little of what stands around it. */
export type Trace = string;

const AROUND = 60;

function tracesIn(where: string, text: string, sought: RegExp): Trace[] {
  const every = new RegExp(sought.source, `${sought.flags.replace("g", "")}g`);
  return [...text.matchAll(every)].map(
    ({ index }) => `${where}: …${text.slice(Math.max(0, index - AROUND), index + AROUND)}…`,
  );
}

/** Every row of every table of every schema, as text; the catalogue too. */
export async function tracesInTables(pool: Pool, sought: RegExp): Promise<Trace[]> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and n.nspname <> 'information_schema' order by 1`,
  );
  const found: Trace[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ text: string }>(
      `select t::text as text from ${name} t where t::text ~* $1`,
      [sought.source],
    );
    found.push(...rows.flatMap(({ text }) => tracesIn(name, text, sought)));
  }
  return found;
}

/** Every key of a Redis, its name and whatever it holds. */
export async function tracesInRedis(redis: Redis, sought: RegExp): Promise<Trace[]> {
  const found: Trace[] = [];
  for (const key of await redis.keys("*")) {
    const value = await valueOf(redis, key);
    found.push(...tracesIn(`redis ${key}`, `${key} ${JSON.stringify(value)}`, sought));
  }
  return found;
}

async function valueOf(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case "string":
      return redis.get(key);
    case "hash":
      return redis.hgetall(key);
    case "set":
      return redis.smembers(key);
    case "zset":
      return redis.zrange(key, 0, -1, "WITHSCORES");
    case "list":
      return redis.lrange(key, 0, -1);
    case "stream":
      return redis.xrange(key, "-", "+");
    default:
      return null;
  }
}

/** Every file below a folder but those below `without`; archives unpacked. */
export function tracesInFiles(folder: string, sought: RegExp, without: readonly string[] = []): Trace[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !without.some((left_out) => name === left_out || name.startsWith(`${left_out}/`)))
    .filter((name) => statSync(path.join(folder, name)).isFile())
    .flatMap((name) => {
      const bytes = readFileSync(path.join(folder, name));
      return tracesIn(name, (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("latin1"), sought);
    });
}

/** Everything that lives in a node's memory, as V8 shows it after a garbage collection. The node needs {@link HEAP_ON_SIGNAL}. */
export async function tracesInHeap(node: FornoUnderTest, sought: RegExp): Promise<Trace[]> {
  if (node.pid === undefined) throw new Error("This node does not run.");
  process.kill(node.pid, "SIGUSR2");
  const file = await eventually(async () => {
    const name = readdirSync(node.home).find((one) => one.endsWith(".heapsnapshot"));
    if (name === undefined) throw new Error("There is no snapshot of the heap yet.");
    const whole = path.join(node.home, name);
    // It is written while nothing else runs there: who answers has finished it.
    await node.ask("GET", "/api/v1/health/live");
    return whole;
  }, 30_000);
  const found: Trace[] = [];
  let rest = "";
  for await (const chunk of createReadStream(file, { encoding: "utf8" })) {
    const text = rest + (chunk as string);
    found.push(...tracesIn(`heap of ${node.url}`, text, sought));
    rest = text.slice(-2 * AROUND);
  }
  rmSync(file);
  return found;
}

/** For the environment of a node whose heap is to be searched. */
export const HEAP_ON_SIGNAL = { NODE_OPTIONS: "--heapsnapshot-signal=SIGUSR2" } as const;
