import path from "node:path";
import { FleetPostgres } from "./fleet-postgres";
import { ensurePrograms } from "./servers/debian-packages";
import { kafkaJars } from "./servers/kafka-jars";
import { kafkaServer, type KafkaServer } from "./servers/kafka-server";
import { natsServer, type NatsServer } from "./servers/nats-server";
import { redisServer, type RedisServer } from "./servers/redis-server";
import type { ServerProcess } from "./servers/server-process";

/** Which servers a fleet has besides its PostgreSQL. */
export interface WantedServers {
  readonly redis?: boolean;
  readonly nats?: boolean;
  /** `if-possible`: where Kafka cannot be had, a line says so and the fleet runs without. */
  readonly kafka?: boolean | "if-possible";
  /** A second PostgreSQL for reads. */
  readonly replica?: boolean;
}

/** One of the processes of a fleet, for people. */
export interface FleetPart {
  readonly name: string;
  readonly pid: number | undefined;
  /** URL or address, and what else is worth knowing. */
  readonly where: string;
  readonly logFile: string;
}

/** The servers that the nodes of a fleet share. */
export class FleetServers {
  readonly postgres: FleetPostgres;
  replica?: FleetPostgres;
  redis?: RedisServer;
  nats?: NatsServer;
  kafka?: KafkaServer;

  /** @param folder gets a folder for each server. */
  constructor(
    private readonly folder: string,
    private readonly report: (line: string) => void,
  ) {
    this.postgres = new FleetPostgres(this.#home("postgres"));
  }

  /** Starts what is wanted. @throws Error when one cannot be had or does not start; {@link stop} what did. */
  async start({ redis, nats, kafka, replica }: WantedServers): Promise<void> {
    ensurePrograms(...(redis === true ? ["redis-server"] : []), ...(nats === true ? ["nats-server"] : []));
    // Kafka first: its port is written down in its folder, the others take any that is free then.
    if (kafka !== undefined && kafka !== false) await this.#prepareKafka(kafka);
    if (redis === true) this.redis = await redisServer(this.#home("redis"));
    if (nats === true) this.nats = await natsServer(this.#home("nats"));
    if (replica === true) this.replica = new FleetPostgres(this.#home("replica"), this.postgres);
    const databases = this.replica === undefined ? [this.postgres] : [this.postgres, this.replica];
    const started = [...databases, ...this.#processes()].map((server) => server.start());
    const failed = (await Promise.allSettled(started)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** How the nodes reach them. */
  get env(): Readonly<Record<string, string>> {
    return {
      DATABASE_URL: this.postgres.url,
      ...(this.replica === undefined ? {} : { DATABASE_REPLICA_URL: this.replica.url }),
      ...(this.redis === undefined ? {} : { REDIS_URL: this.redis.url }),
      ...(this.nats === undefined ? {} : { NATS_URL: this.nats.url }),
      ...(this.kafka === undefined ? {} : { KAFKA_BROKERS: this.kafka.brokers }),
    };
  }

  /** Stops all, the truth last. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes().map((server) => server.stop()));
    await this.replica?.stop();
    await this.postgres.stop();
  }

  /** What runs. */
  get parts(): readonly FleetPart[] {
    const database = (name: string, { where, pid, logFile }: FleetPostgres): FleetPart => ({
      name,
      pid,
      where,
      logFile,
    });
    const server = ({ name, pid, logFile }: ServerProcess, where: string): FleetPart => ({
      name,
      pid,
      where,
      logFile,
    });
    return [
      database("postgres", this.postgres),
      ...(this.replica === undefined ? [] : [database("replica", this.replica)]),
      ...[this.redis, this.nats].flatMap((each) =>
        each === undefined ? [] : [server(each.process, each.url)],
      ),
      ...(this.kafka === undefined ? [] : [server(this.kafka.process, this.kafka.brokers)]),
    ];
  }

  #processes(): ServerProcess[] {
    return [this.redis, this.nats, this.kafka].flatMap((server) => server?.process ?? []);
  }

  async #prepareKafka(wanted: true | "if-possible"): Promise<void> {
    const jars = kafkaJars();
    if ("libs" in jars) {
      this.kafka = await kafkaServer(jars.libs, this.#home("kafka"));
      return;
    }
    if (wanted === true) throw new Error(`Kafka cannot be had: ${jars.missing}.`);
    this.report(`!! WITHOUT KAFKA: ${jars.missing}. Events go to consumers straight from the log.`);
  }

  #home(name: string): string {
    return path.join(this.folder, name);
  }
}
