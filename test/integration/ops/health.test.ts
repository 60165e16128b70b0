import { tmpdir } from "node:os";
import { ServiceBroker } from "moleculer";
import { getHealth, getLiveness, getReadiness } from "../../../services/ops/ops.contract";
import { act } from "../../../mixins/contract/implement";
import { readinessOf } from "../../../mixins/health/readiness";
import type { Runtime } from "../../../mixins/runtime";
import { createOpsService } from "../../../services/ops/ops.service";
import { loadSettings } from "../../../settings";
import { MemoryLineage } from "../../support/memory-lineage";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

describe("health", () => {
  let database: TestDatabase;
  let broker: ServiceBroker;
  let now_ms = 1_000_000;
  const lineage = new MemoryLineage([]);

  beforeAll(async () => {
    database = await startTestDatabase();
    // Without listeners an idle connection that the server cuts would end the process.
    database.pool.on("error", () => undefined);
    broker = new ServiceBroker({ logger: false, nodeID: "node-1" });
    const log = {
      lineage,
      head: async () => (await database.pool.query<{ n: number }>("select 41 + 1 as n")).rows[0]?.n ?? 0,
    };
    const settings = loadSettings({ DATA_DIR: tmpdir() });
    const clock = { now: () => now_ms };
    const feed = { status: () => ({ source: "log", position: 42 }) };
    const runtime = { broker, pool: database.pool, log, feed, clock, settings } as unknown as Runtime;
    broker.createService(createOpsService(runtime));
    await broker.start();
  });
  afterAll(async () => {
    await broker.stop();
    await database.stop();
  });

  /** Result and status, as the gateway would answer. */
  async function ask<C extends typeof getHealth | typeof getReadiness | typeof getLiveness>(contract: C) {
    now_ms += 1_000;
    const meta: { $statusCode?: number } = {};
    const parent = { call: (name: string, params?: object) => broker.call(name, params, { meta }) };
    const result = await act(parent, contract, {});
    return { status: meta.$statusCode ?? 200, result };
  }

  it("is up while the database answers, with the log's position", async () => {
    const { status, result } = await ask(getHealth);
    expect(status).toBe(200);
    expect(result).toMatchObject({
      status: "up",
      node_id: "node-1",
      checks: { database: { status: "up", required: true }, event_log: { status: "up", position: 42 } },
    });
  });

  it("is ready only between the end of starting and the begin of stopping", async () => {
    expect(await ask(getReadiness)).toMatchObject({
      status: 503,
      result: { ready: false, phase: "starting" },
    });
    readinessOf(broker).ready();
    expect(await ask(getReadiness)).toEqual({
      status: 200,
      result: { ready: true, phase: "ready", down: [] },
    });
  });

  it("is down, not ready and alive while the database is stopped, and recovers with it", async () => {
    await database.cluster.stop();
    expect(await ask(getHealth)).toMatchObject({
      status: 503,
      result: { status: "down", checks: { database: { status: "down" } } },
    });
    expect(await ask(getReadiness)).toMatchObject({
      status: 503,
      result: { ready: false, down: ["database", "event_log"] },
    });
    expect(await ask(getLiveness)).toMatchObject({ status: 200, result: { status: "up" } });
    await database.cluster.start();
    expect(await ask(getHealth)).toMatchObject({ status: 200, result: { status: "up" } });
    expect((await ask(getReadiness)).status).toBe(200);
  });

  it("is not ready any more once the node is stopping, for good", async () => {
    readinessOf(broker).stopping();
    readinessOf(broker).ready();
    expect(await ask(getReadiness)).toMatchObject({ status: 503, result: { phase: "stopping" } });
  });

  it("says that the log went back, and what is still made good", async () => {
    const timelines = { timeline_before: "00000001", timeline_after: "00000002" };
    lineage.breaks = [
      { after: 90, to: 131, head: 93, found_at: "2026-01-01T10:00:00.000000Z", ...timelines },
    ];
    await database.pool.query("insert into es.checkpoint (name, pos) values ('orders', 131)");
    expect((await ask(getHealth)).result.checks["lineage"]).toMatchObject({
      ...{ status: "degraded", required: false, healing: "orders" },
      ...{ went_back_at: "2026-01-01T10:00:00.000000Z", from_position: 131, to_position: 90 },
      detail: expect.stringMatching(/timeline 00000001, then 00000002.*Being made good: orders/) as string,
    });
    await database.pool.query("delete from es.checkpoint where name = 'orders'");
    expect((await ask(getHealth)).result.checks["lineage"]).toMatchObject({
      status: "up",
      detail: expect.stringMatching(/has been made good/) as string,
    });
    lineage.breaks = [];
  });
});
