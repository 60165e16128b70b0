import type { TlsOptions } from "node:tls";
import pg, { type Client, type ClientConfig } from "pg";
import { parseIntoClientConfig } from "pg-connection-string";
import { DataSource, type Driver, type MigrationInterface } from "typeorm";
import type { PostgresDriver } from "typeorm/driver/postgres/PostgresDriver";
import { distrustCancelledWaits } from "./cancelled-wait";

/** bigint columns hold positions and minor units, all below 2^53: numbers, not strings. A larger one is a defect. */
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a JavaScript number.`);
  return value;
});

/** Connections one node keeps for reads, projections and row changes; the event log has its own. */
const POOL_MAX = 12;

/** Connection settings of a `DATABASE_URL`. */
export function connectionOf(url: string): ClientConfig {
  return parseIntoClientConfig(url);
}

/** The same as a `DATABASE_URL`. */
export function urlOf({
  host = "localhost",
  port,
  user = "",
  password,
  database = "",
}: ClientConfig): string {
  const secret = typeof password === "string" ? `:${encodeURIComponent(password)}` : "";
  const who = `${encodeURIComponent(user)}${secret}`;
  const at = host.startsWith("/")
    ? `localhost/${database}?host=${encodeURIComponent(host)}`
    : `${host}:${String(port ?? 5432)}/${database}`;
  return `postgres://${who}@${at}`;
}

/** The TypeORM data source of a database; its connection pool is also everybody's ({@link poolOf}). */
export function dataSource(
  connection: ClientConfig,
  entities: (new () => object)[],
  migrations: (new () => MigrationInterface)[] = [],
): DataSource {
  const { host, port, user, password, database, ssl } = connection;
  return new DataSource({
    type: "postgres",
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { username: user }),
    ...(typeof password === "string" ? { password } : {}),
    ...(database === undefined ? {} : { database }),
    ...(ssl === undefined ? {} : { ssl: ssl as boolean | TlsOptions }),
    entities,
    migrations,
    migrationsTableName: "schema_migrations",
    migrationsTransactionMode: "each",
    synchronize: false,
    installExtensions: false,
    applicationName: "forno",
    extra: {
      max: POOL_MAX,
      onConnect: (client: Client) => {
        distrustCancelledWaits(client);
      },
      // For a free connection, too: who waits longer than this is told to come again.
      connectionTimeoutMillis: 5_000,
      statement_timeout: 30_000,
      // Above the server's own limit, for a server that hangs and cannot keep it. Whoever lifts that one lifts this as well.
      query_timeout: 60_000,
      // A node that freezes in the middle of a row change holds the lane of the log meanwhile.
      idle_in_transaction_session_timeout: 5_000,
    },
  });
}

/** Has each connection that a pool makes from now on checked before anybody uses it. */
export function checkConnections(pool: pg.Pool, check: (client: pg.ClientBase) => Promise<void>): void {
  const { options } = pool;
  const before = options.onConnect;
  // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for what this gives back
  options.onConnect = (client) => {
    before?.(client);
    return check(client);
  };
}

/** The `pg` pool inside an initialised data source. */
export function poolOf(db: DataSource): pg.Pool {
  // TypeORM hides the driver's class behind an interface; with type "postgres" it is this one.
  return (db.driver as Driver & Pick<PostgresDriver, "master">).master as pg.Pool;
}
