import type { EventLog } from "../event-log/event-log";
import type { TailInlet, TailSource } from "./feed-tail";

/**
 * Feeds the tail straight from the log: it is read when somebody has appended, and now and then in case nobody said so. What this
 * process has committed itself is taken from the log's hint and never read back.
 */
export class LogSource implements TailSource {
  constructor(
    private readonly log: Pick<EventLog, "onAppended" | "onCommitted">,
    /** The log is looked at so often even when nobody says that something is new. */
    private readonly poll_ms: number,
  ) {}

  open(tail: TailInlet): () => void {
    /** The log wakes everybody right after its hint, in the same turn: such a wake has nothing to tell. */
    let hinted = false;
    const poll = setInterval(() => {
      tail.readOn();
    }, this.poll_ms).unref();
    const stopWakes = this.log.onAppended(() => {
      if (!hinted) tail.readOn();
    });
    const stopHints = this.log.onCommitted?.((events) => {
      if (!tail.take(events)) {
        tail.readOn();
        return;
      }
      hinted = true;
      queueMicrotask(() => (hinted = false));
    });
    return () => {
      clearInterval(poll);
      stopWakes();
      stopHints?.();
    };
  }
}
