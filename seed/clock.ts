import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../mixins/runtime";

/**
 * A clock that shows whoever asks the time of their own story: everything that is called from within {@link at} happens
 * then, everything else happens now. So many past days can be lived through side by side, and shared writing is shared.
 */
export class StoryClock implements Clock {
  readonly #story = new AsyncLocalStorage<number>();
  #true: Clock | undefined;

  /** The clock that shows now. */
  over(clock: Clock): this {
    this.#true = clock;
    return this;
  }

  now(): number {
    return this.#story.getStore() ?? this.present();
  }

  /** Now, also for who is in a story. @throws Error before {@link over} */
  present(): number {
    if (this.#true === undefined) throw new Error("A story is told over a clock.");
    return this.#true.now();
  }

  /** Does something as if at another time. */
  at<T>(now_ms: number, work: () => T): T {
    return this.#story.run(now_ms, work);
  }
}
