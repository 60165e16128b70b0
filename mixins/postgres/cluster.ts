import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client, type ClientConfig } from "pg";
import { baseBackup } from "./base-backup";
import type { PostgresBinaries } from "./binaries";
import { unprivileged, type Unprivileged } from "./unprivileged";

/** Longest path of a Unix socket that every system takes (sun_path is 104 bytes on macOS), less PostgreSQL's own file name. */
const SOCKET_FOLDER_MAX = 80;
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;

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

/**
 * One PostgreSQL data directory with the server that runs on it: `create` once, `start` (or attach to the one that still
 * runs), `stop`. Reached over a Unix socket in a folder that only its owner may enter, without a TCP port. The server is
 * a process group of its own: it outlives a kill of ours and is found again by its `postmaster.pid`.
 */
export class PostgresCluster {
  readonly #data: string;
  readonly #socket: string;
  readonly #user: Unprivileged;

  constructor(
    private readonly binaries: PostgresBinaries,
    private readonly home: string,
    private readonly extraSettings: Readonly<Record<string, string>> = {},
  ) {
    mkdirSync(home, { recursive: true });
    this.#user = unprivileged([home, binaries.bin]);
    this.#data = path.join(home, "postgres");
    this.#socket = this.#socketFolder();
  }

  /** How to connect. */
  connection(database: string): ClientConfig {
    return { host: this.#socket, port: 5432, user: "forno", database };
  }

  /** Process id of the server that runs on this directory, if one does. */
  get pid(): number | undefined {
    const pid = pidIn(path.join(this.#data, "postmaster.pid"));
    return pid > 0 && isAlive(pid) ? pid : undefined;
  }

  /** Makes the data directory where there is none. Dying in the middle leaves nothing half made. */
  async create(): Promise<void> {
    if (existsSync(this.#data)) return;
    const fresh = `${this.#data}.new`;
    rmSync(fresh, { recursive: true, force: true });
    this.#ownedFolder(fresh);
    const settings = ["--username=forno", "--auth=trust", "--encoding=UTF8", ...this.binaries.locale];
    const { code, output } = await this.#run("initdb", ["-D", fresh, ...settings]);
    if (code !== 0)
      throw new Error(`PostgreSQL could not make its data directory ${this.#data}: ${output.trim()}`);
    renameSync(fresh, this.#data);
  }

  /** Makes the data directory a copy of a running server's; started with `primary_conninfo` it follows that one. */
  async createStandbyOf(primary: PostgresCluster): Promise<void> {
    const server = new Client(primary.connection("postgres"));
    await server.connect();
    try {
      await baseBackup(server, this.#data, (made) => {
        this.#user.own(made);
      });
    } finally {
      await server.end();
    }
  }

  /** Starts the server, or attaches to the one that already runs here, and waits until it takes connections. */
  async start(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (let spawned: Promise<number> | undefined; ;) {
      if (await this.#accepts()) return;
      if (this.pid === undefined && spawned === undefined) spawned = this.#spawnServer();
      const died = await Promise.race([spawned ?? pause(20, undefined), pause(20, undefined)]);
      // Backends of a server that was killed may hold its shared memory for a moment: the next try finds it free.
      if (died !== undefined) spawned = undefined;
      if (Date.now() > deadline)
        throw new Error(
          `PostgreSQL did not start within ${String(START_TIMEOUT_MS / 1000)} s; its log is ${this.logFile}.`,
        );
    }
  }

  /** Stops the server ("fast": open transactions are rolled back) and waits for it. */
  async stop(): Promise<void> {
    const pid = this.pid;
    if (pid === undefined) return;
    process.kill(pid, "SIGINT");
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isAlive(pid) && this.pid === pid) {
      if (Date.now() > deadline)
        throw new Error(`PostgreSQL (pid ${String(pid)}) did not stop; its log is ${this.logFile}.`);
      await pause(10);
    }
  }

  get logFile(): string {
    return path.join(this.home, "postgres.log");
  }

  #socketFolder(): string {
    const inside = path.join(this.home, "socket");
    const name = createHash("sha256").update(this.home).digest("hex").slice(0, 16);
    const folder = inside.length <= SOCKET_FOLDER_MAX ? inside : path.join(tmpdir(), `forno-${name}`);
    this.#ownedFolder(folder);
    return folder;
  }

  #ownedFolder(folder: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#user.own(folder);
  }

  #command(program: string, args: readonly string[]): [string, string[]] {
    const [first, ...rest] = [...this.#user.prefix, path.join(this.binaries.bin, program), ...args];
    return [first ?? program, rest];
  }

  async #run(program: string, args: readonly string[]): Promise<{ code: number; output: string }> {
    const [command, rest] = this.#command(program, args);
    const child = spawn(command, rest, {
      ...this.#user.options,
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    return new Promise((resolve, reject) => {
      child.on("error", reject).on("close", (code) => {
        resolve({ code: code ?? 1, output });
      });
    });
  }

  /** Resolves with the exit code when the server ends. */
  #spawnServer(): Promise<number> {
    const settings = Object.entries({
      ...SERVER_SETTINGS,
      ...this.extraSettings,
      unix_socket_directories: this.#socket,
    });
    const args = ["-D", this.#data, ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    const [command, rest] = this.#command("postgres", args);
    const keep = existsSync(this.logFile) && statSync(this.logFile).size < 10_000_000;
    const log = openSync(this.logFile, keep ? "a" : "w", 0o600);
    const child = spawn(command, rest, {
      ...this.#user.options,
      cwd: "/",
      detached: true,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    child.unref();
    return new Promise((resolve) => {
      child
        .on("error", () => {
          resolve(1);
        })
        .on("exit", (code) => {
          resolve(code ?? 1);
        });
    });
  }

  async #accepts(): Promise<boolean> {
    if (this.pid === undefined) return false;
    const client = new Client({ ...this.connection("postgres"), connectionTimeoutMillis: 2_000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return true;
    } catch {
      // Not yet: still starting, recovering, or the file is of a server that is gone.
      return false;
    } finally {
      await client.end();
    }
  }
}

/** NaN without such a file; the server removes it at any moment. */
function pidIn(file: string): number {
  try {
    return Number(readFileSync(file, "utf8").split("\n", 1)[0]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Number.NaN;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
