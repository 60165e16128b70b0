import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client, type ClientConfig } from "pg";
import {
  closeAccess,
  databasePassword,
  DATABASE_USER,
  keepPassword,
  knock,
  renewPassword,
  trustsSomebody,
  type Knock,
} from "./access";
import { baseBackup } from "./base-backup";
import type { PostgresBinaries } from "./binaries";
import { holderIn, holderOf, isWorkedIn } from "./postmaster";
import { runInitdb, spawnServer } from "./programs";
import { serverUser, type ServerUser } from "./server-user";

/** Longest path of a Unix socket that every system takes (sun_path is 104 bytes on macOS), less PostgreSQL's own file name. */
const SOCKET_FOLDER_MAX = 80;
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;
const LOOK_EVERY_MS = 20;
const PORT = 5432;

/** Server settings that differ from PostgreSQL's own; durability stays as PostgreSQL ships it. */
const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  timezone: "UTC",
  log_timezone: "UTC",
  max_connections: "60",
  shared_buffers: "128MB",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  wal_compression: "on",
  // The queries here are short; compiling them costs more than running them.
  jit: "off",
};

/** What a cluster is made with besides its programs and its folder. */
export interface ClusterOptions {
  /** Server settings beyond ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A cluster whose user this one runs as, so that one server may enter the other's socket. */
  readonly beside?: PostgresCluster;
}

/**
 * One PostgreSQL data directory with the server that runs on it: `create` once, `start` (or attach to the one that still
 * runs), `stop`. Reached over a Unix socket in a folder that only its owner may enter, without a TCP port, by a password that is
 * in the file `pgpass`. The server is a process group of its own: it outlives a kill of ours and is found again by its
 * `postmaster.pid` and by what the process of that number is.
 */
export class PostgresCluster {
  readonly #data: string;
  readonly #socket: string;

  constructor(
    private readonly binaries: PostgresBinaries,
    private readonly home: string,
    private readonly options: ClusterOptions = {},
  ) {
    this.#data = path.join(home, "postgres");
    this.#socket = socketFolder(home);
  }

  /** How to connect. */
  connection(database: string): ClientConfig {
    const password = databasePassword(this.home);
    return { host: this.#socket, port: PORT, user: DATABASE_USER, password, database };
  }

  /** Process id of the server that runs on this directory, if one does. */
  get pid(): number | undefined {
    const holder = holderOf(this.#data);
    return holder.is === "postmaster" ? holder.pid : undefined;
  }

  get logFile(): string {
    return path.join(this.home, "postgres.log");
  }

  /** Makes the data directory where there is none. Dying in the middle leaves nothing half made. */
  async create(): Promise<void> {
    if (existsSync(this.#data)) return;
    const user = this.#user();
    const work = `${this.#data}.new`;
    const [fresh, secret] = [path.join(work, "data"), path.join(work, "password")];
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { mode: 0o700 });
    user.lend(work);
    writeFileSync(secret, databasePassword(this.home), { mode: 0o600 });
    user.lend(secret);
    const access = [`--username=${DATABASE_USER}`, "--auth=scram-sha-256", `--pwfile=${secret}`];
    const args = ["-D", fresh, ...access, "--encoding=UTF8", ...this.binaries.locale];
    const { code, output } = await runInitdb(this.binaries.bin, user, args);
    if (code !== 0)
      throw new Error(`PostgreSQL could not make its data directory ${this.#data}: ${output.trim()}`);
    closeAccess(fresh);
    user.own(fresh);
    renameSync(fresh, this.#data);
    rmSync(work, { recursive: true });
  }

  /** Makes the data directory a copy of a running server's, which it follows under a name once it is started. */
  async createStandbyOf(primary: PostgresCluster, name: string): Promise<void> {
    const user = this.#user();
    const { host = "", port = PORT, user: role = "", password } = primary.connection("postgres");
    // It is a part of what is copied.
    keepPassword(this.home, String(password));
    const server = new Client(primary.connection("postgres"));
    await server.connect();
    try {
      await baseBackup(server, this.#data, (made) => {
        user.own(made);
      });
    } finally {
      await server.end();
    }
    // In a file, as pg_basebackup does it: a command line can be read by everybody.
    const address = `host=${host} port=${String(port)} user=${role} password=${String(password)} application_name=${name}`;
    appendFileSync(path.join(this.#data, "postgresql.auto.conf"), `primary_conninfo = '${address}'\n`);
  }

  /**
   * Starts the server, or attaches to the one that already runs here, and waits until it takes connections: ours by its
   * password, and nobody's without one.
   */
  async start(): Promise<void> {
    const answer = await this.#running();
    const pid = this.pid;
    const reload = (): void => {
      if (pid !== undefined) process.kill(pid, "SIGHUP");
    };
    if (answer === "refused" || trustsSomebody(this.#data))
      await renewPassword({ data: this.#data, connection: this.connection("postgres"), reload });
    // Whoever closed the access before may have died before the server read of it.
    else reload();
  }

  /** Stops the server ("fast": open transactions are rolled back) and waits for it. */
  async stop(): Promise<void> {
    const pid = this.pid;
    if (pid === undefined) return;
    process.kill(pid, "SIGINT");
    const deadline = performance.now() + STOP_TIMEOUT_MS;
    while (this.pid === pid) {
      if (performance.now() > deadline)
        throw new Error(`PostgreSQL (pid ${String(pid)}) did not stop; its log is ${this.logFile}.`);
      await pause(10);
    }
  }

  #user(): ServerUser {
    const { beside } = this.options;
    return serverUser(
      this.home,
      this.#data,
      this.binaries.bin,
      beside === undefined ? undefined : beside.#data,
    );
  }

  /** Resolves when a server answers, whether it takes our password or not. */
  async #running(): Promise<Exclude<Knock, "away">> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (let spawned: Promise<number> | undefined; ;) {
      const answer = this.pid === undefined ? "away" : await knock(this.connection("postgres"));
      if (answer !== "away") return answer;
      spawned ??= this.#spawnServer();
      const moment = pause(LOOK_EVERY_MS, undefined);
      const died = await (spawned === undefined ? moment : Promise.race([spawned, moment]));
      // Backends of a server that was killed may hold its shared memory for a moment: the next try finds it free.
      if (died !== undefined) spawned = undefined;
      if (performance.now() > deadline)
        throw new Error(
          `PostgreSQL did not start within ${String(START_TIMEOUT_MS / 1000)} s; its log is ${this.logFile}.`,
        );
    }
  }

  /** Undefined while it cannot be started; else as {@link spawnServer}. */
  #spawnServer(): Promise<number> | undefined {
    const holder = holderOf(this.#data);
    if (holder.is === "postmaster") return undefined;
    const user = this.#user();
    if (!user.owns(this.#data)) {
      // PostgreSQL cannot see the shared memory of another user's backends, and would start beside them.
      if (isWorkedIn(this.#data)) return undefined;
      user.own(this.#data);
    }
    makeSocketFolder(this.#socket, user);
    const lock = path.join(this.#socket, `.s.PGSQL.${String(PORT)}.lock`);
    if (holderIn(lock, this.#data).is === "stranger") rmSync(lock);
    const settings = Object.entries({
      ...SERVER_SETTINGS,
      ...this.options.settings,
      unix_socket_directories: this.#socket,
    });
    return spawnServer(this.binaries.bin, user, {
      args: ["-D", this.#data, ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`])],
      logFile: this.logFile,
      stranger: holder.is === "stranger" ? holder.pid : undefined,
    });
  }
}

/** In a folder that everybody may write to somebody else may have been there before: theirs is not used. */
function makeSocketFolder(folder: string, user: ServerUser): void {
  const there = lstatSync(folder, { throwIfNoEntry: false });
  const isOurs = there?.isDirectory() === true && [process.getuid?.(), user.server.uid].includes(there.uid);
  if (there !== undefined && !isOurs) rmSync(folder, { recursive: true });
  if (!isOurs) mkdirSync(folder, { mode: 0o700 });
  chmodSync(folder, 0o700);
  user.own(folder);
}

/** Near the data; in the folder for temporary files where that path is too long for a socket. */
function socketFolder(home: string): string {
  const inside = path.join(home, "socket");
  const name = createHash("sha256").update(home).digest("hex").slice(0, 16);
  return inside.length <= SOCKET_FOLDER_MAX ? inside : path.join(tmpdir(), `forno-${name}`);
}
