import { randomUUID } from "node:crypto";
import type { ClientConfig } from "pg";
import { UnavailableError } from "../contract/refusal";
import {
  appendStatement,
  committedEvents,
  newestMark,
  outcomesOf,
  type AppendResult,
} from "./append-statement";
import { LazyConnection, sessionConfig } from "./connection";
import { faultOf, wentBack } from "./database-fault";
import type { AppendOutcome, EventForm, RecordedEvent } from "./event-log";
import { Insistence } from "./insistence";
import type { LineageWatch } from "./lineage-watch";
import type { LogTrouble } from "./log-condition";
import type { PreparedUnit } from "./prepared-unit";
import type { Pulse } from "./pulse";

export interface AppenderEvents {
  /** After a batch that wrote something; events in order. Made only when somebody takes them. */
  committed(head: number, events: (form: EventForm) => RecordedEvent[]): void;
  /** Head has run out of partitions for so many events. */
  makePartitions(events: number): Promise<unknown>;
}

/**
 * Writes batches over one connection of its own, one after another.
 *
 * Unknown outcome: when the connection breaks while a batch is on its way, nobody knows whether it was committed. The
 * batch is sent again, over a new connection, under the same number; the server keeps what the newest number of each
 * appender came to and answers with that instead of writing twice. This needs no command ids, and it also covers the
 * first attempt arriving late: both wait for the same lock, and whoever comes second finds the number.
 */
export class Appender {
  readonly id = randomUUID();
  readonly #connection: LazyConnection;
  readonly #insistence: Insistence;
  #batch = 0;
  #trouble: LogTrouble | undefined;

  constructor(
    connection: ClientConfig,
    pulse: Pulse,
    private readonly lineage: LineageWatch,
    private readonly hooks: AppenderEvents,
    try_for_ms: number,
  ) {
    const config = sessionConfig(connection, "forno event log: append");
    this.#connection = new LazyConnection(config, lineage.check);
    this.#insistence = new Insistence(this.#connection, pulse, try_for_ms);
  }

  /** Why the database turned the newest batch down; undefined: it did not. */
  get trouble(): LogTrouble | undefined {
    return this.#trouble;
  }

  /**
   * Outcome of each unit; an Error for a unit that PostgreSQL cannot store.
   * @throws UnavailableError `log.unavailable` when there was no answer in time, or when the log went back: what the units were
   *   decided on may be gone, and the versions that they expect may stand for other events.
   */
  async write(units: readonly PreparedUnit[]): Promise<(AppendOutcome | Error)[]> {
    this.#batch += 1;
    try {
      const outcomes = await this.#writeTogether(units);
      this.#trouble = undefined;
      return outcomes;
    } catch (error) {
      this.#note(error);
      if (faultOf(error) !== "unit") throw error;
      if (units.length === 1) return [new Error("The event log cannot store this unit.", { cause: error })];
      // One unit spoils the batch for all: each for itself, then only that one fails.
      const outcomes: (AppendOutcome | Error)[] = [];
      for (const unit of units) outcomes.push(...(await this.write([unit])));
      return outcomes;
    }
  }

  /** A server that does not answer is seen by whoever asks it; what it turns down is seen here alone. */
  #note(error: unknown): void {
    if (!(error instanceof UnavailableError) || !["full", "lost"].includes(faultOf(error.cause))) return;
    const last_ms = performance.now();
    this.#trouble = { detail: error.message, since_ms: this.#trouble?.since_ms ?? last_ms, last_ms };
  }

  async close(): Promise<void> {
    await this.#connection.drop();
  }

  async #writeTogether(units: readonly PreparedUnit[]): Promise<AppendOutcome[]> {
    const statement = appendStatement(units, { appender: this.id, batch: this.#batch });
    const { generation, newest } = this.lineage;
    const assertSameLog = (): void => {
      if (generation !== this.lineage.generation) throw wentBack();
    };
    const { rows } = await this.#insistence.untilAnswered(
      (client) => {
        assertSameLog();
        return client.query<AppendResult>(statement);
      },
      () => this.hooks.makePartitions(eventCount(units)),
    );
    const [result] = rows;
    if (result === undefined) throw new Error("es.append gave no row.");
    // It ended before what had been seen of it.
    if (result.head_before < newest) await this.lineage.look();
    assertSameLog();
    const outcomes = outcomesOf(units, result);
    const head = outcomes.reduce(
      (last, outcome) => (outcome.status === "committed" ? outcome.position : last),
      0,
    );
    if (head <= result.head_before) return outcomes;
    this.lineage.saw(newestMark(units, outcomes, result));
    this.hooks.committed(head, (form) => committedEvents(units, outcomes, result, form));
    return outcomes;
  }
}

function eventCount(units: readonly PreparedUnit[]): number {
  return units.reduce((sum, unit) => sum + unit.events.length, 0);
}
