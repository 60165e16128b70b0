import { readArchiveChunk, type ArchivedSegment } from "./archive-file";
import type { Position, RecordedEvent } from "./event-log";
import { logTypes } from "./row-types";
import type { ReadRows } from "./log-readers";

const COLUMNS =
  "g.first_pos, g.last_pos, g.file, g.sha256, g.chunk_events, to_json(g.chunk_offsets) as chunk_offsets";

/** $1 position. */
const SEGMENT_AT = {
  name: "es_cold_segment_at",
  text: `select ${COLUMNS} from es.segment g
         where $1::bigint between g.first_pos and g.last_pos and g.archived_at is not null`,
  types: logTypes,
};

/** $1 stream: the archived segments that lie between its first and its last event. */
const SEGMENTS_OF_STREAM = {
  name: "es_cold_segments_of_stream",
  text: `select ${COLUMNS}, greatest(g.first_pos, s.first_pos) as from_pos, least(g.last_pos, s.last_pos) as to_pos
         from es.stream s join es.segment g on g.last_pos >= s.first_pos and g.first_pos <= s.last_pos
         where s.stream_id = $1 and g.archived_at is not null order by g.first_pos`,
  types: logTypes,
};

/** The archived part of the log. Asked only when the partitions do not hold what should be there. */
export class ColdEvents {
  constructor(
    private readonly read: ReadRows,
    private readonly folder: string | undefined,
  ) {}

  /** At most `limit` events after a position, from one chunk of the archive; none when the position is not archived. */
  async readAll(after: Position, limit: number): Promise<RecordedEvent[]> {
    const [segment] = await this.read<ArchivedSegment>(SEGMENT_AT, [after + 1]);
    return segment === undefined ? [] : (await this.#chunk(segment, after + 1)).slice(0, limit);
  }

  /** A stream's archived events after a version. Reads every chunk between the stream's first and last event. */
  async readStream(stream_id: string, after_version: number): Promise<RecordedEvent[]> {
    type OfStream = ArchivedSegment & { readonly from_pos: Position; readonly to_pos: Position };
    const segments = await this.read<OfStream>(SEGMENTS_OF_STREAM, [stream_id]);
    const found: RecordedEvent[] = [];
    for (const segment of segments)
      for (let from = segment.from_pos; from <= segment.to_pos;) {
        const chunk = await this.#chunk(segment, from);
        for (const event of chunk)
          if (event.stream_id === stream_id && event.version > after_version) found.push(event);
        from += chunk.length;
      }
    return found;
  }

  #chunk(segment: ArchivedSegment, from: Position): Promise<RecordedEvent[]> {
    if (this.folder === undefined)
      throw new Error(
        `Position ${String(from)} is archived in ${segment.file}; this node was given no archive folder.`,
      );
    return readArchiveChunk(this.folder, segment, from);
  }
}
