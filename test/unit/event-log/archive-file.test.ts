import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  CHUNK_EVENTS,
  readArchiveChunk,
  sha256Of,
  writeArchiveFile,
  type ArchivedSegment,
} from "../../../mixins/event-log/archive-file";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";

const FIRST = 1_001;
const LAST = FIRST + 2 * CHUNK_EVENTS + 499;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "forno-archive-file-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const event = (position: number): RecordedEvent => ({
  position,
  partition: 3,
  stream_id: "order-1",
  stream_type: "order",
  version: position,
  event_id: "00000000-0000-8000-a000-000000000001",
  type: "order.placed",
  schema_v: 1,
  data: { name: "Маргарита\n" },
  meta: {},
  recorded_at: "2026-01-01T00:00:00Z",
});
const range = (after: number, limit: number): Promise<RecordedEvent[]> =>
  Promise.resolve(Array.from({ length: limit }, (_, n) => event(after + n + 1)));
const write = (): Promise<ArchivedSegment> =>
  writeArchiveFile(folder, { first_pos: FIRST, last_pos: LAST }, range);

it("gives back every event, beginning anywhere, chunk by chunk", async () => {
  const segment = await write();
  expect(segment.chunk_offsets).toHaveLength(3);
  for (const from of [FIRST, FIRST + 7, FIRST + CHUNK_EVENTS - 1, FIRST + CHUNK_EVENTS, LAST - 1, LAST]) {
    const end = Math.min(LAST, FIRST + (Math.floor((from - FIRST) / CHUNK_EVENTS) + 1) * CHUNK_EVENTS - 1);
    expect(await readArchiveChunk(folder, segment, from)).toEqual(await range(from - 1, end - from + 1));
  }
  await expect(readArchiveChunk(folder, segment, LAST + CHUNK_EVENTS)).rejects.toThrow("is not in");
});

it("makes the same bytes of the same events", async () => {
  const segment = await write();
  expect(await sha256Of(path.join(folder, segment.file))).toBe(segment.sha256);
  expect(await write()).toEqual(segment);
});

it("gives a file its name only when it is whole", async () => {
  const short = (after: number, limit: number): Promise<RecordedEvent[]> =>
    range(after, after > FIRST ? limit - 1 : limit);
  await expect(writeArchiveFile(folder, { first_pos: FIRST, last_pos: LAST }, short)).rejects.toThrow("gap");
  expect(readdirSync(folder).filter((file) => !file.endsWith(".part"))).toEqual([]);
});
