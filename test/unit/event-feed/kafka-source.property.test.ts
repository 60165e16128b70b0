import fc from "fast-check";
import type { KafkaMessage } from "kafkajs";
import type { FeedChoice } from "../../../mixins/event-feed/event-feed";
import { KafkaSource, type KafkaSourceLimits } from "../../../mixins/event-feed/kafka-source";
import { TailFeed } from "../../../mixins/event-feed/tail-feed";
import { recordOf } from "../../../mixins/kafka/event-record";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import { MemoryLog } from "../../support/memory-log";
import { QuietLogger } from "../../support/quiet-logger";
import { NEVER_BACK } from "../../support/memory-lineage";

const LOG = "the-log";
const SOURCE_LIMITS: KafkaSourceLimits = {
  waiting_max: 30,
  look_ms: 500,
  late_ms: 2_000,
  proof_ms: 1_000,
  proof_max_ms: 60_000,
};
const LIMITS = { batch_max: 5, window_max: 12, poll_ms: 1_000 };

/** What may happen, in any order. `brings` are places from the newest record that Kafka has not been asked for yet. */
type Happening =
  | { readonly what: "written"; readonly count: number; readonly unheard?: boolean }
  | { readonly what: "brought"; readonly from: number; readonly count: number; readonly lost: boolean }
  | { readonly what: "brought_again"; readonly back: number }
  | { readonly what: "interrupted" }
  | { readonly what: "slow"; readonly answer_ms: number }
  | { readonly what: "chosen"; readonly choice: FeedChoice }
  | { readonly what: "busy"; readonly busy: boolean }
  | { readonly what: "waited"; readonly ms: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant("written" as const),
      count: fc.integer({ min: 1, max: 7 }),
      unheard: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ what: fc.constant("brought" as const), from: fc.nat(6), count: fc.integer({ min: 1, max: 8 }) },
      lost: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  fc.record({ what: fc.constant("brought_again" as const), back: fc.nat(20) }),
  fc.record({ what: fc.constant("interrupted" as const) }),
  fc.record({ what: fc.constant("slow" as const), answer_ms: fc.nat(300) }),
  fc.record({
    what: fc.constant("chosen" as const),
    choice: fc.constantFrom<FeedChoice>("log", "kafka", "auto"),
  }),
  fc.record({ what: fc.constant("busy" as const), busy: fc.boolean() }),
  { weight: 4, arbitrary: fc.record({ what: fc.constant("waited" as const), ms: fc.nat(1_500) }) },
);

/** Its word of news may get lost, and its answers may take their time. */
class LogWithBadLine extends MemoryLog {
  mute = false;
  answer_ms = 0;

  override async readAll(after: number, limit: number): Promise<RecordedEvent[]> {
    const events = await super.readAll(after, limit);
    if (this.answer_ms > 0) await new Promise((resolve) => setTimeout(resolve, this.answer_ms));
    return events;
  }

  at(position: number): Promise<RecordedEvent[]> {
    return super.readAll(position - 1, 1);
  }

  override onAppended(wake: () => void): () => void {
    return super.onAppended(() => {
      if (!this.mute) wake();
    });
  }
}

class World {
  readonly log = new LogWithBadLine();
  readonly got: number[] = [];
  readonly source: KafkaSource;
  readonly feed: TailFeed;
  /** Positions that Kafka has yet to bring. */
  #owed: number[] = [];
  #gate = Promise.withResolvers<undefined>();

  constructor() {
    const logger = new QuietLogger();
    this.source = new KafkaSource({ log: this.log, logger }, LIMITS.poll_ms, SOURCE_LIMITS);
    this.feed = new TailFeed({ log: this.log, logger }, LIMITS, this.source);
    this.#gate.resolve(undefined);
    this.feed.subscribe({
      name: "test",
      after: 0,
      onBatch: async (events) => {
        await this.#gate.promise;
        this.got.push(...events.map(({ position }) => position));
      },
      ...NEVER_BACK,
    });
  }

  async meets(happening: Happening): Promise<void> {
    switch (happening.what) {
      case "written":
        this.#write(happening.count, happening.unheard === true);
        break;
      case "brought": {
        const brought = this.#owed.splice(happening.from, happening.count);
        if (!happening.lost) await this.#bring(brought);
        break;
      }
      case "brought_again":
        await this.#bring([Math.max(1, (await this.log.head()) - happening.back)]);
        break;
      case "slow":
        this.log.answer_ms = happening.answer_ms;
        break;
      case "interrupted":
        this.source.interrupted();
        break;
      case "chosen":
        this.source.switchTo(happening.choice);
        break;
      case "busy":
        this.#setBusy(happening.busy);
        break;
      case "waited":
        await jest.advanceTimersByTimeAsync(happening.ms);
        break;
    }
    await jest.advanceTimersByTimeAsync(0);
  }

  #write(count: number, unheard: boolean): void {
    const events = Array.from({ length: count }, () => ({ type: "thing.happened", data: {} }));
    this.log.mute = unheard;
    const head = this.log.write(...events);
    this.#owed.push(...events.map((_, n) => head - count + 1 + n));
  }

  /** Whatever has happened: Kafka is done for, the subscriber has time, an operator wants it to go by itself. */
  async end(): Promise<number> {
    this.#setBusy(false);
    this.source.switchTo("auto");
    await jest.advanceTimersByTimeAsync(10_000);
    return this.log.head();
  }

  #setBusy(busy: boolean): void {
    this.#gate.resolve(undefined);
    if (busy) this.#gate = Promise.withResolvers();
  }

  async #bring(positions: readonly number[]): Promise<void> {
    for (const position of positions) {
      const [event] = await this.log.at(position);
      if (event !== undefined) this.source.take([recordOf(event, LOG) as unknown as KafkaMessage], LOG);
    }
  }
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("whatever Kafka brings, loses, repeats and mixes up, whoever chooses and interrupts: every event comes once, in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happenings) => {
      const world = new World();
      world.source.start();
      for (const each of happenings) await world.meets(each);
      const head = await world.end();
      world.source.stop();
      expect(world.got).toEqual(Array.from({ length: head }, (_, n) => n + 1));
    }),
    { numRuns: 150 },
  );
}, 60_000);

test("Kafka takes over when it has brought something in time, and the log when Kafka is late", async () => {
  const world = new World();
  world.source.start();
  await jest.advanceTimersByTimeAsync(600);
  expect(world.source.status()).toMatchObject({ source: "log", reason: "starting", kafka_position: 0 });
  await world.meets({ what: "written", count: 3 });
  await world.meets({ what: "brought", from: 0, count: 3, lost: false });
  await jest.advanceTimersByTimeAsync(1_100);
  expect(world.source.status()).toMatchObject({ source: "kafka", reason: undefined, position: 3 });
  await world.meets({ what: "written", count: 2 });
  await jest.advanceTimersByTimeAsync(1_900);
  expect(world.got).toEqual([1, 2, 3]);
  await jest.advanceTimersByTimeAsync(1_100);
  expect(world.source.status()).toMatchObject({ source: "log", reason: "late", position: 5 });
  expect(world.got).toEqual([1, 2, 3, 4, 5]);
  for (let n = 0; n < 5; n += 1) {
    await world.meets({ what: "written", count: 1 });
    await world.meets({ what: "brought", from: 2, count: 1, lost: false });
    await jest.advanceTimersByTimeAsync(500);
  }
  // What was lost stays so; behind it Kafka has proved itself anew.
  expect(world.source.status()).toMatchObject({ source: "kafka", kafka_position: 10, switches: 3 });
  world.source.stop();
});

test("who wants Kafka by all means gets what Kafka does not bring from the log, late", async () => {
  const world = new World();
  world.source.start();
  world.source.switchTo("kafka");
  await jest.advanceTimersByTimeAsync(600);
  await world.meets({ what: "written", count: 4 });
  await jest.advanceTimersByTimeAsync(4_000);
  expect(world.got).toEqual([1, 2, 3, 4]);
  expect(world.source.status()).toMatchObject({ source: "kafka", choice: "kafka", kafka_position: 4 });
  world.source.stop();
});

test("in Kafka's turn what Kafka has brought goes past a subscriber that was busy, and nothing of it is missed", async () => {
  const world = new World();
  world.source.start();
  await jest.advanceTimersByTimeAsync(600);
  await world.meets({ what: "busy", busy: true });
  await world.meets({ what: "written", count: 30 });
  await world.meets({ what: "brought", from: 0, count: 30, lost: false });
  await world.meets({ what: "chosen", choice: "kafka" });
  await world.meets({ what: "busy", busy: false });
  await jest.advanceTimersByTimeAsync(600);
  expect(world.got).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
  world.source.stop();
});

test("an event that comes by Kafka while the log is being read, and is too new for that reading, is not missed", async () => {
  const world = new World();
  world.source.start();
  await jest.advanceTimersByTimeAsync(600);
  world.log.answer_ms = 100;
  await world.meets({ what: "written", count: 2, unheard: true });
  await world.meets({ what: "brought", from: 0, count: 2, lost: false });
  await world.meets({ what: "chosen", choice: "kafka" });
  await world.meets({ what: "written", count: 1, unheard: true });
  await world.meets({ what: "brought", from: 0, count: 1, lost: false });
  await jest.advanceTimersByTimeAsync(400);
  expect(world.got).toEqual([1, 2, 3]);
  world.source.stop();
});

test("when too much waits for one that is missing, Kafka is given up on at once", async () => {
  const world = new World();
  world.source.start();
  await world.meets({ what: "written", count: 40 });
  await jest.advanceTimersByTimeAsync(600);
  await world.meets({ what: "chosen", choice: "kafka" });
  await world.meets({ what: "chosen", choice: "auto" });
  await world.meets({ what: "written", count: 40 });
  await jest.advanceTimersByTimeAsync(600);
  await world.meets({ what: "brought", from: 41, count: 39, lost: false });
  expect(world.source.status()).toMatchObject({ source: "log", reason: "late", kafka_position: 80 });
  await jest.advanceTimersByTimeAsync(600);
  expect(world.got).toHaveLength(80);
  world.source.stop();
});
