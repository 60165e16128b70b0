import { mkdtempSync, chmodSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client, type ClientConfig } from "pg";
import { SynchronousStandby } from "../../fleet/synchronous-standby";
import { urlOf } from "../../mixins/postgres/pool";
import { eventually } from "./eventually";
import { startTestDatabase, type TestDatabase } from "./postgres";

/** An address behind which one server takes the place of another, as a virtual IP or a proxy makes it. */
class MovableAddress {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(private target: string) {
    this.#server = createServer((client) => {
      const server = connect(this.target);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from);
        from.on("data", (chunk) => to.write(chunk));
        from.on("error", () => from.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  moveTo(target: string): void {
    this.target = target;
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

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
  const primary = await startTestDatabase(options);
  const folder = mkdtempSync(path.join(tmpdir(), "forno-fp-"));
  chmodSync(folder, 0o711);
  const standby = new SynchronousStandby(primary.cluster, path.join(folder, "d"), options.settings);
  await standby.start();
  await askOnce(primary.connection, "alter system set synchronous_standby_names = ''");
  await askOnce(primary.connection, "select pg_reload_conf()");
  const orphaned = (): void => {
    standby.thaw();
    if (standby.cluster.pid !== undefined) process.kill(standby.cluster.pid, "SIGQUIT");
  };
  process.once("exit", orphaned);
  const address = new MovableAddress(socketOf(primary.connection));
  const connection = { ...primary.connection, host: "127.0.0.1", port: await address.listen() };
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
      process.off("exit", orphaned);
      await address.stop();
      standby.thaw();
      await primary.stop();
      await standby.stop();
      rmSync(folder, { recursive: true, force: true });
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
