import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ranked } from "../../mixins/actor/rendezvous";
import { ErpSocket } from "../support/erp-socket";
import { eventually } from "../support/eventually";
import { FleetUnderTest } from "../support/fleet-under-test";
import { FornoUnderTest } from "../support/forno";
import { GrpcClient } from "../support/grpc-client";

interface Placed {
  readonly order_id: string;
}
/** One wish of a customer, asked for until it is answered. */
interface Wish {
  readonly key: string;
  placed?: Placed;
}
interface Health {
  readonly status: string;
  readonly checks: Readonly<Record<string, { status: string; nodes?: number }>>;
}

jest.setTimeout(120_000);

describe("three nodes that start at once on an empty database", () => {
  let fleet: FleetUnderTest;
  let nodes: FornoUnderTest[];
  let token: string;

  beforeAll(async () => {
    fleet = await FleetUnderTest.prepared();
    nodes = [await fleet.node(), await fleet.node(), await fleet.node()];
    await Promise.all(nodes.map((node) => node.start()));
    token = await nodes[0]!.adminToken();
    await eventually(async () => {
      for (const node of nodes)
        expect((await health(node)).checks["nats"]).toMatchObject({ status: "up", nodes: 3 });
    });
    await nodes[0]!.ask("PUT", "/api/v1/erp/slots/config", { token, body: { capacity_minor: 9_000_000 } });
  });

  afterAll(() => fleet.remove());

  it("have one set of first data, and one admin whose token is good on all", async () => {
    const { rows } = await fleet.database.pool.query<{ type: string; count: number }>(
      `select type, count(*)::int as count from es.event
       where type in ('branch.opened', 'menu.published', 'legal_entity.created') or stream_type = 'user' group by type`,
    );
    const count = Object.fromEntries(rows.map(({ type, count }) => [type, count]));
    expect(count).toMatchObject({ "branch.opened": 2, "menu.published": 1 });
    const { rows: users } = await fleet.database.pool.query<{ name: string; count: number }>(
      "select coalesce(email, username) as name, count(*)::int as count from users group by 1",
    );
    expect(users.every(({ count }) => count === 1)).toBe(true);
    expect(users).toHaveLength(11);
    for (const node of nodes)
      expect((await node.ask("GET", "/api/v1/erp/orders", { token })).status).toBe(200);
  });

  it("say which of them has which menu, a frozen one too", async () => {
    const statuses = async () => {
      const { body } = await nodes[1]!.ask<{
        nodes: { node_id: string; version?: number; status: string }[];
      }>("GET", "/api/v1/admin/menu-status", { token });
      return body.nodes.map(({ node_id, status }) => `${node_id} ${status}`).sort();
    };
    expect(await statuses()).toEqual(["node-1 up", "node-2 up", "node-3 up"]);
    process.kill(nodes[2]!.pid!, "SIGSTOP");
    expect(await statuses()).toEqual(["node-1 up", "node-2 up", "node-3 silent"]);
    process.kill(nodes[2]!.pid!, "SIGCONT");
    await eventually(async () => {
      expect(await statuses()).toEqual(["node-1 up", "node-2 up", "node-3 up"]);
    }, 20_000);
  });

  it("lose and double no order when one is killed, and another is frozen, in the middle of a load", async () => {
    const wishes: Wish[] = [];
    let running = true;
    let longest_ms = 0;
    const customers = Array.from({ length: 8 }, async (_, i) => {
      while (running) {
        const wish: Wish = { key: randomUUID() };
        wishes.push(wish);
        const begun = performance.now();
        for (let tries = 0; wish.placed === undefined && tries < 60; tries++)
          await ask(nodes[(i + tries) % nodes.length]!, wish);
        longest_ms = Math.max(longest_ms, performance.now() - begun);
      }
    });
    const acknowledged = (): number => wishes.filter(({ placed }) => placed !== undefined).length;
    const goesOn = async (by: number): Promise<void> => {
      const from = acknowledged();
      await eventually(() => {
        expect(acknowledged()).toBeGreaterThan(from + by);
      }, 20_000);
    };
    await goesOn(100);
    const killed = await ownerOf(nodes);
    await killed.end("SIGKILL");
    await goesOn(200);
    const frozen = await ownerOf(nodes.filter((node) => node !== killed));
    process.kill(frozen.pid!, "SIGSTOP");
    await goesOn(100);
    process.kill(frozen.pid!, "SIGCONT");
    await goesOn(100);
    running = false;
    await Promise.all(customers);
    expect(acknowledged()).toBe(wishes.length);
    expect(longest_ms).toBeLessThan(10_000);
    const { rows } = await fleet.database.pool.query<{ id: string }>(
      "select substr(stream_id, 7) as id from es.event where type = 'order.placed'",
    );
    expect(rows.map(({ id }) => id).sort()).toEqual(wishes.map(({ placed }) => placed?.order_id).sort());
  });

  /** Which of these has the kitchen-day that takes the orders. */
  async function ownerOf(among: readonly FornoUnderTest[]): Promise<FornoUnderTest> {
    const { rows } = await fleet.database.pool.query<{ stream_id: string }>(
      "select stream_id from es.event where type = 'slot.booked' order by pos desc limit 1",
    );
    const names = among.map((node) => `node-${String(nodes.indexOf(node) + 1)}`);
    const [name = ""] = ranked(rows[0]?.stream_id ?? "", names);
    return among[names.indexOf(name)]!;
  }
});

describe("a gateway and a worker", () => {
  let fleet: FleetUnderTest;
  let gateway: FornoUnderTest;
  let worker: FornoUnderTest;

  beforeAll(async () => {
    fleet = await FleetUnderTest.prepared();
    gateway = await fleet.node({ SERVICES: "http,sockets,grpc,ops" });
    worker = await fleet.node({ SERVICES: "branch,menu,slot,quota,order,auth,ops,mirror" });
  });

  afterAll(() => fleet.remove());

  it("wait for each other: the gateway lives, and is not ready before there is a worker with its first data", async () => {
    gateway.launch();
    await eventually(async () => {
      expect((await gateway.ask("GET", "/api/v1/health/live")).status).toBe(200);
    }, 20_000);
    expect((await gateway.ask("GET", "/api/v1/health/ready")).status).toBe(503);
    await worker.start();
    await eventually(async () => {
      expect((await gateway.ask("GET", "/api/v1/health/ready")).status).toBe(200);
    }, 20_000);
  });

  it("serve REST across the two, the menu, orders, refusals and repetitions among it", async () => {
    const token = await gateway.adminToken();
    const menu = await gateway.ask<{ version: number; pizzas: unknown[] }>("GET", "/api/v1/menu");
    expect(menu.status).toBe(200);
    expect(menu.body.pizzas).toHaveLength(9);
    expect(menu.headers.get("etag")).toMatch(/^"/);
    const again = await gateway.ask("GET", "/api/v1/menu", {
      headers: { "if-none-match": menu.headers.get("etag") ?? "" },
    });
    expect(again.status).toBe(304);
    const wish: Wish = { key: randomUUID() };
    await ask(gateway, wish);
    const repeated = await place(gateway, wish.key);
    expect(repeated.headers.get("idempotent-replay")).toBe("true");
    expect(repeated.body).toEqual(wish.placed);
    const listed = await gateway.ask<{ items: Placed[] }>(
      "GET",
      `/api/v1/erp/orders?after=${String((repeated.body as unknown as { position: number }).position)}`,
      { token },
    );
    expect(listed.body.items.map(({ order_id }) => order_id)).toEqual([wish.placed?.order_id]);
    const unknown = await gateway.ask("GET", `/api/v1/erp/orders/${randomUUID()}`, { token });
    expect(unknown.status).toBe(404);
    expect(unknown.body).toMatchObject({ code: "order.unknown" });
  });

  it("serve sockets and gRPC across the two", async () => {
    const token = await gateway.adminToken();
    const desk = new ErpSocket(gateway.url, token);
    const grpc = GrpcClient.orders(gateway.grpcPort);
    try {
      await desk.connect();
      const items = [{ name: "Маргарита", quantity: 1 }];
      const request = { fulfilment: "FULFILMENT_PICKUP", payment_method: "PAYMENT_METHOD_CASH", items };
      const keyed = { "idempotency-key": "over-grpc", "guest-token": randomUUID() };
      const created = await grpc.call("CreateOrder", request, keyed);
      expect(created.error).toBeNull();
      await eventually(() => {
        expect(desk.created()).toEqual([created.answer["order_id"]]);
      });
      const reused = await grpc.call("CreateOrder", { ...request, notes: "another" }, keyed);
      // ALREADY_EXISTS or the like: a refusal of the worker, by its name, and no INTERNAL.
      expect(reused.error?.details).toContain("Idempotency-Key");
    } finally {
      desk.close();
      grpc.close();
    }
  });

  it("answer for the worker's health and metrics on its own port, and for nothing else there", async () => {
    expect((await worker.askOps("/api/v1/health")).body).toMatchObject({ node_id: "node-2" });
    expect((await worker.askOps<{ text: string }>("/metrics")).body.text).toContain(
      "forno_actor_told_locally_total",
    );
    expect((await worker.ask("GET", "/api/v1/erp/orders")).status).toBe(404);
  });

  it("say that nobody is there when the worker is killed, at once, and go on when it is back", async () => {
    await worker.end("SIGKILL");
    const begun = performance.now();
    const refused = await place(gateway, randomUUID());
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).not.toBeNull();
    expect(performance.now() - begun).toBeLessThan(2_000);
    await eventually(async () => {
      expect((await gateway.ask("GET", "/api/v1/health/ready")).status).toBe(503);
    });
    await worker.start();
    await eventually(async () => {
      expect((await place(gateway, randomUUID())).status).toBe(201);
    }, 20_000);
  });
});

describe("settings of a fleet", () => {
  const outcome = (env: Readonly<Record<string, string>>) => FornoUnderTest.outcome(env);

  it("want one secret for all nodes", async () => {
    const { code, stderr } = await outcome({ NATS_URL: "nats://127.0.0.1:4222" });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^NATS_URL needs JWT_SECRET[^\n]*\n$/);
  });

  it("name services that there are", async () => {
    const { code, stderr } = await outcome({ SERVICES: "order,kitchen" });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^SERVICES="kitchen" is not valid: expected one of branch, menu[^\n]*\n$/);
  });
});

async function health(node: FornoUnderTest): Promise<Health> {
  return (await node.askOps<Health>("/api/v1/health")).body;
}

function place(node: FornoUnderTest, key: string) {
  return node.ask<Placed>("POST", "/api/v1/order", {
    body: {
      fulfilment: "pickup",
      payment_method: "cash",
      items: [{ name: "Маргарита", quantity: 1 }],
    },
    headers: { "idempotency-key": key },
  });
}

/** Asks a node once; whatever keeps it from answering, the wish stays open. */
async function ask(node: FornoUnderTest, wish: Wish): Promise<void> {
  const answer = await Promise.race([
    place(node, wish.key).catch(() => undefined),
    // As a client with patience would, of a node that is frozen.
    pause(3_000, undefined, { ref: false }),
  ]);
  if (answer?.status === 201) wish.placed = answer.body;
  else if (answer !== undefined && answer.status !== 503) throw new Error(JSON.stringify(answer.body));
  else await pause(50);
}
