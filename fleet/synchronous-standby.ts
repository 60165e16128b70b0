import { setTimeout as pause } from "node:timers/promises";
import { Client, type QueryResultRow } from "pg";
import { embeddedBinaries } from "../mixins/postgres/binaries";
import { PostgresCluster } from "../mixins/postgres/cluster";

const NAME = "forno_standby";
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 20;

/**
 * A second PostgreSQL that follows the first and confirms each of its commits: what was acknowledged is on both. It may be
 * frozen, and put in the place of the first when that is gone.
 */
export class SynchronousStandby {
  readonly #cluster: PostgresCluster;
  #frozen: number | undefined;

  /** @param settings those of the primary: a standby takes no fewer connections than it. */
  constructor(
    private readonly primary: PostgresCluster,
    folder: string,
    settings: Readonly<Record<string, string>> = {},
  ) {
    this.#cluster = new PostgresCluster(embeddedBinaries(), folder, { settings, beside: primary });
  }

  get cluster(): PostgresCluster {
    return this.#cluster;
  }

  /** Copies the primary, follows it, and from then on every commit of the primary waits for this server. */
  async start(): Promise<void> {
    await this.#cluster.createStandbyOf(this.primary, NAME);
    await this.#cluster.start();
    await ask(this.primary, `alter system set synchronous_standby_names = '${NAME}'`);
    await ask(this.primary, "select pg_reload_conf()");
    await until(async () => {
      const [row] = await ask<{ sync: boolean }>(this.primary, IS_SYNCHRONOUS);
      return row?.sync === true;
    }, "The standby does not follow synchronously.");
  }

  /** SIGSTOP of the process that receives: connections stay, and no commit of the primary is confirmed any more. */
  async freeze(): Promise<void> {
    const [row] = await ask<{ pid: number }>(this.#cluster, RECEIVER);
    if (row === undefined) throw new Error("The standby receives nothing that could be frozen.");
    process.kill(row.pid, "SIGSTOP");
    this.#frozen = row.pid;
  }

  /** SIGCONT; what was sent meanwhile is confirmed. */
  thaw(): void {
    if (this.#frozen !== undefined) process.kill(this.#frozen, "SIGCONT");
    this.#frozen = undefined;
  }

  /** What the backends of the primary were asked whose commit waits for this server. */
  async waiting(): Promise<readonly string[]> {
    return (await ask<{ query: string }>(this.primary, WAITING)).map(({ query }) => query);
  }

  /** Ends those backends: their commits are there on the primary from now on, for everybody to see, and nowhere else. */
  async cutWaiting(): Promise<number> {
    return (await ask(this.primary, CUT)).length;
  }

  /**
   * Takes the place of the primary, which is gone: with what it had confirmed, and nothing of what was on its way to a receiver
   * that was frozen.
   */
  async promote(): Promise<void> {
    // A receiver that woke up would still find in its socket what it had not confirmed.
    if (this.#frozen !== undefined) process.kill(this.#frozen, "SIGKILL");
    this.#frozen = undefined;
    await until(() => this.#isPromoted().catch(() => false), "The standby does not become a primary.");
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.#cluster.stop();
  }

  /** Asks for it where it is not so yet. */
  async #isPromoted(): Promise<boolean> {
    const [row] = await ask<{ follows: boolean }>(this.#cluster, "select pg_is_in_recovery() as follows");
    if (row?.follows === true) await ask(this.#cluster, "select pg_promote(wait => false)");
    return row?.follows === false;
  }
}

const IS_SYNCHRONOUS = `select exists (
    select from pg_stat_replication where application_name = '${NAME}' and state = 'streaming' and sync_state = 'sync'
  ) as sync`;
const RECEIVER = "select pid from pg_stat_wal_receiver";
const WAITING = "select pid, query from pg_stat_activity where wait_event = 'SyncRep'";
/** Waits for their end, in milliseconds. */
const CUT = `select pg_terminate_backend(pid, 5000) from (${WAITING}) waiting`;

async function ask<R extends QueryResultRow>(server: PostgresCluster, text: string): Promise<R[]> {
  const client = new Client(server.connection("postgres"));
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
}

async function until(isSo: () => Promise<boolean>, complaint: string): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; !(await isSo());) {
    if (performance.now() > deadline) throw new Error(complaint);
    await pause(LOOK_EVERY_MS);
  }
}
