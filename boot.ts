import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { ServiceBroker, type ServiceSchema } from "moleculer";
import type { ClientConfig } from "pg";
import type { DataSource } from "typeorm";
import { uuidv7 } from "uuidv7";
import { entities } from "./entities/entities";
import { LogFeed } from "./mixins/event-feed/log-feed";
import { createEventLog } from "./mixins/event-log/postgres-event-log";
import { readinessOf } from "./mixins/health/readiness";
import { startEmbeddedPostgres } from "./mixins/postgres/embedded-postgres";
import { migrate, sqlMigrations } from "./mixins/postgres/migrations";
import { connectionOf, dataSource, poolOf } from "./mixins/postgres/pool";
import { httpServerOf } from "./mixins/rest/http-server";
import type { Logger } from "./mixins/logger";
import { RedisLink } from "./mixins/redis/redis-link";
import type { Clock, Ids, Runtime } from "./mixins/runtime";
import { brokerOptions } from "./moleculer.config";
import { seedDemo } from "./seed/demo";
import { openAuthRoom, type AuthRoom } from "./services/auth/auth-room";
import { authContracts } from "./services/auth/auth.contract";
import { createAuthService } from "./services/auth/auth.service";
import { ensureAdmin, type EnsuredAdmin } from "./services/auth/ensure-admin";
import { branchContracts } from "./services/branch/branch.contract";
import { createBranchService } from "./services/branch/branch.service";
import { legalEntityContracts } from "./services/branch/legal-entity.contract";
import { createGrpcService, grpcPortOf } from "./services/gateway/grpc/grpc.service";
import { createHttpService } from "./services/gateway/http/http.service";
import { createSocketService } from "./services/gateway/socket/socket.service";
import { menuContracts } from "./services/menu/menu.contract";
import { createMenuService } from "./services/menu/menu.service";
import { startLogArchive } from "./services/ops/log-archive";
import { opsContracts } from "./services/ops/ops.contract";
import { createOpsService } from "./services/ops/ops.service";
import { openPrompt } from "./services/ops/prompt";
import { orderContracts } from "./services/order/order.contract";
import { createOrderService } from "./services/order/order.service";
import { slotContracts } from "./services/slot/slot.contract";
import { createSlotService } from "./services/slot/slot.service";
import type { Settings } from "./settings";

export const systemClock: Clock = { now: () => Date.now() };
export const systemIds: Ids = { uuid: () => uuidv7(), token: tokenSource() };

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
  readonly admin: EnsuredAdmin;
  readonly ports: { readonly http: number; readonly grpc: number };
  /** Where the truth is, for the banner; no credentials in it. */
  readonly database: string;
  /** The operators' prompt; `leave` is called when somebody leaves it. */
  openRepl(leave: () => void): void;
  /** Takes no more requests, finishes those under way, then stops what they stand on. */
  stop(): Promise<void>;
}

/** What was opened, last first: how to close it. */
class Closing {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.unshift(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0)) await step();
  }
}

/**
 * Starts a node: database, schema, log, feed, rooms, first data, and the gateways last, so that whoever can connect finds
 * everything ready.
 * @throws DataDirInUseError, or whatever kept a part from starting; what had started by then is stopped again.
 */
export async function boot(settings: Settings, clock = systemClock, ids = systemIds): Promise<Forno> {
  const closing = new Closing();
  try {
    return await assemble(settings, clock, ids, closing);
  } catch (error) {
    await closing.run();
    throw error;
  }
}

async function assemble(settings: Settings, clock: Clock, ids: Ids, closing: Closing): Promise<Forno> {
  const broker = new ServiceBroker(brokerOptions(settings));
  const logger = broker.getLogger("forno");
  const { db, database, connection } = await openDatabase(settings, logger, closing);
  const archive_folder = path.join(settings.DATA_DIR, "log-archive");
  const log = await createEventLog({ connection, logger, archive_folder });
  closing.add(() => log.close());
  const feed = new LogFeed({ log, logger });
  const redis = openRedis(settings, logger, closing);
  const runtime: Runtime = {
    settings,
    broker,
    log,
    feed,
    db,
    pool: poolOf(db),
    clock,
    ids,
    ...(redis === undefined ? {} : { redis }),
  };
  const room = await openAuthRoom(runtime);
  closing.add(() => room.close());
  let admin: EnsuredAdmin | undefined;
  const firstStart = firstStartService(async () => {
    admin = await ensureAdmin(runtime, room);
    if (settings.SEED === "demo") await seedDemo(runtime, room);
  });
  for (const schema of [...rooms(runtime, room), firstStart, ...gateways(runtime, room)])
    broker.createService(schema);
  closing.add(() => broker.stop());
  await broker.start();
  if (settings.LOG_ARCHIVE_DAYS !== undefined)
    closing.add(startLogArchive(runtime, connection, archive_folder, settings.LOG_ARCHIVE_DAYS));
  readinessOf(broker).ready();
  if (admin === undefined) throw new Error("The first-start service did not run.");
  return {
    runtime,
    admin,
    database,
    ports: { http: (httpServerOf(broker).address() as AddressInfo).port, grpc: grpcPortOf(broker) },
    openRepl: (leave) => {
      openPrompt(runtime, leave);
    },
    stop: async () => {
      readinessOf(broker).stopping();
      // Gateways first: what is under way still finds its rooms. Together: HTTP's server closes once the sockets are gone.
      await Promise.all(GATEWAYS.map((name) => stopService(broker, name)));
      await closing.run();
    },
  };
}

async function openDatabase(
  settings: Settings,
  logger: { warn(message: string): void },
  closing: Closing,
): Promise<{ db: DataSource; database: string; connection: ClientConfig }> {
  const embedded =
    settings.DATABASE_URL === undefined ? await startEmbeddedPostgres(settings.DATA_DIR, logger) : undefined;
  if (embedded !== undefined) closing.add(() => embedded.stop());
  const connection = embedded?.connection ?? connectionOf(settings.DATABASE_URL ?? "");
  const db = dataSource(connection, entities, sqlMigrations(path.join(__dirname, "entities/migrations")));
  await db.initialize();
  closing.add(() => db.destroy());
  await migrate(db);
  const database =
    embedded === undefined
      ? `PostgreSQL at ${String(connection.host)}:${String(connection.port)}, database ${String(connection.database)}`
      : `embedded PostgreSQL in ${settings.DATA_DIR} (pid ${String(embedded.pid)})`;
  return { db, database, connection };
}

function openRedis({ REDIS_URL }: Settings, logger: Logger, closing: Closing): RedisLink | undefined {
  if (REDIS_URL === undefined) return undefined;
  const redis = new RedisLink(REDIS_URL, logger);
  closing.add(() => redis.close());
  return redis;
}

/** The rooms of the trade. */
function rooms(runtime: Runtime, room: AuthRoom): ServiceSchema[] {
  return [
    createBranchService(runtime),
    createMenuService(runtime),
    createSlotService(runtime),
    createOrderService(runtime),
    createAuthService(runtime, room),
    createOpsService(runtime),
  ];
}

/** They wait for the first data: nobody meets an empty menu. */
function gateways(runtime: Runtime, { verifier }: AuthRoom): ServiceSchema[] {
  const contracts = [
    ...orderContracts,
    ...slotContracts,
    ...menuContracts,
    ...branchContracts,
    ...legalEntityContracts,
    ...authContracts,
    ...opsContracts,
  ];
  const http = createHttpService(runtime, contracts, verifier, {
    pages: { folder: path.join(__dirname, "web"), rewrites: { "/track/": "/track.html" } },
  });
  return [http, createSocketService(runtime, verifier), createGrpcService(runtime, verifier)].map((schema) =>
    startingAfter(schema, FIRST_START),
  );
}

const GATEWAYS = ["http", "sockets", "grpc"];

async function stopService(broker: ServiceBroker, name: string): Promise<void> {
  const service = broker.services.find((each) => each.name === name);
  if (service !== undefined) await broker.destroyService(service);
}

const FIRST_START = "first-start";

function firstStartService(run: () => Promise<void>): ServiceSchema {
  return { name: FIRST_START, dependencies: ["branch", "menu", "slot", "order"], started: run };
}

function startingAfter(schema: ServiceSchema, service: string): ServiceSchema {
  return { ...schema, dependencies: [service] };
}
