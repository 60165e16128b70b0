import type { RecordedEvent } from "../../mixins/event-log/event-log";
import { createEventLog } from "../../mixins/event-log/postgres-event-log";
import { name, TERMINATE, unit, type Logs } from "./event-log.fixture";
import { eventually } from "./eventually";

/** What readers get: wake-ups, hints, shapes, snapshots, partitions. */
export function readingSuite({ database, open }: Logs): void {
  describe("wake-ups", () => {
    it("reach listeners here and in other logs, and stop when told to", async () => {
      const [here, there] = [await open(), await open()];
      const heard = { here: 0, there: 0, stopped: 0 };
      here.onAppended(() => (heard.here += 1));
      there.onAppended(() => (heard.there += 1));
      here.onAppended(() => (heard.stopped += 1))();
      await here.append(unit({ [name()]: { at: 0 } }));
      await eventually(() => {
        expect(heard).toEqual({ here: 1, there: 1, stopped: 0 });
      });
    });

    it("come once more after the listening connection broke, for what was missed", async () => {
      const [here, there] = [await open(), await open()];
      let heard = 0;
      there.onAppended(() => (heard += 1));
      await database().pool.query(TERMINATE, ["forno event log: listen"]);
      await eventually(() => {
        expect(heard).toBeGreaterThan(0);
      });
      const before = heard;
      await here.append(unit({ [name()]: { at: 0 } }));
      await eventually(() => {
        expect(heard).toBeGreaterThan(before);
      });
    });

    it("hand over what this log committed, as a reader would get it", async () => {
      const [here, there] = [await open(), await open()];
      const batches: (readonly RecordedEvent[])[] = [];
      const before = await here.head();
      here.onCommitted((events) => batches.push(events));
      here.onCommitted(() => {
        throw new Error("a listener's own trouble");
      });
      await there.append(unit({ [name()]: { at: 0 } }));
      await Promise.all([
        here.append(unit({ [name()]: { at: 0, events: 2 } }, { meta: { actor: "me" } })),
        here.append(unit({ [name()]: { at: 3 } })),
        here.append(unit({ [name()]: { at: 0 } })),
      ]);
      expect(batches.flat()).toEqual(await here.readAll(before + 1, 10));
      expect(batches.flat()).toHaveLength(3);
    });
  });

  it("brings old events to today's shape, wherever they are read", async () => {
    const upcasters = [
      {
        type: "test.done",
        from_schema_v: 2,
        upcast: (data: unknown) => ({ ...(data as object), third: true }),
      },
      {
        type: "test.done",
        from_schema_v: 1,
        upcast: (data: unknown) => ({ ...(data as object), second: true }),
      },
    ];
    const log = await open({ upcasters });
    const committed: RecordedEvent[] = [];
    log.onCommitted((events) => committed.push(...events));
    const [stream, before] = [name(), await log.head()];
    await log.append(unit({ [stream]: { at: 0 } }));
    const [event] = await log.readStream(stream);
    expect(event).toMatchObject({ schema_v: 3, data: { n: 0, second: true, third: true } });
    expect(await log.readAll(before, 1)).toEqual([event]);
    expect(committed).toEqual([event]);
  });

  it("keeps the newest snapshot of a stream, and none in a shape that the reader does not know", async () => {
    const log = await open();
    const stream_id = name();
    expect(await log.loadSnapshot(stream_id, 1)).toBeUndefined();
    await log.saveSnapshot({ stream_id, version: 10, schema_v: 1, state: { sum: 10 } });
    await log.saveSnapshot({ stream_id, version: 7, schema_v: 1, state: { sum: 7 } });
    expect(await log.loadSnapshot(stream_id, 1)).toEqual({
      stream_id,
      version: 10,
      schema_v: 1,
      state: { sum: 10 },
    });
    await log.saveSnapshot({ stream_id, version: 8, schema_v: 2, state: { total: 8 } });
    expect(await log.loadSnapshot(stream_id, 1)).toBeUndefined();
    expect(await log.loadSnapshot(stream_id, 2)).toMatchObject({ version: 8 });
  });

  it("says so when the database is not there", async () => {
    const connection = { ...database().connection, host: "/nowhere" };
    await expect(createEventLog({ connection, logger: { warn: () => undefined } })).rejects.toMatchObject({
      type: "log.unavailable",
    });
  });

  it("takes nothing more once it is closed, and finishes what it took", async () => {
    const log = await open();
    const taken = log.append(unit({ [name()]: { at: 0 } }));
    const closed = log.close();
    await expect(log.append(unit({ [name()]: { at: 0 } }))).rejects.toMatchObject({ type: "log.closed" });
    expect(await taken).toMatchObject({ status: "committed" });
    await closed;
  });

  it("rolls over to further partitions, also in the middle of a unit that is larger than one", async () => {
    const log = await open();
    const [stream, before] = [name(), await log.head()];
    for (let at = 0; at < 60; at += 3) await log.append(unit({ [stream]: { at, events: 3 } }));
    expect(await log.append(unit({ [stream]: { at: 60, events: 100 } }))).toMatchObject({
      status: "committed",
    });
    expect((await log.readStream(stream, 25)).map(({ version }) => version)).toEqual(
      Array.from({ length: 135 }, (_, n) => n + 26),
    );
    expect(await log.readAll(before, 160)).toHaveLength(160);
  });
}
