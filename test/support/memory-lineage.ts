import type { Position, RecordedEvent } from "../../mixins/event-log/event-log";
import {
  BEGINNING,
  markOf,
  type Lineage,
  type LineageBreak,
  type LogMark,
} from "../../mixins/event-log/lineage";

/** For who subscribes to a log that does not go back. */
export const NEVER_BACK = { wentBack: () => Promise.reject(new Error("This test's log went back.")) };

/** The lineage of a log in memory, which changes when a test says so. */
export class MemoryLineage implements Lineage {
  generation = 0;
  name = "memory";
  breaks: readonly LineageBreak[] = [];
  readonly #changed = new Set<() => void>();
  readonly #doubted = new Set<() => void>();

  constructor(private readonly events: readonly RecordedEvent[]) {}

  change(): void {
    this.generation += 1;
    this.name = `memory-${String(this.generation)}`;
    for (const tell of [...this.#changed, ...this.#doubted]) tell();
  }

  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }
  onDoubt(listener: () => void): () => void {
    this.#doubted.add(listener);
    return () => void this.#doubted.delete(listener);
  }
  look(): Promise<void> {
    return Promise.resolve();
  }
  holds({ position, event_id, recorded_at }: LogMark): Promise<boolean> {
    const found = this.events[position - 1];
    const known = event_id === undefined || found?.event_id === event_id;
    const same = recorded_at === undefined || found?.recorded_at === recorded_at;
    return Promise.resolve(position === 0 || (found !== undefined && known && same));
  }
  markAt(position: Position): Promise<LogMark | undefined> {
    const found = this.events[position - 1];
    return Promise.resolve(position === 0 ? BEGINNING : found && markOf(found));
  }
  saw(): void {
    // What this log holds it knows.
  }
}
