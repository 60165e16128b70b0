import type { EventLog, Position } from "../event-log/event-log";
import type { Logger } from "../logger";
import type { EventFeed, FeedHandle, FeedSubscription } from "./event-feed";
import { FeedTail, type TailLimits } from "./feed-tail";
import { LogSubscription } from "./log-subscription";

export const FEED_LIMITS: TailLimits = { batch_max: 1_000, window_max: 4_000, poll_ms: 1_000 };

/** One subscription, as operators see it. */
export interface SubscriptionInfo {
  readonly name: string;
  readonly position: Position;
  /** Why it has stopped, if it has: a gap in the log or another defect. */
  readonly failure: string | undefined;
}

/** The feed straight from the log: subscribers at the log's end share one reader, others read by themselves. */
export class LogFeed implements EventFeed {
  readonly #tail: FeedTail;
  readonly #subscriptions = new Set<LogSubscription>();

  constructor(
    private readonly deps: { readonly log: EventLog; readonly logger: Logger },
    private readonly limits: TailLimits = FEED_LIMITS,
  ) {
    this.#tail = new FeedTail(deps.log, deps.logger, limits);
  }

  subscribe(subscription: FeedSubscription): FeedHandle {
    if (this.#subscriptions.size === 0) this.#tail.open();
    const { log, logger } = this.deps;
    const running = new LogSubscription(subscription, {
      log,
      logger,
      tail: this.#tail,
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
        if (this.#subscriptions.delete(running) && this.#subscriptions.size === 0) this.#tail.close();
      },
    };
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
