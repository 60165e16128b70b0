import type { FeedHandle, FeedSubscription } from "../../../../mixins/event-feed/event-feed";
import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import type { Runtime } from "../../../../mixins/runtime";
import { EMPTY_MENU } from "../../../../services/menu/menu.board";
import { MenuFollower } from "../../../../services/menu/menu.follower";

const FIVE_MINUTES = 5 * 60_000;

/** A database that holds one version, and a feed that the test feeds by hand. */
function surroundings() {
  const world = {
    version: 1,
    broken: false,
    complaints: [] as string[],
    subscription: undefined as FeedSubscription | undefined,
    reached: (): Promise<void> => Promise.resolve(),
  };
  const query = (sql: string, [than]: readonly number[] = []): Promise<object> => {
    if (world.broken) return Promise.reject(new Error("database away"));
    const newer = sql.includes("menu_versions") && world.version > (than ?? 0);
    return Promise.resolve({ rows: newer ? [{ document: { ...EMPTY_MENU, version: world.version } }] : [] });
  };
  const handle: FeedHandle = { position: 7, reached: () => world.reached(), stop: () => Promise.resolve() };
  const needs = {
    log: { head: () => Promise.resolve(8) },
    feed: {
      subscribe(subscription: FeedSubscription) {
        world.subscription = subscription;
        return handle;
      },
    },
    clock: { now: () => 0 },
    pool: { query },
  } as unknown as Pick<Runtime, "log" | "feed" | "clock" | "pool">;
  const follower = new MenuFollower(needs, { error: (message) => world.complaints.push(message) });
  const tell = (type: string) => world.subscription?.onBatch([{ type } as RecordedEvent], 8);
  return { world, follower, tell };
}

const counted = (): Promise<void> => Promise.resolve();

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe("the follower of the menu", () => {
  it("has the menu before it is ready, and listens from where the log stood before it read", async () => {
    const { world, follower } = surroundings();
    expect(follower.board.document.version).toBe(0);
    await follower.start(counted);
    expect(follower.board.document.version).toBe(1);
    expect(world.subscription?.after).toBe(8);
    await follower.stop();
  });

  it("does not start without the database", async () => {
    const { world, follower } = surroundings();
    world.broken = true;
    await expect(follower.start(counted)).rejects.toThrow("database away");
  });

  it("puts a new version up when the log says so, and only then", async () => {
    const { world, follower, tell } = surroundings();
    await follower.start(counted);
    const held = follower.board;
    world.version = 2;
    await tell("order.placed");
    expect(follower.board).toBe(held);
    await tell("menu.published");
    expect(follower.board.document.version).toBe(2);
    expect(held.document.version).toBe(1);
    await follower.stop();
  });

  it("lets the feed bring a batch again when the database did not answer", async () => {
    const { world, follower, tell } = surroundings();
    await follower.start(counted);
    world.version = 2;
    world.broken = true;
    await expect(tell("menu.published")).rejects.toThrow("database away");
    world.broken = false;
    await tell("menu.published");
    expect(follower.board.document.version).toBe(2);
    await follower.stop();
  });

  it("never goes back to an older version", async () => {
    const { world, follower } = surroundings();
    world.version = 5;
    await follower.start(counted);
    world.version = 4;
    await follower.refresh();
    expect(follower.board.document.version).toBe(5);
    await follower.stop();
  });

  it("reads again every five minutes though nobody told it, and keeps what it has when that fails", async () => {
    const { world, follower } = surroundings();
    await follower.start(counted);
    world.version = 2;
    await jest.advanceTimersByTimeAsync(FIVE_MINUTES - 1);
    expect(follower.board.document.version).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(follower.board.document.version).toBe(2);
    world.broken = true;
    await jest.advanceTimersByTimeAsync(FIVE_MINUTES);
    expect(world.complaints).toEqual([expect.stringContaining("database away")]);
    expect(follower.board.document.version).toBe(2);
    await follower.stop();
  });

  it("says that it is behind when a position does not come", async () => {
    const { world, follower } = surroundings();
    await follower.start(counted);
    await follower.reached(7);
    world.reached = () => Promise.reject(new Error("too slow"));
    await expect(follower.reached(8)).rejects.toMatchObject({ type: "menu.behind" });
    await expect(follower.reached(9)).rejects.toMatchObject({ type: "input.position_unknown" });
    await follower.stop();
  });
});
