import { randomUUID } from "node:crypto";
import { feedProbe } from "../../../mixins/event-feed/feed-health";
import { LogFeed } from "../../../mixins/event-feed/log-feed";
import { logCondition } from "../../../mixins/event-log/log-condition";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import type { HealthFinding } from "../../../mixins/health/health-probes";
import { logProbe } from "../../../services/ops/health";
import { QuietLogger } from "../../support/quiet-logger";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

/** Sooner than any client gives up, and far sooner than the log gives up on a server that is away. */
const QUICK_MS = 3_000;

describe("a log whose database lacks something", () => {
  let database: TestDatabase;
  let log: PostgresEventLog;

  beforeEach(async () => {
    database = await startTestDatabase();
    log = await createEventLog({ connection: database.connection, partition_events: 10 });
  });
  afterEach(async () => {
    await log.close();
    await database.stop();
  });

  const write = (events: number) =>
    log.append({
      streams: [
        {
          ...{ stream_id: `thing-${randomUUID()}`, stream_type: "thing", expected_version: 0 },
          events: Array.from({ length: events }, () => ({ type: "thing.done", data: {} })),
        },
      ],
      commands: [],
      meta: {},
    });
  const sql = (text: string) => database.pool.query(text);
  const partOf = async (position: number): Promise<string> =>
    (
      await database.pool.query<{ table_name: string }>(
        "select table_name from es.segment where $1 between first_pos and last_pos",
        [position],
      )
    ).rows[0]?.table_name ?? "";
  const health = (): Promise<HealthFinding> => logProbe(log, database.pool).probe();
  const refusal = async (): Promise<string> => {
    const begun = performance.now();
    const said = await write(1).then(
      ({ status }) => status,
      (error: unknown) => (error as Error).message,
    );
    expect(performance.now() - begun).toBeLessThan(QUICK_MS);
    return said;
  };

  it("is whole and up as it is made", async () => {
    await write(25);
    expect(await logCondition(database.pool)).toEqual({ head: 25, complaint: undefined });
    expect(await health()).toEqual({ status: "up", position: 25 });
  });

  it("says which partition is not attached, and attaches it again with what it holds", async () => {
    await write(5);
    await sql(`alter table es.event detach partition es.${await partOf(5)}`);
    expect(await health()).toMatchObject({
      status: "degraded",
      detail: expect.stringContaining("positions 1 to 5") as string,
    });
    expect(await refusal()).toBe("committed");
    expect((await log.readAll(0, 10)).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await health()).toEqual({ status: "up", position: 6 });
  });

  it("makes a partition anew that held nothing yet", async () => {
    await write(10);
    const part = await partOf(11);
    await sql(`drop table es.${part}`);
    expect(await health()).toMatchObject({
      status: "degraded",
      detail: expect.stringContaining("position 11") as string,
    });
    expect(await refusal()).toBe("committed");
    expect(await health()).toEqual({ status: "up", position: 11 });
  });

  it("writes nothing behind positions that are lost, says so at once, and what to do", async () => {
    await write(5);
    await sql(`drop table es.${await partOf(5)}`);
    expect(await refusal()).toBe(
      "A part of the event log is missing, nothing was written; see the health report.",
    );
    expect(await health()).toMatchObject({
      status: "down",
      detail:
        "The partition with positions 1 to 5 of the event log is not attached: attach it to es.event, or restore it from a backup.",
    });
  });

  it("names an older partition that is gone, and a newest event that is", async () => {
    await write(25);
    const part = await partOf(12);
    await sql(`alter table es.event detach partition es.${part}`);
    expect((await health())["detail"]).toContain("positions 11 to 20");
    await sql(`alter table es.event attach partition es.${part} for values from (11) to (21)`);
    await sql("delete from es.event where pos = 25");
    expect((await health())["detail"]).toContain("Position 25, the newest of the event log, is missing");
  });

  it("names a position in the middle that whoever follows the log has not found", async () => {
    await write(5);
    await sql("delete from es.event where pos = 3");
    const feed = new LogFeed({ log, logger: new QuietLogger() });
    const handle = feed.subscribe({
      ...{ name: "follower", after: 0, onBatch: () => Promise.resolve() },
      wentBack: () => Promise.resolve(0),
    });
    await expect(handle.reached(5, 10_000)).rejects.toThrow("no event at position 3");
    expect(await feedProbe(feed, log).probe()).toMatchObject({
      status: "degraded",
      detail: expect.stringContaining("no event at position 3") as string,
    });
    await handle.stop();
  });

  it("answers within a second or two while the disk is full, at once to who comes then, and goes on when there is room", async () => {
    await sql(`create function full_disk() returns trigger language plpgsql as $$
      begin raise 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$`);
    await sql(
      "create trigger full_disk before insert on es.stream for each statement execute function full_disk()",
    );
    const said = "The disk of the event log is full, nothing was written; free some space, then try again.";
    expect(await refusal()).toBe(said);
    const begun = performance.now();
    expect(await refusal()).toBe(said);
    expect(performance.now() - begun).toBeLessThan(500);
    expect(await health()).toMatchObject({
      status: "degraded",
      detail: said,
      failing_s: expect.any(Number) as number,
    });
    await sql("drop trigger full_disk on es.stream");
    expect(await refusal()).toBe("committed");
    expect(await health()).toMatchObject({ status: "up" });
  });
});
