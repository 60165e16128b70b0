import path from "node:path";
import { Client, type ClientConfig } from "pg";
import { urlOf } from "../../mixins/postgres/pool";
import { eventually } from "./eventually";
import type { startTestDatabase, TestDatabase } from "./postgres";
import { startSynchronousPair } from "./synchronous-pair";
import { TcpProxy } from "./tcp-proxy";

/** A PostgreSQL with a standby that follows it without being waited for, behind one address. */
export interface FailingPair {
  readonly connection: ClientConfig;
  readonly url: string;
  /** Resolves when the standby has everything. */
  caughtUp(): Promise<void>;
  /** What is written from here on, the standby does not get. */
  freezeStandby(): Promise<void>;
  /** The first server dies, the standby takes its place and its address, with what it has. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

export async function startFailingPair(
  options: Parameters<typeof startTestDatabase>[0] = {},
): Promise<FailingPair> {
  const pair = await startSynchronousPair(options);
  const { primary, standby } = pair;
  await askOnce(primary.connection, "alter system set synchronous_standby_names = ''");
  await askOnce(primary.connection, "select pg_reload_conf()");
  const address = new TcpProxy(socketOf(primary.connection));
  const connection = { ...primary.connection, host: "127.0.0.1", port: await address.start() };
  return {
    connection,
    url: urlOf(connection),
    caughtUp: () => caughtUp(primary),
    freezeStandby: () => standby.freeze(),
    async failOver() {
      if (primary.db.isInitialized) await primary.db.destroy();
      process.kill(primary.cluster.pid ?? Number.NaN, "SIGQUIT");
      await standby.promote();
      address.moveTo(socketOf(standby.cluster.connection("postgres")));
    },
    async stop() {
      await address.stop();
      await pair.stop();
    },
  };
}

const socketOf = ({ host = "", port = 5432 }: ClientConfig): string =>
  path.join(host, `.s.PGSQL.${String(port)}`);

async function askOnce<R extends object>(connection: ClientConfig, text: string): Promise<R[]> {
  const client = new Client(connection);
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
}

async function caughtUp({ connection }: TestDatabase): Promise<void> {
  await eventually(async () => {
    const [row] = await askOnce<{ has: boolean }>(
      connection,
      "select replay_lsn >= pg_current_wal_lsn() as has from pg_stat_replication",
    );
    expect(row?.has).toBe(true);
  }, 20_000);
}
