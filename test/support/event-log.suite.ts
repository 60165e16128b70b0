import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { AppendOutcome, AppendUnit, NewEvent, RecordedEvent } from "../../mixins/event-log/event-log";
import { createEventLog, type EventLogOptions, type PostgresEventLog } from "../../mixins/event-log/postgres-event-log";
import { CuttingProxy, type Cut } from "./cutting-proxy";
import { eventually } from "./eventually";
import { startTestDatabase, type TestDatabase } from "./postgres";

jest.setTimeout(60_000);

const quiet = { warn: () => undefined };

const TERMINATE = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like $1";

/** A unit that writes so many events to each stream, at the versions given. */
function unit(streams: Record<string, { at: number; events?: number }>, rest: Partial<AppendUnit> = {}): AppendUnit {
  return {
    streams: Object.entries(streams).map(([stream_id, { at, events = 1 }]) => ({
      stream_id,
      stream_type: "test",
      expected_version: at,
      events: Array.from({ length: events }, (_, n): NewEvent => ({ type: "test.done", data: { n } })),
    })),
    commands: [],
    meta: {},
    ...rest,
  };
}

const command = (id: string = randomUUID(), answer: unknown = { said: id }): AppendUnit["commands"][number] => ({
  id,
  fingerprint: "f",
  answer,
});

const name = (): string => `test-${randomUUID()}`;
const committedAt = (outcome: AppendOutcome | undefined): number => {
  expect(outcome).toMatchObject({ status: "committed" });
  return outcome?.status === "committed" ? outcome.position : Number.NaN;
};

/** What every event log keeps, on every PostgreSQL that Forno runs on. */
export function eventLogSuite(server: "embedded" | "system"): void {
  let database: TestDatabase;
  const opened: { close(): Promise<void> }[] = [];

  /** With partitions so small that every test rolls over. */
  const open = async (options: Partial<EventLogOptions> = {}): Promise<PostgresEventLog> => {
    const log = await createEventLog({ connection: database.connection, logger: quiet, partition_events: 40, ...options });
    opened.push(log);
    return log;
  };

  const openBehindProxy = async (): Promise<{ log: PostgresEventLog; proxy: CuttingProxy }> => {
    const proxy = new CuttingProxy(database.connection, "event log: append");
    const log = await open({ connection: await proxy.start() });
    opened.push({ close: () => proxy.stop() });
    return { log, proxy };
  };

  /** The whole log, which every test leaves without a gap. */
  const everything = async (log: PostgresEventLog): Promise<RecordedEvent[]> => log.readAll(0, await log.head());

  beforeAll(async () => {
    database = await startTestDatabase({ server });
  }, 60_000);

  afterEach(async () => {
    for (const { close } of opened.splice(0).map((it) => ({ close: () => it.close() }))) await close();
  });

  afterAll(() => database.stop());

  describe("append", () => {
    it("gives a stream versions from 1 and the log positions without a gap", async () => {
      const log = await open();
      const [stream, before] = [name(), await log.head()];
      expect(await log.append(unit({ [stream]: { at: 0, events: 2 } }))).toEqual({ status: "committed", position: before + 2 });
      expect(await log.append(unit({ [stream]: { at: 2, events: 1 } }))).toEqual({ status: "committed", position: before + 3 });
      const events = await log.readStream(stream);
      expect(events.map(({ version, position }) => [version, position - before])).toEqual([[1, 1], [2, 2], [3, 3]]);
      expect(await log.readStream(stream, 2)).toEqual(events.slice(2));
      expect(await log.readAll(before, 100)).toEqual(events);
      expect(await log.readAll(before + 1, 1)).toEqual(events.slice(1, 2));
      expect(await log.head()).toBe(before + 3);
    });

    it("keeps an event as it was given", async () => {
      const log = await open();
      const stream_id = name();
      const data = { text: "Ёж \u0000 \ud800 \u001e \n 🍕 \\u0041 '\"", price_minor: 9_007_199_254_740_991, none: null, deep: [{ b: 1, a: [] }] };
      const meta = { actor: "system:test", correlation_id: randomUUID(), traceparent: "00-1-2-01" };
      await log.append({ streams: [{ stream_id, stream_type: "order", expected_version: 0, events: [{ type: "order.placed", schema_v: 3, data }] }], commands: [], meta });
      const [event] = await log.readStream(stream_id);
      expect(event).toMatchObject({ stream_id, stream_type: "order", version: 1, type: "order.placed", schema_v: 3, data, meta });
      expect(Object.keys((event?.data as typeof data).deep[0] ?? {})).toEqual(["b", "a"]);
      expect(event?.event_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(event?.recorded_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    });

    it("refuses a stream at another version, names it, and writes nothing", async () => {
      const log = await open();
      const [one, other] = [name(), name()];
      await log.append(unit({ [one]: { at: 0 } }));
      const before = await log.head();
      for (const at of [0, 2, 7])
        expect(await log.append(unit({ [other]: { at: 0 }, [one]: { at } }))).toEqual({ status: "conflict", stream_id: one });
      expect(await log.head()).toBe(before);
      expect(await log.readStream(other)).toEqual([]);
    });

    it("writes a unit over several streams in order, whole or not at all, beside others in the same batch", async () => {
      const log = await open();
      const [a, b, c, d] = [name(), name(), name(), name()];
      const outcomes = await Promise.all([
        log.append(unit({ [a]: { at: 0, events: 2 }, [b]: { at: 0, events: 3 } })),
        log.append(unit({ [c]: { at: 0 }, [name()]: { at: 1 } }, { commands: [command()] })),
        log.append(unit({ [d]: { at: 0, events: 2 } }, { commands: [command()] })),
      ]);
      const last = committedAt(outcomes[0]);
      expect(outcomes[1]).toMatchObject({ status: "conflict" });
      expect(outcomes[2]).toEqual({ status: "committed", position: last + 2 });
      const written = await log.readAll(last - 5, 10);
      expect(written.map((event) => [event.stream_id, event.version])).toEqual([[a, 1], [a, 2], [b, 1], [b, 2], [b, 3], [d, 1], [d, 2]]);
      expect(await log.readStream(c)).toEqual([]);
    });

    it("commits units of one stream in the order of their calls", async () => {
      const log = await open();
      const stream = name();
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, at) => log.append(unit({ [stream]: { at } }))));
      expect(outcomes.map((outcome) => outcome.status)).toEqual(Array<string>(20).fill("committed"));
    });

    it("keeps positions gapless and versions exclusive when several logs append to the same streams", async () => {
      const logs = await Promise.all([open(), open(), open()]);
      const streams = Array.from({ length: 5 }, name);
      const before = (await logs[0]?.head()) ?? 0;
      const versions = new Map<string, number>();
      await Promise.all(
        logs.flatMap((log, at) =>
          Array.from({ length: 8 }, async (_, caller) => {
            for (let round = 0; round < 15; round += 1) {
              const stream = streams[(at + caller + round) % streams.length] ?? "";
              const outcome = await log.append(unit({ [stream]: { at: versions.get(stream) ?? 0 }, [name()]: { at: 0, events: 2 } }));
              if (outcome.status === "committed") versions.set(stream, Math.max(versions.get(stream) ?? 0, (await log.readStream(stream)).length));
              else versions.set(stream, (await log.readStream(stream)).length);
            }
          }),
        ),
      );
      const [log] = logs;
      const events = (await log?.readAll(before, 1_000_000)) ?? [];
      expect(events.map(({ position }) => position)).toEqual(events.map((_, n) => before + n + 1));
      for (const stream of streams) {
        const own = events.filter((event) => event.stream_id === stream);
        expect(own.map(({ version }) => version)).toEqual(own.map((_, n) => n + 1));
      }
      expect(events.length % 3).toBe(0);
    });

    it("fails only the unit that the database cannot store", async () => {
      const log = await open();
      const [good, alsoGood, bad] = [name(), name(), name()];
      const spoilt: AppendUnit = { ...unit({}), streams: [{ stream_id: bad, stream_type: "test", expected_version: 0, events: [{ type: "t", schema_v: 70_000, data: {} }] }] };
      const outcomes = await Promise.allSettled([log.append(unit({ [good]: { at: 0 } })), log.append(spoilt), log.append(unit({ [alsoGood]: { at: 0 } }))]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(await log.readStream(bad)).toEqual([]);
      expect(await log.readStream(alsoGood)).toHaveLength(1);
    });
  });

  describe("guards", () => {
    it("hold a unit to the version of a stream that it does not write", async () => {
      const log = await open();
      const [menu, order] = [name(), name()];
      const guarded = (expected_version: number): AppendUnit => unit({ [order]: { at: 0 } }, { guards: [{ stream_id: menu, expected_version }] });
      expect(await log.append(guarded(1))).toEqual({ status: "conflict", stream_id: menu });
      await log.append(unit({ [menu]: { at: 0 } }));
      expect(await log.append(guarded(0))).toEqual({ status: "conflict", stream_id: menu });
      expect(await log.append(guarded(1))).toMatchObject({ status: "committed" });
      expect(await log.readStream(menu)).toHaveLength(1);
    });

    it("see what an earlier unit of the same moment wrote, and not what a later one writes", async () => {
      const log = await open();
      const [menu, early, late] = [name(), name(), name()];
      const guards = [{ stream_id: menu, expected_version: 0 }];
      const outcomes = await Promise.all([
        log.append(unit({ [early]: { at: 0 } }, { guards })),
        log.append(unit({ [menu]: { at: 0 } })),
        log.append(unit({ [late]: { at: 0 } }, { guards })),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["committed", "committed", "conflict"]);
    });
  });

  describe("commands", () => {
    it("are answered again as they were answered first, whatever the stream has come to", async () => {
      const log = await open();
      const [stream, once] = [name(), command(undefined, { z: 1, a: ["ё", null] })];
      const position = committedAt(await log.append(unit({ [stream]: { at: 0, events: 2 } }, { commands: [once] })));
      const again = await log.append(unit({ [stream]: { at: 0 } }, { commands: [{ ...once, fingerprint: "other", answer: "late" }] }));
      expect(again).toEqual({ status: "duplicate", answers: [{ ...once, position }] });
      expect(JSON.stringify(again.status === "duplicate" && again.answers[0]?.answer)).toBe('{"z":1,"a":["ё",null]}');
      expect(await log.findAnswers([once.id, randomUUID()])).toEqual([{ ...once, position }]);
      expect(await log.readStream(stream)).toHaveLength(2);
    });

    it("are done once when they come twice at the same moment, also through two logs", async () => {
      const logs = await Promise.all([open(), open()]);
      const once = command();
      const streams = [name(), name(), name(), name()];
      const outcomes = await Promise.all(streams.map((stream, at) => logs[at % 2]?.append(unit({ [stream]: { at: 0 } }, { commands: [once] }))));
      const statuses = outcomes.map((outcome) => outcome?.status);
      expect(statuses.filter((status) => status === "committed")).toHaveLength(1);
      expect(statuses.filter((status) => status === "duplicate")).toHaveLength(3);
      const written = await Promise.all(streams.map((stream) => logs[0]?.readStream(stream)));
      expect(written.flat()).toHaveLength(1);
    });

    it("make a duplicate of a unit of which one is known, with the answers that are known", async () => {
      const log = await open();
      const [stream, known, fresh] = [name(), command(), command()];
      const position = committedAt(await log.append(unit({ [stream]: { at: 0 } }, { commands: [known] })));
      expect(await log.append(unit({ [stream]: { at: 1 } }, { commands: [fresh, known] }))).toEqual({ status: "duplicate", answers: [{ ...known, position }] });
      expect(await log.findAnswers([fresh.id])).toEqual([]);
    });

    it("may be answered without an event", async () => {
      const log = await open();
      const before = await log.head();
      const nothing = command();
      expect(await log.append(unit({}, { commands: [nothing] }))).toEqual({ status: "committed", position: before });
      expect(await log.append(unit({}, { commands: [nothing] }))).toMatchObject({ status: "duplicate" });
      expect(await log.head()).toBe(before);
    });
  });

  describe("a connection that breaks", () => {
    const outcomesOfCut = async (cut: Cut, commands: AppendUnit["commands"]): Promise<void> => {
      const { log, proxy } = await openBehindProxy();
      const [stream, lost] = [name(), name()];
      await log.append(unit({ [stream]: { at: 0 } }));
      const before = await log.head();
      proxy.cutNext(cut);
      const outcomes = await Promise.all([
        log.append(unit({ [stream]: { at: 1, events: 2 } }, { commands })),
        log.append(unit({ [lost]: { at: 5 } })),
        log.append(unit({ [name()]: { at: 0 } })),
      ]);
      expect(proxy.cuts_done).toBe(1);
      expect(outcomes[0]).toEqual({ status: "committed", position: before + 2 });
      expect(outcomes[1]).toEqual({ status: "conflict", stream_id: lost });
      expect(outcomes[2]).toEqual({ status: "committed", position: before + 3 });
      proxy.release();
      // Whatever was late has had its turn once a batch over the same lane is through.
      await log.append(unit({ [stream]: { at: 3 } }));
      expect(await log.readStream(stream)).toHaveLength(4);
      expect(await log.head()).toBe(before + 4);
      expect(await everything(log)).toHaveLength(before + 4);
    };

    it.each<Cut>(["before", "after", "late"])("%s the commit leaves every unit there once, with its own outcome", async (cut) => {
      await outcomesOfCut(cut, [command()]);
    });

    it.each<Cut>(["before", "after", "late"])("%s the commit does the same for units without command ids", async (cut) => {
      await outcomesOfCut(cut, []);
    });

    it("again and again under load loses nothing and doubles nothing", async () => {
      const log = await open();
      const before = await log.head();
      const axe: Promise<unknown>[] = [];
      let done = 0;
      const positions = await Promise.all(
        Array.from({ length: 16 }, async () => {
          const [stream, own] = [name(), [] as number[]];
          for (let at = 0; at < 10; at += 1) {
            own.push(committedAt(await log.append(unit({ [stream]: { at } }))));
            // While the other callers' batch is on its way.
            if ((done += 1) % 12 === 0) axe.push(database.pool.query(TERMINATE, ["forno event log%"]));
          }
          return own;
        }),
      );
      await Promise.all(axe);
      const reader = await open();
      expect(positions.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 160 }, (_, n) => before + n + 1));
      expect(await reader.head()).toBe(before + 160);
    });

    it("for longer than the log tries makes it unavailable, and the same command finds out later", async () => {
      const proxy = new CuttingProxy(database.connection, "event log: append");
      const log = await open({ connection: await proxy.start(), try_for_ms: 30 });
      opened.push({ close: () => proxy.stop() });
      const [stream, once] = [name(), command()];
      await log.append(unit({ [name()]: { at: 0 } }));
      proxy.cutNext("after", ...Array<Cut>(8).fill("before"));
      await expect(log.append(unit({ [stream]: { at: 0 } }, { commands: [once] }))).rejects.toMatchObject({ type: "log.unavailable" });
      const answer = await eventually(() => log.append(unit({ [stream]: { at: 0 } }, { commands: [once] })));
      expect(answer).toMatchObject({ status: "duplicate", answers: [{ id: once.id }] });
      expect(await log.readStream(stream)).toHaveLength(1);
    });
  });

  describe("wake-ups", () => {
    it("reach listeners here and in other logs, and stop when told to", async () => {
      const [here, there] = [await open(), await open()];
      const heard = { here: 0, there: 0, stopped: 0 };
      here.onAppended(() => (heard.here += 1));
      there.onAppended(() => (heard.there += 1));
      here.onAppended(() => (heard.stopped += 1))();
      await here.append(unit({ [name()]: { at: 0 } }));
      await eventually(() => { expect(heard).toEqual({ here: 1, there: 1, stopped: 0 }); });
    });

    it("come once more after the listening connection broke, for what was missed", async () => {
      const [here, there] = [await open(), await open()];
      let heard = 0;
      there.onAppended(() => (heard += 1));
      await database.pool.query(TERMINATE, ["forno event log: listen"]);
      await eventually(() => { expect(heard).toBeGreaterThan(0); });
      const before = heard;
      await here.append(unit({ [name()]: { at: 0 } }));
      await eventually(() => { expect(heard).toBeGreaterThan(before); });
    });

    it("hand over what this log committed, as a reader would get it", async () => {
      const [here, there] = [await open(), await open()];
      const batches: (readonly RecordedEvent[])[] = [];
      const before = await here.head();
      here.onCommitted((events) => batches.push(events));
      here.onCommitted(() => { throw new Error("a listener's own trouble"); });
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
      { type: "test.done", from_schema_v: 2, upcast: (data: unknown) => ({ ...(data as object), third: true }) },
      { type: "test.done", from_schema_v: 1, upcast: (data: unknown) => ({ ...(data as object), second: true }) },
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
    expect(await log.loadSnapshot(stream_id, 1)).toEqual({ stream_id, version: 10, schema_v: 1, state: { sum: 10 } });
    await log.saveSnapshot({ stream_id, version: 8, schema_v: 2, state: { total: 8 } });
    expect(await log.loadSnapshot(stream_id, 1)).toBeUndefined();
    expect(await log.loadSnapshot(stream_id, 2)).toMatchObject({ version: 8 });
  });

  it("says so when the database is not there", async () => {
    const connection = { ...database.connection, host: "/nowhere" };
    await expect(createEventLog({ connection, logger: quiet })).rejects.toMatchObject({ type: "log.unavailable" });
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
    expect(await log.append(unit({ [stream]: { at: 60, events: 100 } }))).toMatchObject({ status: "committed" });
    expect((await log.readStream(stream, 25)).map(({ version }) => version)).toEqual(Array.from({ length: 135 }, (_, n) => n + 26));
    expect(await log.readAll(before, 160)).toHaveLength(160);
  });

  it("holds its promises under any interleaving of appends, conflicts, repetitions and broken connections", async () => {
    const { log, proxy } = await openBehindProxy();
    const other = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        await playAndCheck([log, other], proxy, steps);
      }),
      { numRuns: 25 },
    );
  });
}

/** One thing that a caller does at some moment of the property test. */
interface Step {
  readonly log: 0 | 1;
  readonly streams: readonly { readonly stream: number; readonly events: number; readonly stale: boolean }[];
  /** Repeats the command of an earlier step. */
  readonly repeat: number | null;
  readonly cut: Cut | null;
  /** Waits for everything before it. */
  readonly wait: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  log: fc.constantFrom(0, 1),
  streams: fc.uniqueArray(fc.record({ stream: fc.nat(3), events: fc.integer({ min: 1, max: 3 }), stale: fc.boolean() }), {
    selector: ({ stream }) => stream,
    minLength: 1,
    maxLength: 3,
  }),
  repeat: fc.option(fc.nat(39), { freq: 4 }),
  cut: fc.option(fc.constantFrom<Cut>("before", "after", "late"), { freq: 5 }),
  wait: fc.boolean(),
});

async function playAndCheck(logs: readonly PostgresEventLog[], proxy: CuttingProxy, steps: readonly Step[]): Promise<void> {
  const [log] = logs as [PostgresEventLog];
  const [play, before] = [randomUUID(), await log.head()];
  const ids = steps.map(() => randomUUID());
  const guess = new Map<string, number>();
  const done: { unit: AppendUnit; outcome: Promise<AppendOutcome> }[] = [];
  for (const [at, { log: by, streams, repeat, cut, wait }] of steps.entries()) {
    if (wait) await Promise.all(done.map(({ outcome }) => outcome));
    if (cut !== null) proxy.cutNext(cut);
    const id = ids[repeat ?? at] ?? ids[at] ?? "";
    const written = Object.fromEntries(
      streams.map(({ stream, events, stale }) => {
        const stream_id = `${play}-${String(stream)}`;
        const version = guess.get(stream_id) ?? 0;
        if (!stale) guess.set(stream_id, version + events);
        return [stream_id, { at: stale ? Math.max(0, version - 1) : version, events }];
      }),
    );
    const made = unit(written, { commands: [command(id)] });
    done.push({ unit: made, outcome: (logs[by] ?? log).append(made) });
  }
  const outcomes = await Promise.all(done.map(({ outcome }) => outcome));
  proxy.release();
  await log.append(unit({ [name()]: { at: 0 } }));

  const head = await log.head();
  const events = (await log.readAll(before, head - before)).slice(0, -1);
  expect(events.map(({ position }) => position)).toEqual(events.map((_, n) => before + n + 1));
  for (const stream_id of new Set(events.map((event) => event.stream_id))) {
    const versions = events.filter((event) => event.stream_id === stream_id).map(({ version }) => version);
    expect(versions).toEqual(versions.map((_, n) => n + 1));
  }
  const acknowledged = done.filter((_, at) => outcomes[at]?.status === "committed");
  const places = acknowledged.flatMap(({ unit: { streams } }) =>
    streams.flatMap(({ stream_id, expected_version, events: own }) => own.map((_, n) => `${stream_id}@${String(expected_version + n + 1)}`)),
  );
  expect(places.sort()).toEqual(events.map(({ stream_id, version }) => `${stream_id}@${String(version)}`).sort());
  const answered = acknowledged.map(({ unit: { commands } }) => commands[0]?.id);
  expect(new Set(answered).size).toBe(answered.length);
}
