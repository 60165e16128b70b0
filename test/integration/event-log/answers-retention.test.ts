import { randomUUID } from "node:crypto";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { hasSystemPostgres, startTestDatabase, type TestDatabase } from "../../support/postgres";

const DAY_MS = 86_400_000;
const servers = ["embedded", ...(hasSystemPostgres() ? (["system"] as const) : [])] as const;

describe.each(servers)("answers on the %s PostgreSQL", (server) => {
  let database: TestDatabase;
  let log: PostgresEventLog;

  beforeEach(async () => {
    database = await startTestDatabase({ server });
    log = await createEventLog({ connection: database.connection, answer_days: 30 });
  });
  afterEach(async () => {
    await log.close();
    await database.stop();
  });

  const done = async (id: string) =>
    log.append({
      streams: [
        {
          ...{ stream_id: `thing-${randomUUID()}`, stream_type: "thing", expected_version: 0 },
          events: [{ type: "thing.done", data: {} }],
        },
      ],
      commands: [{ id, fingerprint: "f", answer: { id } }],
      meta: {},
    });
  /** As if everything so far had happened so many days earlier: what a clock would bring, with no clock to wait for. */
  const age = async (days: number): Promise<void> => {
    await database.pool.query(
      `do $$
       declare part record; sql text;
       begin
         for part in select * from es.command_partition order by until_at loop
           execute format('alter table es.command detach partition es.%I', part.table_name);
           execute format('update es.%I set answered_at = answered_at - interval ''${String(days)} days''', part.table_name);
           execute format('alter table es.command attach partition es.%I for values from (%s) to (%L)', part.table_name,
             case when part.from_at = '-infinity' then 'minvalue' else quote_literal(part.from_at - interval '${String(days)} days') end,
             part.until_at - interval '${String(days)} days');
           -- Its name tells the day that it began on, which another may have by then.
           execute format('alter table es.%I rename to %I', part.table_name, part.table_name || '_');
           update es.command_partition set table_name = part.table_name || '_' where table_name = part.table_name;
         end loop;
         update es.command_partition set from_at = from_at - interval '${String(days)} days', until_at = until_at - interval '${String(days)} days';
       end $$`,
    );
    await log.ensurePartitions();
  };
  const drop = async (days: number): Promise<number> =>
    (await database.pool.query("select es.drop_commands($1)", [new Date(Date.now() - days * DAY_MS)]))
      .rowCount ?? 0;
  const parts = async (): Promise<number> =>
    (await database.pool.query("select from pg_inherits where inhparent = 'es.command'::regclass"))
      .rowCount ?? 0;

  it("are found in whichever partition they lie, and keep a command from being done again", async () => {
    const ids: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const id = randomUUID();
      ids.push(id);
      expect((await done(id)).status).toBe("committed");
      await age(25);
    }
    expect((await log.findAnswers(ids)).map(({ id }) => id).sort()).toEqual([...ids].sort());
    for (const id of ids)
      expect(await done(id)).toMatchObject({ status: "duplicate", answers: [{ id, answer: { id } }] });
  });

  it("go with their partition when all in it are older than asked for, and never sooner", async () => {
    const [old, recent] = [randomUUID(), randomUUID()];
    await done(old);
    await age(45);
    await done(recent);
    expect(await drop(60)).toBe(0);
    expect(await drop(30)).toBe(1);
    expect((await log.findAnswers([old, recent])).map(({ id }) => id)).toEqual([recent]);
  });

  it("stay while a process has still to pass their commands", async () => {
    const id = randomUUID();
    await done(id);
    await database.pool.query("insert into es.checkpoint (name, partition, pos) values ('process', -1, 0)");
    await age(90);
    await drop(30);
    expect(await log.findAnswers([id])).toHaveLength(1);
    await database.pool.query("update es.checkpoint set pos = 1");
    await drop(30);
    expect(await log.findAnswers([id])).toEqual([]);
  });

  it("lie in few partitions, however long the chain runs", async () => {
    for (let days = 0; days < 400; days += 10) {
      await done(randomUUID());
      await age(10);
      await drop(30);
      expect(await parts()).toBeLessThanOrEqual(4);
    }
  });

  it("get a place by themselves when today has none", async () => {
    await database.pool.query(
      "do $$ declare part text; begin for part in delete from es.command_partition returning table_name loop execute format('drop table es.%I', part); end loop; end $$",
    );
    const id = randomUUID();
    expect((await done(id)).status).toBe("committed");
    expect(await log.findAnswers([id])).toHaveLength(1);
  });
});
