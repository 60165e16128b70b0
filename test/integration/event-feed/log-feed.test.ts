import { LogFeed } from "../../../mixins/event-feed/log-feed";
import { FEED_LIMITS } from "../../../mixins/event-feed/tail-feed";
import type { FeedHandle } from "../../../mixins/event-feed/event-feed";
import { UnavailableError } from "../../../mixins/contract/refusal";
import type { Position, RecordedEvent } from "../../../mixins/event-log/event-log";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { Recorder, eventFeedSuite, write } from "../../support/event-feed.suite";
import { eventually } from "../../support/eventually";
import { ObservedLog } from "../../support/observed-log";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { QuietLogger } from "../../support/quiet-logger";
import { NEVER_BACK } from "../../support/memory-lineage";

const TIMEOUT_MS = 10_000;
const POLL_NEVER_MS = 3_600_000;

let database: TestDatabase;
let log: PostgresEventLog;
let otherNode: PostgresEventLog;
const logger = new QuietLogger();

beforeAll(async () => {
  database = await startTestDatabase();
  [log, otherNode] = (await Promise.all(
    [0, 1].map(() => createEventLog({ connection: database.connection })),
  )) as [PostgresEventLog, PostgresEventLog];
});
afterAll(async () => {
  await Promise.all([log.close(), otherNode.close()]);
  await database.stop();
});

eventFeedSuite("LogFeed", () => Promise.resolve({ feed: new LogFeed({ log, logger }), log }));
eventFeedSuite("LogFeed of another node, with small buffers", () =>
  Promise.resolve({
    feed: new LogFeed({ log: otherNode, logger }, { batch_max: 7, window_max: 15, poll_ms: 1_000 }),
    log,
  }),
);

describe("LogFeed", () => {
  let observed: ObservedLog;
  let handles: FeedHandle[];
  let feed: LogFeed;

  beforeEach(() => {
    observed = new ObservedLog(log);
    handles = [];
    feed = new LogFeed({ log: observed, logger }, { ...FEED_LIMITS, poll_ms: POLL_NEVER_MS });
  });
  afterEach(async () => {
    await Promise.all(handles.map((handle) => handle.stop()));
  });

  function follow(
    after: Position,
    onBatch: (events: readonly RecordedEvent[], through: Position) => Promise<void>,
    name = "test",
  ): FeedHandle {
    const handle = feed.subscribe({ name, after, onBatch, ...NEVER_BACK });
    handles.push(handle);
    return handle;
  }

  /** Subscribers that have all got to the end and wait there. */
  async function waitingSubscribers(
    count: number,
  ): Promise<{ after: Position; recorders: Recorder[]; following: FeedHandle[] }> {
    const after = await write(log, 1);
    const recorders = Array.from({ length: count }, () => new Recorder());
    const following = recorders.map((recorder) => follow(after - 1, (...batch) => recorder.take(...batch)));
    await Promise.all(following.map((handle) => handle.reached(after, TIMEOUT_MS)));
    await write(log, 1);
    await Promise.all(following.map((handle) => handle.reached(after + 1, TIMEOUT_MS)));
    observed.reads = 0;
    return { after: after + 1, recorders, following };
  }

  test("reads what another node wrote once for all subscribers, and hands all the same array", async () => {
    const { after, recorders, following } = await waitingSubscribers(20);
    for (let n = 1; n <= 10; n += 1) {
      await write(otherNode, 3);
      await Promise.all(following.map((handle) => handle.reached(after + 3 * n, TIMEOUT_MS)));
    }
    // A wake-up that comes in the middle of a reading asks for one more; that is not more than twice.
    expect(observed.reads).toBeLessThanOrEqual(20);
    for (const { batches } of recorders)
      expect(batches.slice(-10).every((batch, n) => batch === recorders[0]?.batches.at(n - 10))).toBe(true);
  });

  test("never reads back what this process has written itself", async () => {
    const { after, following } = await waitingSubscribers(3);
    for (let n = 1; n <= 50; n += 1) {
      await write(log, 3);
      await Promise.all(following.map((handle) => handle.reached(after + 3 * n, TIMEOUT_MS)));
    }
    expect(observed.reads).toBe(0);
  });

  test("puts what this process and another node write into one order without gap", async () => {
    const { after, recorders, following } = await waitingSubscribers(2);
    const writer = async (from: PostgresEventLog): Promise<void> => {
      for (let n = 0; n < 100; n += 1) await write(from, 1);
    };
    await Promise.all([writer(log), writer(otherNode)]);
    await Promise.all(following.map((handle) => handle.reached(after + 200, TIMEOUT_MS)));
    expect(recorders.map(({ positions }) => positions)).toEqual(
      [0, 1].map(() => Array.from({ length: 202 }, (_, n) => after - 1 + n)),
    );
  });

  test("hands over together what has gathered while a subscriber was busy", async () => {
    const after = await log.head();
    const gate = Promise.withResolvers<undefined>();
    const recorder = new Recorder();
    const handle = follow(after, async (...batch) => {
      await recorder.take(...batch);
      await gate.promise;
    });
    await write(log, 1);
    await eventually(() => {
      expect(recorder.batches).toHaveLength(1);
    });
    for (let n = 0; n < 30; n += 1) await write(log, 1);
    gate.resolve(undefined);
    await handle.reached(after + 31, TIMEOUT_MS);
    expect(recorder.batches.map(({ length }) => length)).toEqual([1, 30]);
  });

  test("finds by polling what nobody told it of", async () => {
    observed.onAppended = () => () => undefined;
    observed.onCommitted = () => () => undefined;
    feed = new LogFeed({ log: observed, logger }, { ...FEED_LIMITS, poll_ms: 20 });
    const after = await log.head();
    const handle = follow(after, () => Promise.resolve());
    await eventually(() => {
      expect(observed.reads).toBeGreaterThan(1);
    });
    await handle.reached(await write(log, 2), TIMEOUT_MS);
  });

  test("goes on when the log answers again", async () => {
    const { after, recorders, following } = await waitingSubscribers(1);
    let failures = 2;
    observed.onRead = () =>
      failures-- > 0 ? Promise.reject(new UnavailableError("log.unavailable", "gone")) : undefined;
    await write(otherNode, 3);
    await following[0]?.reached(after + 3, TIMEOUT_MS);
    recorders[0]?.expectAll(after - 2, after + 3);
  });

  test.each([
    { missing: 1, instead: 2 },
    { missing: 2, instead: 3 },
  ])("stops a subscription loudly at a gap instead of jumping over it (%o)", async ({ missing, instead }) => {
    const { after, recorders, following } = await waitingSubscribers(1);
    const whole = observed.readAll.bind(observed);
    observed.readAll = async (...range) =>
      (await whole(...range)).filter(({ position }) => position !== after + missing);
    await write(otherNode, 3);
    await expect(following[0]?.reached(after + 3, TIMEOUT_MS)).rejects.toThrow(
      `got position ${String(after + instead)} where ${String(after + missing)} is next`,
    );
    expect(recorders[0]?.positions.at(-1)).toBe(after);
    expect(feed.list()).toMatchObject([
      { name: "test", position: after, failure: expect.stringContaining("is next") as unknown },
    ]);
    expect(logger.having("error event feed: test has stopped")).not.toHaveLength(0);
  });

  test("stops reading when nobody listens, and begins again with the next subscriber", async () => {
    const { after, following } = await waitingSubscribers(2);
    await Promise.all(following.map((handle) => handle.stop()));
    await write(otherNode, 2);
    await write(log, 2);
    expect(observed.reads).toBe(0);
    const recorder = new Recorder();
    const handle = follow(after, (...batch) => recorder.take(...batch));
    await handle.reached(await write(log, 1), TIMEOUT_MS);
    recorder.expectAll(after, after + 5);
  });
});
