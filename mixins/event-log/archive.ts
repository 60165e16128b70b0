import { mkdir } from "node:fs/promises";
import { Client, escapeIdentifier, type ClientConfig } from "pg";
import { writeArchiveFile, type ArchivedSegment } from "./archive-file";
import { sessionConfig } from "./connection";
import type { Position, RecordedEvent } from "./event-log";
import { ALL_AFTER, recordedEvent, type EventRow } from "./read-statements";
import { logTypes } from "./row-types";

export interface ArchiveOptions {
  readonly connection: ClientConfig;
  /** Folder for the files; made when it is not there. Every node that reads old events needs it at its `archive_folder`. */
  readonly folder: string;
  /** Only segments whose newest event is older. */
  readonly before: Date;
}

/**
 * Segments that may go: closed, passed by every checkpoint, and old enough. Oldest first, so that what is hot stays in one
 * piece at the end of the log.
 */
const CLOSED = {
  text: `select s.first_pos, s.last_pos, s.table_name from es.segment s
         where s.archived_at is null
           and s.last_pos <= (select head from es.lane where lane = 0)
           and s.last_pos <= coalesce((select min(pos) from es.checkpoint), s.last_pos)
           and (select e.recorded_at from es.event e where e.lane = 0 and e.pos = s.last_pos) < $1
         order by s.first_pos limit 1`,
  types: logTypes,
};

/** An archived segment whose partition is still attached, or whose table is still there: a run was cut off in between. */
const LEFT_BEHIND = {
  text: `select s.table_name, i.inhrelid is not null as attached, coalesce(i.inhdetachpending, false) as detaching
         from es.segment s join pg_class c on c.relname = s.table_name and c.relnamespace = 'es'::regnamespace
         left join pg_inherits i on i.inhrelid = c.oid
         where s.archived_at is not null`,
};

const MARK = `update es.segment set archived_at = clock_timestamp(), file = $2, sha256 = $3, chunk_events = $4, chunk_offsets = $5
              where first_pos = $1`;

/** Only one archivist at a time, on any node. */
const ARCHIVE_LOCK = "select pg_try_advisory_lock(7463, 0) as locked";

/**
 * Moves old segments of the log into files and drops their partitions, without stopping anybody: first the file is
 * complete on disk, then the segment says so, and from there on readers that miss the partition read the file; only then
 * the partition goes. Cut off at any point, the next run goes on.
 * @returns the segments archived by this run; none when another archivist is at work.
 */
export async function archiveSegments({
  connection,
  folder,
  before,
}: ArchiveOptions): Promise<ArchivedSegment[]> {
  const client = new Client(sessionConfig(connection, "forno event log: archive"));
  await client.connect();
  try {
    const { rows } = await client.query<{ locked: boolean }>(ARCHIVE_LOCK);
    if (rows[0]?.locked !== true) return [];
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await dropLeftBehind(client);
    const archived: ArchivedSegment[] = [];
    for (let segment; (segment = await archiveOne(client, folder, before)) !== undefined;)
      archived.push(segment);
    return archived;
  } finally {
    await client.end();
  }
}

async function archiveOne(
  client: Client,
  folder: string,
  before: Date,
): Promise<ArchivedSegment | undefined> {
  const { rows } = await client.query<{ first_pos: Position; last_pos: Position }>({
    ...CLOSED,
    values: [before],
  });
  const [range] = rows;
  if (range === undefined) return undefined;
  const segment = await writeArchiveFile(folder, range, (after, limit) => readHot(client, after, limit));
  const { first_pos, file, sha256, chunk_events, chunk_offsets } = segment;
  await client.query(MARK, [first_pos, file, sha256, chunk_events, chunk_offsets]);
  await dropLeftBehind(client);
  return segment;
}

async function readHot(client: Client, after: Position, limit: number): Promise<RecordedEvent[]> {
  const { rows } = await client.query<EventRow>({ ...ALL_AFTER, values: [after, limit] });
  return rows.map(recordedEvent);
}

async function dropLeftBehind(client: Client): Promise<void> {
  // Detaching waits for statements that still read the partition, the longest of which may be a rebuild's.
  await client.query("set statement_timeout = 0");
  await client.query("set lock_timeout = 0");
  const { rows } = await client.query<{ table_name: string; attached: boolean; detaching: boolean }>(
    LEFT_BEHIND,
  );
  for (const { table_name, attached, detaching } of rows) {
    const table = `es.${escapeIdentifier(table_name)}`;
    // Concurrently: appends and reads go on meanwhile. "finalize" completes one that was cut off.
    if (attached)
      await client.query(
        `alter table es.event detach partition ${table} ${detaching ? "finalize" : "concurrently"}`,
      );
    await client.query(`drop table ${table}`);
  }
}
