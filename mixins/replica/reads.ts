import { Pool, type ClientConfig } from "pg";
import type { Counter } from "prom-client";
import type { PublishedPart } from "../../entities/publications";
import type { Position } from "../event-log/event-log";
import type { Logger } from "../logger";
import type { Metrics } from "../metrics/metrics";
import { startHeartbeat } from "./heartbeat";
import { ReplicaWatch, type ReplicaState } from "./replica-watch";

/** Shop reads are look-ups by an index: one that takes longer than this on the replica is made on the primary instead. */
const READ_TIMEOUT_MS = 1_000;
const READS_MAX = 8;
const BEAT_MS_MAX = 1_000;
const LOOK_MS_MAX = 500;

export interface ReadOptions {
  /** What is read must hold every change up to this position of the log: somebody's own write. */
  readonly after?: Position | undefined;
}

/**
 * Where reads of the published tables go that may be a little old. Only reads: whatever decides (prices of an order, a login,
 * anything inside a transaction) asks the primary.
 */
export interface Reads {
  /** The replica while it is up, complete and less than REPLICA_LAG_MAX_MS behind, else the primary. */
  poolFor(part: PublishedPart, options?: ReadOptions): Pool;
  /**
   * Makes a read there. On the primary it is made again when it fails on the replica, and when it finds nothing there
   * (`undefined`): there may be no such row yet. Leave refusals and everything that changes something out of `work`.
   */
  read<T>(part: PublishedPart, work: (from: Pool) => Promise<T>, options?: ReadOptions): Promise<T>;
}

/** The reads of a node; without a replica all of them go to the primary. */
export function readsOf({ reads, pool }: { readonly reads?: Reads; readonly pool: Pool }): Reads {
  return reads ?? { poolFor: () => pool, read: (_part, work) => work(pool) };
}

export interface ReplicaReadsDeps {
  readonly primary: Pool;
  readonly replica: ClientConfig;
  /** REPLICA_LAG_MAX_MS. */
  readonly lag_ms_max: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Reads of a node that has a replica. The replica may be down at the start, die, hang and come back empty. */
export class ReplicaReads implements Reads {
  readonly #primary: Pool;
  readonly #replica: Pool;
  readonly #watch: ReplicaWatch;
  readonly #answered: Counter<"part" | "server">;
  readonly #failed: Counter<"part">;
  readonly #logger: Logger;
  readonly #stopBeating: () => Promise<void>;
  readonly lag_ms_max: number;

  constructor(deps: ReplicaReadsDeps) {
    const { primary, logger, lag_ms_max, metrics } = deps;
    this.#primary = primary;
    this.#logger = logger;
    this.lag_ms_max = lag_ms_max;
    this.#answered = metrics.counter(
      "forno_shop_reads_total",
      "Reads of published tables, by the server that answered.",
      ["part", "server"],
    );
    this.#failed = metrics.counter(
      "forno_replica_read_failures_total",
      "Reads that failed on the replica and were made again on the primary.",
      ["part"],
    );
    const replica = readOnly(deps.replica);
    this.#replica = new Pool({
      ...replica,
      max: READS_MAX,
      application_name: "forno shop reads",
      connectionTimeoutMillis: READ_TIMEOUT_MS,
      query_timeout: READ_TIMEOUT_MS,
      statement_timeout: READ_TIMEOUT_MS,
    });
    // An idle connection that breaks is replaced by the next read.
    this.#replica.on("error", () => undefined);
    // A tight bound needs beats and looks that fit into it.
    this.#watch = new ReplicaWatch({
      ...{ primary, replica, logger },
      every_ms: Math.min(LOOK_MS_MAX, lag_ms_max / 4),
    });
    const heartbeat = startHeartbeat({ pool: primary, logger }, Math.min(BEAT_MS_MAX, lag_ms_max / 2));
    this.#stopBeating = () => heartbeat.stop();
  }

  poolFor(part: PublishedPart, options: ReadOptions = {}): Pool {
    return this.#fits(part, options) ? this.#replica : this.#primary;
  }

  async read<T>(
    part: PublishedPart,
    work: (from: Pool) => Promise<T>,
    options: ReadOptions = {},
  ): Promise<T> {
    if (this.#fits(part, options)) {
      try {
        const found = await work(this.#replica);
        if (found !== undefined) {
          this.#answered.inc({ part, server: "replica" });
          return found;
        }
      } catch (error) {
        this.#failed.inc({ part });
        this.#watch.doubt();
        this.#logger.warn(
          `A read of ${part} failed on the replica and goes to the primary: ${String(error)}`,
        );
      }
    }
    this.#answered.inc({ part, server: "primary" });
    return work(this.#primary);
  }

  /** What is known of the replica now; undefined while it does not answer. */
  get state(): ReplicaState | undefined {
    return this.#watch.state;
  }

  /** Whether reads of a part that name no position go to the replica now. */
  serves(part: PublishedPart): boolean {
    return this.#fits(part, {});
  }

  /** Looks at the replica now, for those who report on it. */
  look(): Promise<void> {
    return this.#watch.look();
  }

  async close(): Promise<void> {
    await this.#stopBeating();
    await this.#watch.close();
    await this.#replica.end();
  }

  #fits(part: PublishedPart, { after }: ReadOptions): boolean {
    const { state } = this.#watch;
    if (state === undefined || state.differences.length > 0) return false;
    const found = state.parts.find((each) => each.part === part);
    if (found?.lag_ms === undefined || !found.copied || found.lag_ms > this.lag_ms_max) return false;
    return after === undefined || found.position >= after;
  }
}

/** Whatever the account of the URL may do, through this nothing is written to the copy. */
function readOnly(connection: ClientConfig): ClientConfig {
  const options = [connection.options, "-c default_transaction_read_only=on"].filter(
    (part) => part !== undefined,
  );
  return { ...connection, options: options.join(" ") };
}
