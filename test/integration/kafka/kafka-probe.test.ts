import { ConfigResourceTypes } from "kafkajs";
import { KafkaLink } from "../../../mixins/kafka/kafka-link";
import { kafkaProbe } from "../../../mixins/kafka/kafka-probe";
import { loadSettings } from "../../../settings";
import { eventually } from "../../support/eventually";
import { asAdmin, describeWithKafka, startTestKafka, type TestKafka } from "../../support/kafka";
import { QuietLogger } from "../../support/quiet-logger";

test("without KAFKA_BROKERS it is off", async () => {
  expect(await kafkaProbe(undefined).probe()).toEqual({ status: "off" });
});

test("a Kafka that is not there is down", async () => {
  const link = new KafkaLink(loadSettings({ KAFKA_BROKERS: "127.0.0.1:1" }), new QuietLogger());
  expect(await kafkaProbe(link).probe()).toMatchObject({ status: "down" });
});

describeWithKafka("Health of Kafka", () => {
  let kafka: TestKafka;

  beforeAll(async () => {
    kafka = await startTestKafka();
  });
  afterAll(() => kafka.stop());

  test("is degraded until there is a topic, then up", async () => {
    const link = kafka.link();
    expect(await kafkaProbe(link).probe()).toMatchObject({ status: "degraded" });
    expect(await link.ensureTopic()).toBe("made");
    await eventually(async () => {
      expect(await kafkaProbe(link).probe()).toEqual({ status: "up" });
    });
  });

  test("names a topic with another number of partitions", async () => {
    const link = kafka.link();
    const topics = [{ topic: link.topic, numPartitions: 4 }];
    await asAdmin(link, (admin) => admin.createTopics({ topics, waitForLeaders: false }));
    await eventually(async () => {
      expect(await kafkaProbe(link).probe()).toEqual({
        status: "degraded",
        detail: "The Kafka topic has 4 partitions where the log has 16.",
      });
    });
  });

  test("the topic is made with the retention that is set", async () => {
    const link = kafka.link({ KAFKA_RETENTION_HOURS: 5 });
    await link.ensureTopic();
    const described = await eventually(() =>
      asAdmin(link, (admin) =>
        admin.describeConfigs({
          includeSynonyms: false,
          resources: [
            {
              type: ConfigResourceTypes.TOPIC,
              name: link.topic,
              configNames: ["retention.ms", "min.insync.replicas"],
            },
          ],
        }),
      ),
    );
    const entries = described.resources[0]?.configEntries ?? [];
    expect(
      Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue])),
    ).toEqual({
      "retention.ms": "18000000",
      "min.insync.replicas": "1",
    });
  });

  test("one question at a time, however often it is asked", async () => {
    const link = kafka.link();
    let asked = 0;
    const state = link.topicState.bind(link);
    link.topicState = () => {
      asked += 1;
      return state();
    };
    const probe = kafkaProbe(link);
    await Promise.all([probe.probe(), probe.probe(), probe.probe()]);
    expect(asked).toBe(1);
  });
});
