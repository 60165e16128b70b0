import { randomUUID } from "node:crypto";
import type { EventFeed, FeedHandle } from "../../mixins/event-feed/event-feed";
import type { EventLog, Position, RecordedEvent } from "../../mixins/event-log/event-log";
import { eventually } from "./eventually";
import { NEVER_BACK } from "./memory-lineage";

/** A feed, and the log whose events it has to deliver. */
export interface FeedUnderTest {
  readonly feed: EventFeed;
  readonly log: EventLog;
}

const TIMEOUT_MS = 10_000;

/** Writes events, each to a stream of its own, in one unit. */
export async function write(log: EventLog, count: number): Promise<Position> {
  const streams = Array.from({ length: count }, (_, n) => {
    const stream_id = `thing-${randomUUID()}`;
    return {
      stream_id,
      stream_type: "thing",
      expected_version: 0,
      events: [{ type: "thing.happened", data: { n } }],
    };
  });
  const outcome = await log.append({ streams, commands: [], meta: {} });
  if (outcome.status !== "committed") throw new Error(`not written: ${outcome.status}`);
  return outcome.position;
}

/** What one subscriber has got, and whether every batch followed on. */
export class Recorder {
  readonly positions: Position[] = [];
  readonly batches: (readonly RecordedEvent[])[] = [];
  readonly through: Position[] = [];

  take(events: readonly RecordedEvent[], through: Position): Promise<void> {
    this.batches.push(events);
    this.through.push(through);
    for (const { position } of events) this.positions.push(position);
    return Promise.resolve();
  }

  /** Everything after `after` up to `to`, once, in order. */
  expectAll(after: Position, to: Position): void {
    expect(this.positions).toEqual(Array.from({ length: to - after }, (_, n) => after + n + 1));
    expect(this.through.at(-1)).toBe(to);
    expect([...this.through].sort((a, b) => a - b)).toEqual(this.through);
  }
}

/** What every event feed promises. `open` is called once; its log may hold events already. */
export function eventFeedSuite(name: string, open: () => Promise<FeedUnderTest>): void {
  describe(`${name} as an event feed`, () => {
    let feed: EventFeed;
    let log: EventLog;
    let handles: FeedHandle[];

    beforeAll(async () => {
      ({ feed, log } = await open());
    });
    beforeEach(() => {
      handles = [];
    });
    afterEach(async () => {
      await Promise.all(handles.map((handle) => handle.stop()));
    });

    function follow(
      after: Position,
      onBatch: (events: readonly RecordedEvent[], through: Position) => Promise<void>,
    ): FeedHandle {
      const handle = feed.subscribe({ name: `test:${randomUUID()}`, after, onBatch, ...NEVER_BACK });
      handles.push(handle);
      return handle;
    }

    test("delivers everything there is, from the beginning, in order", async () => {
      const head = await write(log, 30);
      const recorder = new Recorder();
      await follow(0, (...batch) => recorder.take(...batch)).reached(head, TIMEOUT_MS);
      recorder.expectAll(0, head);
    });

    test("resumes after the position it is given", async () => {
      const before = await write(log, 5);
      const head = await write(log, 5);
      const recorder = new Recorder();
      const handle = follow(before - 2, (...batch) => recorder.take(...batch));
      expect(handle.position).toBe(before - 2);
      await handle.reached(head, TIMEOUT_MS);
      recorder.expectAll(before - 2, head);
    });

    test("delivers what several writers append meanwhile, without gap and none twice", async () => {
      const after = await write(log, 1);
      const recorder = new Recorder();
      const handle = follow(after, (...batch) => recorder.take(...batch));
      const writer = async (): Promise<void> => {
        for (let n = 0; n < 40; n += 1) await write(log, 1 + (n % 3));
      };
      await Promise.all([writer(), writer(), writer()]);
      const head = await log.head();
      await handle.reached(head, TIMEOUT_MS);
      recorder.expectAll(after, head);
    });

    test("gives everything to every subscriber, also to one that comes in the middle", async () => {
      const after = await write(log, 3);
      const recorders = Array.from({ length: 5 }, () => new Recorder());
      const [late, ...early] = recorders;
      const following = early.map((recorder) => follow(after, (...batch) => recorder.take(...batch)));
      await write(log, 20);
      following.push(follow(after, (...batch) => late?.take(...batch) ?? Promise.resolve()));
      const head = await write(log, 20);
      await Promise.all(following.map((handle) => handle.reached(head, TIMEOUT_MS)));
      for (const recorder of recorders) recorder.expectAll(after, head);
    });

    test("holds no subscriber up for a slow one, and the slow one misses nothing", async () => {
      const after = await write(log, 1);
      const gate = Promise.withResolvers<undefined>();
      const [slow, fast] = [new Recorder(), new Recorder()];
      const slowHandle = follow(after, async (...batch) => {
        await gate.promise;
        await slow.take(...batch);
      });
      const fastHandle = follow(after, (...batch) => fast.take(...batch));
      let head = 0;
      for (let n = 0; n < 20; n += 1) {
        head = await write(log, 10);
        await fastHandle.reached(head, TIMEOUT_MS);
      }
      fast.expectAll(after, head);
      expect(slowHandle.position).toBe(after);
      gate.resolve(undefined);
      await slowHandle.reached(head, TIMEOUT_MS);
      slow.expectAll(after, head);
    });

    test("gives a batch that was not handled again, and nothing beyond it before", async () => {
      const after = await log.head();
      const recorder = new Recorder();
      const refused: Position[] = [];
      const handle = follow(after, async (events, through) => {
        if (refused.length < 2) {
          refused.push(events[0]?.position ?? 0);
          throw new Error("not today");
        }
        await recorder.take(events, through);
      });
      const head = await write(log, 4);
      await handle.reached(head, TIMEOUT_MS);
      expect(refused).toEqual([after + 1, after + 1]);
      recorder.expectAll(after, head);
    });

    test("does not count a batch as handled that failed until the end", async () => {
      const after = await log.head();
      let tries = 0;
      const handle = follow(after, () =>
        Promise.reject(new Error(`not today, nor any day: ${String((tries += 1))}`)),
      );
      await write(log, 2);
      await eventually(() => {
        expect(tries).toBeGreaterThan(0);
      });
      await handle.stop();
      expect(handle.position).toBe(after);
    });

    test("says when a position is reached, at once when it is, and gives up in time", async () => {
      const after = await write(log, 1);
      const handle = follow(after, () => Promise.resolve());
      await handle.reached(after, 0);
      await expect(handle.reached(after + 1, 20)).rejects.toMatchObject({
        name: "UnavailableError",
        type: "feed.behind",
      });
      const reached = handle.reached(after + 2, TIMEOUT_MS);
      await write(log, 2);
      await reached;
      expect(handle.position).toBe(after + 2);
    });

    test("finishes the batch under way when it is stopped, and brings no other", async () => {
      const after = await log.head();
      const gate = Promise.withResolvers<undefined>();
      const recorder = new Recorder();
      let calls = 0;
      const handle = follow(after, async (...batch) => {
        calls += 1;
        await gate.promise;
        await recorder.take(...batch);
      });
      // One event: those of a unit may come in several batches.
      const first = await write(log, 1);
      await eventually(() => {
        expect(calls).toBe(1);
      });
      await write(log, 2);
      const stopped = handle.stop();
      gate.resolve(undefined);
      await stopped;
      recorder.expectAll(after, first);
      await expect(handle.reached(first + 2, TIMEOUT_MS)).rejects.toMatchObject({ name: "UnavailableError" });
      await write(log, 1);
      expect(calls).toBe(1);
    });
  });
}
