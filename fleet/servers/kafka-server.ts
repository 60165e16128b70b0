import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { freePort } from "./free-port";
import { ServerProcess } from "./server-process";

/** A Kafka broker on loopback. */
export interface KafkaServer {
  /** For KAFKA_BROKERS. */
  readonly brokers: string;
  readonly port: number;
  readonly process: ServerProcess;
}

/** Small and quick to start: one node, a few topics, no long-running JIT. */
const JAVA = ["-Xms192m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];

export interface KafkaServerOptions {
  /** A free one unless said. */
  readonly port?: number;
  /** Clients have to sign in as this user, by SASL/PLAIN or SCRAM-SHA-512. */
  readonly user?: { readonly username: string; readonly password: string };
}

/** One Kafka node in KRaft mode, broker and controller in one. Its data stays in `folder` over restarts. */
export async function kafkaServer(
  libs: string,
  folder: string,
  options: KafkaServerOptions = {},
): Promise<KafkaServer> {
  mkdirSync(folder, { recursive: true });
  const settings = path.join(folder, "server.properties");
  if (!existsSync(settings)) await prepare(libs, folder, settings, options);
  const at = Number(/^listeners=.*?:(\d+)/m.exec(readFileSync(settings, "utf8"))?.[1]);
  const logging = path.join(folder, "log4j.properties");
  const process = new ServerProcess({
    name: "kafka",
    command: "java",
    args: [...JAVA, `-Dlog4j.configuration=file:${logging}`, "-cp", `${libs}/*`, "kafka.Kafka", settings],
    folder,
    isReady: (printed) => Promise.resolve(printed().includes("Kafka Server started")),
    start_timeout_ms: 60_000,
  });
  return { brokers: `127.0.0.1:${String(at)}`, port: at, process };
}

async function prepare(
  libs: string,
  folder: string,
  file: string,
  { port, user }: KafkaServerOptions,
): Promise<void> {
  const [at, controller] = [port ?? (await freePort()), await freePort()];
  const listener = user === undefined ? "PLAINTEXT" : "SASL_PLAINTEXT";
  const settings = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${String(controller)}`,
    listeners: `${listener}://127.0.0.1:${String(at)},CONTROLLER://127.0.0.1:${String(controller)}`,
    "advertised.listeners": `${listener}://127.0.0.1:${String(at)}`,
    "listener.security.protocol.map": `${listener}:${listener},CONTROLLER:PLAINTEXT`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": listener,
    ...(user === undefined ? {} : signInSettings(user)),
    "log.dirs": path.join(folder, "data"),
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    // One node is its own controller: after a kill it need not wait long for its former self.
    "broker.session.timeout.ms": "1500",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "log.cleaner.enable": "false",
  };
  writeFileSync(
    path.join(folder, "log4j.properties"),
    "log4j.rootLogger=INFO, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n" +
      "log4j.appender.out.layout=org.apache.log4j.PatternLayout\nlog4j.appender.out.layout.ConversionPattern=%d %p %c %m%n\n",
  );
  const text = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(`${file}.new`, text.join(""));
  // One that begins with a dash would be taken for an option.
  const id = randomBytes(16).toString("base64url").replace(/^-/, "A");
  const format = ["kafka.tools.StorageTool", "format", "-t", id, "-c", `${file}.new`];
  if (user !== undefined)
    format.push("-S", `SCRAM-SHA-512=[name=${user.username},password=${user.password}]`);
  execFileSync("java", [...JAVA, "-cp", `${libs}/*`, ...format], { stdio: "ignore" });
  writeFileSync(file, text.join(""));
}

function signInSettings({ username, password }: NonNullable<KafkaServerOptions["user"]>): object {
  const [login, of] = ["org.apache.kafka.common.security", "listener.name.sasl_plaintext"];
  const user = `username="${username}" password="${password}"`;
  return {
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    [`${of}.plain.sasl.jaas.config`]: `${login}.plain.PlainLoginModule required ${user} user_${username}="${password}";`,
    [`${of}.scram-sha-512.sasl.jaas.config`]: `${login}.scram.ScramLoginModule required;`,
  };
}
