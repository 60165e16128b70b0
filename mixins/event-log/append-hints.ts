import type { RecordedEvent } from "./event-log";

type Listener = (events: readonly RecordedEvent[]) => void;

/** Who wants to know of appends. A listener's mistake must not look like a failed append: what it hears is durable. */
export class AppendHints {
  readonly #wakes = new Set<() => void>();
  readonly #listeners = new Set<Listener>();

  constructor(private readonly warn: (message: string) => void) {}

  onAppended(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => void this.#wakes.delete(wake);
  }

  onCommitted(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  wake(): void {
    for (const wake of this.#wakes) this.#safely(wake);
  }

  /** The events are made only when somebody takes them. */
  committed(events: () => readonly RecordedEvent[]): void {
    if (this.#listeners.size > 0) {
      const made = events();
      for (const listener of this.#listeners)
        this.#safely(() => {
          listener(made);
        });
    }
    this.wake();
  }

  #safely(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.warn(`A listener of the event log failed: ${String(error)}`);
    }
  }
}
