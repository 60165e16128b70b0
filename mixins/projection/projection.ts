import type { PoolClient } from "pg";
import type { Position, RecordedEvent } from "../event-log/event-log";

/** A read model and how events fill it. */
export interface Projection {
  /** Stable name of its checkpoint, e.g. `orders`. */
  readonly name: string;
  /**
   * Its tables, unqualified, in schema `public`; a rebuild fills shadows of them under another schema by `search_path`, with
   * the same keys, indexes and partitions. They have no foreign keys, and nothing (a view) depends on them.
   */
  readonly tables: readonly string[];
  /** Event types that it reads. */
  readonly handles: readonly string[];
  /** Says that no row depends on the events of more than one stream: a rebuild may then apply streams side by side. */
  readonly rows_of_one_stream?: true;
  /**
   * Applies a batch, in order, inside the transaction that also moves the checkpoint. SQL names its tables unqualified.
   * Sets, not rows: a batch is about a thousand events at most, so use `unnest` and few statements. Missing partitions it
   * makes by unqualified names too (`create table if not exists … partition of …`).
   */
  apply(events: readonly RecordedEvent[], tx: PoolClient): Promise<void>;
}

/** A projection at work on this node. */
export interface ProjectionHost {
  readonly name: string;
  /** Last position applied. */
  readonly position: Position;
  /**
   * Waits until the read model has reached a position.
   * @throws UnavailableError `projection.behind` after `timeout_ms`, RefusedError `input.position_unknown` at once
   */
  reached(position: Position, timeout_ms?: number): Promise<void>;
  /** Fills a shadow from position 0 beside the running one, catches up, swaps. */
  rebuild(progress?: (state: RebuildProgress) => void): Promise<void>;
  stop(): Promise<void>;
}

export interface RebuildProgress {
  readonly events: number;
  readonly head: Position;
  readonly events_per_s: number;
  readonly seconds_left: number;
}
