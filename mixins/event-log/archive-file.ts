import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { Position, RecordedEvent } from "./event-log";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Events in a chunk: what one reading of the archive takes into memory, about a megabyte. */
export const CHUNK_EVENTS = 2_000;

/** Where a closed segment of the log has gone. */
export interface ArchivedSegment {
  readonly first_pos: Position;
  readonly last_pos: Position;
  /** Name inside the archive folder. */
  readonly file: string;
  /** Hex, of the file's bytes. */
  readonly sha256: string;
  readonly chunk_events: number;
  /** Byte at which each chunk begins. */
  readonly chunk_offsets: readonly number[];
}

/**
 * Writes events to a file that any tool can read: gzip of one JSON event a line, in order. Each chunk is a gzip member of
 * its own (`zcat` joins them), so that a reader may begin in the middle. The name appears only when the bytes are on disk.
 */
export async function writeArchiveFile(
  folder: string,
  { first_pos, last_pos }: Pick<ArchivedSegment, "first_pos" | "last_pos">,
  chunk: (after: Position, limit: number) => Promise<readonly RecordedEvent[]>,
): Promise<ArchivedSegment> {
  const file = `events-${String(first_pos).padStart(16, "0")}-${String(last_pos).padStart(16, "0")}.jsonl.gz`;
  const unfinished = path.join(folder, `${file}.part`);
  const chunk_offsets: number[] = [];
  const out = await open(unfinished, "w", 0o600);
  try {
    let size = 0;
    for (let after = first_pos - 1; after < last_pos; after += CHUNK_EVENTS) {
      const events = await chunk(after, Math.min(CHUNK_EVENTS, last_pos - after));
      if (events.length !== Math.min(CHUNK_EVENTS, last_pos - after))
        throw new Error(`The log has a gap after position ${String(after)}: not archived.`);
      const bytes = await compress(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
      await out.writeFile(bytes);
      chunk_offsets.push(size);
      size += bytes.length;
    }
    await out.sync();
  } finally {
    await out.close();
  }
  // Of what can be read back, not of what was meant to be written.
  const sha256 = await sha256Of(unfinished);
  await rename(unfinished, path.join(folder, file));
  await syncFolder(folder);
  return { first_pos, last_pos, file, sha256, chunk_events: CHUNK_EVENTS, chunk_offsets };
}

/** SHA-256 (hex) of a file's bytes. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer);
  return hash.digest("hex");
}

/**
 * The events from a position to the end of its chunk, as they were stored. gzip's own checksum guards each chunk.
 * @throws Error when the file is missing or damaged.
 */
export async function readArchiveChunk(
  folder: string,
  segment: ArchivedSegment,
  from: Position,
): Promise<RecordedEvent[]> {
  const at = Math.floor((from - segment.first_pos) / segment.chunk_events);
  const begin = segment.chunk_offsets[at];
  if (begin === undefined) throw new RangeError(`Position ${String(from)} is not in ${segment.file}.`);
  const source = await open(path.join(folder, segment.file), "r");
  try {
    const end = segment.chunk_offsets[at + 1] ?? (await source.stat()).size;
    const lines = (await decompress(await read(source, begin, end - begin)))
      .toString("utf8")
      .trimEnd()
      .split("\n");
    return lines.map((line) => JSON.parse(line) as RecordedEvent).filter(({ position }) => position >= from);
  } finally {
    await source.close();
  }
}

async function read(source: FileHandle, begin: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await source.read(Buffer.alloc(length), 0, length, begin);
  return buffer.subarray(0, bytesRead);
}

/** A rename is durable once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
