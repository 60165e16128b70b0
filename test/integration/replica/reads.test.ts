import type { Pool } from "pg";
import { connectionOf } from "../../../mixins/postgres/pool";
import { Metrics } from "../../../mixins/metrics/metrics";
import { ReplicaReads, readsOf } from "../../../mixins/replica/reads";
import { replicaProbe } from "../../../mixins/replica/replica-probe";
import { databaseProbe } from "../../../services/ops/health";
import { replicaCommand } from "../../../services/ops/replica-command";
import { eventually } from "../../support/eventually";
import type { TestDatabase } from "../../support/postgres";
import { QuietLogger } from "../../support/quiet-logger";
import { startTestReplica, type TestReplica } from "../../support/replica";

const PASSWORD = "a password of the role";
const LAG_MS_MAX = 3_000;

let servers: TestReplica;
let primary: TestDatabase;
let replica: TestDatabase;
let logger: QuietLogger;
let reads: ReplicaReads;

const openReads = (): ReplicaReads =>
  new ReplicaReads({
    primary: primary.pool,
    replica: connectionOf(replica.url),
    lag_ms_max: LAG_MS_MAX,
    logger,
    metrics: new Metrics(),
  });
/** Which server a read is answered by: only the primary's WAL can be decoded. */
const serverOf = async (from: Pool): Promise<string> => {
  const { rows } = await from.query<{ level: string }>("select current_setting('wal_level') as level");
  return rows[0]?.level === "logical" ? "primary" : "replica";
};
const read = (): Promise<string> => reads.read("products", serverOf);
const readsGoTo = (server: string) =>
  eventually(async () => {
    expect(await read()).toBe(server);
    expect(reads.serves("products")).toBe(server === "replica");
  });

beforeAll(async () => {
  servers = await startTestReplica();
  ({ primary, replica } = servers);
});
afterAll(() => servers.stop());
beforeEach(() => {
  logger = new QuietLogger();
  reads = openReads();
});
afterEach(() => reads.close());

describe("reads before there is a replica behind the URL", () => {
  it("go to the primary, and health says what to do", async () => {
    expect(await read()).toBe("primary");
    await reads.look();
    expect(await replicaProbe(reads).probe()).toMatchObject({ status: "down" });
    expect(await replicaCommand(reads, "status")).toContain("does not answer");
  });

  it("go to the replica by themselves once it has been set up", async () => {
    await servers.setUp(PASSWORD);
    await readsGoTo("replica");
    expect(await replicaProbe(reads).probe()).toMatchObject({ status: "up", schema_ok: true });
  });
});

describe("reads of a replica", () => {
  beforeEach(() => readsGoTo("replica"));

  it("cannot write there, whatever the account may do", async () => {
    await expect(reads.poolFor("products").query("update menu_head set version = 9")).rejects.toThrow(
      "read-only",
    );
  });

  it("know how far behind each publication is", async () => {
    const finding = await replicaProbe(reads).probe();
    for (const part of ["products", "users", "flash_sales"]) {
      expect(finding[`lag_ms_${part}`]).toBeGreaterThanOrEqual(0);
      expect(finding[`lag_ms_${part}`]).toBeLessThan(LAG_MS_MAX);
    }
    expect(await replicaCommand(reads, "status")).toEqual(
      ["products", "users", "flash_sales"].map(
        (part) => expect.objectContaining({ part, read_from: "replica", copied: true }) as object,
      ),
    );
  });

  it("go to the primary while the subscription rests, by part, and come back", async () => {
    await replica.pool.query("alter subscription sub_products disable");
    await readsGoTo("primary");
    expect(reads.serves("users")).toBe(true);
    const finding = await replicaProbe(reads).probe();
    expect(finding).toMatchObject({ status: "degraded", schema_ok: true });
    expect(finding.detail).toBe("Too far behind, so the primary is read: products.");
    expect(finding["lag_ms_products"]).toBeGreaterThan(LAG_MS_MAX);
    await eventually(async () => {
      const slots = await databaseProbe(primary.pool, true).probe();
      expect(slots).toMatchObject({ status: "degraded" });
      expect(slots.detail).toContain("nobody reads");
    });
    await replica.pool.query("alter subscription sub_products enable");
    await readsGoTo("replica");
    await eventually(async () => {
      expect((await databaseProbe(primary.pool, true).probe()).status).toBe("up");
    });
  });

  it("age with nobody looking: a bound that was kept at the last look alone is not enough", async () => {
    await reads.close();
    // Its last look is the last: from here on the lag only grows.
    await eventually(() => {
      expect(reads.serves("products")).toBe(false);
    });
    reads = openReads();
  });

  it("of one's own write go to the primary until the replica has it", async () => {
    const { rows } = await primary.pool.query<{ head: number }>(
      "update es.lane set head = head + 1 returning head",
    );
    const after = rows[0]?.head ?? 0;
    const own = (): Promise<string> => reads.read("products", serverOf, { after });
    await replica.pool.query("alter subscription sub_products disable");
    expect(await own()).toBe("primary");
    expect(reads.poolFor("products", { after })).toBe(primary.pool);
    await replica.pool.query("alter subscription sub_products enable");
    await eventually(async () => {
      expect(await own()).toBe("replica");
    });
    expect(await reads.read("products", serverOf, { after: after + 1 })).toBe("primary");
  });

  it("that find nothing are made again on the primary, where it may be", async () => {
    const asked: string[] = [];
    const found = await reads.read("products", async (from) => {
      const server = await serverOf(from);
      asked.push(server);
      return server === "primary" ? "found" : undefined;
    });
    expect([found, asked]).toEqual(["found", ["replica", "primary"]]);
  });

  it("that are refused by the primary too fail with its error", async () => {
    await expect(reads.read("products", (from) => from.query("select 1/0"))).rejects.toThrow(
      "division by zero",
    );
    expect(logger.having("failed on the replica")).toHaveLength(1);
  });

  it("are made again on the primary when their connection is cut, or they take too long", async () => {
    const cut = async (from: Pool): Promise<string> => {
      if (from !== primary.pool) await from.query("select pg_terminate_backend(pg_backend_pid())");
      return serverOf(from);
    };
    expect(await reads.read("products", cut)).toBe("primary");
    await readsGoTo("replica");
    const slow = async (from: Pool): Promise<string> => {
      if (from !== primary.pool) await from.query("select pg_sleep(30)");
      return serverOf(from);
    };
    expect(await reads.read("products", slow)).toBe("primary");
    await readsGoTo("replica");
  });

  it("go on when the replica is killed in their midst, hangs, or comes back", async () => {
    let ended = false;
    const wrong: unknown[] = [];
    const served = { primary: 0, replica: 0 };
    const readers = Array.from({ length: 4 }, async () => {
      while (!ended) {
        const server = await read().catch((error: unknown) => wrong.push(error));
        served[server as "primary"] += 1;
        await new Promise(setImmediate);
      }
    });
    process.kill(pidOf(replica), "SIGKILL");
    await readsGoTo("primary");
    await replica.cluster.start();
    await readsGoTo("replica");

    const pids = await replica.pool.query<{ pid: number }>("select pid from pg_stat_activity");
    const all = [pidOf(replica), ...pids.rows.map(({ pid }) => pid)];
    const signal = (name: NodeJS.Signals): void => {
      for (const pid of all) if (alive(pid)) process.kill(pid, name);
    };
    signal("SIGSTOP");
    try {
      await readsGoTo("primary");
      expect(await replicaProbe(reads).probe()).toMatchObject({ status: "down" });
    } finally {
      signal("SIGCONT");
    }
    await readsGoTo("replica");
    ended = true;
    await Promise.all(readers);
    expect(wrong).toEqual([]);
    expect(served.primary).toBeGreaterThan(0);
    expect(served.replica).toBeGreaterThan(0);
  });

  it("do not use a table that is not copied yet, or that a setup is copying anew", async () => {
    await replica.pool.query("delete from pg_subscription_rel where srrelid = 'menu_head'::regclass");
    await readsGoTo("primary");
    const finding = await replicaProbe(reads).probe();
    expect(finding.detail).toBe("Not copied yet, so the primary is read: products.");
    expect(reads.serves("users")).toBe(true);
    await servers.setUp();
    await readsGoTo("replica");
  });

  it("do not use tables that differ, and the status names how", async () => {
    await primary.pool.query("alter table flash_sales add column secret text");
    await eventually(() => {
      expect(reads.serves("products")).toBe(false);
    });
    const finding = await replicaProbe(reads).probe();
    expect(finding).toMatchObject({ status: "degraded", schema_ok: false });
    expect(finding.detail).toContain("replica:setup");
    expect(await replicaCommand(reads, "status")).toContain("The replica has no flash_sales.secret.");
    await primary.pool.query("alter table flash_sales drop column secret");
    await readsGoTo("replica");
  });
});

describe("reads without a replica", () => {
  it("go to the primary, and health says that there is none", async () => {
    const none = readsOf(primary);
    expect(none.poolFor("users")).toBe(primary.pool);
    expect(await none.read("users", serverOf)).toBe("primary");
    expect(await replicaProbe(undefined).probe()).toEqual({ status: "off" });
    expect(await replicaCommand(undefined, "status")).toContain("not set");
    expect(await replicaCommand(undefined, "bake")).toBe("replica status");
  });
});

function pidOf({ cluster }: TestDatabase): number {
  if (cluster.pid === undefined) throw new Error("The server does not run.");
  return cluster.pid;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
