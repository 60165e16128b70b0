import { setTimeout as pause } from "node:timers/promises";
import type { FeedHandle } from "../../../mixins/event-feed/event-feed";
import { KafkaFeed } from "../../../mixins/event-feed/kafka-feed";
import { KAFKA_SOURCE_LIMITS } from "../../../mixins/event-feed/kafka-source";
import { FEED_LIMITS } from "../../../mixins/event-feed/tail-feed";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { recordOf } from "../../../mixins/kafka/event-record";
import type { KafkaLink } from "../../../mixins/kafka/kafka-link";
import { startLeader, type LeaderHandle } from "../../../mixins/process/start-leader";
import { orderPersonalData } from "../../../services/order/order.events";
import { RELAY, Relay } from "../../../services/relay/relay";
import { Recorder, eventFeedSuite, write } from "../../support/event-feed.suite";
import { eventually } from "../../support/eventually";
import { describeWithKafka, startTestKafka, type TestKafka } from "../../support/kafka";
import { LogWriter } from "../../support/log-writer";
import { ObservedLog } from "../../support/observed-log";
import { placed, sampleOrder } from "../../support/order-events";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { QuietLogger } from "../../support/quiet-logger";
import { NEVER_BACK } from "../../support/memory-lineage";

const TIMEOUT_MS = 20_000;
/** Nothing but Kafka brings anything to a feed that looks at the log so seldom. */
const NEVER_MS = 3_600_000;
const logger = new QuietLogger();

describeWithKafka("KafkaFeed", () => {
  let database: TestDatabase;
  let kafka: TestKafka;
  let link: KafkaLink;
  let log: PostgresEventLog;
  let relay: LeaderHandle;

  beforeAll(async () => {
    [database, kafka] = await Promise.all([startTestDatabase(), startTestKafka()]);
    link = kafka.link();
    log = await createEventLog({ connection: database.connection, personal: orderPersonalData });
    const { pool } = database;
    const deps = { log, pool, kafka: link, logger, clock: { now: () => Date.now() } };
    relay = startLeader({ pool, logger }, { name: RELAY, lead: (over) => new Relay(deps).lead(over) });
  });
  afterAll(async () => {
    await relay.stop();
    await log.close();
    await Promise.all([kafka.stop(), database.stop()]);
  });

  /** A feed by Kafka that has come to trust it; `deaf`: to which the log says nothing of its own accord. */
  async function trusting(deaf?: "deaf"): Promise<{ feed: KafkaFeed; observed: ObservedLog }> {
    const observed = new ObservedLog(log);
    const feed = new KafkaFeed(
      { log: observed, logger, kafka: link },
      { ...FEED_LIMITS, poll_ms: NEVER_MS },
      { ...KAFKA_SOURCE_LIMITS, look_ms: 20 },
    );
    feed.start();
    await eventually(async () => {
      await write(log, 1);
      await pause(50);
      expect(feed.status()).toMatchObject({ source: "kafka", joined: true });
    }, TIMEOUT_MS);
    if (deaf !== undefined) makeDeaf(observed);
    return { feed, observed };
  }

  function makeDeaf(observed: ObservedLog): void {
    observed.onAppended = () => () => undefined;
    observed.onCommitted = () => () => undefined;
  }

  describe("trusted", () => {
    let opened: KafkaFeed;
    afterAll(() => opened.close());
    eventFeedSuite("KafkaFeed", async () => {
      const { feed } = await trusting();
      opened = feed;
      return { feed, log };
    });
  });

  describe("without any word from the log", () => {
    let opened: KafkaFeed;
    afterAll(() => opened.close());
    eventFeedSuite("KafkaFeed, deaf", async () => {
      const { feed } = await trusting("deaf");
      opened = feed;
      return { feed, log };
    });
  });

  describe("its own", () => {
    let feed: KafkaFeed;
    let observed: ObservedLog;
    let handle: FeedHandle | undefined;

    beforeEach(async () => {
      ({ feed, observed } = await trusting("deaf"));
    });
    afterEach(async () => {
      await handle?.stop();
      await feed.close();
    });

    async function atTheEnd(recorder: Recorder): Promise<number> {
      const after = await write(log, 1);
      handle = feed.subscribe({
        name: "test",
        after,
        onBatch: (...batch) => recorder.take(...batch),
        ...NEVER_BACK,
      });
      const head = await write(log, 1);
      await handle.reached(head, TIMEOUT_MS);
      observed.reads = 0;
      return after;
    }

    test("events travel by Kafka: the log is not read, but where a busy machine makes Kafka late", async () => {
      const recorder = new Recorder();
      const after = await atTheEnd(recorder);
      for (let n = 0; n < 50; n += 1) await write(log, 1 + (n % 3));
      const head = await log.head();
      await handle?.reached(head, TIMEOUT_MS);
      recorder.expectAll(after, head);
      // A feed from the log would have read it for each of the 50 writes.
      expect(observed.reads).toBeLessThan(5);
      await eventually(() => {
        expect(feed.status()).toMatchObject({ source: "kafka", position: head, kafka_position: head });
      }, TIMEOUT_MS);
    });

    test("events come as the log has them", async () => {
      const recorder = new Recorder();
      const after = await atTheEnd(recorder);
      await write(log, 20);
      const order = placed(sampleOrder());
      const head = await new LogWriter(log).write(order);
      await handle?.reached(head, TIMEOUT_MS);
      const events = recorder.batches.flat();
      expect(events).toEqual(await log.readAll(after, 100));
      // Unsealed on the way.
      expect(events.at(-1)?.data).toEqual(order.data);
    });

    test("records of another log and what is no event at all are passed over", async () => {
      const recorder = new Recorder();
      const after = await atTheEnd(recorder);
      const producer = link.client.producer();
      await producer.connect();
      const { name } = log.lineage;
      const [last] = await log.readAll((await log.head()) - 1, 1);
      if (last === undefined) throw new Error("The log is empty.");
      const next = { ...last, position: last.position + 1, data: { n: "not so" } };
      const head = { position: String(next.position), log: name };
      const messages = [
        recordOf(next, "another log"),
        { ...recordOf(last, name), headers: head },
        { headers: head, value: "no protobuf" },
        { headers: { ...head, position: "NaN" }, value: null },
        { value: "no headers" },
      ];
      await producer.send({ topic: link.topic, messages });
      await producer.disconnect();
      await handle?.reached(await write(log, 5), TIMEOUT_MS);
      expect(recorder.batches.flat()).toEqual(await log.readAll(after, 100));
      expect(feed.status().source).toBe("kafka");
    });
  });

  test("an operator takes it from one source to the other and back, under load, and every event comes once", async () => {
    const { feed } = await trusting();
    const recorder = new Recorder();
    const after = await log.head();
    const handle = feed.subscribe({
      name: "test",
      after,
      onBatch: (...batch) => recorder.take(...batch),
      ...NEVER_BACK,
    });
    const load = { on: true };
    const writer = (async () => {
      while (load.on) await write(log, 3);
    })();
    for (const choice of ["log", "kafka", "log", "auto", "log", "kafka", "auto"] as const) {
      feed.switchTo(choice);
      await handle.reached((await log.head()) + 30, TIMEOUT_MS);
      if (choice !== "auto") expect(feed.status()).toMatchObject({ source: choice, choice });
    }
    load.on = false;
    await writer;
    const head = await log.head();
    await handle.reached(head, TIMEOUT_MS);
    recorder.expectAll(after, head);
    expect(feed.status().switches).toBeGreaterThanOrEqual(5);
    await handle.stop();
    await feed.close();
  });
});
