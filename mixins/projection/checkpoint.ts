import type { Pool, ClientBase } from "pg";
import type { Position } from "../event-log/event-log";
import { BEGINNING, type LogMark } from "../event-log/lineage";
import { holdsSql } from "../event-log/lineage-statements";

/**
 * What this consumer was about to do has been done by somebody else, who has moved the checkpoint; or must not be done, because the
 * log does not hold the events that it comes from. Which of them, a look at the checkpoint tells.
 */
export class FencedError extends Error {}

/** The row that stands for all partitions together. */
const ALL_PARTITIONS = -1;

const ENSURE = `insert into es.checkpoint (name, partition) values ($1, ${String(ALL_PARTITIONS)}) on conflict do nothing`;

/** Which event stands at position $2, as the log has it. */
const EVENT_AT = `(values ($2::bigint)) at (pos) left join es.event e on e.lane = 0 and e.pos = at.pos`;

/** $1 name, $2 where it begins when there is none. */
const FOUND = `insert into es.checkpoint (name, partition, pos, event_id, recorded_at)
  select $1, ${String(ALL_PARTITIONS)}, at.pos, e.event_id, e.recorded_at from ${EVENT_AT} on conflict do nothing`;

const POSITIONS = `select name, pos from es.checkpoint where name = any($1) and partition = ${String(ALL_PARTITIONS)}`;

const DIVERGED = `select c.name from es.checkpoint c
  where c.partition = ${String(ALL_PARTITIONS)} and not ${holdsSql("c.pos", "c.event_id", "c.recorded_at")} order by c.name`;

const LOAD = `select c.pos as position, c.event_id, c.recorded_at::text, c.updated_at::text,
    ${holdsSql("c.pos", "c.event_id", "c.recorded_at")} as holds
  from es.checkpoint c where c.name = $1 and c.partition = ${String(ALL_PARTITIONS)}`;

/** Where it is believed to be: name $1, position $3, event id $4, time $5. */
const WHERE_KNOWN = `c.name = $1 and c.partition = ${String(ALL_PARTITIONS)} and c.pos = $3
    and c.event_id is not distinct from $4::uuid and c.recorded_at is not distinct from $5::timestamptz`;

/**
 * Moves to $2, of which the event is $6 with time $7; $8, $9 and $10: the event that this consumer had come to. Both have to be in the
 * log of this very database: then everything between them is as well, for what is read of a log has one history. Who comes second waits
 * for the first, then finds no row.
 */
const MOVE = {
  name: "checkpoint_move",
  text: `update es.checkpoint c set pos = $2, event_id = $6::uuid, recorded_at = $7::timestamptz, updated_at = now()
    where ${WHERE_KNOWN}
      and ${holdsSql("$2::bigint", "$6::uuid", "$7::timestamptz")}
      and ${holdsSql("$8::bigint", "$9::uuid", "$10::timestamptz")}`,
};

/** Moves to $2 whatever stands there. */
const PUT = `update es.checkpoint c set pos = at.pos, event_id = e.event_id, recorded_at = e.recorded_at, updated_at = now()
  from ${EVENT_AT} where ${WHERE_KNOWN}`;

interface Row {
  readonly position: Position;
  readonly event_id: string | null;
  readonly recorded_at: string | null;
  readonly updated_at: string;
  readonly holds: boolean;
}

/**
 * How far one consumer has come, and which event stood there. Moving is fenced: it succeeds only from where this consumer believes the
 * checkpoint to be, and only over events that the log of the same database holds.
 *
 * One row, because every feed delivers all partitions in one order: a row for each partition would hold the same position
 * sixteen times, and moving those was measured to double the cost of a small batch (0.6 ms instead of 0.3 ms).
 */
export class Checkpoint {
  #mark: LogMark = BEGINNING;
  #as_of: string | undefined;
  #diverged = false;

  private constructor(readonly name: string) {}

  /** The checkpoint as it stands; at 0 when there was none. */
  static async load(pool: Pool | ClientBase, name: string): Promise<Checkpoint> {
    const checkpoint = new Checkpoint(name);
    await pool.query(ENSURE, [name]);
    await checkpoint.reload(pool);
    return checkpoint;
  }

  /** For a consumer that has nothing to do with what was before it: it begins at `position`, unless it has begun already. */
  static async foundAt(pool: Pool | ClientBase, name: string, position: Position): Promise<void> {
    await pool.query(FOUND, [name, position]);
  }

  /** How far consumers have come, wherever they run; those that never ran are missing. */
  static async positions(
    pool: Pool | ClientBase,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, Position>> {
    const { rows } = await pool.query<{ name: string; pos: Position }>(POSITIONS, [names]);
    return new Map(rows.map(({ name, pos }) => [name, pos]));
  }

  /** Names of all that stand at events which the log does not hold, wherever they run. */
  static async diverged(pool: Pool | ClientBase): Promise<readonly string[]> {
    return (await pool.query<{ name: string }>(DIVERGED)).rows.map(({ name }) => name);
  }

  /** `lock`: nobody moves it before the caller's transaction ends. Says whether it stands where it was known to. */
  async reload(client: Pool | ClientBase, lock?: "lock"): Promise<"as known" | "elsewhere"> {
    const text = lock === undefined ? LOAD : `${LOAD} for update of c`;
    const [row] = (await client.query<Row>(text, [this.name])).rows;
    if (row === undefined) throw new Error(`There is no checkpoint ${this.name}.`);
    const { position: before, event_id } = this.#mark;
    this.#mark = {
      position: row.position,
      event_id: row.event_id ?? undefined,
      recorded_at: row.recorded_at ?? undefined,
    };
    this.#as_of = row.recorded_at ?? row.updated_at;
    this.#diverged = !row.holds;
    return before === row.position && event_id === this.#mark.event_id ? "as known" : "elsewhere";
  }

  /** Everything up to here is done. */
  get position(): Position {
    return this.#mark.position;
  }

  /** The same, with the event that stands there. */
  get mark(): LogMark {
    return this.#mark;
  }

  /** As it was loaded, it stood at an event that the log does not hold: what was done up to there is of another log. */
  get diverged(): boolean {
    return this.#diverged;
  }

  /** What the log recorded until then is the same in both, where it has diverged. */
  get as_of_ms(): number {
    return Date.parse(this.#as_of ?? "");
  }

  /**
   * Moves the row in the caller's transaction; tell {@link moved} once that has committed.
   * @param seen up to where the events had been handled, or passed over, that come before these.
   * @throws FencedError when another host has moved it, or the log does not hold these events.
   */
  async move(client: Pool | ClientBase, through: LogMark, seen: LogMark = through): Promise<void> {
    const values = [...this.#known(through.position), ...valuesOf(through).slice(1), ...valuesOf(seen)];
    const { rowCount } = await client.query({ ...MOVE, values });
    if (rowCount !== 1)
      throw new FencedError(
        `Checkpoint ${this.name} was moved by another host, or the log does not hold what comes up to ${String(through.position)}.`,
      );
  }

  /** Puts the row where nothing of what was done up to there counts, in the caller's transaction. @throws FencedError */
  async put(client: Pool | ClientBase, position: Position): Promise<void> {
    const { rowCount } = await client.query(PUT, this.#known(position));
    if (rowCount !== 1) throw new FencedError(`Checkpoint ${this.name} was moved by another host.`);
  }

  moved(through: LogMark): void {
    this.#mark = through;
    this.#diverged = false;
  }

  #known(to: Position): unknown[] {
    return [this.name, to, ...valuesOf(this.#mark)];
  }
}

const valuesOf = ({ position, event_id, recorded_at }: LogMark): unknown[] => [
  position,
  event_id ?? null,
  recorded_at ?? null,
];
