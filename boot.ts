import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ServiceBroker } from "moleculer";
import type { ClientConfig, Pool } from "pg";
import type { DataSource } from "typeorm";
import { V7Generator } from "uuidv7";
import { entities } from "./entities/entities";
import { followEvents } from "./mixins/cache-tags/follow-events";
import { openCache } from "./mixins/cache-tags/open-cache";
import { clockProbe, registerClockMetrics } from "./mixins/clock/clock-probe";
import { DatabaseClock } from "./mixins/clock/database-clock";
import { followDatabase } from "./mixins/clock/follow-database";
import { Closing } from "./mixins/closing";
import { KafkaFeed } from "./mixins/event-feed/kafka-feed";
import { LogFeed } from "./mixins/event-feed/log-feed";
import { createEventLog } from "./mixins/event-log/postgres-event-log";
import { healthProbesOf } from "./mixins/health/health-probes";
import { readinessOf } from "./mixins/health/readiness";
import { metricsOf } from "./mixins/metrics/metrics";
import { startEmbeddedPostgres } from "./mixins/postgres/embedded-postgres";
import { migrate, sqlMigrations } from "./mixins/postgres/migrations";
import { checkConnections, connectionOf, dataSource, poolOf } from "./mixins/postgres/pool";
import { httpServerOf, opsServerOf } from "./mixins/rest/http-server";
import { KafkaLink } from "./mixins/kafka/kafka-link";
import type { Logger } from "./mixins/logger";
import { RedisLink } from "./mixins/redis/redis-link";
import { ReplicaReads } from "./mixins/replica/reads";
import type { Clock, Ids, Runtime } from "./mixins/runtime";
import { watchFleet } from "./mixins/transport/fleet-health";
import { brokerOptions } from "./moleculer.config";
import { neededElsewhere, nodeServices, othersReady, stopGateways } from "./node-services";
import { seedDemo } from "./seed/demo";
import { openAuthRoom } from "./services/auth/auth-room";
import { ensureAdmin, type EnsuredAdmin } from "./services/auth/ensure-admin";
import { grpcPortOf } from "./services/gateway/grpc/grpc.service";
import { startCommandRetention } from "./services/ops/command-retention";
import { startLogArchive } from "./services/ops/log-archive";
import { openPrompt } from "./services/ops/prompt";
import { PERSONAL_DATA } from "./personal-data";
import type { Settings } from "./settings";

// eslint-disable-next-line no-restricted-syntax -- the one place that reads the machine's clock, to be compared with the database's
export const systemClock: Clock = { now: () => Date.now() };
export const systemIds: Ids = idsBy(systemClock);

/** Ids that carry the time of a clock. */
function idsBy(clock: Clock): Ids {
  const generator = new V7Generator();
  return { uuid: () => generator.generateOrResetWithTs(clock.now()).toString(), token: tokenSource() };
}

/** Unguessable tokens of 128 bits, from randomness fetched for many at once: a call for each cost 2 µs of every order. */
function tokenSource(): () => string {
  const TOKEN_BYTES = 16;
  let pool = Buffer.alloc(0);
  return () => {
    if (pool.length === 0) pool = randomBytes(TOKEN_BYTES * 256);
    const token = pool.toString("base64url", 0, TOKEN_BYTES);
    pool = pool.subarray(TOKEN_BYTES);
    return token;
  };
}

/** A running node. */
export interface Forno {
  readonly runtime: Runtime;
  /** Absent on a node that leaves the first data to others. */
  readonly admin?: EnsuredAdmin;
  /** Every node answers for its health over HTTP; gRPC is a service like others. */
  readonly ports: { readonly http: number; readonly grpc?: number; readonly ops?: number };
  /** Where the truth is, for the banner; no credentials in it. */
  readonly database: string;
  /** The operators' prompt; `leave` is called when somebody leaves it. */
  openRepl(leave: () => void): void;
  /**
   * Wants no more traffic and says so, serves what still comes for a moment, finishes what is under way, then stops what that
   * stands on; within five seconds, whatever hangs. Resolves with what had to be cut. Never rejects.
   */
  stop(): Promise<readonly string[]>;
}

/** All of stopping, from the signal on; with the process's own end it stays below five seconds. */
const STOP_MS_MAX = 4_600;
/** Requests under way, and the goodbyes to sockets and streams; the gateways bound each of these themselves, lower. */
const GATEWAYS_MS_MAX = 2_200;
/** This node leaves its consumer group. */
const FEED_MS_MAX = 1_000;
/** The rooms finish their batches and hand over. */
const ROOMS_MS_MAX = 1_200;
/** Each connection says goodbye to its server. */
const DATABASE_MS_MAX = 1_000;
/** How long a node that balancers send traffic to still serves it, so that they notice first. */
const DRAIN_MS = 1_000;

/**
 * Starts a node: database, schema, log, feed, rooms, first data, and the gateways last, so that whoever can connect finds
 * everything ready.
 * @param own this node's own clock. What the node decides by is the database's, whatever this one shows.
 * @param tell a clock over the database's, for histories that are made up; ids keep the true time.
 * @throws DataDirInUseError, or whatever kept a part from starting; what had started by then is stopped again.
 */
export async function boot(
  settings: Settings,
  own = systemClock,
  tell: (clock: Clock) => Clock = (clock) => clock,
): Promise<Forno> {
  const clock = new DatabaseClock(own);
  const broker = new ServiceBroker(brokerOptions(settings));
  const closing = new Closing(broker.getLogger("forno"));
  try {
    return await assemble(settings, { broker, clock, ids: idsBy(clock) }, tell, closing);
  } catch (error) {
    await closing.run(STOP_MS_MAX);
    throw error;
  }
}

async function assemble(
  settings: Settings,
  { broker, clock, ids }: Pick<Runtime, "broker" | "ids"> & { readonly clock: DatabaseClock },
  tell: (clock: Clock) => Clock,
  closing: Closing,
): Promise<Forno> {
  const logger = broker.getLogger("forno");
  const { db, database, connection } = await openDatabase(settings, logger, closing);
  closing.add("the clock", await setClock(broker, clock, poolOf(db)));
  const archive_folder = path.join(settings.DATA_DIR, "log-archive");
  const log = await createEventLog({
    ...{ connection, logger, archive_folder, personal: PERSONAL_DATA },
    answer_days: settings.COMMAND_DAYS,
  });
  closing.add("the event log", () => log.close());
  checkConnections(poolOf(db), log.lineage.check);
  const { feed, kafka } = openFeed(settings, { log, broker }, closing);
  const redis = openRedis(settings, logger, closing);
  const cache = openCache(broker, settings.NAMESPACE, redis);
  closing.add("the cache", () => cache.close());
  const reads = openReplica(settings, broker, poolOf(db), closing);
  const runtime: Runtime = {
    settings,
    broker,
    log,
    feed,
    db,
    pool: poolOf(db),
    clock: tell(clock),
    ids,
    cache,
    ...(redis === undefined ? {} : { redis }),
    ...(kafka === undefined ? {} : { kafka }),
    ...(reads === undefined ? {} : { reads }),
  };
  const room = await openAuthRoom(runtime);
  closing.add("the credentials' feed", () => room.close());
  let admin: EnsuredAdmin | undefined;
  const services = nodeServices({ runtime, room }, async () => {
    admin = await ensureAdmin(runtime, room);
    if (settings.SEED === "demo") await seedDemo(runtime, room);
  });
  watchFleet(broker);
  for (const schema of services) broker.createService(schema);
  closing.add("the rooms", () => broker.stop(), ROOMS_MS_MAX);
  await broker.start();
  closing.add("the cache's events", await followEvents(runtime));
  startLogJobs(runtime, connection, archive_folder, closing);
  // Before all else: what is under way still finds its rooms.
  closing.add("requests and connections", () => stopGateways(broker), GATEWAYS_MS_MAX);
  await othersReady(broker, neededElsewhere(runtime));
  readinessOf(broker).ready();
  return {
    runtime,
    ...(admin === undefined ? {} : { admin }),
    database,
    ports: portsOf(broker, settings),
    openRepl: (leave) => {
      openPrompt(runtime, leave);
    },
    stop: async () => {
      readinessOf(broker).stopping();
      // Nobody balances in front of a node that has brought its own database.
      const drain_ms = settings.DATABASE_URL === undefined ? 0 : DRAIN_MS;
      await pause(drain_ms);
      return closing.run(STOP_MS_MAX - drain_ms);
    },
  };
}

/** What keeps the log from growing for ever. */
function startLogJobs(runtime: Runtime, connection: ClientConfig, folder: string, closing: Closing): void {
  const { COMMAND_DAYS, LOG_ARCHIVE_DAYS } = runtime.settings;
  const retention = startCommandRetention(runtime, COMMAND_DAYS);
  closing.add("the retention of answers", () => retention.stop());
  if (LOG_ARCHIVE_DAYS !== undefined)
    closing.add("the archive of the log", startLogArchive(runtime, connection, folder, LOG_ARCHIVE_DAYS));
}

function portsOf(broker: ServiceBroker, { SERVICES }: Settings): Forno["ports"] {
  const ops = opsServerOf(broker);
  return {
    http: (httpServerOf(broker).address() as AddressInfo).port,
    ...(SERVICES.includes("grpc") ? { grpc: grpcPortOf(broker) } : {}),
    ...(ops === undefined ? {} : { ops: (ops.address() as AddressInfo).port }),
  };
}

async function openDatabase(
  settings: Settings,
  logger: { warn(message: string): void },
  closing: Closing,
): Promise<{ db: DataSource; database: string; connection: ClientConfig }> {
  const embedded =
    settings.DATABASE_URL === undefined ? await startEmbeddedPostgres(settings.DATA_DIR, logger) : undefined;
  if (embedded !== undefined) closing.add("the embedded database", () => embedded.stop(), STOP_MS_MAX);
  const connection = embedded?.connection ?? connectionOf(settings.DATABASE_URL ?? "");
  const db = dataSource(connection, entities, sqlMigrations(path.join(__dirname, "entities/migrations")));
  await db.initialize();
  closing.add("the database connections", () => db.destroy(), DATABASE_MS_MAX);
  await migrate(db);
  const database =
    embedded === undefined
      ? `PostgreSQL at ${placeOf(connection)}, database ${String(connection.database)}`
      : `embedded PostgreSQL in ${settings.DATA_DIR} (pid ${String(embedded.pid)})`;
  return { db, database, connection };
}

/** Nothing is decided before the clock is set. */
async function setClock(
  broker: ServiceBroker,
  clock: DatabaseClock,
  pool: Pool,
): Promise<() => Promise<void>> {
  healthProbesOf(broker).add(clockProbe(clock));
  registerClockMetrics(metricsOf(broker), clock);
  return followDatabase(clock, pool, broker.getLogger("clock"));
}

/** Straight from the log, or by Kafka with the log standing in for it. */
function openFeed(
  settings: Settings,
  { log, broker }: Pick<Runtime, "log" | "broker">,
  closing: Closing,
): Pick<Runtime, "feed" | "kafka"> {
  const logger = broker.getLogger("feed");
  if (settings.KAFKA_BROKERS.length === 0) return { feed: new LogFeed({ log, logger }) };
  const kafka = new KafkaLink(settings, broker.getLogger("kafka"), `forno-${broker.nodeID}`);
  const feed = new KafkaFeed({ log, kafka, logger });
  feed.start();
  closing.add("the feed by Kafka", () => feed.close(), FEED_MS_MAX);
  return { feed, kafka };
}

/** Host and port, or the folder of a Unix socket. */
function placeOf({ host, port }: ClientConfig): string {
  return port === undefined ? String(host) : `${String(host)}:${String(port)}`;
}

function openRedis({ REDIS_URL }: Settings, logger: Logger, closing: Closing): RedisLink | undefined {
  if (REDIS_URL === undefined) return undefined;
  const redis = new RedisLink(REDIS_URL, logger);
  closing.add("Redis", () => redis.close());
  return redis;
}

function openReplica(
  { DATABASE_REPLICA_URL, REPLICA_LAG_MAX_MS }: Settings,
  broker: ServiceBroker,
  primary: Pool,
  closing: Closing,
): ReplicaReads | undefined {
  if (DATABASE_REPLICA_URL === undefined) return undefined;
  const reads = new ReplicaReads({
    primary,
    replica: connectionOf(DATABASE_REPLICA_URL),
    lag_ms_max: REPLICA_LAG_MAX_MS,
    logger: broker.getLogger("replica"),
    metrics: metricsOf(broker),
  });
  closing.add("the replica", () => reads.close());
  return reads;
}
