import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { natsServer, type NatsServer } from "../../fleet/servers/nats-server";
import { Balancer, type Reply } from "../support/balancer";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { startTestDatabase, type TestDatabase } from "../support/postgres";

const CUSTOMERS = 12;
const NODES = 3;
const STOP_MS_MAX = 5_000;
/** Orders between two restarts: the fleet is at work when one of it goes. */
const ORDERS_BETWEEN = 60;
/** From the death of the node at work to another's having gone on, a busy machine included. */
const TAKE_OVER_MS_MAX = 2_500;

interface PageOf<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

let folder: string;
let database: TestDatabase;
let nats: NatsServer;
let nodes: FornoUnderTest[];
let balancer: Balancer;
let pizzas: readonly { readonly id: string }[];

const first = (): FornoUnderTest => nodes[0] as FornoUnderTest;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "forno-rolling-"));
  database = await startTestDatabase({ migrated: false });
  nats = await natsServer(path.join(folder, "nats"));
  await nats.process.start();
  nodes = [];
  for (let number = 1; number <= NODES; number += 1)
    nodes.push(
      await FornoUnderTest.started({
        DATABASE_URL: database.url,
        NATS_URL: nats.url,
        NODE_ID: `node-${String(number)}`,
        JWT_SECRET: "a secret that all nodes of one test share",
      }),
    );
  balancer = new Balancer(nodes);
  const config = { capacity_minor: 1_000_000_000 };
  const token = await first().adminToken();
  expect((await first().ask("PUT", "/api/v1/erp/slots/config", { token, body: config })).status).toBe(200);
  pizzas = (await first().ask<{ pizzas: { id: string }[] }>("GET", "/api/v1/menu")).body.pizzas;
});
afterAll(async () => {
  balancer.stop();
  for (const node of nodes) {
    await node.end("SIGKILL");
    rmSync(node.home, { recursive: true, force: true });
  }
  await nats.process.kill();
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Customers who order without a pause until they are told to go home. */
class Load {
  readonly replies: Reply[] = [];
  readonly failures: unknown[] = [];
  asked = 0;
  readonly #customers: Promise<void>[];
  #open = true;

  constructor() {
    this.#customers = Array.from({ length: CUSTOMERS }, (_, customer) => this.#order(customer));
  }

  async goHome(): Promise<void> {
    this.#open = false;
    await Promise.all(this.#customers);
  }

  async #order(customer: number): Promise<void> {
    while (this.#open) {
      const pizza = pizzas[(this.asked + customer) % pizzas.length];
      const items = [{ menu_item_id: pizza?.id, quantity: 1 + (this.asked % 3) }];
      const body = { fulfilment: "pickup", payment_method: "cash", items };
      this.asked += 1;
      await balancer.post("/api/v1/order", body, { "idempotency-key": randomUUID() }).then(
        (reply) => this.replies.push(reply),
        (error: unknown) => this.failures.push(error),
      );
    }
  }

  /** Resolves when so many more orders have been answered. */
  async further(count: number): Promise<void> {
    const before = this.replies.length;
    await eventually(() => {
      expect(this.replies.length - before).toBeGreaterThanOrEqual(count);
    }, 30_000);
  }
}

async function everyOrder(node: FornoUnderTest): Promise<string[]> {
  const token = await node.adminToken();
  const listed: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const query: string = cursor === "" ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const page = await node.ask<PageOf<{ order_id: string }>>("GET", `/api/v1/erp/orders/batch${query}`, {
      token,
    });
    expect(page.status).toBe(200);
    listed.push(...page.body.items.map(({ order_id }) => order_id));
    cursor = page.body.next_cursor;
  }
  return listed;
}

const orderIdOf = ({ body }: Reply): string => (JSON.parse(body) as { order_id: string }).order_id;

test("a fleet whose nodes are restarted one after another answers every order, and has each once", async () => {
  const load = new Load();
  await load.further(ORDERS_BETWEEN);
  for (const node of nodes) {
    const begun = performance.now();
    expect(await node.end("SIGTERM")).toBe(0);
    expect(performance.now() - begun).toBeLessThan(STOP_MS_MAX);
    await load.further(ORDERS_BETWEEN);
    await node.start();
    await eventually(() => {
      expect(balancer.ready).toBe(NODES);
    });
    await load.further(ORDERS_BETWEEN);
  }
  await load.goHome();
  expect(load.failures).toEqual([]);
  expect(load.replies.filter(({ status }) => status !== 201)).toEqual([]);
  expect(load.replies).toHaveLength(load.asked);
  const acknowledged = load.replies.map(orderIdOf);
  await eventually(async () => {
    expect((await everyOrder(first())).sort()).toEqual(acknowledged.sort());
  });
}, 120_000);

test("another node goes on with the read models soon after the one at work was killed", async () => {
  const token = await first().adminToken();
  const place = async (node: FornoUnderTest): Promise<{ order_id: string; position: number }> => {
    const body = {
      fulfilment: "pickup",
      payment_method: "cash",
      items: [{ menu_item_id: pizzas[0]?.id, quantity: 1 }],
    };
    const answer = await node.ask<{ order_id: string; position: number }>("POST", "/api/v1/order", { body });
    expect(answer.status).toBe(201);
    return answer.body;
  };
  for (const victim of nodes) {
    const other = nodes.find((node) => node !== victim) ?? victim;
    await victim.end("SIGKILL");
    const killed = performance.now();
    const { order_id, position } = await eventually(() => place(other));
    const found = await other.ask("GET", `/api/v1/erp/orders/${order_id}?after=${String(position)}`, {
      token,
    });
    expect(found.status).toBe(200);
    expect(performance.now() - killed).toBeLessThan(TAKE_OVER_MS_MAX);
    await victim.start();
  }
}, 120_000);
