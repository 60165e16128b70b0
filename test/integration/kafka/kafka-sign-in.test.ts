import type { KafkaSettings } from "../../../mixins/kafka/kafka-link";
import { kafkaProbe } from "../../../mixins/kafka/kafka-probe";
import { loadSettings } from "../../../settings";
import { eventually } from "../../support/eventually";
import { describeWithKafka, startTestKafka, type TestKafka } from "../../support/kafka";

const USER = { username: "forno", password: "correct-horse" };

/** The settings of signing in, and nothing else. */
function signIn(mechanism: string, password = USER.password): Partial<KafkaSettings> {
  const { KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL_MECHANISM } = loadSettings({
    ...{ KAFKA_USERNAME: USER.username, KAFKA_PASSWORD: password, KAFKA_SASL_MECHANISM: mechanism },
  });
  return { KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL_MECHANISM };
}

describeWithKafka("A Kafka that wants to know who comes", () => {
  let kafka: TestKafka;

  beforeAll(async () => {
    kafka = await startTestKafka({ user: USER });
  });
  afterAll(() => kafka.stop());

  test.each(["plain", "scram-sha-512"])("lets in who signs in by %s", async (mechanism) => {
    const link = kafka.link(signIn(mechanism));
    expect(await link.ensureTopic()).toBe("made");
    expect(await eventually(() => link.ensureTopic())).toBe("there");
    expect(await kafkaProbe(link).probe()).toEqual({ status: "up" });
  });

  test("keeps out who has a wrong password or none, and health says only that it does not answer", async () => {
    for (const settings of [signIn("scram-sha-512", "wrong-password"), {}])
      expect(await kafkaProbe(kafka.link(settings)).probe()).toEqual({
        status: "down",
        detail: "It does not answer; events come from the log.",
      });
  });
});
