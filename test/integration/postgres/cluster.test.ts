import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "pg";
import { embeddedBinaries } from "../../../mixins/postgres/binaries";
import { PostgresCluster } from "../../../mixins/postgres/cluster";

describe("the PostgreSQL that comes along", () => {
  let home: string;
  let cluster: PostgresCluster;

  beforeAll(async () => {
    home = mkdtempSync(path.join(tmpdir(), "forno-cluster-"));
    cluster = new PostgresCluster(embeddedBinaries(), home);
    await cluster.create();
    await cluster.start();
  });

  afterAll(async () => {
    await cluster.stop();
    rmSync(home, { recursive: true, force: true });
  });

  async function ask<T>(sql: string): Promise<T | undefined> {
    const client = new Client(cluster.connection("postgres"));
    await client.connect();
    try {
      const { rows } = await client.query<{ answer: T }>(sql);
      return rows[0]?.answer;
    } finally {
      await client.end();
    }
  }

  it("syncs to disk, listens on no TCP port and lowers Cyrillic letters", async () => {
    expect(await ask("select current_setting('fsync') as answer")).toBe("on");
    expect(await ask("select current_setting('synchronous_commit') as answer")).toBe("on");
    expect(await ask("select current_setting('listen_addresses') as answer")).toBe("");
    expect(await ask("select lower('ПЕППЕРОНИ') as answer")).toBe("пепперони");
  });

  it("is attached to, not started again, by whoever comes next", async () => {
    const pid = cluster.pid;
    const next = new PostgresCluster(embeddedBinaries(), home);
    await next.start();
    expect(next.pid).toBe(pid);
  });

  it("comes back with its data after a kill -9", async () => {
    await ask("create table survivor (answer integer)");
    await ask("insert into survivor values (42) returning answer");
    process.kill(cluster.pid ?? Number.NaN, "SIGKILL");
    await cluster.start();
    expect(await ask("select answer from survivor")).toBe(42);
  });

  it("does not take a half-made data directory for a database", async () => {
    const other = mkdtempSync(path.join(tmpdir(), "forno-half-"));
    const half = new PostgresCluster(embeddedBinaries(), other);
    await half.create();
    await half.create();
    expect(half.pid).toBeUndefined();
    rmSync(other, { recursive: true, force: true });
  });
});
