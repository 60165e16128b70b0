import { randomUUID } from "node:crypto";
import { markOf, type LogMark } from "../../../mixins/event-log/lineage";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { Checkpoint, FencedError } from "../../../mixins/projection/checkpoint";
import { write } from "../../support/event-feed.suite";
import { putLogBack } from "../../support/log-going-back";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { QuietLogger } from "../../support/quiet-logger";

let database: TestDatabase;
let log: PostgresEventLog;
let checkpoint: Checkpoint;
/** Of the events before the log went back to 3, by their positions. */
let marks: LogMark[];

beforeAll(async () => {
  database = await startTestDatabase();
  log = await createEventLog({ connection: database.connection, logger: new QuietLogger() });
});
afterAll(async () => {
  await log.close();
  await database.stop();
});
beforeEach(async () => {
  await putLogBack(database.pool, 0);
  await log.lineage.look();
  for (let n = 0; n < 6; n += 1) await write(log, 1);
  checkpoint = await Checkpoint.load(database.pool, `test-${randomUUID()}`);
  const events = await log.readAll(0, 10);
  marks = [{ position: 0, event_id: undefined, recorded_at: undefined }, ...events.map(markOf)];
});

const at = (position: number): LogMark => marks[position] as LogMark;
async function goBack(): Promise<void> {
  await putLogBack(database.pool, 3);
  await log.lineage.look();
  for (let n = 0; n < 5; n += 1) await write(log, 1);
}
const now = async (position: number): Promise<LogMark> => (await log.lineage.markAt(position)) as LogMark;

test("moves over events that the log holds, and knows the one it stands at", async () => {
  await checkpoint.move(database.pool, at(4), at(0));
  const loaded = await Checkpoint.load(database.pool, checkpoint.name);
  expect(loaded.position).toBe(4);
  expect(loaded.mark.event_id).toBe(at(4).event_id);
  expect(loaded.diverged).toBe(false);
});

test("does not move to an event that the log does not hold", async () => {
  await goBack();
  await expect(checkpoint.move(database.pool, at(5), at(0))).rejects.toBeInstanceOf(FencedError);
  await checkpoint.move(database.pool, await now(5), at(3));
});

test("does not move over a lost event, although the one that it moves to is there", async () => {
  await goBack();
  await expect(checkpoint.move(database.pool, await now(8), at(6))).rejects.toBeInstanceOf(FencedError);
  expect((await Checkpoint.load(database.pool, checkpoint.name)).position).toBe(0);
});

test("an event with the same id and another time is another event", async () => {
  const other = { ...at(5), recorded_at: at(4).recorded_at };
  await expect(checkpoint.move(database.pool, other, at(0))).rejects.toBeInstanceOf(FencedError);
  await checkpoint.move(database.pool, at(5), at(0));
});

test("does not move a row that stands at the same position of another history", async () => {
  await checkpoint.move(database.pool, at(5), at(0));
  checkpoint.moved(at(5));
  await goBack();
  await database.pool.query("update es.checkpoint set event_id = $2, recorded_at = $3 where name = $1", [
    checkpoint.name,
    (await now(5)).event_id,
    (await now(5)).recorded_at,
  ]);
  await expect(checkpoint.move(database.pool, await now(8), await now(5))).rejects.toBeInstanceOf(
    FencedError,
  );
});

test("has diverged where its event is another one, or beyond the log's end, until it is put elsewhere", async () => {
  await checkpoint.move(database.pool, at(6), at(0));
  await putLogBack(database.pool, 3);
  await checkpoint.reload(database.pool);
  expect(checkpoint.diverged).toBe(true);
  expect(await Checkpoint.diverged(database.pool)).toContain(checkpoint.name);
  await checkpoint.put(database.pool, 2);
  await checkpoint.reload(database.pool);
  expect([checkpoint.position, checkpoint.diverged]).toEqual([2, false]);
});
