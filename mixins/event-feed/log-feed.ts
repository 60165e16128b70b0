import type { FeedStatus } from "./event-feed";
import { LogSource } from "./log-source";
import { FEED_LIMITS, TailFeed, type FeedDeps, type FeedLimits } from "./tail-feed";

/** The feed straight from the log. */
export class LogFeed extends TailFeed {
  constructor(deps: FeedDeps, limits: FeedLimits = FEED_LIMITS) {
    super(deps, limits, new LogSource(deps.log, limits.poll_ms));
  }

  status(): FeedStatus {
    return { source: "log", position: this.tail.last, ...this.failing() };
  }
}
