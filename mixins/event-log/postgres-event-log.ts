import { Pool, type ClientConfig, type PoolClient, type QueryConfig, type QueryResultRow } from "pg";
import { UnavailableError } from "../contract/refusal";
import { AppendBatcher } from "./append-batcher";
import { AppendHints } from "./append-hints";
import { AppendSignal } from "./append-signal";
import { appendStatement, outcomesOf, type AppendResult } from "./append-statement";
import { Appender, type AppenderEvents } from "./appender";
import { sessionConfig } from "./connection";
import { ColdEvents } from "./cold-events";
import { faultOf, unavailable } from "./database-fault";
import { DurableBarrier } from "./durable-barrier";
import type {
  AppendOutcome,
  AppendInOutcome,
  AppendUnit,
  EventLog,
  Position,
  RecordedEvent,
  Snapshot,
  StoredAnswer,
  Upcaster,
} from "./event-log";
import { TRY_FOR_MS } from "./insistence";
import { PARTITION_EVENTS, Partitions } from "./partitions";
import { prepareUnit, type PreparedUnit } from "./prepared-unit";
import { Pulse } from "./pulse";
import {
  ALL_AFTER,
  ANSWERS,
  FORGET_APPENDERS,
  HEAD,
  LOAD_SNAPSHOT,
  SAVE_SNAPSHOT,
  STREAM_AFTER,
  recordedEvent,
  type EventRow,
} from "./read-statements";
import { logTypes } from "./row-types";
import { upcasting, type Upcast } from "./upcasting";

/** Connections for reading: replays and actors waking up; a read is short. */
const READERS_MAX = 4;

export interface EventLogOptions {
  /** Where the log is; its schema must be there. The log opens connections of its own: 1 to append, 1 to listen, some to read. */
  readonly connection: ClientConfig;
  readonly upcasters?: readonly Upcaster[];
  readonly logger?: { warn(message: string): void };
  /** Positions in a partition that is made from now on. */
  readonly partition_events?: number;
  /** How long a batch is tried again before its callers hear that the log is unavailable. */
  readonly try_for_ms?: number;
  /** Where the files of archived segments are; needed only to read events that are archived. */
  readonly archive_folder?: string;
}

/**
 * Opens the log: makes partitions ahead of head and listens to other nodes.
 * @throws UnavailableError `log.unavailable` when the database does not answer.
 */
export async function createEventLog(options: EventLogOptions): Promise<PostgresEventLog> {
  const log = new PostgresEventLog(options);
  try {
    await log.start();
    return log;
  } catch (error) {
    await log.close();
    throw faultOf(error) === "retry" ? unavailable(error) : error;
  }
}

/** The event log on PostgreSQL 15 or newer. Made by {@link createEventLog}. */
export class PostgresEventLog implements EventLog {
  readonly #readers: Pool;
  readonly #appender: Appender;
  readonly #barrier: DurableBarrier;
  readonly #pulse: Pulse;
  readonly #batcher: AppendBatcher;
  readonly #signal: AppendSignal;
  readonly #partitions: Partitions;
  readonly #cold: ColdEvents;
  readonly #upcast: Upcast;
  readonly #warn: (message: string) => void;
  readonly #hints: AppendHints;
  #closing: Promise<void> | undefined;

  constructor({
    connection,
    upcasters = [],
    logger = console,
    partition_events = PARTITION_EVENTS,
    try_for_ms = TRY_FOR_MS,
    archive_folder,
  }: EventLogOptions) {
    this.#warn = (message) => {
      logger.warn(message);
    };
    this.#upcast = upcasting(upcasters);
    this.#hints = new AppendHints(this.#warn);
    this.#readers = new Pool({
      ...sessionConfig(connection, "forno event log: read"),
      max: READERS_MAX,
      types: logTypes,
    });
    this.#readers.on("error", (error) => {
      this.#warn(`The event log lost a reading connection: ${error.message}`);
    });
    this.#cold = new ColdEvents((statement, values) => this.#read(statement, values), archive_folder);
    this.#partitions = new Partitions(this.#readers, partition_events);
    const hooks: AppenderEvents = {
      committed: (head, events) => {
        this.#committed(head, events);
      },
      makePartitions: (events) => this.#partitions.ensure(events),
    };
    this.#pulse = new Pulse(connection);
    this.#appender = new Appender(connection, this.#pulse, hooks, try_for_ms);
    this.#barrier = new DurableBarrier(connection, this.#pulse, try_for_ms);
    this.#batcher = new AppendBatcher((units) => this.#write(units));
    this.#signal = new AppendSignal(
      connection,
      this.#appender.id,
      () => {
        this.#hints.wake();
      },
      this.#warn,
    );
  }

  async start(): Promise<void> {
    await this.ensurePartitions();
    await this.#read(FORGET_APPENDERS, []);
    await this.#signal.start();
  }

  append(unit: AppendUnit): Promise<AppendOutcome> {
    if (this.#closing !== undefined)
      return Promise.reject(
        new UnavailableError("log.closed", "This node is stopping; try again in a moment."),
      );
    try {
      return this.#batcher.append(prepareUnit(unit));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async appendIn(client: PoolClient, unit: AppendUnit): Promise<AppendInOutcome> {
    const units = [prepareUnit(unit)];
    const { rows } = await client.query<AppendResult>(appendStatement(units));
    const [result] = rows;
    const [outcome] = result === undefined ? [] : outcomesOf(units, result);
    if (outcome === undefined) throw new Error("es.append gave no row.");
    return outcome.status === "duplicate" ? { status: "duplicate" } : outcome;
  }

  durable(): Promise<void> {
    return this.#barrier.pass();
  }

  async readStream(stream_id: string, after_version = 0): Promise<RecordedEvent[]> {
    const hot = (await this.#read<EventRow>(STREAM_AFTER, [stream_id, after_version])).map(recordedEvent);
    const first = hot[0]?.version ?? Number.POSITIVE_INFINITY;
    if (first === after_version + 1) return hot.map(this.#upcast);
    const cold = await this.#cold.readStream(stream_id, after_version);
    return [...cold.filter(({ version }) => version < first), ...hot].map(this.#upcast);
  }

  async readAll(after: Position, limit: number): Promise<RecordedEvent[]> {
    const hot = (await this.#read<EventRow>(ALL_AFTER, [after, limit])).map(recordedEvent);
    const events = hot[0]?.position === after + 1 ? hot : await this.#cold.readAll(after, limit);
    if (events.length === 0 && hot.length > 0) throw missing(after + 1);
    for (const [at, { position }] of events.entries())
      if (position !== after + at + 1) throw missing(after + at + 1);
    return events.map(this.#upcast);
  }

  async findAnswers(command_ids: readonly string[]): Promise<StoredAnswer[]> {
    const answers = await this.#read<StoredAnswer>(ANSWERS, [command_ids]);
    if (answers.length > 0) await this.durable();
    return answers;
  }

  async head(): Promise<Position> {
    return (await this.#read<{ head: number }>(HEAD, []))[0]?.head ?? 0;
  }

  onAppended(wake: () => void): () => void {
    return this.#hints.onAppended(wake);
  }

  onCommitted(listener: (events: readonly RecordedEvent[]) => void): () => void {
    return this.#hints.onCommitted(listener);
  }

  async loadSnapshot(stream_id: string, schema_v: number): Promise<Snapshot | undefined> {
    return (await this.#read<Snapshot>(LOAD_SNAPSHOT, [stream_id, schema_v]))[0];
  }

  async saveSnapshot({ stream_id, version, schema_v, state }: Snapshot): Promise<void> {
    await this.#read(SAVE_SNAPSHOT, [stream_id, version, schema_v, JSON.stringify(state)]);
  }

  /**
   * Keeps at least one whole empty partition ahead of head. The log calls it at its start and by itself while head moves;
   * an operator may call it at any time.
   */
  async ensurePartitions(): Promise<void> {
    await this.#partitions.ensure();
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#batcher.idle();
      await Promise.all([
        this.#appender.close(),
        this.#barrier.close(),
        this.#signal.close(),
        this.#pulse.close(),
        this.#readers.end(),
      ]);
    })();
    return this.#closing;
  }

  async #write(units: readonly PreparedUnit[]): Promise<(AppendOutcome | Error)[]> {
    const outcomes = await this.#appender.write(units);
    const repeated = units.filter((_, at) => isDuplicate(outcomes[at]));
    if (repeated.length === 0) return outcomes;
    // Safe by now: the batch that has found them wrote to the WAL behind them, and its commit is back.
    const ids = repeated.flatMap(({ unit }) => unit.commands.map(({ id }) => id));
    const answers = await this.#read<StoredAnswer>(ANSWERS, [ids]).catch((error: unknown) => error as Error);
    return outcomes.map((outcome, at) => {
      if (!isDuplicate(outcome)) return outcome;
      if (answers instanceof Error) return answers;
      const own = new Set(units[at]?.unit.commands.map(({ id }) => id.toLowerCase()));
      return { status: "duplicate", answers: answers.filter(({ id }) => own.has(id)) };
    });
  }

  #committed(head: Position, events: () => RecordedEvent[]): void {
    this.#hints.committed(() => events().map(this.#upcast));
    if (!this.#partitions.runOut(head)) return;
    this.ensurePartitions().catch((error: unknown) => {
      this.#warn(`The event log could not make partitions ahead: ${String(error)}`);
    });
  }

  async #read<R extends QueryResultRow>(statement: QueryConfig, values: readonly unknown[]): Promise<R[]> {
    try {
      return (await this.#pulse.during(this.#readers.query<R>({ ...statement, values: [...values] }))).rows;
    } catch (error) {
      throw faultOf(error) === "retry" ? unavailable(error) : error;
    }
  }
}

function missing(position: Position): Error {
  return new Error(`The event log has no event at position ${String(position)}.`);
}

function isDuplicate(outcome: AppendOutcome | Error | undefined): boolean {
  return outcome !== undefined && !(outcome instanceof Error) && outcome.status === "duplicate";
}
