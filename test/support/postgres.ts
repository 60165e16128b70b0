import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ClientConfig, Pool } from "pg";
import type { DataSource } from "typeorm";
import { embeddedBinaries, systemBinaries } from "../../mixins/postgres/binaries";
import { PostgresCluster } from "../../mixins/postgres/cluster";
import { migrate, sqlMigrations } from "../../mixins/postgres/migrations";
import { dataSource, poolOf, urlOf } from "../../mixins/postgres/pool";
import { othersMayEnter } from "../../mixins/postgres/server-user";

/** A real PostgreSQL of one test file, in a temporary directory, with today's schema. bigint columns read as numbers. */
export interface TestDatabase {
  readonly connection: ClientConfig;
  /** The same as a URL, for what takes only URLs. */
  readonly url: string;
  readonly cluster: PostgresCluster;
  readonly db: DataSource;
  readonly pool: Pool;
  stop(): Promise<void>;
}

export const SYSTEM_POSTGRES = "/usr/lib/postgresql/15/bin";
export const hasSystemPostgres = (): boolean => existsSync(path.join(SYSTEM_POSTGRES, "postgres"));
export const MIGRATIONS = path.resolve(__dirname, "../../entities/migrations");

/** Whoever has been stopped has given its connections back; a test that failed halfway may not have stopped all. */
const LEFT_MS_MAX = 10_000;

export async function startTestDatabase(
  options: {
    server?: "embedded" | "system";
    /** Leave the database empty. */
    migrated?: boolean;
    entities?: (new () => object)[];
    /** Server settings, e.g. `{ wal_level: "logical" }`. */
    settings?: Readonly<Record<string, string>>;
    /** One that replicates with this one. */
    beside?: TestDatabase;
  } = {},
): Promise<TestDatabase> {
  // Where no other user can reach the embedded programs, no folder here is for others: then all servers run as the same user.
  const home = mkdtempSync(path.join(tmpdir(), "forno-pg-"));
  chmodSync(home, othersMayEnter(embeddedBinaries().bin) ? 0o711 : 0o700);
  const binaries = options.server === "system" ? systemBinaries(SYSTEM_POSTGRES) : embeddedBinaries();
  const cluster = new PostgresCluster(binaries, path.join(home, "d"), {
    settings: options.settings ?? {},
    ...(options.beside === undefined ? {} : { beside: options.beside.cluster }),
  });
  await cluster.create();
  await cluster.start();
  const connection = cluster.connection("postgres");
  const db = dataSource(connection, options.entities ?? [], sqlMigrations(MIGRATIONS));
  await db.initialize();
  if (options.migrated !== false) await migrate(db);
  // A test run that is broken off must not leave its server behind.
  const orphaned = (): void => {
    if (cluster.pid !== undefined) process.kill(cluster.pid, "SIGQUIT");
  };
  process.once("exit", orphaned);
  const url = urlOf(connection);
  const stop = async (): Promise<void> => {
    process.off("exit", orphaned);
    const closed = db.isInitialized ? db.destroy() : Promise.resolve();
    const left = await lastsBeyond(LEFT_MS_MAX, closed);
    await cluster.stop();
    rmSync(home, { recursive: true, force: true });
    if (left)
      throw new Error(
        "Connections of the test's database are still in use: something that it started is not stopped.",
      );
  };
  return { connection, url, cluster, db, pool: poolOf(db), stop };
}

/** Whether something is still under way after so long. */
async function lastsBeyond(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, true);
  });
  try {
    return await Promise.race([work.then(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
