import type { Pool } from "pg";
import type { Position } from "./event-log";

/**
 * Positions in one partition of the log: about 2 GB with its indexes at some 500 bytes an event. Small enough to be
 * exported, checked and detached within a minute or two; large enough that a billion events make 250 partitions, which
 * the planner does not feel. At 25 000 events a second, the most that one lane takes, one lasts 160 s.
 */
export const PARTITION_EVENTS = 4_000_000;

/** How long the answer to a command is kept at least: as long as a client may ask again under its key. */
export const ANSWER_DAYS = 30;

/** Keeps partitions ahead of head and of the clock. */
export class Partitions {
  #covered: Position = 0;
  #making: Promise<Position> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly size: number,
    /** How long answers are kept at least, which is how long one of their partitions lasts. */
    private readonly answer_days: number,
  ) {}

  /**
   * Makes partitions for the answers of today and tomorrow, and of events until one that is whole and empty lies ahead of head, with room for so many more events before it.
   * Answers the last position that has a partition.
   */
  ensure(events = 0): Promise<Position> {
    this.#making ??= this.#make(events).finally(() => (this.#making = undefined));
    return this.#making;
  }

  /** Whether less than one whole partition is left beyond this position. */
  runOut(head: Position): boolean {
    return this.#covered - head < this.size;
  }

  async #make(events: number): Promise<Position> {
    const { rows } = await this.pool.query<{ covered: number }>(
      "select es.ensure_partitions($1, (select max(head) from es.lane) + 2 * $1::bigint + $2) as covered",
      [this.size, events],
    );
    this.#covered = rows[0]?.covered ?? this.#covered;
    await this.pool.query("select es.ensure_command_partitions($1)", [this.answer_days]);
    return this.#covered;
  }
}
