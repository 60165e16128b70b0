import { setTimeout as pause } from "node:timers/promises";
import { embeddedBinaries } from "../mixins/postgres/binaries";
import { PostgresCluster } from "../mixins/postgres/cluster";
import { urlOf } from "../mixins/postgres/pool";
import { SynchronousStandby } from "./synchronous-standby";

const GONE_TIMEOUT_MS = 10_000;

/** Three nodes with 12 + 4 connections each, their listeners, replication, and room for the curious. */
const SETTINGS: Readonly<Record<string, string>> = {
  max_connections: "200",
  wal_level: "logical",
  max_wal_senders: "10",
  max_replication_slots: "10",
  // Between the copies of two tables a replica pauses so long; five seconds unless said.
  wal_retrieve_retry_interval: "200ms",
};

/** A PostgreSQL of the fleet, from the binaries that came with `npm ci`. It may be killed and started again on its data. */
export class FleetPostgres {
  #cluster: PostgresCluster;

  /**
   * @param folder its data, its log and its Unix socket; made when missing.
   * @param beside one that replicates with this one.
   */
  constructor(folder: string, beside?: FleetPostgres) {
    const pair = beside === undefined ? {} : { beside: beside.#cluster };
    this.#cluster = new PostgresCluster(embeddedBinaries(), folder, { settings: SETTINGS, ...pair });
  }

  /** For DATABASE_URL: by Unix socket, with the password. */
  get url(): string {
    return urlOf(this.#cluster.connection("postgres"));
  }

  /** The same for people, who find the password in the file `pgpass` of its folder. */
  get where(): string {
    return urlOf({ ...this.#cluster.connection("postgres"), password: undefined });
  }

  /** Of the postmaster; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#cluster.pid;
  }

  get logFile(): string {
    return this.#cluster.logFile;
  }

  /** Starts it, or attaches to the one that runs here, and waits until it takes connections. */
  async start(): Promise<void> {
    await this.#cluster.create();
    await this.#cluster.start();
  }

  /** Stops it; open transactions are rolled back. */
  async stop(): Promise<void> {
    await this.#cluster.stop();
  }

  /** Starts a second server that confirms each commit from now on. @param folder its data; made when missing. */
  async startStandby(folder: string): Promise<SynchronousStandby> {
    const standby = new SynchronousStandby(this.#cluster, folder, SETTINGS);
    await standby.start();
    return standby;
  }

  /** From now on a promoted standby is this database; who was there before is left alone, and must be gone. */
  takenOverBy({ cluster }: SynchronousStandby): void {
    this.#cluster = cluster;
  }

  /** kill -9 of the postmaster, and waits until it is gone. Its backends notice by themselves within a moment. */
  async kill(): Promise<void> {
    const { pid } = this;
    if (pid === undefined) return;
    process.kill(pid, "SIGKILL");
    const deadline = performance.now() + GONE_TIMEOUT_MS;
    while (this.pid === pid) {
      if (performance.now() > deadline) throw new Error(`PostgreSQL (pid ${String(pid)}) outlived kill -9.`);
      await pause(10);
    }
  }
}
