import type { ClientConfig, PoolClient } from "pg";
import { UnavailableError } from "../contract/refusal";
import { onConnection } from "../projection/transaction";
import { AppendBatcher } from "./append-batcher";
import { AppendHints } from "./append-hints";
import { AppendSignal } from "./append-signal";
import { appendStatement, outcomesOf, type AppendResult } from "./append-statement";
import { Appender, type AppenderEvents } from "./appender";
import { keysOf, phoneSecret, type KeptKey } from "./data-keys";
import { isOutage, unavailable, wentBack } from "./database-fault";
import { DurableBarrier } from "./durable-barrier";
import type {
  AppendOutcome,
  AppendInOutcome,
  AppendUnit,
  EventForm,
  EventLog,
  FeedLog,
  Position,
  RecordedEvent,
  Snapshot,
  StoredAnswer,
  Upcaster,
} from "./event-log";
import { EventReader } from "./event-reader";
import { TRY_FOR_MS } from "./insistence";
import { LineageWatch } from "./lineage-watch";
import type { LogTrouble } from "./log-condition";
import { LogReaders } from "./log-readers";
import { ANSWER_DAYS, PARTITION_EVENTS, Partitions } from "./partitions";
import type { PersonalData } from "./personal-data";
import { prepareUnit, type PreparedUnit, type UnitSealing } from "./prepared-unit";
import { Pulse } from "./pulse";
import { ANSWERS, FORGET_APPENDERS, HEAD, LOAD_SNAPSHOT, SAVE_SNAPSHOT } from "./read-statements";
import { Sealing } from "./sealing";
import { upcasting, type Upcast } from "./upcasting";

export interface EventLogOptions {
  /** Where the log is; its schema must be there. The log opens connections of its own: 1 to append, 1 to listen, some to read. */
  readonly connection: ClientConfig;
  readonly upcasters?: readonly Upcaster[];
  /** What of the events is personal: sealed on the way in. */
  readonly personal?: readonly PersonalData[];
  readonly logger?: { warn(message: string): void };
  /** Positions in a partition that is made from now on. */
  readonly partition_events?: number;
  /** How long the answer to a command is kept at least. */
  readonly answer_days?: number;
  /** How long a batch is tried again before its callers hear that the log is unavailable. */
  readonly try_for_ms?: number;
  /** How often the log is asked whether it is still the same, beside each connection that is made. */
  readonly look_every_ms?: number;
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
    throw isOutage(error) ? unavailable(error) : error;
  }
}

const NO_KEYS: ReadonlyMap<string, KeptKey> = new Map();

/** The event log on PostgreSQL 15 or newer. Made by {@link createEventLog}. */
export class PostgresEventLog implements EventLog {
  readonly #readers: LogReaders;
  readonly #appender: Appender;
  readonly #barrier: DurableBarrier;
  readonly #pulse: Pulse;
  readonly #batcher: AppendBatcher;
  readonly #signal: AppendSignal;
  readonly #partitions: Partitions;
  readonly #reader: EventReader;
  readonly #upcast: Upcast;
  readonly #warn: (message: string) => void;
  readonly #hints: AppendHints;
  readonly #personal: readonly PersonalData[];
  /** Known from the start on; undefined: there is nothing personal in this log's events. */
  #sealing: Sealing | undefined;
  readonly stored: FeedLog;
  readonly lineage: LineageWatch;
  #closing: Promise<void> | undefined;

  constructor({
    connection,
    upcasters = [],
    personal = [],
    logger = console,
    partition_events = PARTITION_EVENTS,
    answer_days = ANSWER_DAYS,
    try_for_ms = TRY_FOR_MS,
    archive_folder,
    look_every_ms,
  }: EventLogOptions) {
    this.#warn = (message) => {
      logger.warn(message);
    };
    this.#personal = personal;
    this.#upcast = upcasting(upcasters);
    this.#hints = new AppendHints(this.#warn);
    this.#pulse = new Pulse(connection);
    this.lineage = new LineageWatch({
      rows: (statement, values) => this.#readers.rows(statement, values),
      warn: this.#warn,
      ...(look_every_ms === undefined ? {} : { look_every_ms }),
    });
    const { lineage } = this;
    this.#readers = new LogReaders(connection, this.#pulse, this.#warn, lineage.check);
    this.#reader = new EventReader(this.#readers.rows, this.#upcast, archive_folder, this.#warn, lineage);
    this.stored = {
      lineage,
      readAll: (after, limit) => this.#reader.stored.all(after, limit),
      head: () => this.head(),
      onAppended: (wake) => this.#hints.onAppended(wake),
      onCommitted: (listener) => this.#hints.onCommitted(listener, "stored"),
    };
    this.#partitions = new Partitions(this.#readers.pool, partition_events, answer_days);
    const hooks: AppenderEvents = {
      committed: (head, events) => {
        this.#committed(head, events);
      },
      makePartitions: (events) => this.#partitions.ensure(events),
    };
    this.#appender = new Appender(connection, this.#pulse, lineage, hooks, try_for_ms);
    this.#barrier = new DurableBarrier(connection, this.#pulse, lineage, try_for_ms);
    this.#batcher = new AppendBatcher((units) => this.#write(units));
    this.#signal = new AppendSignal(
      connection,
      this.#appender.id,
      () => {
        this.#hints.wake();
      },
      this.#warn,
      lineage.check,
    );
  }

  async start(): Promise<void> {
    await this.ensurePartitions();
    await this.#readers.rows(FORGET_APPENDERS, []);
    if (this.#personal.length > 0)
      this.#sealing = new Sealing(this.#personal, await phoneSecret(this.#readers.rows));
    await this.#signal.start();
    this.lineage.start();
  }

  append(unit: AppendUnit): Promise<AppendOutcome> {
    const { generation } = this.lineage;
    try {
      const sealing = this.#sealingOf(unit);
      return sealing instanceof Promise
        ? sealing.then((known) => this.#queue(unit, known, generation))
        : this.#queue(unit, sealing, generation);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async appendIn(client: PoolClient, unit: AppendUnit): Promise<AppendInOutcome> {
    const units = [prepareUnit(unit, await this.#sealingOf(unit))];
    const { rows } = await client.query<AppendResult>(appendStatement(units));
    const [result] = rows;
    const [outcome] = result === undefined ? [] : outcomesOf(units, result);
    if (outcome === undefined) throw new Error("es.append gave no row.");
    return outcome.status === "duplicate" ? { status: "duplicate" } : outcome;
  }

  durable(read_under = this.lineage.generation): Promise<void> {
    return read_under === this.lineage.generation ? this.#barrier.pass() : Promise.reject(wentBack());
  }

  readStream(stream_id: string, after_version = 0): Promise<RecordedEvent[]> {
    return this.#reader.ofStream(stream_id, after_version);
  }

  readAll(after: Position, limit: number): Promise<RecordedEvent[]> {
    return this.#reader.all(after, limit);
  }

  opened(events: readonly RecordedEvent[]): Promise<RecordedEvent[]> {
    return this.#reader.opened(events);
  }

  async findAnswers(command_ids: readonly string[]): Promise<StoredAnswer[]> {
    const { generation } = this.lineage;
    const kept = await this.#readers.rows<StoredAnswer>(ANSWERS, [command_ids]);
    if (kept.length === 0) return kept;
    const answers = await this.#reader.answers(kept);
    await this.durable(generation);
    return answers;
  }

  async head(): Promise<Position> {
    return (await this.#readers.rows<{ head: number }>(HEAD, []))[0]?.head ?? 0;
  }

  onAppended(wake: () => void): () => void {
    return this.#hints.onAppended(wake);
  }

  onCommitted(listener: (events: readonly RecordedEvent[]) => void): () => void {
    return this.#hints.onCommitted(listener, "open");
  }

  async loadSnapshot(stream_id: string, schema_v: number): Promise<Snapshot | undefined> {
    return (await this.#readers.rows<Snapshot>(LOAD_SNAPSHOT, [stream_id, schema_v]))[0];
  }

  async saveSnapshot({ stream_id, version, schema_v, state }: Snapshot): Promise<void> {
    const values = [stream_id, version, schema_v, JSON.stringify(state)];
    const { generation } = this.lineage;
    await onConnection(this.#readers.pool, async (connection) => {
      // It may have been made just now, to a log in which there is nothing that this state was folded from.
      if (generation === this.lineage.generation) await connection.query({ ...SAVE_SNAPSHOT, values });
    });
  }

  get trouble(): LogTrouble | undefined {
    return this.#appender.trouble;
  }

  /**
   * Keeps at least one whole empty partition ahead of head, and one for today's answers. The log calls it at its start and by itself while head moves;
   * an operator may call it at any time.
   */
  async ensurePartitions(): Promise<void> {
    await this.#partitions.ensure();
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#batcher.idle();
      await this.lineage.close();
      await Promise.all([
        this.#appender.close(),
        this.#barrier.close(),
        this.#signal.close(),
        this.#pulse.close(),
        this.#readers.close(),
      ]);
    })();
    return this.#closing;
  }

  async #write(units: readonly PreparedUnit[]): Promise<(AppendOutcome | Error)[]> {
    if (units.some(({ came_under }) => came_under !== this.lineage.generation)) throw wentBack();
    const outcomes = await this.#appender.write(units);
    const repeated = units.filter((_, at) => isDuplicate(outcomes[at]));
    if (repeated.length === 0) return outcomes;
    // Safe by now: the batch that has found them wrote to the WAL behind them, and its commit is back.
    const ids = repeated.flatMap(({ unit }) => unit.commands.map(({ id }) => id));
    const answers = await this.#readers
      .rows<StoredAnswer>(ANSWERS, [ids])
      .then((kept) => this.#reader.answers(kept))
      .catch((error: unknown) => error as Error);
    return outcomes.map((outcome, at) => {
      if (!isDuplicate(outcome)) return outcome;
      if (answers instanceof Error) return answers;
      const own = new Set(units[at]?.unit.commands.map(({ id }) => id.toLowerCase()));
      return { status: "duplicate", answers: answers.filter(({ id }) => own.has(id)) };
    });
  }

  #queue(unit: AppendUnit, sealing: UnitSealing | undefined, came_under: number): Promise<AppendOutcome> {
    return this.#closing === undefined
      ? this.#batcher.append(prepareUnit(unit, sealing, came_under))
      : Promise.reject(new UnavailableError("log.closed", "This node is stopping; try again in a moment."));
  }

  /** At once, unless the unit adds something personal to a stream that exists: its key has to be looked up. */
  #sealingOf(unit: AppendUnit): UnitSealing | Promise<UnitSealing> | undefined {
    const sealing = this.#sealing;
    if (sealing === undefined) return undefined;
    const streams = sealing.streamsWithKeys(unit);
    if (streams.length === 0) return { sealing, keys: NO_KEYS };
    return keysOf(this.#readers.rows, streams).then((keys) => ({ sealing, keys }));
  }

  #committed(head: Position, events: (form: EventForm) => RecordedEvent[]): void {
    this.#hints.committed((form) => (form === "open" ? events(form).map(this.#upcast) : events(form)));
    if (!this.#partitions.runOut(head)) return;
    this.ensurePartitions().catch((error: unknown) => {
      this.#warn(`The event log could not make partitions ahead: ${String(error)}`);
    });
  }
}

function isDuplicate(outcome: AppendOutcome | Error | undefined): boolean {
  return outcome !== undefined && !(outcome instanceof Error) && outcome.status === "duplicate";
}
