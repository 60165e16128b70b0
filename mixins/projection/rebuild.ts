import { UnavailableError } from "../contract/refusal";
import type { Position, RecordedEvent } from "../event-log/event-log";
import { BEGINNING, markOf, type LogMark } from "../event-log/lineage";
import { Checkpoint } from "./checkpoint";
import type { ConsumerDeps, Healing } from "./consumer";
import type { Projection, RebuildProgress } from "./projection";
import { createShadow, dropShadow, indexShadow, shadowSchema, swapShadow } from "./shadow-tables";
import { inDerivedTransaction, onConnection } from "./transaction";

/**
 * Events of one transaction. Larger than a running projection's: what happens to a row within a batch is written once, and in
 * five thousand events most orders live from beginning to end. Some 10 MB in memory, twice.
 */
const BATCH_EVENTS = 5_000;
/** Transactions side by side where streams may be: two keep this process and the database busy; neither waits for the other. */
const LANES = 2;
/** So near to the head the projection is held and the rest is applied within the swap. */
const SWAP_EVENTS_MAX = 2_000;
/** The swap waits so long for readers of the old tables; then it lets go and tries again after more catching up. */
const SWAP_LOCK_TIMEOUT_MS = 2_000;
const SWAP_TRIES_MAX = 30;
/** PostgreSQL's code for a lock that was not granted in time. */
const LOCK_NOT_AVAILABLE = "55P03";

/**
 * Builds a read model anew beside the running one (blue/green): an empty copy of its tables under a schema of its own is
 * filled from position 0 by the projection's own `apply`, whose unqualified table names `search_path` leads there. When it
 * is near the head, one transaction holds the checkpoint (so no host applies anything), applies the rest, and puts the
 * copy in the tables' place. Readers see the old rows until then, and the new ones after. Where the log went back meanwhile, the
 * checkpoint does not move, and nothing is put anywhere.
 *
 * A rebuild that fails or is stopped takes its schema with it; what a kill leaves behind goes at the next start of the projection
 * ({@link dropLeftShadow}), wherever that is.
 */
export class Rebuild {
  readonly #schema: string;
  readonly #handles: ReadonlySet<string>;
  /** What the shadow holds. */
  #mark: LogMark = BEGINNING;

  constructor(
    private readonly deps: ConsumerDeps,
    private readonly projection: Projection,
    private readonly consumer: Healing["consumer"],
    private readonly progress: (state: RebuildProgress) => void,
    private readonly stopping?: AbortSignal,
  ) {
    this.#schema = shadowSchema(projection.name);
    this.#handles = new Set(projection.handles);
  }

  get #position(): Position {
    return this.#mark.position;
  }

  /**
   * @throws UnavailableError `projection.rebuilding` when another node rebuilds the same projection; FencedError when the log went
   *   back meanwhile.
   */
  run(): Promise<void> {
    const { pool, logger } = this.deps;
    return onConnection(pool, async (session) => {
      const { rows } = await session.query<{ locked: boolean }>(LOCK, [this.#schema]);
      if (rows[0]?.locked !== true)
        throw new UnavailableError(
          "projection.rebuilding",
          `Another node is rebuilding ${this.projection.name}.`,
        );
      try {
        await this.#fillAndSwap();
      } catch (error) {
        // Where the database is away, too, it goes at the next start.
        await dropShadow(session, this.#schema).catch(() => undefined);
        throw error;
      }
      await session.query(UNLOCK, [this.#schema]);
      logger.info(`projection ${this.projection.name}: rebuilt up to position ${String(this.#position)}`);
    });
  }

  async #fillAndSwap(): Promise<void> {
    const { pool } = this.deps;
    await inDerivedTransaction(pool, (tx) => createShadow(tx, this.#schema, this.projection.tables));
    await this.#catchUp();
    await inDerivedTransaction(pool, (tx) => indexShadow(tx, this.#schema, this.projection.tables));
    for (let tries = 1; ; tries += 1) {
      await this.#catchUp();
      if (await this.#swapped(tries)) return;
    }
  }

  /** Fills the shadow until it is near the head. Reads the next batch while one is applied. */
  async #catchUp(): Promise<void> {
    const { log } = this.deps;
    const started_at = performance.now();
    const from = this.#position;
    let head = await log.head();
    let next = log.readAll(this.#position, BATCH_EVENTS);
    while (head - this.#position > SWAP_EVENTS_MAX || this.#position === 0) {
      this.stopping?.throwIfAborted();
      const events = await next;
      if (events.length === 0) break;
      const reading = log.readAll(this.#position + events.length, BATCH_EVENTS);
      // Its failure is met where it is awaited; near the head nobody awaits it.
      reading.catch(() => undefined);
      next = reading;
      await Promise.all(this.#lanesOf(events).map((lane) => this.#applyInShadow(lane)));
      this.#mark = lastOf(events, this.#mark);
      head = Math.max(await log.head(), this.#position);
      const events_per_s = (this.#position - from) / Math.max((performance.now() - started_at) / 1000, 0.001);
      this.progress({
        events: this.#position,
        head,
        events_per_s,
        seconds_left: (head - this.#position) / events_per_s,
      });
    }
  }

  #lanesOf(events: readonly RecordedEvent[]): (readonly RecordedEvent[])[] {
    if (this.projection.rows_of_one_stream !== true) return [events];
    return Array.from({ length: LANES }, (_, lane) =>
      events.filter(({ partition }) => partition % LANES === lane),
    );
  }

  #applyInShadow(events: readonly RecordedEvent[]): Promise<void> {
    return inDerivedTransaction(this.deps.pool, (tx) => this.#apply(events, tx), `${this.#schema}, public`);
  }

  async #apply(events: readonly RecordedEvent[], tx: Parameters<Projection["apply"]>[1]): Promise<void> {
    const wanted = events.filter((event) => this.#handles.has(event.type));
    if (wanted.length > 0) await this.projection.apply(wanted, tx);
  }

  /** False when the old tables were in use for too long. */
  async #swapped(tries: number): Promise<boolean> {
    try {
      this.#mark = await this.consumer.aside(() => this.#swap());
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE || tries >= SWAP_TRIES_MAX) throw error;
      this.deps.logger.info(`projection ${this.projection.name}: its tables are in use, swapping later`);
      return false;
    }
  }

  #swap(): Promise<LogMark> {
    return inDerivedTransaction(this.deps.pool, async (tx) => {
      await tx.query(`set local lock_timeout = ${String(SWAP_LOCK_TIMEOUT_MS)}`);
      const checkpoint = await Checkpoint.load(tx, this.projection.name);
      await checkpoint.reload(tx, "lock");
      // Where it stands at an event of another log, it does not tell up to where this one was applied.
      const applied = checkpoint.diverged ? 0 : checkpoint.position;
      let mark = this.#mark;
      await tx.query(`set local search_path to ${this.#schema}, public`);
      while (mark.position < applied) {
        const limit = Math.min(BATCH_EVENTS, applied - mark.position);
        const events = await this.deps.log.readAll(mark.position, limit);
        if (events.length === 0)
          throw new Error(
            `The log ends at ${String(mark.position)}, before ${this.projection.name}'s checkpoint.`,
          );
        await this.#apply(events, tx);
        mark = lastOf(events, mark);
      }
      await tx.query("set local search_path to default");
      await swapShadow(tx, this.#schema, this.projection.tables);
      await checkpoint.move(tx, mark, this.#mark);
      return mark;
    });
  }
}

function lastOf(events: readonly RecordedEvent[], before: LogMark): LogMark {
  const last = events.at(-1);
  return last === undefined ? before : markOf(last);
}

/** Removes what a rebuild that was killed has left, unless somebody is rebuilding just now. Says so in the log. */
export async function dropLeftShadow(
  { pool, logger }: Pick<ConsumerDeps, "pool" | "logger">,
  projection: string,
): Promise<void> {
  const schema = shadowSchema(projection);
  const { rowCount } = await pool.query("select from pg_namespace where nspname = $1", [schema]);
  if (rowCount === 0) return;
  await onConnection(pool, async (session) => {
    const { rows } = await session.query<{ locked: boolean }>(LOCK, [schema]);
    if (rows[0]?.locked !== true) return;
    await dropShadow(session, schema);
    await session.query(UNLOCK, [schema]);
    logger.info(`projection ${projection}: removed what a broken-off rebuild had left`);
  });
}

const LOCK = "select pg_try_advisory_lock(hashtextextended('rebuild ' || $1, 0)) as locked";
const UNLOCK = "select pg_advisory_unlock(hashtextextended('rebuild ' || $1, 0))";
