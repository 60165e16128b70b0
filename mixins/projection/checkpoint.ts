import type { ClientBase, Pool } from "pg";
import { PARTITIONS, type Position, type RecordedEvent } from "../event-log/event-log";

/** Somebody else has moved the checkpoint: what this consumer was about to do has been done. */
export class FencedError extends Error {}

interface Row {
  readonly partition: number;
  readonly pos: Position;
}

const ENSURE = `insert into es.checkpoint (name, partition)
  select $1, generate_series(0, ${String(PARTITIONS - 1)}) on conflict do nothing`;

const LOAD = "select partition, pos from es.checkpoint where name = $1 and partition >= 0 order by partition";

/**
 * $1 name, $2 new position, $3 partitions, $4 their positions as this consumer knows them. Locks the rows in one order, so
 * that two hosts wait for each other instead of deadlocking; who comes second finds other positions and gets no rows.
 */
const MOVE = {
  name: "checkpoint_move",
  text: `with held as (
    select c.partition from es.checkpoint c
    join unnest($3::smallint[], $4::bigint[]) as known (partition, pos) on known.partition = c.partition and known.pos = c.pos
    where c.name = $1 order by c.partition for update of c
  )
  update es.checkpoint c set pos = $2, updated_at = now() from held where c.name = $1 and c.partition = held.partition`,
};

/**
 * How far one consumer has come, a row for each partition of the log: partitions may be fed apart from each other, then
 * their rows differ. Moving is fenced: it succeeds only from where this consumer believes the rows to be.
 */
export class Checkpoint {
  #rows: readonly Row[] = [];

  private constructor(readonly name: string) {}

  /** The checkpoint as it stands; at 0 when there was none. */
  static async load(pool: Pool | ClientBase, name: string): Promise<Checkpoint> {
    const checkpoint = new Checkpoint(name);
    await pool.query(ENSURE, [name]);
    await checkpoint.reload(pool);
    return checkpoint;
  }

  async reload(pool: Pool | ClientBase): Promise<void> {
    const { rows } = await pool.query<Row>(LOAD, [this.name]);
    if (rows.length !== PARTITIONS)
      throw new Error(`Checkpoint ${this.name} has ${String(rows.length)} rows, not ${String(PARTITIONS)}.`);
    this.#rows = rows;
  }

  /** Everything up to here is done. */
  get position(): Position {
    return Math.min(...this.#rows.map(({ pos }) => pos));
  }

  isNew(event: RecordedEvent): boolean {
    return event.position > (this.#rows[event.partition]?.pos ?? 0);
  }

  /**
   * Moves the rows in the caller's transaction; tell {@link moved} once that has committed.
   * @throws FencedError when another host has moved them.
   */
  async move(client: Pool | ClientBase, through: Position): Promise<void> {
    const behind = this.#rows.filter(({ pos }) => pos < through);
    const known = [behind.map(({ partition }) => partition), behind.map(({ pos }) => pos)];
    const { rowCount } = await client.query({ ...MOVE, values: [this.name, through, ...known] });
    if (rowCount !== behind.length)
      throw new FencedError(`Checkpoint ${this.name} was moved by another host.`);
  }

  moved(through: Position): void {
    this.#rows = this.#rows.map(({ partition, pos }) => ({ partition, pos: Math.max(pos, through) }));
  }
}
