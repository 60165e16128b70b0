import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import path from "node:path";
import { embeddedBinaries } from "../mixins/postgres/binaries";
import { PostgresCluster } from "../mixins/postgres/cluster";
import { migrate, sqlMigrations } from "../mixins/postgres/migrations";
import { dataSource, urlOf } from "../mixins/postgres/pool";
import { benchCache } from "./cache.bench";
import { benchCameras } from "./cameras.bench";
import { benchEventLog } from "./event-log.bench";
import { benchFeed } from "./feed.bench";
import { benchFleet } from "./fleet.bench";
import { benchMenu } from "./menu.bench";
import { benchOrders } from "./orders.bench";
import { benchRebuild } from "./rebuild.bench";
import { benchShop } from "./shop.bench";
import { benchSubscriptions } from "./subscriptions.bench";
import { benchViews } from "./views.bench";

/** Seconds a load of orders or menu reads lasts; each scenario is bounded. */
const LOAD_S = 10;

/** Events of the log that a read model is rebuilt from. */
const REBUILD_EVENTS = 1_000_000;
/** Events that a feed delivers from the log's beginning. */
const FEED_EVENTS = 200_000;
/** Values that one tag ends. */
const CACHED_KEYS = [10_000, 500_000];

const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  log: () => withDatabase((url) => benchEventLog(url)),
  orders: async () => {
    show("Orders over REST, everything switched on", await benchOrders(LOAD_S));
  },
  menu: async () => {
    show("Menu reads, 50 connections", [await benchMenu(LOAD_S)]);
  },
  shop: async () => {
    show("Cached reads of the shop over REST, 50 connections", await benchShop(LOAD_S));
  },
  fleet: async () => {
    const { orders, sockets, menu } = await benchFleet(LOAD_S);
    show("Orders over REST, 500 connections, on one and on three nodes of this machine", orders);
    show("From the acknowledged order to 500 sockets on three nodes", [sockets]);
    show("From a publish to the last of three nodes", [menu]);
  },
  cache: async () => {
    const { reads, invalidations, stampede } = await benchCache(LOAD_S, CACHED_KEYS);
    show("Cached reads of 1 KB, 64 callers", reads);
    show("One tag invalidated on three nodes, by the number of its values", invalidations);
    show("Parallel misses of one key on three nodes", [stampede]);
  },
  cameras: () =>
    withDatabase(async (url) => {
      show("Cameras by MAC address, and their events; 64 callers", await benchCameras(url, LOAD_S));
    }),
  views: async () => {
    show("Views of posts", await benchViews(LOAD_S / 2));
  },
  subscriptions: async () => {
    show("From a camera's request to the sockets that subscribed to it", await benchSubscriptions(LOAD_S));
  },
  feed: () =>
    withDatabase(async (url) => {
      show("Event feed: from the log, and by Kafka", await benchFeed(url, FEED_EVENTS));
    }),
  rebuild: () =>
    withDatabase(async (url) => {
      show("Rebuild of the orders' read model", [await benchRebuild(url, REBUILD_EVENTS)]);
    }),
};

/**
 * `npm run bench [SCENARIO …]`: those named, or all. Figures of one run are comparable with each other only. Each scenario has
 * a process of its own: peers change what is global (Emmett the way that PostgreSQL's numbers are read).
 */
async function main(names: readonly string[]): Promise<void> {
  const [only] = names;
  const scenario = names.length === 1 && only !== undefined ? SCENARIOS[only] : undefined;
  if (scenario !== undefined) {
    await scenario();
    return;
  }
  const unknown = names.find((name) => SCENARIOS[name] === undefined);
  if (unknown !== undefined)
    throw new Error(`${unknown} is no scenario; there are ${Object.keys(SCENARIOS).join(", ")}.`);
  const [cpu] = cpus();
  console.log(
    `${String(cpus().length)} × ${cpu?.model ?? "?"}, ${(totalmem() / 2 ** 30).toFixed(0)} GB, Node ${process.version}. ` +
      `Forno, its servers and the load generator share it.\n`,
  );
  for (const name of names.length === 0 ? Object.keys(SCENARIOS) : names) {
    const { status } = spawnSync(process.execPath, [__filename, name], { stdio: "inherit" });
    if (status !== 0) throw new Error(`The scenario ${name} failed.`);
  }
}

function show(title: string, rows: readonly object[]): void {
  console.log(title);
  console.table(
    rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, rounded(value)]))),
  );
}

function rounded(value: unknown): unknown {
  if (typeof value !== "number") return value;
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

/** A fresh, migrated PostgreSQL for the log alone. */
async function withDatabase(work: (url: string) => Promise<unknown>): Promise<void> {
  const home = mkdtempSync(path.join(tmpdir(), "forno-bench-log-"));
  chmodSync(home, 0o711);
  const cluster = new PostgresCluster(embeddedBinaries(), home);
  await cluster.create();
  await cluster.start();
  try {
    const connection = cluster.connection("postgres");
    const db = dataSource(connection, [], sqlMigrations(path.join(__dirname, "../entities/migrations")));
    await db.initialize();
    await migrate(db);
    await db.destroy();
    await work(urlOf(connection));
  } finally {
    await cluster.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
