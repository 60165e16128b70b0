import type { Position } from "../event-log/event-log";

interface Waiter {
  readonly position: Position;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** A position that moves on, and those who wait for it. */
export class PositionGate {
  readonly #waiters = new Set<Waiter>();
  #failure: Error | undefined;

  constructor(
    private current: Position,
    /** Makes the error of a wait that took too long. */
    private readonly behind: (current: Position, wanted: Position) => Error,
  ) {}

  get position(): Position {
    return this.current;
  }

  /** Moves the position (also back, after a database has lost its last moments) and lets through whom it satisfies. */
  moveTo(position: Position): void {
    this.current = position;
    for (const waiter of this.#waiters) if (waiter.position <= position) this.#release(waiter).resolve();
  }

  /** Resolves once the position is reached; rejects after `timeout_ms`, or when the gate has failed. */
  reached(position: Position, timeout_ms: number): Promise<void> {
    if (position <= this.current) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#release(waiter).reject(this.behind(this.current, position));
      }, timeout_ms);
      const waiter: Waiter = { position, resolve, reject, timer };
      this.#waiters.add(waiter);
    });
  }

  /** The position will not move again: everybody who waits, now or later, hears why. */
  fail(error: Error): void {
    this.#failure = error;
    for (const waiter of this.#waiters) this.#release(waiter).reject(error);
  }

  #release(waiter: Waiter): Waiter {
    clearTimeout(waiter.timer);
    this.#waiters.delete(waiter);
    return waiter;
  }
}
