import { Agent, request } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { natsServer, type NatsServer } from "../../fleet/servers/nats-server";
import { redisServer, type RedisServer } from "../../fleet/servers/redis-server";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { GrpcClient } from "../support/grpc-client";
import { heardOf, IoListener, PlainListener } from "../support/listener";
import { startTestDatabase, type TestDatabase } from "../support/postgres";
import { signalTree } from "../support/process-tree";

const STOP_MS_MAX = 5_000;
/** From the death of the database to the answer that says so. */
const SAY_SO_MS_MAX = 3_000;
const JWT_SECRET = "a secret that all nodes of one test share";

let database: TestDatabase;
let forno: FornoUnderTest;
let pizza: string;
let token: string;

beforeAll(async () => {
  database = await startTestDatabase({ migrated: false });
});
afterAll(async () => {
  await database.stop();
});

async function start(env: Record<string, string> = {}): Promise<void> {
  forno = await FornoUnderTest.started({ DATABASE_URL: database.url, JWT_SECRET, ...env });
  token = await forno.adminToken();
  const menu = await forno.ask<{ pizzas: { id: string }[] }>("GET", "/api/v1/menu");
  pizza = menu.body.pizzas[0]?.id ?? "";
}
afterEach(async () => {
  await forno.end("SIGKILL");
  rmSync(forno.home, { recursive: true, force: true });
});

const orderBody = () => ({
  fulfilment: "pickup",
  payment_method: "cash",
  items: [{ menu_item_id: pizza, quantity: 1 }],
});
const order = (key: string) =>
  forno.ask("POST", "/api/v1/order", { body: orderBody(), headers: { "idempotency-key": key } });

/** Ends the process; resolves with how, and in what time. */
async function stopped(): Promise<{ code: number | null; ms: number }> {
  const begun = performance.now();
  const code = await forno.end("SIGTERM");
  return { code, ms: performance.now() - begun };
}

/** One order over a connection that is kept alive where the server allows it. */
function orderOver(agent: Agent): Promise<{ status: number; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const options = {
      agent,
      method: "POST",
      host: "127.0.0.1",
      port: forno.port,
      path: "/api/v1/order",
      headers,
    };
    request(options, (res) => {
      res.resume().on("end", () => {
        resolve({ status: res.statusCode ?? 0, connection: res.headers.connection });
      });
    })
      .on("error", reject)
      .end(JSON.stringify(orderBody()));
  });
}

describe("a node that is told to stop", () => {
  it("says so at once, serves what still comes on open connections and tells those to close", async () => {
    await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await orderOver(agent)).toEqual({ status: 201, connection: "keep-alive" });
    const health = GrpcClient.health(forno.grpcPort);
    const ended = stopped();
    await eventually(async () => {
      const ready = await forno.ask("GET", "/api/v1/health/ready");
      expect(ready.status).toBe(503);
      expect(ready.body).toMatchObject({ ready: false, phase: "stopping" });
      expect((await health.call("check", { service: "" })).answer).toEqual({ status: "NOT_SERVING" });
    });
    await eventually(async () => {
      const { status, connection } = await orderOver(agent);
      expect(status).toBe(201);
      expect(connection).toBe("close");
    });
    const { code, ms } = await ended;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_MS_MAX);
    health.close();
    agent.destroy();
  });

  it("sends its sockets and streams elsewhere, with the position to go on from", async () => {
    await start();
    const placed = await order("before-the-goodbye");
    const plain = new PlainListener(forno.port, `/api/v1/erp/ws?access_token=${token}`);
    const io = new IoListener(forno.port, "/erp", { token });
    await Promise.all([heardOf(plain, "ready"), heardOf(io, "ready")]);
    const grpc = GrpcClient.orders(forno.grpcPort);
    const watch = grpc.stream(
      "watchOrder",
      { order_id: placed.body["order_id"] },
      { authorization: `Bearer ${token}` },
    );
    const watched = new Promise<{ code: number; details: string }>((resolve) => {
      watch.on("error", resolve as never);
    });
    const seen = new Promise((resolve) => watch.on("data", resolve));
    await seen;
    const ended = stopped();
    for (const listener of [plain, io]) {
      const closing = await heardOf(listener, "closing");
      expect(closing.data).toEqual({ code: 1001, reason: "server.stopping" });
      expect(closing.position).toBeGreaterThanOrEqual(Number(placed.body["position"]));
    }
    expect(await plain.ended()).toEqual({ code: 1001, reason: "server.stopping" });
    expect(await watched).toMatchObject({ code: 14 });
    expect(await ended).toMatchObject({ code: 0 });
    grpc.close();
    io.close();
  });
});

describe("when what a node stands on hangs", () => {
  const postgres = (): number => database.cluster.pid ?? Number.NaN;

  it("it stops within five seconds all the same, and says what it cut", async () => {
    await start();
    signalTree(postgres(), "SIGSTOP");
    try {
      const orders = [order("hanging-1"), order("hanging-2")].map((asked) => asked.catch(() => undefined));
      const { code, ms } = await stopped();
      expect(ms).toBeLessThan(STOP_MS_MAX);
      expect(code).toBe(1);
      expect(forno.output).toMatch(/Stopped after \d\.\d s; cut off in the middle: .*the event log/);
      await Promise.all(orders);
    } finally {
      signalTree(postgres(), "SIGCONT");
    }
  });

  it("a second signal ends it at once", async () => {
    await start();
    signalTree(postgres(), "SIGSTOP");
    try {
      const ended = stopped();
      await eventually(async () => {
        expect((await forno.ask("GET", "/api/v1/health/live")).headers.get("connection")).toBe("close");
      });
      const second = await stopped();
      expect(second.ms).toBeLessThan(500);
      expect((await ended).code).toBe(1);
    } finally {
      signalTree(postgres(), "SIGCONT");
    }
  });

  it("orders are refused soon with 503, sockets stay, and all goes on when it wakes up", async () => {
    await start();
    const desk = new PlainListener(forno.port, `/api/v1/erp/ws?access_token=${token}`);
    await heardOf(desk, "ready");
    expect((await order("before-the-freeze")).status).toBe(201);
    signalTree(postgres(), "SIGSTOP");
    try {
      for (let n = 0; n < 3; n += 1) {
        const asked = performance.now();
        const refused = await order(`frozen-${String(n)}`);
        expect(refused.status).toBe(503);
        expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
        expect(performance.now() - asked).toBeLessThan(SAY_SO_MS_MAX);
      }
    } finally {
      signalTree(postgres(), "SIGCONT");
    }
    await eventually(async () => {
      expect((await order("frozen-0")).status).toBe(201);
    });
    await eventually(() => {
      expect(desk.heard.filter(({ type }) => type === "order:created").length).toBeGreaterThanOrEqual(2);
    });
    expect(desk.closed).toBeUndefined();
    desk.close();
    expect(await stopped()).toMatchObject({ code: 0 });
  });

  it("a dead database is told soon as well, and does not keep the node from stopping", async () => {
    await start();
    expect((await order("before-the-death")).status).toBe(201);
    await database.cluster.stop();
    try {
      const asked = performance.now();
      const refused = await order("dead");
      expect(refused.status).toBe(503);
      expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(performance.now() - asked).toBeLessThan(SAY_SO_MS_MAX);
      expect((await stopped()).ms).toBeLessThan(STOP_MS_MAX);
    } finally {
      await database.cluster.start();
    }
  });

  describe("which may be NATS and Redis", () => {
    let folder: string;
    let nats: NatsServer;
    let redis: RedisServer;

    beforeAll(async () => {
      folder = mkdtempSync(path.join(tmpdir(), "forno-hang-"));
      nats = await natsServer(path.join(folder, "nats"));
      redis = await redisServer(path.join(folder, "redis"));
      await Promise.all([nats.process.start(), redis.process.start()]);
    });
    afterAll(async () => {
      await Promise.all([nats.process.kill(), redis.process.kill()]);
      rmSync(folder, { recursive: true, force: true });
    });

    it("it serves and stops as ever", async () => {
      await start({ NATS_URL: nats.url, REDIS_URL: redis.url });
      nats.process.suspend();
      redis.process.suspend();
      expect((await order("without-the-two")).status).toBe(201);
      expect((await stopped()).ms).toBeLessThan(STOP_MS_MAX);
    });
  });
});
