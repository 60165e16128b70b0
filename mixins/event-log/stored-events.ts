import { ColdEvents } from "./cold-events";
import type { Position, RecordedEvent } from "./event-log";
import { markOf } from "./lineage";
import type { LineageWatch } from "./lineage-watch";
import type { ReadRows } from "./log-readers";
import { ALL_FROM, STREAM_AFTER, recordedEvent, type EventRow } from "./read-statements";

/** The events as they were written: hot ones from the partitions, the others from the archive. */
export class StoredEvents {
  readonly #cold: ColdEvents;

  constructor(
    private readonly read: ReadRows,
    archive_folder: string | undefined,
    private readonly lineage: Pick<LineageWatch, "saw" | "met">,
  ) {
    this.#cold = new ColdEvents(read, archive_folder);
  }

  /** See `EventLog.readStream`. */
  async ofStream(stream_id: string, after_version: number): Promise<RecordedEvent[]> {
    const hot = (await this.read<EventRow>(STREAM_AFTER, [stream_id, after_version])).map(recordedEvent);
    this.#note(hot);
    const first = hot[0]?.version ?? Number.POSITIVE_INFINITY;
    if (first === after_version + 1) return hot;
    const cold = await this.#cold.readStream(stream_id, after_version);
    return [...cold.filter(({ version }) => version < first), ...hot];
  }

  /** See `EventLog.readAll`. @throws Error when one is missing. */
  async all(after: Position, limit: number): Promise<RecordedEvent[]> {
    const hot = (await this.read<EventRow>(ALL_FROM, [after, limit])).map(recordedEvent);
    const before = hot[0]?.position === after ? hot.shift() : undefined;
    if (before !== undefined) await this.lineage.met(markOf(before));
    this.#note(hot);
    const events = hot[0]?.position === after + 1 ? hot : await this.#cold.readAll(after, limit);
    if (events.length === 0 && hot.length > 0) throw missing(after + 1);
    for (const [at, { position }] of events.entries())
      if (position !== after + at + 1) throw missing(after + at + 1);
    return events;
  }

  #note(read: readonly RecordedEvent[]): void {
    const last = read.at(-1);
    if (last !== undefined) this.lineage.saw(markOf(last));
  }
}

function missing(position: Position): Error {
  return new Error(`The event log has no event at position ${String(position)}.`);
}
