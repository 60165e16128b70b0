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
  /** Where events come from just now. */
  status?(): FeedStatus;
}

export interface FeedSubscription {
  /** For logs and metrics, e.g. `projection:orders`. */
  readonly name: string;
  readonly after: Position;
  /** `through` is the last position of the batch: contiguous with the one before, also where no event interests. */
  onBatch(events: readonly RecordedEvent[], through: Position): Promise<void>;
  /**
   * The log has gone back: events that were delivered are not in it any more, and others may stand in their places. Called between
   * two batches, and again after a pause when it fails: forgets what was made of them, and resolves with the position from which to
   * go on.
   */
  wentBack(): Promise<Position>;
}

export interface FeedHandle {
  /** Last position whose batch was handled. */
  readonly position: Position;
  /** Resolves once `position` has reached the given one; rejects after `timeout_ms`. */
  reached(position: Position, timeout_ms: number): Promise<void>;
  /** Finishes the batch under way, then stops. */
  stop(): Promise<void>;
}

/** Where a feed's newest events come from. */
export type FeedSource = "log" | "kafka";
/** What operators may want: Kafka while it is in time, or one source whatever happens. */
export type FeedChoice = FeedSource | "auto";

/** A feed as operators see it. */
export interface FeedStatus {
  readonly source: FeedSource;
  /** Of the newest event in memory; undefined while no subscriber has got to the log's end. */
  readonly position: Position | undefined;
  /** Why somebody who follows the log on this node has stopped for good, e.g. a position that is missing; absent: nobody has. */
  readonly failure?: string;
}

/** A feed with two sources. */
export interface SwitchableStatus extends FeedStatus {
  readonly choice: FeedChoice;
  /** Why it is the log's turn: Kafka has still to show itself, was late, was interrupted, or an operator wants it so. */
  readonly reason: "starting" | "late" | "interrupted" | "chosen" | undefined;
  /** Everything up to here has come by Kafka, or was given up on; undefined before the log was seen. */
  readonly kafka_position: Position | undefined;
  /** Whether this node is in the consumer group. */
  readonly joined: boolean;
  readonly switches: number;
}

/** A feed whose source can be seen and chosen. */
export interface SwitchableFeed extends EventFeed {
  status(): SwitchableStatus;
  /** `auto`: Kafka while it is in time. `kafka`: also when it is late; what it does not bring is read from the log then. */
  switchTo(choice: FeedChoice): void;
}

export function isSwitchable(feed: EventFeed): feed is SwitchableFeed {
  return "switchTo" in feed;
}
