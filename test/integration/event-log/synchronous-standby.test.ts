import { randomUUID } from "node:crypto";
import { Pool } from "pg";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { command, name, unit } from "../../support/event-log.fixture";
import { QuietLogger } from "../../support/quiet-logger";
import { startSynchronousPair, type SynchronousPair } from "../../support/synchronous-pair";

let pair: SynchronousPair;
let log: PostgresEventLog;
let other: PostgresEventLog;

const open = (): Promise<PostgresEventLog> =>
  createEventLog({ connection: pair.primary.connection, logger: new QuietLogger() });

beforeAll(async () => {
  pair = await startSynchronousPair();
  [log, other] = [await open(), await open()];
});
afterEach(() => {
  pair.standby.thaw();
});
afterAll(async () => {
  await log.close();
  await other.close();
  await pair.stop();
});

it("a batch of unknown outcome that is found again waits for the standby, like the first time", async () => {
  await pair.standby.freeze();
  const stream = name();
  const appended = log.append(unit({ [stream]: { at: 0 } }));
  expect(await pair.outcome(appended)).toBe("waits");
  await pair.standby.cutWaiting();
  // Committed here, so it is found; acknowledged it may not be, however often it is cut.
  expect(await pair.outcome(appended)).toBe("waits");
  await pair.standby.cutWaiting();
  expect(await pair.outcome(appended)).toBe("waits");
  expect(await other.readStream(stream)).toHaveLength(1);
  pair.standby.thaw();
  expect(await appended).toMatchObject({ status: "committed" });
  expect(await log.readStream(stream)).toHaveLength(1);
});

it("an answer that is found waits for the standby, and one that is not does not", async () => {
  await pair.standby.freeze();
  const once = command();
  const appended = log.append(unit({ [name()]: { at: 0 } }, { commands: [once] }));
  expect(await pair.outcome(appended)).toBe("waits");
  await pair.standby.cutWaiting();
  expect(await pair.outcome(appended)).toBe("waits");
  expect(await other.findAnswers([randomUUID()])).toEqual([]);
  const found = other.findAnswers([once.id]);
  expect(await pair.outcome(found, { like: /pg_logical_emit_message/ })).toBe("waits");
  pair.standby.thaw();
  expect(await found).toMatchObject([{ id: once.id }]);
  await appended;
});

it("a barrier is passed once for all who wait, and not by one that began before they came", async () => {
  await pair.standby.freeze();
  const first = other.durable();
  expect(await pair.outcome(first)).toBe("waits");
  const later = [other.durable(), other.durable(), other.durable()];
  expect(new Set(later).size).toBe(1);
  expect(later[0]).not.toBe(first);
  pair.standby.thaw();
  await Promise.all([first, ...later]);
  await other.durable();
});

it("a commit that is told to wait no longer is not acknowledged", async () => {
  await pair.standby.freeze();
  const pool = pair.primary.pool;
  const inserted = pool.query("insert into es.job_run (name) values ('cancelled')");
  expect(await pair.outcome(inserted)).toBe("waits");
  await pair.primary.pool.query(CANCEL);
  await expect(inserted).rejects.toThrow(/^Connection terminated/);

  const appended = log.append(unit({ [name()]: { at: 0 } }));
  expect(await pair.outcome(appended)).toBe("waits");
  await pair.primary.pool.query(CANCEL);
  // Asked again, and waiting again.
  expect(await pair.outcome(appended)).toBe("waits");
  pair.standby.thaw();
  expect(await appended).toMatchObject({ status: "committed" });
});

it("what a server brings back from its crash is not acknowledged while its standby is away", async () => {
  await pair.standby.freeze();
  const [stream, once] = [name(), command()];
  const appended = log.append(unit({ [stream]: { at: 0 } }, { commands: [once] })).catch(() => "given up");
  expect(await pair.outcome(appended)).toBe("waits");
  const { pid } = pair.primary.cluster;
  process.kill(pid ?? Number.NaN, "SIGKILL");
  await pair.primary.cluster.start();
  // Recovered from its own WAL, for everybody to see.
  const pool = new Pool(pair.primary.connection);
  const { rows } = await pool.query("select from es.stream where stream_id = $1", [stream]);
  expect(rows).toHaveLength(1);
  await pool.end();
  const found = other.findAnswers([once.id]);
  const again = other.append(unit({ [stream]: { at: 0 } }, { commands: [once] }));
  expect(await pair.outcome(Promise.race([found, again]))).toBe("waits");
  pair.standby.thaw();
  expect(await found).toMatchObject([{ id: once.id }]);
  expect(await again).toMatchObject({ status: "duplicate" });
  await appended;
});

const CANCEL = "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";
