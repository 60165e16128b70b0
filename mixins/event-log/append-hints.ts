import type { EventForm, RecordedEvent } from "./event-log";

type Listener = (events: readonly RecordedEvent[]) => void;

const FORMS = ["open", "stored"] as const satisfies readonly EventForm[];

/** Who wants to know of appends. A listener's mistake must not look like a failed append: what it hears is durable. */
export class AppendHints {
  readonly #wakes = new Set<() => void>();
  readonly #listeners: Readonly<Record<EventForm, Set<Listener>>> = { open: new Set(), stored: new Set() };

  constructor(private readonly warn: (message: string) => void) {}

  onAppended(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => void this.#wakes.delete(wake);
  }

  onCommitted(listener: Listener, form: EventForm): () => void {
    this.#listeners[form].add(listener);
    return () => void this.#listeners[form].delete(listener);
  }

  wake(): void {
    for (const wake of this.#wakes) this.#safely(wake);
  }

  /** The events are made only when somebody takes them. */
  committed(events: (form: EventForm) => readonly RecordedEvent[]): void {
    for (const form of FORMS) {
      const listeners = this.#listeners[form];
      if (listeners.size === 0) continue;
      const made = events(form);
      for (const listener of listeners)
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
