import { logLevel } from "kafkajs";
import { kafkaConfig, type KafkaSettings } from "../../../mixins/kafka/kafka-link";
import { loadSettings, SettingsError } from "../../../settings";
import { QuietLogger } from "../../support/quiet-logger";

const configOf = (env: Record<string, string>) =>
  kafkaConfig(loadSettings({ KAFKA_BROKERS: "a:9092, b:9092", ...env }), new QuietLogger(), "forno-test");
const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
const USER = { KAFKA_USERNAME: "forno", KAFKA_PASSWORD: "secret" };

test("brokers and the name of the client are passed on; neither SASL nor TLS unless set", () => {
  expect(configOf({})).toMatchObject({ clientId: "forno-test", brokers: ["a:9092", "b:9092"] });
  expect(configOf({})).not.toHaveProperty("sasl");
  expect(configOf({})).not.toHaveProperty("ssl");
});

test.each(["plain", "scram-sha-256", "scram-sha-512"] as const)("a user signs in by %s", (mechanism) => {
  expect(configOf({ ...USER, KAFKA_SASL_MECHANISM: mechanism }).sasl).toEqual({
    mechanism,
    username: "forno",
    password: "secret",
  });
});

test("a CA certificate means TLS; `system` means the CAs of the machine", () => {
  expect(configOf({ KAFKA_CA_CERT: PEM }).ssl).toEqual({ ca: [PEM] });
  expect(configOf({ KAFKA_CA_CERT: "system" }).ssl).toBe(true);
});

test("a certificate is read from its file", () => {
  // Any readable file stands for it here: what it holds is for TLS to judge.
  expect(configOf({ KAFKA_CA_CERT: __filename }).ssl).toEqual({
    ca: [expect.stringContaining("a certificate is read from its file")],
  });
});

test.each([
  [{ KAFKA_USERNAME: "forno" }, "KAFKA_USERNAME needs KAFKA_PASSWORD."],
  [{ KAFKA_CA_CERT: "/nowhere/ca.pem" }, "the path of a readable file"],
  [{ KAFKA_RETENTION_HOURS: "0" }, "a whole number from 1 to 87600"],
])("%o is a wrong setting", (env, message) => {
  expect(() => loadSettings(env)).toThrow(SettingsError);
  expect(() => loadSettings(env)).toThrow(message);
});

test("what kafkajs has to say goes to debug, however bad it is", () => {
  const logger = new QuietLogger();
  const settings: KafkaSettings = loadSettings({ KAFKA_BROKERS: "a:9092" });
  const entry = { namespace: "Connection", level: logLevel.ERROR, label: "ERROR" };
  const log = { timestamp: "", message: "Connection error", error: "ECONNREFUSED" };
  kafkaConfig(settings, logger, "forno").logCreator?.(logLevel.ERROR)({ ...entry, log });
  expect(logger.lines).toEqual(["debug kafkajs Connection: Connection error: ECONNREFUSED"]);
});
