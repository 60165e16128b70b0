import { randomUUID } from "node:crypto";
import path from "node:path";
import { loadSync } from "protobufjs";
import type { Position } from "../../../mixins/event-log/event-log";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import type { KafkaLink } from "../../../mixins/kafka/kafka-link";
import { startLeader } from "../../../mixins/process/start-leader";
import { RELAY, Relay, type RelayDeps } from "../../../services/relay/relay";
import { orderPersonalData } from "../../../services/order/order.events";
import { write } from "../../support/event-feed.suite";
import { eventually } from "../../support/eventually";
import { asAdmin, describeWithKafka, readTopic, startTestKafka, type TestKafka } from "../../support/kafka";
import { LogWriter } from "../../support/log-writer";
import { ADDRESS, PHONE, placed, sampleOrder, stepped } from "../../support/order-events";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { QuietLogger } from "../../support/quiet-logger";

const TIMEOUT_MS = 20_000;
/** All that another system has: the contract. */
const Event = loadSync(path.resolve(__dirname, "../../../proto/forno/events/v1/events.proto")).lookupType(
  "forno.events.v1.Event",
);

describeWithKafka("The relay", () => {
  let database: TestDatabase;
  let kafka: TestKafka;
  let log: PostgresEventLog;
  let link: KafkaLink;
  let logger: QuietLogger;
  let stops: (() => Promise<void>)[];

  beforeAll(async () => {
    [database, kafka] = await Promise.all([startTestDatabase(), startTestKafka()]);
    log = await createEventLog({ connection: database.connection, personal: orderPersonalData });
  });
  afterAll(async () => {
    await log.close();
    await Promise.all([kafka.stop(), database.stop()]);
  });
  beforeEach(async () => {
    stops = [];
    logger = new QuietLogger();
    link = kafka.link();
    // Only what the test writes: the topic is new, and a new topic gets what is younger than its retention.
    await database.pool.query("delete from es.checkpoint where name = $1", [RELAY]);
  });
  afterEach(async () => {
    await Promise.all(stops.map((stop) => stop()));
  });

  const deps = (kafka: KafkaLink = link): RelayDeps => ({
    ...{ log, logger, kafka, pool: database.pool, clock: { now: () => Date.now() } },
  });

  /** One relay more, as a node of its own would run it. */
  function startRelay(): { stop: () => Promise<void>; leading: () => boolean } {
    const { pool } = database;
    const relay = startLeader(
      { pool, logger },
      { name: RELAY, lead: (over) => new Relay(deps()).lead(over) },
    );
    stops.push(() => relay.stop());
    return { stop: () => relay.stop(), leading: () => relay.leading };
  }

  async function checkpointAt(position: Position): Promise<void> {
    await eventually(async () => {
      const { rows } = await database.pool.query<{ pos: Position }>(
        "select pos from es.checkpoint where name = $1",
        [RELAY],
      );
      expect(rows[0]?.pos).toBe(position);
    }, TIMEOUT_MS);
  }

  /** Positions in each partition, as they lie there. */
  async function stored(): Promise<number[][]> {
    const records = await readTopic(link);
    const partitions = Array.from({ length: 16 }, (): number[] => []);
    for (const record of records) partitions[record.partition]?.push(positionOf(record));
    return partitions;
  }

  test("shows every event to an outside consumer: partition, key, headers, and a value that the .proto alone explains", async () => {
    const order = sampleOrder({ user_id: randomUUID() });
    const first = placed(order);
    const writer = new LogWriter(log);
    const after = (await writer.write(first, stepped(order, "pending", "preparing"))) - 2;
    const head = await writer.write({ type: "thing.happened", stream_id: "thing-1", data: { n: 1 } });
    startRelay();
    await checkpointAt(head);
    const records = await readTopic(link);
    const mine = records
      .filter((record) => positionOf(record) > after)
      .sort((a, b) => positionOf(a) - positionOf(b));
    const events = await log.readAll(after, 10);
    expect(mine.map(({ key }) => key?.toString())).toEqual([order.order_id, order.order_id, "thing-1"]);
    expect(mine.map(({ partition }) => partition)).toEqual(events.map(({ partition }) => partition));
    expect(mine.map(({ timestamp }) => Number(timestamp))).toEqual(
      events.map(({ recorded_at }) => Date.parse(recorded_at)),
    );
    expect(mine.map(({ headers }) => headers?.["type"]?.toString())).toEqual(events.map(({ type }) => type));
    expect(mine[0]?.headers?.["log"]?.toString()).toBe(log.lineage.name);
    const [first_stored] = await log.stored.readAll(after, 1);
    const [value, step, other] = mine.map((record) =>
      Event.toObject(Event.decode(record.value ?? Buffer.alloc(0)), { longs: Number }),
    );
    expect(value).toMatchObject({
      ...{ position: after + 1, streamId: `order-${order.order_id}`, streamType: "order", version: 1 },
      ...{ eventId: events[0]?.event_id, type: "order.placed", recordedAt: events[0]?.recorded_at },
      ...{ meta: { actor: "test" }, data: JSON.stringify(first_stored?.data) },
      orderPlaced: { orderId: order.order_id, totalMinor: 109_800, items: [{ quantity: 2 }] },
    });
    // What is personal travels sealed, in the JSON and nowhere else.
    expect(value).toMatchObject({ orderPlaced: { address: "erased", customer: { name: "erased" } } });
    expect(JSON.parse((value as { data: string }).data)).toMatchObject({ address: "erased", $sealed: {} });
    for (const text of [ADDRESS, PHONE, first.data.customer.name ?? ""])
      expect(records.some((record) => record.value?.includes(text))).toBe(false);
    expect(step?.["orderStatusChanged"]).toMatchObject({ from: "pending", to: "preparing" });
    expect(other).toMatchObject({ type: "thing.happened", data: '{"n":1}' });
  });

  test("keeps each partition in order, all of it, and moves its checkpoint behind what is acknowledged", async () => {
    startRelay();
    const writers = Array.from({ length: 3 }, async () => {
      for (let n = 0; n < 30; n += 1) await write(log, 4);
    });
    await Promise.all(writers);
    const head = await log.head();
    await checkpointAt(head);
    const partitions = await stored();
    expect(partitions.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: head }, (_, n) => n + 1));
    for (const positions of partitions) expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  test("is one at a time, and the next one goes on where it stopped", async () => {
    const [one, two] = [startRelay(), startRelay()];
    await eventually(() => {
      expect([one.leading(), two.leading()].filter(Boolean)).toHaveLength(1);
    });
    await checkpointAt(await write(log, 10));
    await (one.leading() ? one : two).stop();
    const head = await write(log, 10);
    await checkpointAt(head);
    expect([one.leading(), two.leading()].filter(Boolean)).toHaveLength(1);
    const positions = (await stored()).flat();
    expect(new Set(positions).size).toBe(head);
    expect(positions).toHaveLength(head);
  });

  test("two at once make duplicates and no gap: in each partition an event stands behind all before it", async () => {
    const over = new AbortController();
    const zombies = [0, 1].map(async () => {
      // Both lead, as after a lost lock; who is fenced begins again.
      while (!over.signal.aborted)
        await new Relay(deps()).lead(over.signal).catch((error: unknown) => {
          logger.debug(String(error));
        });
    });
    stops.push(async () => {
      over.abort();
      await Promise.all(zombies);
    });
    for (let n = 0; n < 60; n += 1) await write(log, 5);
    const head = await log.head();
    await checkpointAt(head);
    const partitions = await stored();
    const expected = (await readEverything()).map(({ partition, position }) => ({ partition, position }));
    for (const [partition, positions] of partitions.entries()) {
      const seen: number[] = [];
      for (const position of positions) if (position > (seen.at(-1) ?? 0)) seen.push(position);
      expect(seen).toEqual(
        expected.filter((event) => event.partition === partition).map(({ position }) => position),
      );
    }
    expect(partitions.flat().length).toBeGreaterThan(head);
  });

  test("goes on after it was cut off before its checkpoint moved: twice rather than never", async () => {
    startRelay();
    const before = await write(log, 20);
    await checkpointAt(before);
    await stops.pop()?.();
    await database.pool.query(
      "update es.checkpoint set pos = $2, event_id = null, recorded_at = null where name = $1",
      [RELAY, before - 7],
    );
    startRelay();
    const head = await write(log, 3);
    await checkpointAt(head);
    const positions = (await stored()).flat();
    expect(new Set(positions).size).toBe(head);
    expect(positions).toHaveLength(head + 7);
  });

  test("fills a topic that was deleted with what it would still hold", async () => {
    startRelay();
    await checkpointAt(await write(log, 20));
    await asAdmin(link, (admin) => admin.deleteTopics({ topics: [link.topic] }));
    const head = await write(log, 5);
    await checkpointAt(head);
    expect(new Set((await stored()).flat()).size).toBe(head);
    expect(logger.having("made the topic")).toHaveLength(2);
    expect(logger.having("warn relay:").length).toBeLessThanOrEqual(1);
  });

  test("sends no event to a new topic that is older than its retention", async () => {
    await write(log, 10);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const since = Date.now();
    const before = await log.head();
    const head = await write(log, 4);
    const clock = { now: () => since + link.retention_ms };
    const over = new AbortController();
    const leading = new Relay({ ...deps(), clock }).lead(over.signal);
    stops.push(async () => {
      over.abort();
      await leading;
    });
    await checkpointAt(head);
    const positions = (await stored()).flat().sort((a, b) => a - b);
    expect(positions).toEqual(Array.from({ length: head - before }, (_, n) => before + n + 1));
  });

  test("does nothing to a topic with another number of partitions, and says so", async () => {
    const topics = [{ topic: link.topic, numPartitions: 3 }];
    await asAdmin(link, (admin) => admin.createTopics({ topics, waitForLeaders: false }));
    startRelay();
    await eventually(() => {
      expect(logger.having("error relay: nothing is sent: The Kafka topic has 3 partitions")).toHaveLength(1);
    });
    // The topic is made before each of its partitions has a leader who can be asked.
    await eventually(() =>
      asAdmin(link, async (admin) => {
        const offsets = await admin.fetchTopicOffsets(link.topic);
        expect(offsets.map(({ high }) => high)).toEqual(["0", "0", "0"]);
      }),
    );
  });

  test("carries a burst of one partition that is larger than a record batch may be, and what is larger than any record without its data", async () => {
    startRelay();
    const stream_id = `thing-${randomUUID()}`;
    const events = Array.from({ length: 30 }, (_, n) => ({
      type: "thing.filled",
      data: { n, text: "ы".repeat(n === 29 ? 300_000 : 40_000) },
    }));
    const stream = { stream_id, stream_type: "thing", expected_version: 0, events };
    await log.append({ streams: [stream], commands: [], meta: {} });
    const head = await log.head();
    await checkpointAt(head);
    const records = await readTopic(link);
    const mine = records.filter((record) => positionOf(record) > head - 30);
    expect(mine).toHaveLength(30);
    const values = mine.map(({ value }) => Event.toObject(Event.decode(value ?? Buffer.alloc(0))));
    expect(values.slice(0, 29).every(({ data }) => typeof data === "string" && data.includes("ы"))).toBe(
      true,
    );
    expect(values[29]).toMatchObject({ dataOmitted: true });
    expect(values[29]).not.toHaveProperty("data");
  });

  async function readEverything(): ReturnType<PostgresEventLog["readAll"]> {
    return log.readAll(0, await log.head());
  }
});

function positionOf({ headers }: { headers?: Record<string, unknown> | undefined }): number {
  return Number(String(headers?.["position"]));
}
