import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { ClientConfig, QueryResult } from "pg";
import { appendStatement, committedEvents, outcomesOf, type AppendResult } from "./append-statement";
import { LazyConnection, sessionConfig } from "./connection";
import { faultOf, isSilence, unavailable } from "./database-fault";
import type { AppendOutcome, RecordedEvent } from "./event-log";
import type { PreparedUnit } from "./prepared-unit";
import { NoPulseError, type Pulse } from "./pulse";

/** How long a batch is tried over and over before its callers hear that the log is unavailable, while there are answers … */
export const TRY_FOR_MS = 8_000;
/** … and while there are none: long enough for a server on this machine to be started again, soon enough for who waits. */
const SILENCE_MS_MAX = 2_000;
const PAUSE_FIRST_MS = 5;
const PAUSE_MAX_MS = 500;

export interface AppenderEvents {
  /** After a batch that wrote something; events in order. Made only when somebody takes them. */
  committed(head: number, events: () => RecordedEvent[]): void;
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
  #batch = 0;

  constructor(
    connection: ClientConfig,
    private readonly pulse: Pulse,
    private readonly hooks: AppenderEvents,
    private readonly try_for_ms: number,
  ) {
    this.#connection = new LazyConnection(sessionConfig(connection, "forno event log: append"));
  }

  /**
   * Outcome of each unit; an Error for a unit that PostgreSQL cannot store.
   * @throws UnavailableError `log.unavailable` when there was no answer in time.
   */
  async write(units: readonly PreparedUnit[]): Promise<(AppendOutcome | Error)[]> {
    this.#batch += 1;
    try {
      return await this.#writeUntilAnswered(units);
    } catch (error) {
      if (faultOf(error) !== "unit") throw error;
      if (units.length === 1) return [new Error("The event log cannot store this unit.", { cause: error })];
      // One unit spoils the batch for all: each for itself, then only that one fails.
      const outcomes: (AppendOutcome | Error)[] = [];
      for (const unit of units) outcomes.push(...(await this.write([unit])));
      return outcomes;
    }
  }

  async close(): Promise<void> {
    await this.#connection.drop();
  }

  async #writeUntilAnswered(units: readonly PreparedUnit[]): Promise<AppendOutcome[]> {
    const begun = performance.now();
    let silent_since: number | undefined;
    for (let wait_ms = PAUSE_FIRST_MS; ; wait_ms = Math.min(2 * wait_ms, PAUSE_MAX_MS)) {
      try {
        return await this.#writeOnce(units);
      } catch (error) {
        const fault = faultOf(error);
        // Not awaited: who does not answer does not say goodbye either. The next attempt has a connection of its own.
        if (fault === "retry") void this.#connection.drop();
        if (fault === "unit" || fault === "defect") throw error;
        const now = performance.now();
        silent_since = isSilence(error) ? (silent_since ?? now) : undefined;
        const silent_ms = silent_since === undefined ? 0 : now - silent_since + wait_ms;
        const tried_ms = now - begun + wait_ms;
        if (error instanceof NoPulseError || silent_ms > SILENCE_MS_MAX || tried_ms > this.try_for_ms)
          throw unavailable(error);
        // A fault in here comes back with the next attempt, under the same deadline.
        if (fault === "partition") await this.hooks.makePartitions(eventCount(units)).catch(() => undefined);
        await pause(wait_ms);
      }
    }
  }

  async #writeOnce(units: readonly PreparedUnit[]): Promise<AppendOutcome[]> {
    const { rows } = await this.pulse.during(this.#send(units));
    const [result] = rows;
    if (result === undefined) throw new Error("es.append gave no row.");
    const outcomes = outcomesOf(units, result);
    const head = outcomes.reduce(
      (last, outcome) => (outcome.status === "committed" ? outcome.position : last),
      0,
    );
    if (head > result.head_before) this.hooks.committed(head, () => committedEvents(units, outcomes, result));
    return outcomes;
  }

  async #send(units: readonly PreparedUnit[]): Promise<QueryResult<AppendResult>> {
    const client = await this.#connection.client();
    return client.query<AppendResult>(appendStatement(units, { appender: this.id, batch: this.#batch }));
  }
}

function eventCount(units: readonly PreparedUnit[]): number {
  return units.reduce((sum, unit) => sum + unit.events.length, 0);
}
