import type { Position, RecordedEvent } from "../event-log/event-log";

/**
 * The port of the event feed: events in log order, in batches, to whoever wants to know. Adapters: LogFeed (straight from
 * the log) and, in a fleet, KafkaFeed. At-least-once by itself; a consumer makes it once by its checkpoint.
 */
export interface EventFeed {
  /**
   * Delivers every event after `after`, batch by batch; the next batch waits for `onBatch`. A throwing `onBatch` is
   * retried with the same batch after a growing pause (and logged), so no event is ever skipped.
   */
  subscribe(subscription: FeedSubscription): FeedHandle;
}

export interface FeedSubscription {
  /** For logs and metrics, e.g. `projection:orders`. */
  readonly name: string;
  readonly after: Position;
  /** `through` is the last position of the batch: contiguous with the one before, also where no event interests. */
  onBatch(events: readonly RecordedEvent[], through: Position): Promise<void>;
}

export interface FeedHandle {
  /** Last position whose batch was handled. */
  readonly position: Position;
  /** Resolves once `position` has reached the given one; rejects after `timeout_ms`. */
  reached(position: Position, timeout_ms: number): Promise<void>;
  /** Finishes the batch under way, then stops. */
  stop(): Promise<void>;
}
