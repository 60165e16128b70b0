import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Pool } from "pg";
import { kafkaJars } from "../fleet/servers/kafka-jars";
import { kafkaServer } from "../fleet/servers/kafka-server";
import type { EventFeed } from "../mixins/event-feed/event-feed";
import { everythingToEverybody } from "../mixins/event-feed/kafka-consumer";
import { KafkaFeed } from "../mixins/event-feed/kafka-feed";
import { LogFeed } from "../mixins/event-feed/log-feed";
import { LogOrder } from "../mixins/event-feed/log-order";
import type { EventLog } from "../mixins/event-log/event-log";
import { createEventLog } from "../mixins/event-log/postgres-event-log";
import { eventOf } from "../mixins/kafka/event-record";
import { KafkaLink } from "../mixins/kafka/kafka-link";
import { Relay } from "../services/relay/relay";
import { loadSettings } from "../settings";
import { openOrderHistory } from "./order-history";

export interface FeedFigures {
  readonly scenario: string;
  readonly events_per_s?: number;
  /** Of this process; the rest of the time is PostgreSQL's and Kafka's. */
  readonly cpu_us_per_event?: number;
  /** From the acknowledged append on one node to a subscriber on another. */
  readonly p50_ms?: number;
  readonly p99_ms?: number;
}

const LIVE_EVENTS = 500;
const LIVE_EVERY_MS = 10;
const TIMEOUT_MS = 300_000;
const quiet = { debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error };

/** What a run stands on: two nodes' logs on one database, and a topic. */
interface Stage {
  readonly pool: Pool;
  readonly log: EventLog;
  readonly otherNode: EventLog;
  readonly kafka: KafkaLink;
  readonly head: number;
}

/**
 * The same history of orders from beginning to end: out of the log, from the log into Kafka, and out of Kafka, put back into the
 * order of the log. Then single events, from one node to another, either way. Without Kafka on this machine, only the log.
 */
export async function benchFeed(url: string, events: number): Promise<readonly FeedFigures[]> {
  const { connection, db, pool, head } = await openOrderHistory(url, events);
  const [log, otherNode] = [await createEventLog({ connection }), await createEventLog({ connection })];
  try {
    const outOfLog = await measured("the log, from its beginning", head, () =>
      follow(new LogFeed({ log, logger: quiet }), head),
    );
    const live = await latency("live, by the log", log, new LogFeed({ log: otherNode, logger: quiet }));
    return [
      outOfLog,
      ...(await withKafka((kafka) => throughKafka({ pool, log, otherNode, kafka, head }))),
      live,
    ];
  } finally {
    await Promise.all([log.close(), otherNode.close()]);
    await db.destroy();
  }
}

async function withKafka(
  work: (kafka: KafkaLink) => Promise<readonly FeedFigures[]>,
): Promise<readonly FeedFigures[]> {
  const jars = kafkaJars();
  if ("missing" in jars) {
    console.warn(`Without Kafka: ${jars.missing}`);
    return [];
  }
  const home = mkdtempSync(path.join(tmpdir(), "forno-bench-kafka-"));
  const { process, brokers } = await kafkaServer(jars.libs, home);
  await process.start();
  try {
    return await work(new KafkaLink(loadSettings({ KAFKA_BROKERS: brokers }), quiet));
  } finally {
    await process.kill();
    rmSync(home, { recursive: true, force: true });
  }
}

async function throughKafka(stage: Stage): Promise<readonly FeedFigures[]> {
  const { pool, log, otherNode, kafka } = stage;
  const head = await log.head();
  const over = new AbortController();
  const relay = new Relay({ pool, log, kafka, logger: quiet, clock: { now: () => Date.now() } });
  let relaying: Promise<void> | undefined;
  const into = await measured("from the log into Kafka", head, async () => {
    // The history is old; a topic that a relay makes gets only what is younger than its retention.
    await kafka.ensureTopic();
    relaying = relay.lead(over.signal);
    while (relay.records_sent < head) await pause(1);
  });
  const outOf = await measured("Kafka, from its beginning", head, () => readKafka(kafka, head));
  const feed = new KafkaFeed({ kafka, log: otherNode, logger: quiet });
  feed.start();
  while (feed.status().source === "log") {
    await append(log);
    await pause(100);
  }
  const { switches } = feed.status();
  const live = await latency("live, by Kafka", log, feed);
  if (feed.status().switches !== switches) throw new Error("Kafka was late; these are figures of the log.");
  await feed.close();
  over.abort();
  await relaying;
  return [into, outOf, live];
}

/** All of the topic, by one member of a group, in the order of the log. */
async function readKafka({ client, topic }: KafkaLink, head: number): Promise<void> {
  const order = new LogOrder(0, Number.POSITIVE_INFINITY);
  const partitionAssigners = [everythingToEverybody];
  const consumer = client.consumer({ groupId: "bench", partitionAssigners, maxWaitTimeInMs: 50 });
  const done = Promise.withResolvers<undefined>();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch }) => {
      for (const record of batch.messages) {
        const event = eventOf(record);
        if (event !== undefined) order.add(event);
      }
      order.release();
      if (order.position >= head) done.resolve(undefined);
      return Promise.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
}

async function measured(scenario: string, events: number, work: () => Promise<void>): Promise<FeedFigures> {
  const begun = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { scenario, events_per_s: events / seconds, cpu_us_per_event: (user + system) / events };
}

/** The log of a bench does not. */
const wentBack = (): Promise<never> => Promise.reject(new Error("The log went back."));

async function follow(feed: EventFeed, head: number): Promise<void> {
  const handle = feed.subscribe({ name: "bench", after: 0, onBatch: () => Promise.resolve(), wentBack });
  await handle.reached(head, TIMEOUT_MS);
  await handle.stop();
}

/** Single events at leisure, so that what is measured is the way and no queue. */
async function latency(scenario: string, log: EventLog, feed: EventFeed): Promise<FeedFigures> {
  const came_ms = new Map<number, number>();
  const handle = feed.subscribe({
    name: "bench",
    after: await log.head(),
    onBatch: (events) => {
      for (const { position } of events) came_ms.set(position, performance.now());
      return Promise.resolve();
    },
    wentBack,
  });
  await handle.reached(await append(log), TIMEOUT_MS);
  const waits_ms: number[] = [];
  for (let n = 0; n < LIVE_EVENTS; n += 1) {
    const position = await append(log);
    const acknowledged_ms = performance.now();
    await handle.reached(position, TIMEOUT_MS);
    waits_ms.push(Math.max(0, (came_ms.get(position) ?? Number.NaN) - acknowledged_ms));
    await pause(LIVE_EVERY_MS);
  }
  await handle.stop();
  const sorted = waits_ms.toSorted((a, b) => a - b);
  const quantile = (q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN;
  return { scenario, p50_ms: quantile(0.5), p99_ms: quantile(0.99) };
}

let appended = 0;

async function append(log: EventLog): Promise<number> {
  const stream_id = `bench-${String((appended += 1))}`;
  const stream = {
    stream_id,
    stream_type: "bench",
    expected_version: 0,
    events: [{ type: "bench.done", data: {} }],
  };
  const outcome = await log.append({ streams: [stream], commands: [], meta: {} });
  if (outcome.status !== "committed") throw new Error(`The log answered ${outcome.status}.`);
  return outcome.position;
}
