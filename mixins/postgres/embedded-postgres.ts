import { setTimeout as pause } from "node:timers/promises";
import { Client, type ClientConfig } from "pg";
import { embeddedBinaries } from "./binaries";
import { PostgresCluster } from "./cluster";

/** One Forno per data directory: held by a session of its own for as long as the process lives. */
const DATA_DIR_LOCK = 7_461_000;
/** After a kill -9 the database needs a moment to notice that the old holder is gone. */
const LOCK_TIMEOUT_MS = 3_000;
const RESTART_PAUSE_MS = 200;

/** The data directory is in use by another Forno. The message says which directory and what to do. */
export class DataDirInUseError extends Error {}

/** A running embedded database. */
export interface EmbeddedPostgres {
  readonly connection: ClientConfig;
  /** Process id of the server, for operators and tests. */
  readonly pid: number | undefined;
  /** Stops the server too. */
  stop(): Promise<void>;
}

interface Log {
  warn(message: string): void;
}

/**
 * Runs the PostgreSQL of a data directory and watches it: made at the first start, attached to when it outlived a kill of
 * ours, started again when it dies.
 * @throws DataDirInUseError when another Forno runs on the same directory; its database is left alone.
 */
export async function startEmbeddedPostgres(dataDir: string, log: Log): Promise<EmbeddedPostgres> {
  const cluster = new PostgresCluster(embeddedBinaries(), dataDir);
  await cluster.create();
  await cluster.start();
  const supervisor = new Supervisor(cluster, dataDir, log);
  await supervisor.hold();
  return supervisor;
}

/**
 * Its session holds the lock of the data directory and is at the same time its sense of life: when the session breaks,
 * either the server has died (start it) or it has thrown everybody out after a crash of one backend (connect again).
 */
class Supervisor implements EmbeddedPostgres {
  readonly connection: ClientConfig;
  #session: Client | undefined;
  #stopping = false;

  constructor(
    private readonly cluster: PostgresCluster,
    private readonly dataDir: string,
    private readonly log: Log,
  ) {
    this.connection = cluster.connection("postgres");
  }

  get pid(): number | undefined {
    return this.cluster.pid;
  }

  async hold(): Promise<void> {
    const session = new Client({ ...this.connection, application_name: "forno data directory" });
    session.on("error", (error) => {
      if (!this.#stopping) this.log.warn(`The embedded database broke off: ${error.message}`);
    });
    await session.connect();
    for (const deadline = performance.now() + LOCK_TIMEOUT_MS; !(await locked(session));) {
      if (performance.now() < deadline) {
        await pause(50);
        continue;
      }
      await session.end();
      throw new DataDirInUseError(
        `Another Forno is running on ${this.dataDir}: stop it, or give this one another DATA_DIR.`,
      );
    }
    this.#session = session;
    session.on("end", () => void this.#revive());
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#session?.end();
    await this.cluster.stop();
  }

  async #revive(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.cluster.start();
        await this.hold();
        this.log.warn("The embedded database is back.");
        return;
      } catch (error) {
        this.log.warn(`The embedded database does not start: ${String(error)}`);
        await pause(RESTART_PAUSE_MS);
      }
    }
  }
}

async function locked(session: Client): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>("select pg_try_advisory_lock($1) as locked", [
    DATA_DIR_LOCK,
  ]);
  return rows[0]?.locked === true;
}
