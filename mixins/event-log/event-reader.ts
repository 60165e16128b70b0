import { keysOf } from "./data-keys";
import type { LineageWatch } from "./lineage-watch";
import type { Position, RecordedEvent, StoredAnswer } from "./event-log";
import type { ReadRows } from "./log-readers";
import { givenAnswers } from "./stored-answers";
import { StoredEvents } from "./stored-events";
import { Unsealing } from "./unsealing";
import type { Upcast } from "./upcasting";

/** Reads events and answers as they were given to the log: unsealed, and events in today's shapes. */
export class EventReader {
  /** The same events as they lie in the database. */
  readonly stored: StoredEvents;
  readonly #unsealing: Unsealing;

  constructor(
    read: ReadRows,
    private readonly upcast: Upcast,
    archive_folder: string | undefined,
    warn: (message: string) => void,
    lineage: Pick<LineageWatch, "saw" | "met">,
  ) {
    this.stored = new StoredEvents(read, archive_folder, lineage);
    this.#unsealing = new Unsealing((stream_ids) => keysOf(read, stream_ids), warn);
  }

  async ofStream(stream_id: string, after_version: number): Promise<RecordedEvent[]> {
    return this.opened(await this.stored.ofStream(stream_id, after_version));
  }

  async all(after: Position, limit: number): Promise<RecordedEvent[]> {
    return this.opened(await this.stored.all(after, limit));
  }

  async opened(events: readonly RecordedEvent[]): Promise<RecordedEvent[]> {
    return (await this.#unsealing.open(events)).map(this.upcast);
  }

  answers(kept: readonly StoredAnswer[]): Promise<StoredAnswer[]> {
    return givenAnswers(kept, (stream_id, after_version) => this.ofStream(stream_id, after_version));
  }
}
