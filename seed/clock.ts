import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../mixins/runtime";

/**
 * A clock that shows whoever asks the time of their own story: everything that is called from within {@link at} happens
 * then, everything else happens now. So many past days can be lived through side by side, and shared writing is shared.
 */
export class StoryClock implements Clock {
  readonly #story = new AsyncLocalStorage<number>();

  now(): number {
    return this.#story.getStore() ?? Date.now();
  }

  /** Does something as if at another time. */
  at<T>(now_ms: number, work: () => T): T {
    return this.#story.run(now_ms, work);
  }
}
