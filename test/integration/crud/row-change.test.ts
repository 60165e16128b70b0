import { randomUUID } from "node:crypto";
import type { PoolClient } from "pg";
import type { CommandIdentity } from "../../../mixins/contract/caller";
import { refuse } from "../../../mixins/contract/refusal";
import { changeRows, type RowChange } from "../../../mixins/crud/row-change";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { eventually } from "../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

jest.setTimeout(60_000);

let database: TestDatabase;
let log: PostgresEventLog;

beforeAll(async () => {
  database = await startTestDatabase();
  await database.pool.query(
    "create table lamp (lamp_id text primary key, name text not null unique, version integer not null)",
  );
  log = await createEventLog({ connection: database.connection, logger: { warn: () => undefined } });
}, 60_000);

afterAll(async () => {
  await log.close();
  await database.stop();
});

const identity = (id: string = randomUUID()): CommandIdentity => ({ id, fingerprint: "f" });
const nameOf = async (lamp_id: string): Promise<unknown> =>
  (await database.pool.query<{ name: string }>("select name from lamp where lamp_id = $1", [lamp_id])).rows[0]
    ?.name;

/** Puts a lamp up under a name, or renames it. */
const put =
  (lamp_id: string, name: string) =>
  async (tx: PoolClient): Promise<RowChange> => {
    const { rows } = await tx.query<{ version: number }>("select version from lamp where lamp_id = $1", [
      lamp_id,
    ]);
    const version = rows[0]?.version ?? 0;
    await tx.query(
      "insert into lamp values ($1, $2, $3) on conflict (lamp_id) do update set name = excluded.name, version = excluded.version",
      [lamp_id, name, version + 1],
    );
    const stream = {
      stream_id: `lamp-${lamp_id}`,
      stream_type: "lamp",
      expected_version: version,
      events: [{ type: "lamp.named", data: { name } }],
    };
    return { streams: [stream], meta: {}, answer: { lamp_id, name } };
  };

it("commits the row and its event together, and wakes the log's listeners", async () => {
  const id = randomUUID();
  let woken = 0;
  const stop = log.onAppended(() => (woken += 1));
  const outcome = await changeRows({ pool: database.pool, log }, identity(), put(id, `hall ${id}`));
  expect(outcome).toEqual({
    answer: { lamp_id: id, name: `hall ${id}` },
    position: await log.head(),
    replayed: false,
  });
  expect(await nameOf(id)).toBe(`hall ${id}`);
  expect(await log.readStream(`lamp-${id}`)).toMatchObject([{ version: 1, type: "lamp.named" }]);
  await eventually(() => {
    expect(woken).toBe(1);
  });
  stop();
});

it("gives a repeated command its first answer and leaves the row as it has become", async () => {
  const [id, first] = [randomUUID(), identity()];
  await changeRows({ pool: database.pool, log }, first, put(id, `a ${id}`));
  await changeRows({ pool: database.pool, log }, identity(), put(id, `b ${id}`));
  const again = await changeRows({ pool: database.pool, log }, first, put(id, `a ${id}`));
  expect(again).toMatchObject({ answer: { name: `a ${id}` }, replayed: true });
  expect(await nameOf(id)).toBe(`b ${id}`);
  expect(
    await changeRows({ pool: database.pool, log }, { ...first, fingerprint: "other" }, put(id, "x")),
  ).toMatchObject({ code: "idempotency.key_reused" });
});

it("does a command once that comes many times at the same moment", async () => {
  const [id, same] = [randomUUID(), identity()];
  const outcomes = await Promise.all(
    Array.from({ length: 6 }, () => changeRows({ pool: database.pool, log }, same, put(id, `once ${id}`))),
  );
  expect(outcomes.filter((outcome) => !("refused" in outcome) && !outcome.replayed)).toHaveLength(1);
  expect(await log.readStream(`lamp-${id}`)).toHaveLength(1);
});

it("does the work anew when somebody else wrote the stream in between, so that no change is lost", async () => {
  const id = randomUUID();
  await changeRows({ pool: database.pool, log }, identity(), put(id, `start ${id}`));
  const rename = put(id, `mine ${id}`);
  let attempts = 0;
  const outcome = await changeRows({ pool: database.pool, log }, identity(), async (tx) => {
    if ((attempts += 1) === 1) {
      const change = await rename(tx);
      // Another node appends to the stream while this one has not come to its own append yet.
      const [stream] = change.streams;
      await log.append({
        streams: stream === undefined ? [] : [{ ...stream, events: [{ type: "lamp.lit", data: {} }] }],
        commands: [],
        meta: {},
      });
      return change;
    }
    const { rows } = await tx.query<{ version: number }>(
      "select version from es.stream where stream_id = $1",
      [`lamp-${id}`],
    );
    const change = await rename(tx);
    return {
      ...change,
      streams: change.streams.map((stream) => ({ ...stream, expected_version: rows[0]?.version ?? 0 })),
    };
  });
  expect(attempts).toBe(2);
  expect(outcome).toMatchObject({ replayed: false });
  expect((await log.readStream(`lamp-${id}`)).map(({ type }) => type)).toEqual([
    "lamp.named",
    "lamp.lit",
    "lamp.named",
  ]);
});

it("gives up with a fault when the stream never holds still", async () => {
  const id = randomUUID();
  const head = await log.head();
  const work = async (tx: PoolClient): Promise<RowChange> => {
    const change = await put(id, `x ${id}`)(tx);
    return { ...change, streams: change.streams.map((stream) => ({ ...stream, expected_version: 9 })) };
  };
  await expect(changeRows({ pool: database.pool, log }, identity(), work)).rejects.toMatchObject({
    type: "log.contended",
  });
  expect(await nameOf(id)).toBeUndefined();
  expect(await log.head()).toBe(head);
});

it("undoes the rows when the work refuses or fails", async () => {
  const id = randomUUID();
  const refused = await changeRows({ pool: database.pool, log }, identity(), async (tx) => {
    await put(id, `no ${id}`)(tx);
    return refuse("conflict", "lamp.broken", "This lamp is broken.");
  });
  expect(refused).toMatchObject({ code: "lamp.broken" });
  const failing = changeRows({ pool: database.pool, log }, identity(), async (tx) => {
    await put(id, `no ${id}`)(tx);
    throw new Error("connection of ideas lost");
  });
  await expect(failing).rejects.toThrow("connection of ideas lost");
  expect(await nameOf(id)).toBeUndefined();
});

it("lets a row that is in the way every time through as the work's own mistake", async () => {
  const [one, other] = [randomUUID(), randomUUID()];
  await changeRows({ pool: database.pool, log }, identity(), put(one, `taken ${one}`));
  await expect(
    changeRows({ pool: database.pool, log }, identity(), put(other, `taken ${one}`)),
  ).rejects.toMatchObject({ code: "23505" });
});

it("refuses to append in a transaction that cannot see the newest state", async () => {
  const tx = await database.pool.connect();
  await tx.query("begin isolation level repeatable read");
  const append = log.appendIn(tx, { streams: [], commands: [{ ...identity(), answer: null }], meta: {} });
  await expect(append).rejects.toThrow(/READ COMMITTED/);
  await tx.query("rollback");
  tx.release();
});
