import type { Pool, PoolClient } from "pg";
import type { Logger } from "../logger";
import { onConnection } from "../projection/transaction";

/** Timers of one job differ by up to this part of the interval, so that the nodes of a fleet do not all ask at one moment. */
const JITTER = 0.1;
/** Timers overflow beyond 24.8 days; a job whose turn is further away looks again on the way. */
const LOOK_MS_MAX = 86_400_000;

export interface JobDeps {
  readonly pool: Pool;
  readonly logger: Logger;
}

/** Work that comes round. */
export interface Job {
  /** Unique in the chain: its lock hangs on it. */
  readonly name: string;
  /** From the end of one run to the start of the next, wherever in the fleet they are; up to a tenth more. */
  readonly every_ms: number;
  /** Should end early when `stopping` is aborted. Whatever it throws is logged, and the job comes round again. */
  run(stopping: AbortSignal): Promise<void>;
}

export interface JobHandle {
  /** Runs it now, due or not, unless it is running here or on another node; says whether it did. Errors are logged. */
  runNow(): Promise<boolean>;
  /** Waits for a run under way; none begins after. */
  stop(): Promise<void>;
}

/**
 * Has a job run again and again, once an interval for the whole fleet and over all restarts; for the first time one interval
 * after the chain has first heard of it. An advisory lock sees to it that it runs on one node at a time, and the database
 * remembers when it last did. A run that failed counts as one: the job comes round an interval after it began.
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
    // Asks soon when its turn is: it may have passed while no node was there.
    this.#schedule(0);
  }

  runNow(): Promise<boolean> {
    return this.#round("now");
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** `due_in_ms` is how long the job still has to wait; a little later, because sooner would be in vain. */
  #schedule(due_in_ms: number): void {
    if (this.#stopping.signal.aborted) return;
    clearTimeout(this.#timer);
    const ms =
      Math.min(due_in_ms, LOOK_MS_MAX) + Math.random() * JITTER * Math.min(this.job.every_ms, LOOK_MS_MAX);
    this.#timer = setTimeout(() => void this.#round("when due"), ms).unref();
  }

  /** Never rejects. Says whether the job ran. */
  async #round(when: "now" | "when due"): Promise<boolean> {
    if (this.#running !== undefined || this.#stopping.signal.aborted) return false;
    clearTimeout(this.#timer);
    let due_in_ms = this.job.every_ms;
    this.#running = onConnection(this.deps.pool, async (session) => {
      const isDue = async (): Promise<boolean> => (due_in_ms = await this.#dueIn(session)) <= 0;
      if (when === "when due" && !(await isDue())) return false;
      due_in_ms = this.job.every_ms;
      const { rows } = await session.query<{ locked: boolean }>(LOCK, [this.job.name]);
      if (rows[0]?.locked !== true) return false;
      // Asked again: another node may have run it between the question and the lock.
      const ran = (when === "now" || (await isDue())) && (await this.#runOn(session));
      await session.query(UNLOCK, [this.job.name]);
      return ran;
    }).catch((error: unknown) => {
      // Its session is closed, which gives the lock back too.
      this.deps.logger.error(`job ${this.job.name} failed: ${String(error)}`);
      return false;
    });
    try {
      return await this.#running;
    } finally {
      this.#running = undefined;
      this.#schedule(due_in_ms > 0 ? due_in_ms : this.job.every_ms);
    }
  }

  /** Milliseconds until the chain wants the job to run, by the database's clock. A job nobody knows begins to wait now. */
  async #dueIn(session: PoolClient): Promise<number> {
    await session.query(KNOW, [this.job.name]);
    const { rows } = await session.query<{ since_ms: number }>(SINCE, [this.job.name]);
    return this.job.every_ms - (rows[0]?.since_ms ?? 0);
  }

  /** False when this was stopped before the run began: a run hears of its stopping, it never begins with it. */
  async #runOn(session: PoolClient): Promise<boolean> {
    const { signal } = this.#stopping;
    await session.query(KNOW, [this.job.name]);
    await session.query(RAN, [this.job.name]);
    if (signal.aborted) return false;
    await this.job.run(signal);
    await session.query(RAN, [this.job.name]);
    return true;
  }
}

const KNOW = "insert into es.job_run (name) values ($1) on conflict do nothing";
const SINCE = `select extract(epoch from clock_timestamp() - last_at)::float8 * 1000 as since_ms from es.job_run where name = $1`;
const RAN = "update es.job_run set last_at = clock_timestamp() where name = $1";
const LOCK = "select pg_try_advisory_lock(hashtextextended('job ' || $1, 0)) as locked";
const UNLOCK = "select pg_advisory_unlock(hashtextextended('job ' || $1, 0))";
