import { ERASED_EVENT } from "../erasure/erased-event";
import type { Position, RecordedEvent } from "../event-log/event-log";

type Batch = readonly RecordedEvent[];

/** A hole in what should have none: a defect, never to be jumped over. */
export class FeedGapError extends Error {}

/** @throws FeedGapError unless the events stand at `after + 1`, `after + 2` … */
export function assertFollows(events: Batch, after: Position): void {
  for (const [at, { position }] of events.entries())
    if (position !== after + at + 1)
      throw new FeedGapError(
        `The event feed got position ${String(position)} where ${String(after + at + 1)} is next.`,
      );
}

/**
 * The newest stretch of the log, read once and shared by all; as long as `events_max`, then the oldest batches go. When a person
 * is erased all of them go: they hold texts that nobody may read any more. Who still needs them reads the log.
 */
export class FeedWindow {
  readonly #batches: Batch[] = [];
  #size = 0;

  constructor(
    private end: Position,
    private readonly events_max: number,
  ) {}

  /** Position of the newest event. */
  get last(): Position {
    return this.end;
  }

  /**
   * About `limit` events after a position: none when there is nothing newer, undefined when the window begins later. Who
   * reads at a batch's border gets the very array that was put in.
   */
  after(position: Position, limit: number): Batch | undefined {
    if (position >= this.end) return [];
    if (position < this.end - this.#size) return undefined;
    let at = this.#batches.length;
    let first = this.end + 1;
    while (first > position + 1) first -= this.#batches[--at]?.length ?? 0;
    const parts: Batch[] = [];
    let count = first - position - 1;
    for (; at < this.#batches.length && (count <= 0 || count < limit); at += 1) {
      const batch = this.#batches[at] ?? [];
      parts.push(count < 0 ? batch.slice(-count) : batch);
      count += batch.length;
    }
    return parts.length === 1 ? parts[0] : parts.flat();
  }

  /** Adds what is new among the events; false when they are not known and do not follow either. */
  push(events: Batch): boolean {
    const first = events[0]?.position ?? this.end + 1;
    if (first > this.end + 1) return false;
    const fresh = first === this.end + 1 ? events : events.slice(this.end + 1 - first);
    if (fresh.length === 0) return true;
    assertFollows(fresh, this.end);
    if (fresh.some(({ type }) => type === ERASED_EVENT)) this.#size = this.#batches.length = 0;
    this.#batches.push(fresh);
    this.#size += fresh.length;
    this.end += fresh.length;
    while (this.#size > this.events_max && this.#batches.length > 1)
      this.#size -= this.#batches.shift()?.length ?? 0;
    return true;
  }
}
