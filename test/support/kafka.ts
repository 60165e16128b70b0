import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Admin, KafkaMessage } from "kafkajs";
import { kafkaJars } from "../../fleet/servers/kafka-jars";
import { kafkaServer, type KafkaServer, type KafkaServerOptions } from "../../fleet/servers/kafka-server";
import { KafkaLink, type KafkaSettings } from "../../mixins/kafka/kafka-link";
import { loadSettings } from "../../settings";
import { eventually } from "./eventually";
import { QuietLogger } from "./quiet-logger";

const jars = kafkaJars();
if ("missing" in jars) console.warn(`Tests with a real Kafka are SKIPPED: ${jars.missing}`);

/** Tests that need a real Kafka; skipped, and said so, where there is none. */
export const describeWithKafka = "libs" in jars ? describe : describe.skip;

/** A real Kafka of one test file, in a temporary directory. */
export interface TestKafka {
  readonly server: KafkaServer;
  /** A link with a topic of its own, unless said. */
  link(settings?: Partial<KafkaSettings>, logger?: QuietLogger): KafkaLink;
  stop(): Promise<void>;
}

export async function startTestKafka(options: KafkaServerOptions = {}): Promise<TestKafka> {
  if ("missing" in jars) throw new Error(jars.missing);
  const folder = mkdtempSync(path.join(tmpdir(), "forno-kafka-"));
  const server = await kafkaServer(jars.libs, folder, options);
  await server.process.start();
  return {
    server,
    link: (settings = {}, logger = new QuietLogger()) =>
      new KafkaLink(
        {
          ...loadSettings({ KAFKA_BROKERS: server.brokers, KAFKA_TOPIC: `test-${randomUUID()}` }),
          ...settings,
        },
        logger,
      ),
    stop: async () => {
      await server.process.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs `work` as an administrator of Kafka. */
export async function asAdmin<T>({ client }: KafkaLink, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = client.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** A record as it lies in its partition. */
export type StoredRecord = KafkaMessage & { readonly partition: number };

/** Reads all that is in the topic now like any other system's consumer, in a group of its own. */
export async function readTopic(link: KafkaLink): Promise<StoredRecord[]> {
  const { client, topic } = link;
  // A topic that was made a moment ago may still be without leaders.
  const offsets = await eventually(() => asAdmin(link, (admin) => admin.fetchTopicOffsets(topic)));
  /** Offset behind the last record of each partition: others may be appended meanwhile. */
  const ends = new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  const count = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  const records: StoredRecord[] = [];
  const consumer = client.consumer({ groupId: `outside-${randomUUID()}`, maxWaitTimeInMs: 100 });
  const done = Promise.withResolvers<undefined>();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ partition, message }) => {
      const isMeant = Number(message.offset) < (ends.get(partition) ?? 0);
      if (isMeant && records.push({ ...message, partition }) === count) done.resolve(undefined);
      return Promise.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return records;
}
