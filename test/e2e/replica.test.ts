import path from "node:path";
import { eventually } from "../support/eventually";
import { FornoUnderTest, outcomeOf, type Ended } from "../support/forno";
import { startTestDatabase, type TestDatabase } from "../support/postgres";

const SETUP = path.resolve(__dirname, "../../dist/fleet/replica/setup.js");

/** `npm run replica:setup`, run to its end. */
const runSetup = (env: Record<string, string>, ...args: string[]): Promise<Ended> =>
  outcomeOf(SETUP, env, ...args);

interface Health {
  readonly status: string;
  readonly checks: Record<string, { status: string; detail?: string; [figure: string]: unknown }>;
}

describe("a Forno with a replica", () => {
  let primary: TestDatabase;
  let replica: TestDatabase;
  let forno: FornoUnderTest;
  let urls: Record<string, string>;
  let token: string;

  beforeAll(async () => {
    primary = await startTestDatabase({ migrated: false, settings: { wal_level: "logical" } });
    replica = await startTestDatabase({
      migrated: false,
      beside: primary,
      settings: { wal_retrieve_retry_interval: "100ms" },
    });
    for (const { pool } of [primary, replica]) pool.on("error", () => undefined);
    urls = { DATABASE_URL: primary.url, DATABASE_REPLICA_URL: replica.url };
    forno = await FornoUnderTest.started(urls);
    token = await forno.adminToken();
  });
  afterAll(async () => {
    await forno.remove();
    await replica.stop();
    await primary.stop();
  });

  const check = async (name: string) => (await forno.askOps<Health>("/api/v1/health")).body.checks[name];
  const replicaIs = (status: string) =>
    eventually(async () => {
      expect(await check("replica")).toMatchObject({ status });
    }, 20_000);
  const announced = async (after = ""): Promise<unknown[]> => {
    const { status, body } = await forno.ask<{ items: { name: { en: string } }[] }>(
      "GET",
      `/api/flash-sales${after}`,
    );
    expect(status).toBe(200);
    return body.items.map(({ name }) => name.en);
  };
  const plan = async (en: string): Promise<number> => {
    const menu = await forno.ask<{ pizzas: { id: string }[] }>("GET", "/api/v1/menu");
    const day_ms = 86_400_000;
    const { status, body } = await forno.ask<{ position: number }>("POST", "/api/v1/menu/flash-sales", {
      token,
      body: {
        name: { ru: "Час", en },
        item_ids: [menu.body.pizzas[0]?.id],
        percent: 10,
        starts_at: new Date(Date.now() + day_ms).toISOString(),
        ends_at: new Date(Date.now() + 2 * day_ms).toISOString(),
      },
    });
    expect(status).toBe(201);
    return body.position;
  };
  const servedByReplica = async (): Promise<number> => {
    const metrics = (await forno.askOps<{ text: string }>("/metrics")).body.text.split("\n");
    const line = metrics.find((each) =>
      each.startsWith('forno_shop_reads_total{part="flash_sales",server="replica"}'),
    );
    return Number(line?.split(" ")[1] ?? 0);
  };

  it("starts without one behind the URL, serves everything, and says what is missing", async () => {
    expect(await check("replica")).toMatchObject({ status: "down", required: false });
    expect((await announced()).length).toBeGreaterThan(0);
    expect(await check("disk")).toMatchObject({ free_bytes: expect.any(Number) as number });
  });

  it("reads from it soon after npm run replica:setup", async () => {
    const { code, stdout, stderr } = await runSetup(urls);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/with the password \S{32} \(shown this once\)/);
    expect(stdout).toContain("max_slot_wal_keep_size");
    await replicaIs("up");
    const before = await servedByReplica();
    await eventually(async () => {
      // Who says how far is answered past the cache.
      await announced("?after=0");
      expect(await servedByReplica()).toBeGreaterThan(before);
    });
    const again = await runSetup(urls, "--status");
    expect(again.stdout).toMatch(
      /pub_users +subscription enabled · copied · slot active, holds .* · heartbeat \d+ ms old/,
    );
  });

  it("shows a sale that was just planned, with ?after= at once, from the replica soon", async () => {
    const position = await plan("Own write");
    expect(await announced(`?after=${String(position)}`)).toContain("Own write");
    await eventually(async () => {
      const before = await servedByReplica();
      expect(await announced(`?after=${String(position)}`)).toContain("Own write");
      expect(await servedByReplica()).toBeGreaterThan(before);
    });
    const versions = await forno.ask<{ items: { version: number }[] }>("GET", "/api/v1/menu/versions", {
      token,
    });
    expect(versions.body.items[0]?.version).toBe(1);
  });

  it("goes on when the replica is gone, and reads from it again when it is back and has caught up", async () => {
    await replica.cluster.stop();
    await plan("While it was away");
    expect(await announced()).toContain("While it was away");
    await replicaIs("down");
    expect(await check("database")).toMatchObject({ status: "degraded" });
    expect((await forno.ask("GET", "/api/v1/health/ready")).status).toBe(200);
    await replica.cluster.start();
    await replicaIs("up");
    expect(await announced()).toContain("While it was away");
    expect(await check("database")).toMatchObject({ status: "up" });
  });

  it("prints the replica's state at the prompt", async () => {
    const prompt = await FornoUnderTest.started({ ...urls, DATA_DIR: forno.dataDir, TERM: "dumb" }, "--repl");
    try {
      prompt.type("replica status");
      await eventually(() => {
        expect(prompt.output).toMatch(/read_from[^]*flash_sales/);
      });
    } finally {
      await prompt.remove();
    }
  });

  it("leaves no slot behind after --remove, and reads from the primary", async () => {
    const { code, stdout } = await runSetup(urls, "--remove");
    expect(code).toBe(0);
    expect(stdout).toContain("Its slots on the primary are gone.");
    const { rows } = await primary.pool.query("select slot_name from pg_replication_slots");
    expect(rows).toEqual([]);
    expect(await announced()).toContain("Own write");
    await replicaIs("down");
  });

  it("refuses a command line and settings that are wrong, in a line", async () => {
    expect(await runSetup({ ...urls, DATABASE_REPLICA_URL: "" })).toEqual({
      code: 2,
      stdout: "",
      stderr: "DATABASE_REPLICA_URL is not set to a postgres:// URL.\n",
    });
    expect(await runSetup(urls, "--bake")).toMatchObject({ code: 2 });
    const same = await runSetup({ ...urls, DATABASE_REPLICA_URL: primary.url });
    expect(same).toMatchObject({ code: 1, stderr: expect.stringContaining("the primary itself") as string });
    expect((await runSetup({}, "--help")).stdout).toContain("--replica-is-gone");
  });
});
