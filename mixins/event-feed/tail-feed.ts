import type { FeedLog, Position } from "../event-log/event-log";
import type { Logger } from "../logger";
import type { EventFeed, FeedHandle, FeedStatus, FeedSubscription } from "./event-feed";
import { FeedTail, type TailLimits, type TailSource } from "./feed-tail";
import { LogSubscription } from "./log-subscription";

export interface FeedDeps {
  readonly log: FeedLog;
  readonly logger: Logger;
}

export interface FeedLimits extends TailLimits {
  /** The log is looked at so often even when nobody says that something is new. */
  readonly poll_ms: number;
}

export const FEED_LIMITS: FeedLimits = { batch_max: 1_000, window_max: 4_000, poll_ms: 1_000 };

/** One subscription, as operators see it. */
export interface SubscriptionInfo {
  readonly name: string;
  readonly position: Position;
  /** Why it has stopped, if it has: a gap in the log or another defect. */
  readonly failure: string | undefined;
}

/**
 * A feed whose subscribers share one tail when they have got to the log's end, and read the log by themselves before. What
 * feeds the tail makes the difference between the adapters.
 */
export class TailFeed implements EventFeed {
  protected readonly tail: FeedTail;
  readonly #subscriptions = new Set<LogSubscription>();

  constructor(
    private readonly deps: FeedDeps,
    private readonly limits: FeedLimits,
    source: TailSource,
  ) {
    this.tail = new FeedTail(deps.log, deps.logger, limits, source);
  }

  subscribe(subscription: FeedSubscription): FeedHandle {
    if (this.#subscriptions.size === 0) this.tail.open();
    const { log, logger } = this.deps;
    const running = new LogSubscription(subscription, {
      log,
      logger,
      tail: this.tail,
      batch_max: this.limits.batch_max,
    });
    this.#subscriptions.add(running);
    return {
      get position() {
        return running.position;
      },
      reached: (position, timeout_ms) => running.reached(position, timeout_ms),
      stop: async () => {
        await running.stop();
        if (this.#subscriptions.delete(running) && this.#subscriptions.size === 0) this.tail.close();
      },
    };
  }

  /** For `status`: why a subscriber of this process has stopped. */
  protected failing(): Pick<FeedStatus, "failure"> {
    for (const { failure } of this.#subscriptions)
      if (failure !== undefined) return { failure: failure.message };
    return {};
  }

  /** All subscriptions of this process. */
  list(): readonly SubscriptionInfo[] {
    return Array.from(this.#subscriptions, ({ name, position, failure }) => ({
      name,
      position,
      failure: failure?.message,
    }));
  }
}
