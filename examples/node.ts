import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ServiceBroker, type ServiceSchema } from "moleculer";
import { uuidv7 } from "uuidv7";
import { redisServer } from "../fleet/servers/redis-server";
import { followEvents } from "../mixins/cache-tags/follow-events";
import { openCache } from "../mixins/cache-tags/open-cache";
import { LogFeed } from "../mixins/event-feed/log-feed";
import { createEventLog } from "../mixins/event-log/postgres-event-log";
import { startEmbeddedPostgres } from "../mixins/postgres/embedded-postgres";
import { migrate, sqlMigrations } from "../mixins/postgres/migrations";
import { dataSource, poolOf } from "../mixins/postgres/pool";
import { RedisLink } from "../mixins/redis/redis-link";
import type { Runtime } from "../mixins/runtime";
import { loadSettings } from "../settings";

/** Prints what happens, line by line. */
export type Print = (line: string) => void;

/** Servers of an example's own, and nodes on them. */
export interface Chain {
  readonly redis_url: string;
  /** Starts one more node with these services and nothing else. */
  node(services?: (runtime: Runtime) => readonly ServiceSchema[]): Promise<Runtime>;
}

const MIGRATIONS = path.join(__dirname, "../entities/migrations");

/** Runs something with a PostgreSQL and a Redis in a temporary directory; afterwards nothing is left of them. */
export async function withChain(body: (chain: Chain) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-example-"));
  // PostgreSQL runs as nobody where we are root.
  chmodSync(folder, 0o711);
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const postgres = await startEmbeddedPostgres(path.join(folder, "postgres"), console);
    closers.push(() => postgres.stop());
    const db = dataSource(postgres.connection, [], sqlMigrations(MIGRATIONS));
    await db.initialize();
    closers.push(() => db.destroy());
    await migrate(db);
    const redis = await redisServer(folder);
    await redis.process.start();
    closers.push(() => redis.process.kill());
    let nodes = 0;
    await body({
      redis_url: redis.url,
      async node(services = () => []) {
        nodes += 1;
        const { runtime, close } = await openNode(`node-${String(nodes)}`, { db, postgres, redis });
        closers.push(close);
        for (const schema of services(runtime)) runtime.broker.createService(schema);
        await runtime.broker.start();
        closers.push(await followEvents(runtime));
        return runtime;
      },
    });
  } finally {
    for (const close of closers.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Servers {
  readonly db: Runtime["db"];
  readonly postgres: Pick<Awaited<ReturnType<typeof startEmbeddedPostgres>>, "connection">;
  readonly redis: { readonly url: string };
}

/** What every service of a node is made with: log and feed, cache, channels. */
async function openNode(
  nodeID: string,
  { db, postgres: { connection }, redis: { url } }: Servers,
): Promise<{ runtime: Runtime; close: () => Promise<void> }> {
  const broker = new ServiceBroker({ nodeID, logger: false, validator: false });
  const { logger } = broker;
  const log = await createEventLog({ connection, logger });
  const redis = new RedisLink(url, logger);
  const runtime: Runtime = {
    ...{ broker, log, redis, db, pool: poolOf(db), settings: loadSettings({ REDIS_URL: url }) },
    feed: new LogFeed({ log, logger }),
    cache: openCache(broker, "examples", redis),
    clock: { now: () => Date.now() },
    ids: { uuid: () => uuidv7(), token: () => randomBytes(16).toString("base64url") },
  };
  const close = async (): Promise<void> => {
    await broker.stop();
    await runtime.cache.close();
    await redis.close();
    await log.close();
  };
  return { runtime, close };
}

/** Repeats a question until its answer is the wanted one; examples wait on conditions, not on time. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = performance.now() + 10_000; !(await holds());) {
    if (performance.now() > deadline) throw new Error(`In vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
