import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { archiveSegments } from "../../../mixins/event-log/archive";
import { sha256Of } from "../../../mixins/event-log/archive-file";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import { KeyRegister } from "../../../mixins/event-log/key-register";
import { personalData } from "../../../mixins/event-log/personal-data";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { tracesInFiles } from "../../support/traces";

jest.setTimeout(60_000);

let database: TestDatabase;
let log: PostgresEventLog;
let folder: string;

const tomorrow = (): Date => new Date(Date.now() + 86_400_000);
const hotTables = async (): Promise<number> =>
  (await database.pool.query("select 1 from pg_inherits where inhparent = 'es.event'::regclass")).rowCount ??
  0;
const tables = async (): Promise<number> =>
  (
    await database.pool.query(
      "select 1 from pg_class where relnamespace = 'es'::regnamespace and relname like 'event_0%' and relkind = 'r'",
    )
  ).rowCount ?? 0;

async function fill(stream_id: string, events: number, at = 0): Promise<void> {
  for (let version = at; version < at + events; version += 5)
    await log.append({
      streams: [
        {
          stream_id,
          stream_type: "test",
          expected_version: version,
          events: Array.from({ length: 5 }, (_, n) => ({ type: "test.done", data: { n, text: "пицца" } })),
        },
      ],
      commands: [],
      meta: { actor: "me" },
    });
}

async function replay(reader: PostgresEventLog, limit: number): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (let batch; (batch = await reader.readAll(events.length, limit)).length > 0;) events.push(...batch);
  return events;
}

beforeEach(async () => {
  database = await startTestDatabase();
  folder = mkdtempSync(path.join(tmpdir(), "forno-archive-"));
  log = await createEventLog({
    connection: database.connection,
    partition_events: 100,
    archive_folder: folder,
  });
}, 60_000);

afterEach(async () => {
  await log.close();
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});

const archive = () => archiveSegments({ connection: database.connection, folder, before: tomorrow() });

it("reads the log and its streams alike before and after old segments went into files", async () => {
  const [long, old] = [randomUUID(), randomUUID()];
  await fill(old, 50);
  await fill(long, 200);
  await fill(randomUUID(), 30);
  const [all, longBefore, oldBefore] = [
    await replay(log, 64),
    await log.readStream(long),
    await log.readStream(old),
  ];
  const archived = await archive();
  expect(archived.map(({ first_pos, last_pos }) => [first_pos, last_pos])).toEqual([
    [1, 100],
    [101, 200],
  ]);
  expect(await replay(log, 64)).toEqual(all);
  expect(await log.readAll(95, 3)).toEqual(all.slice(95, 98));
  expect(await log.readStream(long)).toEqual(longBefore);
  expect(await log.readStream(long, 60)).toEqual(longBefore.slice(60));
  expect(await log.readStream(long, 199)).toEqual(longBefore.slice(199));
  expect(await log.readStream(old)).toEqual(oldBefore);
  expect(await log.readStream(randomUUID())).toEqual([]);
  await fill(long, 20, 200);
  expect(await log.readStream(long)).toHaveLength(220);
});

it("writes files that any tool can read, under the checksum that the log keeps", async () => {
  await fill(randomUUID(), 150);
  const [segment] = await archive();
  expect(readdirSync(folder)).toEqual([segment?.file]);
  const file = path.join(folder, segment?.file ?? "");
  expect(await sha256Of(file)).toBe(segment?.sha256);
  const { rows } = await database.pool.query(
    "select file, sha256 from es.segment where archived_at is not null",
  );
  expect(rows).toEqual([{ file: segment?.file, sha256: segment?.sha256 }]);
  const lines = execFileSync("gzip", ["-dc", file], { encoding: "utf8" }).trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as RecordedEvent).position)).toEqual(
    Array.from({ length: 100 }, (_, n) => n + 1),
  );
});

it("leaves what is not closed, not passed by every checkpoint, or not old enough", async () => {
  await fill(randomUUID(), 250);
  await database.pool.query(
    "insert into es.checkpoint (name, partition, pos) values ('fast', -1, 250), ('slow', 0, 500), ('slow', 1, 150)",
  );
  expect(await archiveSegments({ connection: database.connection, folder, before: new Date(0) })).toEqual([]);
  expect(await archive()).toHaveLength(1);
  await database.pool.query("update es.checkpoint set pos = 250");
  expect(await archive()).toHaveLength(1);
  expect(await archive()).toEqual([]);
});

it("goes on where a run was cut off, whether before or after the partition was detached", async () => {
  await fill(randomUUID(), 350);
  const all = await replay(log, 100);
  writeFileSync(path.join(folder, "events-0000000000000001-0000000000000100.jsonl.gz.part"), "half a file");
  // A process that dies between the steps leaves exactly these states behind.
  const crash = await archiveCutAfterMark();
  expect(crash).toBe(1);
  expect(await replay(log, 100)).toEqual(all);
  const [attached, kept] = [await hotTables(), await tables()];
  expect(await archive()).toHaveLength(2);
  expect([await hotTables(), await tables()]).toEqual([attached - 3, kept - 3]);
  expect(await replay(log, 100)).toEqual(all);
});

/** Archives one segment but keeps its partition: attached again, as before the detaching. */
async function archiveCutAfterMark(): Promise<number> {
  await database.pool.query("create table es.keep as select * from es.event where pos <= 100");
  await database.pool.query("insert into es.checkpoint (name, pos) values ('held', 100)");
  const archived = await archive();
  await database.pool.query("delete from es.checkpoint");
  await database.pool.query(
    "create table es.event_0000000000000001 (like es.event including defaults including constraints)",
  );
  await database.pool.query("insert into es.event_0000000000000001 select * from es.keep");
  await database.pool.query(
    "alter table es.event attach partition es.event_0000000000000001 for values from (1) to (101)",
  );
  await database.pool.query("drop table es.keep");
  return archived.length;
}

it("loses nothing to readers and writers that work while it runs", async () => {
  const streams = [randomUUID(), randomUUID(), randomUUID()];
  const working = new AbortController();
  const writers = Promise.all(streams.map((stream) => fill(stream, 400))).finally(() => {
    working.abort();
  });
  const reader = async (): Promise<void> => {
    for (let after = 0; !working.signal.aborted || after < (await log.head());)
      after += (await log.readAll(after, 37)).length;
  };
  const archivist = async (): Promise<void> => {
    while (!working.signal.aborted) await archive();
  };
  await Promise.all([writers, reader(), reader(), archivist()]);
  const all = await replay(log, 100);
  expect(all).toHaveLength(1_200);
  for (const stream of streams)
    expect((await log.readStream(stream)).map(({ version }) => version)).toEqual(
      Array.from({ length: 400 }, (_, n) => n + 1),
    );
});

it("says so when a file is damaged, or when a node does not know where the files are", async () => {
  await fill(randomUUID(), 150);
  const [segment] = await archive();
  const stranger = await createEventLog({ connection: database.connection, partition_events: 100 });
  await expect(stranger.readAll(0, 10)).rejects.toThrow("archive folder");
  await stranger.close();
  truncateSync(path.join(folder, segment?.file ?? ""), 200);
  await expect(log.readAll(0, 10)).rejects.toThrow("unexpected end of file");
});

it("keeps what is personal sealed in the files, where it is erased with its key", async () => {
  const met = personalData<Met>("guest.met", ["guest"], () => ({ person_id: null, phone: null }));
  const sealing = await createEventLog({
    ...{ connection: database.connection, partition_events: 100, archive_folder: folder },
    personal: [met],
  });
  const stream_id = randomUUID();
  const event: Met = { type: "guest.met", data: { guest: "Zyxwana", cups: 2 } };
  await sealing.append({
    streams: [{ stream_id, stream_type: "test", expected_version: 0, events: [event] }],
    commands: [],
    meta: {},
  });
  await fill(randomUUID(), 150);
  expect(await archive()).not.toEqual([]);
  expect(readdirSync(folder)).not.toEqual([]);
  expect(tracesInFiles(folder, /Zyxw/)).toEqual([]);
  expect(tracesInFiles(folder, /guest\.met/)).not.toEqual([]);
  expect(await sealing.readStream(stream_id)).toMatchObject([{ data: event.data }]);
  const client = await database.pool.connect();
  await new KeyRegister(database.pool).erase(client, [stream_id], randomUUID());
  client.release();
  expect(await sealing.readStream(stream_id)).toMatchObject([{ data: { guest: "erased", cups: 2 } }]);
  await sealing.close();
});

type Met = { readonly type: "guest.met"; readonly data: { readonly guest: string; readonly cups: number } };
