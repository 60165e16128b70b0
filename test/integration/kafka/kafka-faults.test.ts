import { setTimeout as pause } from "node:timers/promises";
import type { FeedHandle } from "../../../mixins/event-feed/event-feed";
import { everythingToEverybody, GROUP, SESSION_TIMEOUT_MS } from "../../../mixins/event-feed/kafka-consumer";
import { KafkaFeed } from "../../../mixins/event-feed/kafka-feed";
import type { Position } from "../../../mixins/event-log/event-log";
import { createEventLog, type PostgresEventLog } from "../../../mixins/event-log/postgres-event-log";
import { recordOf } from "../../../mixins/kafka/event-record";
import type { KafkaLink } from "../../../mixins/kafka/kafka-link";
import { startLeader, type LeaderHandle } from "../../../mixins/process/start-leader";
import { RELAY, Relay } from "../../../services/relay/relay";
import { Recorder, write } from "../../support/event-feed.suite";
import { eventually } from "../../support/eventually";
import { asAdmin, describeWithKafka, startTestKafka, type TestKafka } from "../../support/kafka";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { QuietLogger } from "../../support/quiet-logger";
import { NEVER_BACK } from "../../support/memory-lineage";

/** A Kafka that was killed needs some seconds until it serves again. */
const TIMEOUT_MS = 40_000;
const EVERY_MS = 20;

/** A node: a log of its own on the common database, and a feed by Kafka with one subscriber. */
class Node {
  readonly logger = new QuietLogger();
  readonly recorder = new Recorder();
  /** When each position came, by `performance.now()`. */
  readonly came_ms = new Map<Position, number>();
  private constructor(
    readonly log: PostgresEventLog,
    readonly feed: KafkaFeed,
    readonly after: Position,
    private handle: FeedHandle | undefined,
  ) {}

  static async start(database: TestDatabase, link: KafkaLink): Promise<Node> {
    const log = await createEventLog({ connection: database.connection });
    const logger = new QuietLogger();
    const feed = new KafkaFeed({ log, logger, kafka: link });
    feed.start();
    const after = await log.head();
    const node = new Node(log, feed, after, undefined);
    node.handle = feed.subscribe({
      name: "test",
      after,
      onBatch: (events, through) => {
        for (const { position } of events) node.came_ms.set(position, performance.now());
        return node.recorder.take(events, through);
      },
      ...NEVER_BACK,
    });
    return node;
  }

  async expectAll(): Promise<void> {
    const head = await this.log.head();
    await this.handle?.reached(head, TIMEOUT_MS);
    this.recorder.expectAll(this.after, head);
  }

  async uses(source: "log" | "kafka"): Promise<void> {
    await eventually(() => {
      expect(this.feed.status().source).toBe(source);
    }, TIMEOUT_MS);
  }

  async stop(): Promise<void> {
    await this.handle?.stop();
    await this.feed.close();
    await this.log.close();
  }
}

/** Writes all the time, as a third node that the feeds hear of only by Kafka, or by the log's signal. */
class Writer {
  readonly wrote_ms = new Map<Position, number>();
  #writing = true;
  readonly #done: Promise<void>;

  constructor(log: PostgresEventLog) {
    this.#done = (async () => {
      while (this.#writing) {
        const position = await write(log, 2);
        for (const each of [position - 1, position]) this.wrote_ms.set(each, performance.now());
        await pause(EVERY_MS);
      }
    })();
  }

  async stop(): Promise<void> {
    this.#writing = false;
    await this.#done;
  }

  /** The longest that an event took to a node, in ms. */
  slowest(node: Node): number {
    const delays = Array.from(
      this.wrote_ms,
      ([position, wrote_ms]) => (node.came_ms.get(position) ?? 0) - wrote_ms,
    );
    return Math.max(...delays);
  }
}

describeWithKafka("The feed by Kafka, when", () => {
  let database: TestDatabase;
  let kafka: TestKafka;
  let link: KafkaLink;
  let log: PostgresEventLog;
  let relay: LeaderHandle;
  let writer: Writer;
  let nodes: Node[];
  const logger = new QuietLogger();

  beforeAll(async () => {
    [database, kafka] = await Promise.all([startTestDatabase(), startTestKafka()]);
    log = await createEventLog({ connection: database.connection });
  });
  afterAll(async () => {
    await log.close();
    await Promise.all([kafka.stop(), database.stop()]);
  });
  beforeEach(async () => {
    await database.pool.query("delete from es.checkpoint where name = $1", [RELAY]);
    link = kafka.link();
    const { pool } = database;
    const deps = { log, pool, kafka: link, logger, clock: { now: () => Date.now() } };
    relay = startLeader({ pool, logger }, { name: RELAY, lead: (over) => new Relay(deps).lead(over) });
    nodes = [];
    writer = new Writer(log);
  });
  afterEach(async () => {
    await writer.stop();
    await Promise.all(nodes.map((node) => node.stop()));
    await relay.stop();
    await kafka.server.process.start();
  });

  async function start(): Promise<Node> {
    const node = await Node.start(database, link);
    nodes.push(node);
    return node;
  }

  /** So many more events have been written, and have come to all nodes. */
  async function flows(node: Node): Promise<void> {
    const head = await log.head();
    await eventually(() => {
      expect(node.recorder.positions.at(-1)).toBeGreaterThan(head + 20);
    }, TIMEOUT_MS);
  }

  test("Kafka is down at the start: events come from the log, and by Kafka once it is there", async () => {
    await kafka.server.process.kill();
    const node = await start();
    await flows(node);
    expect(node.feed.status()).toMatchObject({ source: "log", joined: false });
    await kafka.server.process.start();
    await node.uses("kafka");
    await flows(node);
    await writer.stop();
    await node.expectAll();
    expect(writer.slowest(node)).toBeLessThan(1_000);
  });

  test("Kafka is killed in mid-stream and comes back: the log stands in within seconds, nothing is missing or double", async () => {
    const node = await start();
    await node.uses("kafka");
    await kafka.server.process.kill();
    await node.uses("log");
    await flows(node);
    await kafka.server.process.start();
    await node.uses("kafka");
    await flows(node);
    await writer.stop();
    await node.expectAll();
    expect(writer.slowest(node)).toBeLessThan(4_000);
  });

  test("Kafka hangs and wakes up: likewise", async () => {
    const node = await start();
    await node.uses("kafka");
    kafka.server.process.suspend();
    await node.uses("log");
    await flows(node);
    kafka.server.process.resume();
    await node.uses("kafka");
    await flows(node);
    await writer.stop();
    await node.expectAll();
    expect(writer.slowest(node)).toBeLessThan(4_000);
  });

  test("the topic is deleted: likewise, by the topic that the relay makes anew", async () => {
    const node = await start();
    await node.uses("kafka");
    await asAdmin(link, (admin) => admin.deleteTopics({ topics: [link.topic] }));
    await node.uses("log");
    await node.uses("kafka");
    await flows(node);
    await writer.stop();
    await node.expectAll();
    expect(writer.slowest(node)).toBeLessThan(4_000);
  });

  test("an event never comes by Kafka: the log fills the hole, and Kafka goes on behind it", async () => {
    const node = await start();
    await node.uses("kafka");
    await writer.stop();
    await node.expectAll();
    await relay.stop();
    const after = await log.head();
    await write(log, 10);
    const events = await log.readAll(after, 10);
    const { name } = log.lineage;
    const messages = events.filter((_, n) => n !== 4).map((event) => recordOf(event, name));
    const producer = link.client.producer();
    await producer.connect();
    await producer.send({ topic: link.topic, messages });
    await producer.disconnect();
    await node.expectAll();
    expect(node.feed.status()).toMatchObject({ source: "log", reason: "late" });
  });

  test("nodes come and go: nobody waits for a rebalance", async () => {
    const node = await start();
    await node.uses("kafka");
    const others = [await start(), await start()];
    await Promise.all(others.map((other) => other.uses("kafka")));
    await node.uses("kafka");
    await flows(node);
    const [leaves] = others;
    if (leaves !== undefined) {
      nodes.splice(nodes.indexOf(leaves), 1);
      await leaves.stop();
    }
    await flows(node);
    await node.uses("kafka");
    await flows(node);
    await writer.stop();
    for (const each of nodes) await each.expectAll();
    for (const each of nodes) expect(writer.slowest(each)).toBeLessThan(3_000);
    expect(node.recorder.positions.length).toBeGreaterThan(50);
  });

  test("a node dies without a word: nobody waits while the group waits for it", async () => {
    const node = await start();
    await node.uses("kafka");
    // A member that has joined and is never heard of again, as after kill -9.
    const over = Promise.withResolvers<undefined>();
    const dead = link.client.consumer({
      ...{ groupId: GROUP, partitionAssigners: [everythingToEverybody] },
      ...{ sessionTimeout: SESSION_TIMEOUT_MS, rebalanceTimeout: SESSION_TIMEOUT_MS },
    });
    await dead.connect();
    await dead.subscribe({ topics: [link.topic] });
    const silent = Promise.withResolvers<undefined>();
    await dead.run({
      eachBatch: () => {
        silent.resolve(undefined);
        return over.promise;
      },
    });
    await silent.promise;
    await node.uses("kafka");
    const { switches } = node.feed.status();
    await eventually(() => {
      expect(node.feed.status().switches).toBeGreaterThan(switches);
    }, TIMEOUT_MS);
    await node.uses("kafka");
    await flows(node);
    await writer.stop();
    await node.expectAll();
    expect(writer.slowest(node)).toBeLessThan(3_000);
    over.resolve(undefined);
    await dead.disconnect();
  });
});
