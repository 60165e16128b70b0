import type { PoolClient } from "pg";
import type { Lineage } from "./lineage";
import type { LogTrouble } from "./log-condition";

/**
 * The port of the event log: the one place where Forno's truth is written.
 *
 * Glossary. *Stream*: the events of one aggregate instance, versions 1, 2, 3 … *Position*: place in the whole log,
 * gapless from 1, visible in order. *Unit*: what one decision writes; commits whole or not at all. *Guard*: a stream
 * whose version the decision relied upon without writing to it. *Partition*: hash of the stream id, 0–15; the unit of
 * projection parallelism, and the Kafka partition.
 */

/** Place in the log, from 1; 0 means "before everything". A safe integer: 9·10^15 events. */
export type Position = number;

export const PARTITIONS = 16;

export interface NewEvent {
  readonly type: string;
  /** Version of the shape of `data`; 1 unless said. */
  readonly schema_v?: number;
  readonly data: object;
  /** Who and what caused this event, where a unit holds the events of several commands; without it the unit's meta stands. */
  readonly meta?: EventMeta;
}

/** Who and what caused an event; kept in its `meta` column. */
export interface EventMeta {
  readonly correlation_id?: string;
  readonly causation_id?: string;
  /** User id, or `system:<process>`. */
  readonly actor?: string;
  readonly traceparent?: string;
}

export interface StreamAppend {
  readonly stream_id: string;
  /** Kind of aggregate, e.g. `order`. */
  readonly stream_type: string;
  /** Version the stream must have now; 0 for a stream that must not exist yet. */
  readonly expected_version: number;
  readonly events: readonly NewEvent[];
}

export interface StreamGuard {
  readonly stream_id: string;
  readonly expected_version: number;
}

/** A command that a unit answers. The answer is kept and given again when the same id comes back. */
export interface CommandRecord {
  readonly id: string;
  readonly fingerprint: string;
  readonly answer: unknown;
}

export interface AppendUnit {
  readonly streams: readonly StreamAppend[];
  readonly guards?: readonly StreamGuard[];
  readonly commands: readonly CommandRecord[];
  readonly meta: EventMeta;
}

/** A command's answer as the log keeps it; `position` is that of the last event of its unit. */
export interface StoredAnswer {
  readonly id: string;
  readonly fingerprint: string;
  readonly answer: unknown;
  readonly position: Position;
}

export type AppendOutcome =
  | { readonly status: "committed"; readonly position: Position }
  /** A stream or guard was not at its expected version; nothing was written. */
  | { readonly status: "conflict"; readonly stream_id: string }
  /** At least one command was answered before; nothing was written. */
  | { readonly status: "duplicate"; readonly answers: readonly StoredAnswer[] };

/** What came of a unit inside the caller's own transaction; the answers of a duplicate are to be found when that has ended. */
export type AppendInOutcome =
  Exclude<AppendOutcome, { readonly status: "duplicate" }> | { readonly status: "duplicate" };

export interface RecordedEvent<D = unknown> {
  readonly position: Position;
  readonly partition: number;
  readonly stream_id: string;
  readonly stream_type: string;
  readonly version: number;
  /** Deterministic: derived from stream id and version, so that a consumer may derive command ids from it. */
  readonly event_id: string;
  readonly type: string;
  readonly schema_v: number;
  readonly data: D;
  readonly meta: EventMeta;
  /** RFC 3339 UTC, of the append. */
  readonly recorded_at: string;
}

export interface Snapshot {
  readonly stream_id: string;
  readonly version: number;
  readonly schema_v: number;
  readonly state: unknown;
}

/** Events as they are read (`open`), or as they lie in the database, where what is personal is sealed (`stored`). */
export type EventForm = "open" | "stored";

/** What a feed needs of the log. */
export type FeedLog = Pick<EventLog, "readAll" | "head" | "onAppended" | "onCommitted" | "lineage">;

export interface EventLog {
  /** Whether it is still the log that was read. Who remembers anything of it asks this. */
  readonly lineage: Lineage;
  /**
   * Writes one decision, durably. Callers in one process are batched into one transaction (group commit).
   * @throws UnavailableError `log.unavailable` when the database does not answer, or the log went back meanwhile; the outcome is
   *   then unknown to the caller but safe to retry with the same command ids; `log.busy` when too many units wait; `log.closed` after `close`.
   *   An AssertionError when the unit contradicts itself (a stream twice, no UUID for a command).
   */
  append(unit: AppendUnit): Promise<AppendOutcome>;
  /** Events of one stream after a version, in order, upcast to today's shapes; reading reaches into the archive. */
  readStream(stream_id: string, after_version?: number): Promise<RecordedEvent[]>;
  /** At most `limit` events after a position, in order, without gaps, upcast. */
  readAll(after: Position, limit: number): Promise<RecordedEvent[]>;
  /**
   * Events that have come by another way, as they are stored: unsealed and upcast, as `readAll` gives them.
   * @throws UnavailableError `log.unavailable` when the database does not answer.
   */
  opened(events: readonly RecordedEvent[]): Promise<RecordedEvent[]>;
  /** The log as it is stored, for who carries it elsewhere: neither unsealed nor upcast. */
  readonly stored: FeedLog;
  /**
   * The answers already given to these commands; whoever asked may be told them, for they are as safe as an append that was
   * acknowledged. @throws UnavailableError `log.unavailable` when that cannot be said.
   */
  findAnswers(command_ids: readonly string[]): Promise<StoredAnswer[]>;
  /**
   * Resolves when everything that was read of this database before, from any table, is as safe as an append that was
   * acknowledged. To be awaited before somebody is told that something is done because it was found to be done: a read may show
   * what no synchronous standby has yet, and what a failover would take back. Who writes behind what he has read, or refuses,
   * need not wait. @param read_under the lineage's generation before the reading, where that was not a moment ago: what was read of
   * another history is not safe here. @throws UnavailableError `log.unavailable` when that cannot be said in time.
   */
  durable(read_under?: number): Promise<void>;
  /** Why the database turned the newest append of this process down (a full disk); undefined: it did not. */
  readonly trouble?: LogTrouble | undefined;
  /** Position of the newest event. */
  head(): Promise<Position>;
  /** Calls back soon after events were appended by any node (a hint: may fire late, twice or for nothing). Returns "stop". */
  onAppended(wake: () => void): () => void;
  /**
   * Hands over what this process has just committed, as `readAll` would, in order within a call. A hint that spares a
   * second reading: other nodes' events are missing, and after a broken connection so may be some of one's own, so take a
   * batch only when it begins right after the position already handled. Do not change the events. Returns "stop".
   */
  onCommitted?(listener: (events: readonly RecordedEvent[]) => void): () => void;
  /**
   * Writes a unit inside the caller's own transaction (READ COMMITTED), for rows that change together with their event.
   * Must be the last statement before COMMIT: from here on every append of the chain waits for this transaction. On any
   * other outcome than `committed` nothing was written, and the caller rolls back.
   */
  appendIn(client: PoolClient, unit: AppendUnit): Promise<AppendInOutcome>;
  loadSnapshot(stream_id: string, schema_v: number): Promise<Snapshot | undefined>;
  /** Keeps the state as it is at the call: it is turned into JSON before the call returns. */
  saveSnapshot(snapshot: Snapshot): Promise<void>;
  /** Waits for batches under way, then releases connections. */
  close(): Promise<void>;
}

/** Brings an old event's `data` to the next shape. Registered by `(type, schema_v)`. */
export interface Upcaster {
  readonly type: string;
  readonly from_schema_v: number;
  readonly upcast: (data: unknown) => unknown;
}
