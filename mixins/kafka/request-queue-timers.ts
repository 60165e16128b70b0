import { createRequire } from "node:module";

/** kafkajs's queue of requests to one broker, as far as it is touched here. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  /** Milliseconds since the epoch; -1 at first. */
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

let mended = false;

/**
 * kafkajs 2.2.4 sets a timer after each answer of a broker, to look for requests that wait; when none does, and the broker has not
 * asked for patience, its length is negative, of which Node 24 warns on stderr. That timer has nothing to do: without it.
 */
export function mendRequestQueueTimers(): void {
  if (mended) return;
  mended = true;
  const { prototype } = createRequire(__filename)("kafkajs/src/network/requestQueue") as {
    readonly prototype: RequestQueue;
  };
  const schedule = Reflect.get(prototype, "scheduleCheckPendingRequests");
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    // eslint-disable-next-line no-restricted-syntax -- kafkajs took the time by this clock
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}
