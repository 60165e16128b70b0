import { LogFeed } from "../../../mixins/event-feed/log-feed";
import type { FeedHandle } from "../../../mixins/event-feed/event-feed";
import { eventually } from "../../support/eventually";
import { MemoryLog } from "../../support/memory-log";
import { QuietLogger } from "../../support/quiet-logger";

const event = (n: number) => ({ type: "test.done", data: { n } });

describe("a feed whose log goes back", () => {
  let log: MemoryLog;
  let feed: LogFeed;
  const handles: FeedHandle[] = [];

  beforeEach(() => {
    log = new MemoryLog();
    feed = new LogFeed({ log, logger: new QuietLogger() });
  });
  afterEach(async () => {
    await Promise.all(handles.splice(0).map((handle) => handle.stop()));
  });

  /** What a subscriber has got, and how often it was told that the log went back. */
  function follow(options: { after?: number; back?: () => Promise<number> } = {}) {
    const got: number[] = [];
    const told = { times: 0 };
    const handle = feed.subscribe({
      name: "test",
      after: options.after ?? 0,
      onBatch: (events) => {
        got.push(...events.map(({ data }) => (data as { n: number }).n));
        return Promise.resolve();
      },
      wentBack: () => {
        told.times += 1;
        return options.back?.() ?? log.head();
      },
    });
    handles.push(handle);
    return { got, told, handle };
  }

  test("who has been given lost events is told, and goes on from where it says", async () => {
    log.write(...[1, 2, 3, 4, 5].map(event));
    const { got, told, handle } = follow({ back: () => Promise.resolve(2) });
    await handle.reached(5, 5_000);
    log.goBackTo(3);
    await eventually(() => expect(told.times).toBe(1));
    log.write(event(40), event(50), event(60));
    await handle.reached(6, 5_000);
    expect(got).toEqual([1, 2, 3, 4, 5, 3, 40, 50, 60]);
    expect(told.times).toBe(1);
  });

  test("the same positions with other events are delivered, though the log is longer than it was", async () => {
    log.write(...[1, 2, 3].map(event));
    const { got, told, handle } = follow();
    await handle.reached(3, 5_000);
    log.goBackTo(1);
    log.write(...[20, 30, 40, 50].map(event));
    await eventually(() => expect(told.times).toBe(1));
    log.write(event(60));
    await eventually(() => expect(got.at(-1)).toBe(60));
  });

  test("who has been given nothing that is lost hears nothing, and misses nothing", async () => {
    log.write(...[1, 2, 3].map(event));
    const { got, told, handle } = follow();
    await handle.reached(3, 5_000);
    log.goBackTo(3);
    log.write(event(4));
    await handle.reached(4, 5_000);
    expect(got).toEqual([1, 2, 3, 4]);
    expect(told.times).toBe(0);
  });

  test("who subscribes after a position that the log does not have is told at once", async () => {
    log.write(event(1));
    const { got, told } = follow({ after: 9 });
    await eventually(() => expect(told.times).toBe(1));
    log.write(event(2));
    await eventually(() => expect(got).toEqual([2]));
  });

  test("one that cannot go back tries again", async () => {
    log.write(...[1, 2, 3].map(event));
    let failures = 2;
    const { told, got, handle } = follow({
      back: () => (failures-- > 0 ? Promise.reject(new Error("not now")) : log.head()),
    });
    await handle.reached(3, 5_000);
    log.goBackTo(1);
    await eventually(() => expect(told.times).toBe(3));
    log.write(event(20));
    await eventually(() => expect(got.at(-1)).toBe(20));
  });

  test("a batch that cannot be handled any more, because its events are lost, is given up", async () => {
    log.write(event(1));
    const handled: number[] = [];
    const handle = feed.subscribe({
      name: "test",
      after: 0,
      onBatch: (events) => {
        const numbers = events.map(({ data }) => (data as { n: number }).n);
        if (numbers.includes(2)) return Promise.reject(new Error("its row is not there"));
        handled.push(...numbers);
        return Promise.resolve();
      },
      wentBack: () => log.head(),
    });
    handles.push(handle);
    await handle.reached(1, 5_000);
    log.write(event(2));
    log.goBackTo(1);
    log.write(event(3));
    await eventually(() => expect(handled).toEqual([1, 3]));
  });
});
