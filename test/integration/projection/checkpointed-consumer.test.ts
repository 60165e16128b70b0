import { randomUUID } from "node:crypto";
import type { EventFeed, FeedSubscription } from "../../../mixins/event-feed/event-feed";
import type { Position } from "../../../mixins/event-log/event-log";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { CheckpointedConsumer } from "../../../mixins/projection/checkpointed-consumer";
import type { ConsumerWork } from "../../../mixins/projection/consumer";
import { eventually } from "../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { QuietLogger } from "../../support/quiet-logger";

/** A checkpoint that only passes events is not written by time while a test runs. */
const TIMES = { lazy_ms: 600_000, standby_ms: 20, still_ms_max: 600_000 };

/** A feed whose batches come when the test says so: what is asked here is what the consumer makes of each. */
class DrivenFeed implements EventFeed {
  readonly #subscriptions: FeedSubscription[] = [];

  subscribe(subscription: FeedSubscription) {
    this.#subscriptions.push(subscription);
    return {
      position: subscription.after,
      stop: () => {
        this.#subscriptions.splice(this.#subscriptions.indexOf(subscription), 1);
        return Promise.resolve();
      },
      reached: () => Promise.resolve(),
    };
  }

  get subscribed(): readonly Position[] {
    return this.#subscriptions.map(({ after }) => after);
  }

  /** Events of the log from here to there, to everybody. */
  async bring(log: PostgresEventLog, after: Position, through: Position): Promise<void> {
    const events = await log.readAll(after, through - after);
    for (const each of [...this.#subscriptions]) await each.onBatch(events, through);
  }
}

let database: TestDatabase;
let log: PostgresEventLog;
let feed: DrivenFeed;
let name: string;
let handled: Position[];
let failing: boolean;
const consumers: CheckpointedConsumer[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  log = await createEventLog({ connection: database.connection, logger: new QuietLogger() });
});
afterAll(async () => {
  await log.close();
  await database.stop();
});
beforeEach(() => {
  [feed, name, handled, failing] = [new DrivenFeed(), `consumer-${randomUUID()}`, [], false];
});
afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.stop();
});

async function write(...types: readonly string[]): Promise<Position> {
  const events = types.map((type) => ({ type, data: {} }));
  const stream = { stream_id: `thing-${randomUUID()}`, stream_type: "thing", expected_version: 0, events };
  const outcome = await log.append({ streams: [stream], commands: [], meta: {} });
  if (outcome.status !== "committed") throw new Error(outcome.status);
  return outcome.position;
}

async function start(): Promise<CheckpointedConsumer> {
  const work: ConsumerWork = {
    name,
    handles: ["wanted"],
    async handle(events, move) {
      await move(database.pool);
      if (failing) throw new Error("cannot");
      handled.push(...events.map(({ position }) => position));
    },
    heal: () => Promise.reject(new Error("There is nothing to heal.")),
  };
  const deps = { pool: database.pool, log, feed, logger: new QuietLogger() };
  const consumer = await CheckpointedConsumer.start(deps, work, TIMES);
  consumers.push(consumer);
  return consumer;
}

const checkpoint = async (): Promise<number> =>
  (await database.pool.query<{ pos: number }>("select pos from es.checkpoint where name = $1", [name]))
    .rows[0]?.pos ?? -1;
/** A new consumer that has handled everything so far, and where that is. */
async function atHead(): Promise<{ consumer: CheckpointedConsumer; head: Position }> {
  const consumer = await start();
  const head = await write("wanted");
  await feed.bring(log, 0, head);
  handled = [];
  return { consumer, head };
}

describe("a consumer at work", () => {
  it("is given what it handles, in order, and moves its checkpoint with it to the batch's end", async () => {
    const { consumer, head } = await atHead();
    const through = await write("wanted", "other", "wanted", "other");
    await feed.bring(log, head, through);
    expect(handled).toEqual([head + 1, head + 3]);
    expect(await checkpoint()).toBe(through);
    expect(consumer.position).toBe(through);
  });

  it("passes over a batch, and the part of one, that it has handled before", async () => {
    const { head } = await atHead();
    const through = await write("wanted", "wanted", "wanted");
    await feed.bring(log, head, through - 1);
    await feed.bring(log, head, through - 1);
    await feed.bring(log, head, through);
    expect(handled).toEqual([head + 1, head + 2, head + 3]);
  });

  it("writes nothing for events without interest, until there are 5 000", async () => {
    const { consumer, head } = await atHead();
    const through = await write(...Array.from({ length: 5_000 }, () => "other"));
    await feed.bring(log, head, through - 1);
    expect(consumer.position).toBe(through - 1);
    expect(await checkpoint()).toBe(head);
    await feed.bring(log, through - 1, through);
    expect(await checkpoint()).toBe(through);
  });

  it("lets the feed know when a batch could not be handled, and takes it again", async () => {
    const { consumer, head } = await atHead();
    const through = await write("wanted");
    failing = true;
    await expect(feed.bring(log, head, through)).rejects.toThrow("cannot");
    expect([consumer.position, consumer.state, handled]).toEqual([head, "working", []]);
  });

  it("writes at its end what it has only passed, and takes nothing more", async () => {
    const { consumer, head } = await atHead();
    const through = await write("other", "other");
    await feed.bring(log, head, through);
    await consumer.stop();
    expect(await checkpoint()).toBe(through);
    expect([consumer.state, feed.subscribed]).toEqual(["stopped", []]);
    await expect(consumer.reached(through + 1, 10_000)).rejects.toMatchObject({ type: "projection.stopped" });
  });

  it("says so when it does not get as far as somebody waits for", async () => {
    const { consumer, head } = await atHead();
    await consumer.reached(head, 10_000);
    await expect(consumer.reached(head + 1, 5)).rejects.toMatchObject({ type: "projection.behind" });
    const waiting = consumer.reached(head + 2, 10_000);
    await feed.bring(log, head, await write("other", "wanted"));
    await waiting;
  });

  it("goes on from where work beside it has left the checkpoint", async () => {
    const { consumer, head } = await atHead();
    const through = await write("wanted", "wanted");
    const { event_id, recorded_at } = (await log.readAll(through - 1, 1))[0] ?? {};
    await consumer.aside(() =>
      database.pool.query(
        "update es.checkpoint set pos = $2, event_id = $3, recorded_at = $4 where name = $1",
        [name, through, event_id, recorded_at],
      ),
    );
    expect(consumer.position).toBe(through);
    await feed.bring(log, head, through);
    expect(handled).toEqual([]);
  });
});

describe("a consumer that was overtaken", () => {
  it("handles nothing, stands by, and goes on behind the other when it is its turn again", async () => {
    const { consumer, head } = await atHead();
    const through = await write("wanted", "wanted");
    const { event_id, recorded_at } = (await log.readAll(head, 1))[0] ?? {};
    await database.pool.query(
      "update es.checkpoint set pos = $2, event_id = $3, recorded_at = $4 where name = $1",
      [name, head + 1, event_id, recorded_at],
    );
    await feed.bring(log, head, through);
    expect(handled).toEqual([]);
    await eventually(() => {
      expect([consumer.state, feed.subscribed]).toEqual(["working", [head + 1]]);
    });
    await feed.bring(log, head + 1, through);
    expect(handled).toEqual([head + 2]);
    expect(await checkpoint()).toBe(through);
  });
});
