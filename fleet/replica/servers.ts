import { createHash } from "node:crypto";
import { Client, type ClientConfig } from "pg";
import { PUBLICATIONS } from "../../entities/publications";
import { tablesOf } from "../../mixins/replica/published-schema";
import { foreignTables } from "./replica-tables";

const CONNECT_TIMEOUT_MS = 5_000;
/** The first that has lists of columns and row filters in publications. */
const VERSION_MIN = 150_000;

/** What stands in the way, in one line that says what to do. */
export class ReplicaSetupError extends Error {}

/** One of the two servers, connected. */
export interface Server {
  readonly client: Client;
  readonly connection: ClientConfig;
  /** Tells this database from any other, of any server; a part of the names of its slots. */
  readonly id: string;
  readonly system_identifier: string;
}

interface Facts {
  readonly version: number;
  readonly version_text: string;
  readonly wal_level: string;
  readonly in_recovery: boolean;
  readonly system_identifier: string;
  readonly started_at: string;
  readonly database_oid: string;
  readonly has_log: boolean;
}

const FACTS = `
  select current_setting('server_version_num')::integer as version, current_setting('server_version') as version_text,
    current_setting('wal_level') as wal_level, pg_is_in_recovery() as in_recovery,
    (select system_identifier::text from pg_control_system()) as system_identifier,
    pg_postmaster_start_time()::text as started_at,
    (select oid::text from pg_database where datname = current_database()) as database_oid,
    to_regclass('es.event') is not null as has_log`;

/** @throws ReplicaSetupError that names the setting, never the password. */
export async function connect(setting: string, connection: ClientConfig): Promise<Client> {
  const client = new Client({
    ...connection,
    application_name: "forno replica:setup",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // What is under way fails by itself.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (cause) {
    throw new ReplicaSetupError(`${setting} does not lead to a server: ${String(cause)}`, { cause });
  }
}

/**
 * Looks at both servers and refuses what cannot come to a replica.
 * @throws ReplicaSetupError
 */
export async function checkServers(
  primary: { client: Client; connection: ClientConfig },
  replica: { client: Client; connection: ClientConfig },
): Promise<{ primary: Server; replica: Server }> {
  const [here, there] = [await factsOf(primary.client), await factsOf(replica.client)];
  for (const [name, { version, version_text, in_recovery }] of [
    ["primary", here],
    ["replica", there],
  ] as const) {
    if (version < VERSION_MIN)
      throw new ReplicaSetupError(`The ${name} is PostgreSQL ${version_text}: 15 or newer is needed.`);
    if (in_recovery)
      throw new ReplicaSetupError(
        `The ${name} is a physical standby, which cannot be written to: take a server of its own.`,
      );
  }
  if (here.system_identifier === there.system_identifier && here.started_at === there.started_at)
    throw new ReplicaSetupError(
      "DATABASE_REPLICA_URL leads to the primary itself: a replica is another server.",
    );
  if (here.wal_level !== "logical")
    throw new ReplicaSetupError(
      `wal_level of the primary is ${here.wal_level}: set it to logical (alter system set wal_level = 'logical') and restart it.`,
    );
  await checkTables(primary.client, replica.client, there);
  return { primary: server(primary, here), replica: server(replica, there) };
}

async function checkTables(primary: Client, replica: Client, there: Facts): Promise<void> {
  if (there.has_log)
    throw new ReplicaSetupError(
      "The replica's database has an event log: a Forno runs on it, and its tables are not to be replaced.",
    );
  const tables = [...new Set(PUBLICATIONS.flatMap(tablesOf))];
  const { rows } = await primary.query<{ table: string }>(
    "select t as table from unnest($1::text[]) t where to_regclass('public.' || quote_ident(t)) is null",
    [tables],
  );
  if (rows.length > 0)
    throw new ReplicaSetupError(
      `The primary lacks the table ${rows.map(({ table }) => table).join(", ")}: start Forno on it once, which makes them.`,
    );
  const foreign = await foreignTables(replica, tables);
  if (foreign.length > 0)
    throw new ReplicaSetupError(
      `The replica has tables of these names that are not copies: ${foreign.join(", ")}. Take an empty database.`,
    );
}

async function factsOf(client: Client): Promise<Facts> {
  const { rows } = await client.query<Facts>(FACTS);
  const [facts] = rows;
  if (facts === undefined) throw new Error("A select without from gave no row.");
  return facts;
}

function server(at: { client: Client; connection: ClientConfig }, facts: Facts): Server {
  const { system_identifier, database_oid } = facts;
  const id = createHash("sha256").update(`${system_identifier}/${database_oid}`).digest("hex").slice(0, 8);
  return { ...at, id, system_identifier };
}
