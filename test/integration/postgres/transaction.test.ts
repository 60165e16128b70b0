import { once } from "node:events";
import type { PoolClient } from "pg";
import { changeRows } from "../../../mixins/crud/row-change";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { inTransaction } from "../../../mixins/postgres/transaction";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

describe("a connection that the server cuts in the middle of a transaction", () => {
  let database: TestDatabase;
  let log: PostgresEventLog;

  beforeAll(async () => {
    database = await startTestDatabase();
    log = await createEventLog({ connection: database.connection });
  });

  afterAll(async () => {
    await log.close();
    await database.stop();
  });

  /** Cuts the connection while no statement is under way on it, and waits until it knows. */
  async function cut(tx: PoolClient): Promise<void> {
    const { rows } = await tx.query<{ pid: number }>("select pg_backend_pid() as pid");
    const ended = once(tx, "end");
    await database.pool.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
    await ended;
  }

  const works = async (): Promise<number | undefined> =>
    (await database.pool.query<{ one: number }>("select 1 as one")).rows[0]?.one;

  it("fails that transaction, not the process", async () => {
    const broken = inTransaction(database.pool, async (tx) => {
      await cut(tx);
      await tx.query("select 1");
    });
    await expect(broken).rejects.toThrow();
    expect(await works()).toBe(1);
  });

  it("fails that change of rows, not the process", async () => {
    const identity = { id: "018f0000-0000-7000-8000-000000000001", fingerprint: "x" };
    const broken = changeRows({ pool: database.pool, log }, identity, async (tx) => {
      await cut(tx);
      await tx.query("select 1");
      return { streams: [], meta: {}, answer: null };
    });
    await expect(broken).rejects.toMatchObject({ name: "UnavailableError" });
    expect(await works()).toBe(1);
  });
});
