import type { Pool, PoolClient } from "pg";
import type { Logger } from "../logger";
import { onConnection } from "../projection/transaction";

/** Runs of one job drift apart by up to this part of their interval, so that nodes and jobs do not stay in step. */
const JITTER = 0.1;

export interface JobDeps {
  readonly pool: Pool;
  readonly logger: Logger;
}

/** Work that comes round. */
export interface Job {
  /** Unique in the chain: its lock hangs on it. */
  readonly name: string;
  /** From the end of one run to the start of the next. */
  readonly every_ms: number;
  /** Should end early when `stopping` is aborted. Whatever it throws is logged, and the job comes round again. */
  run(stopping: AbortSignal): Promise<void>;
}

export interface JobHandle {
  /** Runs it now, unless it is running here or on another node; says whether it did. Errors are logged. */
  runNow(): Promise<boolean>;
  /** Waits for a run under way; none begins after. */
  stop(): Promise<void>;
}

/**
 * Has a job run again and again, first after one interval. An advisory lock sees to it that it runs on one node at a time;
 * on the others that round is left out.
 */
export function startJob(deps: JobDeps, job: Job): JobHandle {
  return new RunningJob(deps, job);
}

class RunningJob implements JobHandle {
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<boolean> | undefined;

  constructor(
    private readonly deps: JobDeps,
    private readonly job: Job,
  ) {
    this.#schedule();
  }

  async runNow(): Promise<boolean> {
    if (this.#running !== undefined || this.#stopping.signal.aborted) return false;
    clearTimeout(this.#timer);
    this.#running = this.#runLocked();
    try {
      return await this.#running;
    } finally {
      this.#running = undefined;
      this.#schedule();
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(): void {
    if (this.#stopping.signal.aborted) return;
    const jittered_ms = this.job.every_ms * (1 + JITTER * (2 * Math.random() - 1));
    this.#timer = setTimeout(() => void this.runNow(), jittered_ms).unref();
  }

  /** Never rejects. */
  async #runLocked(): Promise<boolean> {
    try {
      return await onConnection(this.deps.pool, (session) => this.#runOn(session));
    } catch (error) {
      this.deps.logger.error(`job ${this.job.name} failed: ${String(error)}`);
      return false;
    }
  }

  /** When the job fails its session is closed, which gives the lock back too. */
  async #runOn(session: PoolClient): Promise<boolean> {
    const { rows } = await session.query<{ locked: boolean }>(LOCK, [this.job.name]);
    if (rows[0]?.locked !== true) return false;
    await this.job.run(this.#stopping.signal);
    await session.query(UNLOCK, [this.job.name]);
    return true;
  }
}

const LOCK = "select pg_try_advisory_lock(hashtextextended('job ' || $1, 0)) as locked";
const UNLOCK = "select pg_advisory_unlock(hashtextextended('job ' || $1, 0))";
