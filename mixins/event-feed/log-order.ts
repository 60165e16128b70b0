import type { Position, RecordedEvent } from "../event-log/event-log";

/**
 * Puts what comes partition by partition back into the order of the log. Positions have no gaps, so an event waits until all
 * before it are there; what comes again is passed over.
 */
export class LogOrder {
  readonly #waiting = new Map<Position, RecordedEvent>();
  #position: Position;

  constructor(
    after: Position,
    private readonly waiting_max: number,
  ) {
    this.#position = after;
  }

  /** Everything up to here has been released, or was skipped. */
  get position(): Position {
    return this.#position;
  }

  /** Whether this one is still to come. */
  lacks(position: Position): boolean {
    return position > this.#position && !this.#waiting.has(position);
  }

  /** Whether so many wait for a missing one that no more should be kept: time for {@link skipTo}. */
  get isFull(): boolean {
    return this.#waiting.size >= this.waiting_max;
  }

  /** Keeps an event until its turn. */
  add(event: RecordedEvent): void {
    if (this.lacks(event.position)) this.#waiting.set(event.position, event);
  }

  /** Those whose turn has come, in order. */
  release(): readonly RecordedEvent[] {
    const released: RecordedEvent[] = [];
    for (let event; (event = this.#waiting.get(this.#position + 1)) !== undefined;) {
      this.#waiting.delete(event.position);
      this.#position = event.position;
      released.push(event);
    }
    return released;
  }

  /** Waits no more for anything up to a position. */
  skipTo(position: Position): void {
    if (position <= this.#position) return;
    this.#position = position;
    for (const waiting of this.#waiting.keys()) if (waiting <= position) this.#waiting.delete(waiting);
  }
}
