import { randomUUID } from "node:crypto";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { eventually } from "../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { signalTree } from "../../support/process-tree";
import { QuietLogger } from "../../support/quiet-logger";

/** Callers hear by then that nobody answers. */
const SAY_SO_MS_MAX = 3_000;
/** Longer than a silent server is waited for. */
const SLOW_MS = 4_000;

let database: TestDatabase;
let log: PostgresEventLog;

beforeAll(async () => {
  database = await startTestDatabase();
  log = await createEventLog({ connection: database.connection, logger: new QuietLogger() });
});
afterAll(async () => {
  await log.close();
  await database.stop();
});

const append = (stream_id: string) =>
  log.append({
    streams: [
      { stream_id, stream_type: "test", expected_version: 0, events: [{ type: "test.done", data: {} }] },
    ],
    commands: [{ id: randomUUID(), fingerprint: "", answer: {} }],
    meta: {},
  });

async function failing(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await expect(work()).rejects.toMatchObject({ type: "log.unavailable" });
  return performance.now() - begun;
}

test("a server that is slow but alive is waited for", async () => {
  const session = await database.pool.connect();
  await session.query("begin; select pg_advisory_xact_lock(7461, 0)");
  setTimeout(() => {
    void session.query("commit").finally(() => {
      session.release();
    });
  }, SLOW_MS);
  const begun = performance.now();
  expect(await append("slow")).toMatchObject({ status: "committed" });
  expect(performance.now() - begun).toBeGreaterThan(SLOW_MS / 2);
});

test("a server that hangs is told soon, for writes and for reads, and all goes on when it wakes up", async () => {
  await append("before");
  const postgres = database.cluster.pid ?? Number.NaN;
  signalTree(postgres, "SIGSTOP");
  try {
    expect(await failing(() => append("hanging"))).toBeLessThan(SAY_SO_MS_MAX);
    expect(await failing(() => log.head())).toBeLessThan(SAY_SO_MS_MAX);
    expect(await failing(() => append("still-hanging"))).toBeLessThan(SAY_SO_MS_MAX);
  } finally {
    signalTree(postgres, "SIGCONT");
  }
  await eventually(async () => {
    expect(await append(`after-${randomUUID()}`)).toMatchObject({ status: "committed" });
  });
});

test("a server that is gone is told soon", async () => {
  await database.cluster.stop();
  try {
    expect(await failing(() => append("gone"))).toBeLessThan(SAY_SO_MS_MAX);
  } finally {
    await database.cluster.start();
  }
  expect(await append("back")).toMatchObject({ status: "committed" });
});
