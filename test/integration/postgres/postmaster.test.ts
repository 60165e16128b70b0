import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "pg";
import { embeddedBinaries } from "../../../mixins/postgres/binaries";
import { PostgresCluster } from "../../../mixins/postgres/cluster";
import { holderOf } from "../../../mixins/postgres/postmaster";
import { lookAtProcess } from "../../../mixins/process-table";
import { eventually } from "../../support/eventually";

const BINARIES = embeddedBinaries();

describe("a start beside what a lock file names", () => {
  let home: string;
  let cluster: PostgresCluster;
  const strangers: ChildProcess[] = [];

  beforeEach(async () => {
    home = mkdtempSync(path.join(tmpdir(), "forno-lock-"));
    cluster = new PostgresCluster(BINARIES, path.join(home, "a"));
    await cluster.create();
  });

  afterEach(async () => {
    for (const stranger of strangers.splice(0)) stranger.kill("SIGKILL");
    await cluster.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const dataOf = (name: string): string => path.join(home, name, "postgres");

  /** A process that lives, of the user that the server runs as, so that it can be mistaken for one. */
  function stranger(program: string, args: readonly string[], cwd = "/"): number {
    const child = spawn(program, args, { cwd, stdio: "ignore" });
    strangers.push(child);
    if (child.pid === undefined) throw new Error("It did not start.");
    return child.pid;
  }

  /** As after a loss of power and a start of the machine that gave the number away. */
  function namedInLocks(pid: number): void {
    const files = [path.join(dataOf("a"), "postmaster.pid"), path.join(home, "a/socket/.s.PGSQL.5432.lock")];
    for (const file of files.filter(existsSync)) {
      const lines = readFileSync(file, "utf8").split("\n");
      writeFileSync(file, [String(pid), ...lines.slice(1)].join("\n"));
    }
  }

  async function killed(): Promise<void> {
    process.kill(cluster.pid ?? Number.NaN, "SIGKILL");
    await eventually(() => {
      expect(cluster.pid).toBeUndefined();
    });
  }

  async function ask<T>(at: PostgresCluster, sql: string): Promise<T | undefined> {
    const client = new Client(at.connection("postgres"));
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query<{ answer: T }>(sql)).rows[0]?.answer;
    } finally {
      await client.end();
    }
  }

  it("takes a stranger who got the number for what it is, and leaves it alone", async () => {
    await cluster.start();
    await ask(cluster, "create table survivor as select 42 as answer");
    await killed();
    const pid = stranger("sleep", ["600"]);
    namedInLocks(pid);
    expect(holderOf(dataOf("a"))).toEqual({ is: "stranger", pid });
    await cluster.stop();
    await cluster.start();
    expect(cluster.pid).not.toBe(pid);
    expect(await ask(cluster, "select answer from survivor")).toBe(42);
    await cluster.stop();
    expect(lookAtProcess(pid)).toMatchObject({ program: "sleep" });
  });

  it("is not misled by a shell that works in the data folder", async () => {
    await cluster.start();
    await killed();
    const pid = stranger("sh", ["-c", "sleep 600; true"], dataOf("a"));
    namedInLocks(pid);
    await cluster.start();
    expect(cluster.pid).not.toBe(pid);
  });

  it("takes a dead process that nobody has fetched for gone", async () => {
    await cluster.start();
    await killed();
    // Its parent never asks what became of it.
    const parent = stranger("sh", ["-c", "sleep 0.01 & exec sleep 600"]);
    const zombie = await eventually(() => {
      const { stdout } = spawnSync("ps", ["-o", "pid=,stat=", "--ppid", String(parent)], {
        encoding: "utf8",
      });
      const [, pid] = /(\d+) Z/.exec(stdout) ?? [];
      expect(pid).toBeDefined();
      return Number(pid);
    });
    namedInLocks(zombie);
    await cluster.start();
    expect(cluster.pid).not.toBe(zombie);
  });

  it("starts a folder that was copied from a running one, and leaves that one running", async () => {
    await cluster.start();
    await ask(cluster, "create table survivor as select 42 as answer");
    await ask(cluster, "checkpoint");
    const original = cluster.pid;
    spawnSync("cp", ["-a", path.join(home, "a"), path.join(home, "b")]);
    const copy = new PostgresCluster(BINARIES, path.join(home, "b"));
    expect(holderOf(dataOf("b"))).toEqual({ is: "stranger", pid: original });
    await copy.start();
    try {
      expect(copy.pid).not.toBe(original);
      expect(await ask(copy, "select answer from survivor")).toBe(42);
      expect(await ask(copy, "select current_setting('data_directory') as answer")).toBe(dataOf("b"));
    } finally {
      await copy.stop();
    }
    expect(cluster.pid).toBe(original);
    expect(await ask(cluster, "select answer from survivor")).toBe(42);
  });

  it("waits for backends that outlived their server, whoever has its number by now", async () => {
    await cluster.start();
    const client = new Client(cluster.connection("postgres"));
    client.on("error", () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    const backend = rows[0]?.pid ?? Number.NaN;
    process.kill(backend, "SIGSTOP");
    let starting: Promise<void>;
    try {
      await killed();
      namedInLocks(stranger("sleep", ["600"]));
      starting = cluster.start();
      // PostgreSQL's own check of the old shared memory is still made.
      await eventually(() => {
        expect(readFileSync(cluster.logFile, "utf8")).toContain("pre-existing shared memory block");
      });
      expect(cluster.pid).toBeUndefined();
    } finally {
      process.kill(backend, "SIGCONT");
      await client.end().catch(() => undefined);
    }
    await starting;
    expect(await ask(cluster, "select 42 as answer")).toBe(42);
  });

  it("knows its own server by `ps` alone, too, and by any path to the folder", async () => {
    await cluster.start();
    const pid = cluster.pid;
    expect(pid).toBeDefined();
    expect(holderOf(dataOf("a"), "darwin")).toEqual({ is: "postmaster", pid });
    const link = path.join(home, "link");
    spawnSync("ln", ["-s", dataOf("a"), link]);
    expect(holderOf(link)).toEqual({ is: "postmaster", pid });
    await killed();
    const other = stranger("sleep", ["600"]);
    namedInLocks(other);
    expect(holderOf(dataOf("a"), "darwin")).toEqual({ is: "stranger", pid: other });
  });
});
