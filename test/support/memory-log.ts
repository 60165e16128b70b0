import type {
  AppendOutcome,
  AppendUnit,
  EventLog,
  NewEvent,
  Position,
  RecordedEvent,
} from "../../mixins/event-log/event-log";
import { MemoryLineage } from "./memory-lineage";

/** A log in memory for tests of those who read it: events in, events out, and the wake-up. Knows no commands or snapshots. */
export class MemoryLog implements EventLog {
  readonly #events: RecordedEvent[] = [];
  readonly #wakes = new Set<() => void>();
  readonly lineage = new MemoryLineage(this.#events);

  /** What lies behind a position is gone; its positions are given anew. */
  goBackTo(position: Position): void {
    this.#events.length = position;
    this.lineage.change();
  }

  /** Writes events, each to its stream. */
  write(...events: readonly (NewEvent & { stream_id?: string })[]): Position {
    for (const { type, data, stream_id = "test", schema_v = 1 } of events) {
      const position = this.#events.length + 1;
      const version = this.#events.filter((event) => event.stream_id === stream_id).length + 1;
      const hours = this.lineage.generation;
      const recorded_at = new Date(Date.UTC(2026, 0, 1, hours) + position).toISOString();
      this.#events.push({
        ...{ position, partition: 0, stream_id, stream_type: "test", version, event_id: `e${position}` },
        ...{ type, schema_v, data, meta: {}, recorded_at },
      });
    }
    for (const wake of this.#wakes) wake();
    return this.#events.length;
  }

  append(unit: AppendUnit): Promise<AppendOutcome> {
    throw new Error(`Write to it by write(), not ${JSON.stringify(unit.streams)}.`);
  }
  appendIn(_client: unknown, unit: AppendUnit): Promise<never> {
    throw new Error(`Write to it by write(), not ${JSON.stringify(unit.streams)}.`);
  }
  readStream(stream_id: string, after_version = 0): Promise<RecordedEvent[]> {
    const events = this.#events.filter(
      (event) => event.stream_id === stream_id && event.version > after_version,
    );
    return Promise.resolve(events);
  }
  readAll(after: Position, limit: number): Promise<RecordedEvent[]> {
    return Promise.resolve(this.#events.slice(after, after + limit));
  }
  opened(events: readonly RecordedEvent[]): Promise<RecordedEvent[]> {
    return Promise.resolve([...events]);
  }
  get stored(): this {
    return this;
  }
  findAnswers(): Promise<never[]> {
    return Promise.resolve([]);
  }
  durable(): Promise<void> {
    return Promise.resolve();
  }
  head(): Promise<Position> {
    return Promise.resolve(this.#events.length);
  }
  onAppended(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }
  loadSnapshot(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  saveSnapshot(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}
