import { setTimeout as pause } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import type { Logger } from "../logger";
import { onConnection } from "../projection/transaction";

/** A node that does not lead asks again so often; a dead leader is followed within this. */
const ASK_EVERY_MS = 500;
/** The leader proves to itself so often that its session, and with it the lock, still stands. */
const PROVE_EVERY_MS = 1_000;

/** Work that one node of the fleet does all the time. */
export interface Leadership {
  /** Unique in the chain: its lock hangs on it. */
  readonly name: string;
  /**
   * Leads until `over` is aborted: because this node stops, or because the lock may be lost. Another node may begin at
   * that very moment, so what it writes must stay right when two write for an instant. Whatever it throws is logged, and
   * leadership is sought anew.
   */
  lead(over: AbortSignal): Promise<void>;
}

export interface LeaderHandle {
  readonly leading: boolean;
  /** Ends leading, waits for it, and lets another node take over. */
  stop(): Promise<void>;
}

/** Has this node lead when no other does: an advisory lock decides, held by a session of its own. */
export function startLeader(
  deps: { readonly pool: Pool; readonly logger: Logger },
  leadership: Leadership,
): LeaderHandle {
  return new Candidate(deps, leadership);
}

class Candidate implements LeaderHandle {
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  leading = false;

  constructor(
    private readonly deps: { readonly pool: Pool; readonly logger: Logger },
    private readonly leadership: Leadership,
  ) {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!this.#isStopping()) {
      try {
        await onConnection(this.deps.pool, (session) => this.#tryOn(session));
      } catch (error) {
        if (!this.#isStopping())
          this.deps.logger.warn(`${this.leadership.name}: leading ended, will try again: ${String(error)}`);
      }
      await pause(ASK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #tryOn(session: PoolClient): Promise<void> {
    const { rows } = await session.query<{ locked: boolean }>(LOCK, [this.leadership.name]);
    if (rows[0]?.locked !== true) return;
    const over = new AbortController();
    const end = (): void => {
      over.abort();
    };
    this.#stopping.signal.addEventListener("abort", end);
    if (this.#stopping.signal.aborted) end();
    const proof = setInterval(() => {
      session.query("select 1").catch(end);
    }, PROVE_EVERY_MS).unref();
    session.once("end", end);
    this.leading = true;
    try {
      await this.leadership.lead(over.signal);
      await session.query(UNLOCK, [this.leadership.name]);
    } finally {
      this.leading = false;
      clearInterval(proof);
      session.off("end", end);
      this.#stopping.signal.removeEventListener("abort", end);
    }
  }
}

const LOCK = "select pg_try_advisory_lock(hashtextextended('leader ' || $1, 0)) as locked";
const UNLOCK = "select pg_advisory_unlock(hashtextextended('leader ' || $1, 0))";
