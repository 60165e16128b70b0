import type { ClientBase, Pool } from "pg";
import type { EventFeed } from "../event-feed/event-feed";
import type { EventLog, RecordedEvent } from "../event-log/event-log";
import type { Logger } from "../logger";
import type { Checkpoint } from "./checkpoint";

/** What a consumer needs; the runtime has it. */
export interface ConsumerDeps {
  readonly pool: Pool;
  readonly feed: EventFeed;
  readonly log: EventLog;
  readonly logger: Logger;
}

/** Bounds in time; shorter in tests. */
export interface ConsumerTimes {
  /** A checkpoint that only passed events without interest is written so often. */
  readonly lazy_ms: number;
  /** A host that stands by looks so often whether the consumer has become free, and how far the other one is … */
  readonly standby_ms: number;
  /** … and takes over, free or not, when the checkpoint has stood still for so long though there was work. */
  readonly still_ms_max: number;
}

export const CONSUMER_TIMES: ConsumerTimes = { lazy_ms: 1_000, standby_ms: 200, still_ms_max: 5_000 };

/** What a projection or a process manager does with events. */
export interface ConsumerWork {
  /** Name of the checkpoint. */
  readonly name: string;
  /** Event types of interest. */
  readonly handles: readonly string[];
  /**
   * Handles events that were not handled yet, in order. Calls `move` exactly once: on the transaction that holds the
   * effect, before the effect, so that a host that was overtaken finds out before it does anything; or, where the effect
   * is repeatable by itself, after it.
   */
  handle(events: readonly RecordedEvent[], move: (client: Pool | ClientBase) => Promise<void>): Promise<void>;
  /**
   * The checkpoint has diverged: it stands at an event that the log does not hold, and so what was made of the events up to there is of
   * another log. Makes that good and puts the checkpoint where one can go on. Repeated when it fails.
   */
  heal(healing: Healing): Promise<void>;
}

export interface Healing {
  /** As it was found. */
  readonly checkpoint: Checkpoint;
  /** Healing should end early when this is aborted. */
  readonly stopping: AbortSignal;
  /** The consumer, see `CheckpointedConsumer.aside`. */
  readonly consumer: { aside<T>(work: () => Promise<T>): Promise<T> };
}

/** See the life of a CheckpointedConsumer. */
export type ConsumerState = "working" | "standby" | "healing" | "stopped";
