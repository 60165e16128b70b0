import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { natsServer, type NatsServer } from "../../fleet/servers/nats-server";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { startTestDatabase, type TestDatabase } from "../support/postgres";
import { RovingClient, type Door } from "../support/roving-client";

interface Placed {
  readonly order_id: string;
  readonly position: number;
  readonly track_url: string;
}

let folder: string;
let database: TestDatabase;
let nats: NatsServer;
let nodes: FornoUnderTest[];
let token: string;
let pizza: string;
let clients: RovingClient[];
const placed: Placed[] = [];

const node = (number: number): FornoUnderTest => nodes[number - 1] as FornoUnderTest;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "forno-fleet-sockets-"));
  database = await startTestDatabase({ migrated: false });
  nats = await natsServer(path.join(folder, "nats"));
  await nats.process.start();
  nodes = [];
  for (const name of ["a", "b", "c"])
    nodes.push(
      await FornoUnderTest.started({
        DATABASE_URL: database.url,
        NATS_URL: nats.url,
        NODE_ID: `node-${name}`,
        JWT_SECRET: "a secret that all nodes of one test share",
      }),
    );
  token = await node(1).adminToken();
  const config = { capacity_minor: 1_000_000_000 };
  expect((await node(1).ask("PUT", "/api/v1/erp/slots/config", { token, body: config })).status).toBe(200);
  pizza = (await node(1).ask<{ pizzas: { id: string }[] }>("GET", "/api/v1/menu")).body.pizzas[0]?.id ?? "";
});
afterAll(async () => {
  for (const client of clients) client.leave();
  for (const each of nodes) {
    await each.end("SIGKILL");
    rmSync(each.home, { recursive: true, force: true });
  }
  await nats.process.kill();
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function place(at: FornoUnderTest): Promise<Placed> {
  const body = {
    fulfilment: "pickup",
    payment_method: "cash",
    items: [{ menu_item_id: pizza, quantity: 1 }],
  };
  const answer = await at.ask<Placed>("POST", "/api/v1/order", { body });
  expect(answer.status).toBe(201);
  placed.push(answer.body);
  return answer.body;
}

/** Orders at these nodes in turn, several under way at once. */
const placeAt = (numbers: readonly number[], count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, n) => place(node(numbers[n % numbers.length] ?? 1))));

const doors = (): Door[] =>
  (["plain", "socket.io"] as const).flatMap((way) => [
    { way, path: way === "plain" ? "/api/v1/ws" : "/kitchen", token },
    { way, path: way === "plain" ? "/api/v1/erp/ws" : "/erp", token },
  ]);

/** Everybody has heard of every order once, and of all in the order of the log. */
async function expectAllHeardOnce(): Promise<void> {
  const wanted = placed.map(({ order_id }) => order_id).sort();
  const created = (client: RovingClient) => client.news.filter(({ type }) => type === "order:created");
  for (const client of clients)
    await eventually(() => {
      expect(
        created(client)
          .map(({ data }) => data["order_id"])
          .sort(),
      ).toEqual(wanted);
    });
  for (const client of clients) {
    const positions = created(client).map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
  }
}

async function expectReady(moved: readonly RovingClient[]): Promise<void> {
  await eventually(() => {
    for (const client of moved) expect(client.told("ready")).toBe(true);
  });
}

test("every client of every gateway hears of every order once, wherever it was placed", async () => {
  clients = nodes.flatMap(({ port }) =>
    doors().map((door) => {
      const client = new RovingClient(door);
      client.visit(port);
      return client;
    }),
  );
  await expectReady(clients);
  await placeAt([1, 2, 3], 60);
  await expectAllHeardOnce();
});

test("clients of a gateway that was killed go on at another one, without a gap and without a double", async () => {
  const orphans = clients.slice(doors().length, 2 * doors().length);
  const during = placeAt([1, 3], 40);
  await node(2).end("SIGKILL");
  await placeAt([1, 3], 10);
  for (const client of orphans) client.visit(node(3).port);
  await Promise.all([during, placeAt([1, 3], 40)]);
  await expectReady(orphans);
  await expectAllHeardOnce();
  await node(2).start();
});

test("a client that is ahead of its new gateway hears nothing twice and misses nothing", async () => {
  const [traveller] = clients;
  if (traveller === undefined) throw new Error("There are no clients.");
  process.kill(node(3).pid ?? 0, "SIGSTOP");
  try {
    const before = traveller.news.length;
    await placeAt([1], 30);
    await eventually(() => {
      expect(traveller.news.length - before).toBeGreaterThanOrEqual(30);
    });
    traveller.visit(node(3).port);
  } finally {
    process.kill(node(3).pid ?? 0, "SIGCONT");
  }
  await placeAt([1, 3], 20);
  await expectReady([traveller]);
  await expectAllHeardOnce();
});

test("customers hear of their orders at every gateway, whoever moves them on, and go on at another", async () => {
  const { order_id, track_url } = await place(node(1));
  const track = track_url.split("/").at(-1) ?? "";
  const guests = (["plain", "socket.io"] as const).flatMap((way) =>
    nodes.map(({ port }) => {
      const guest = new RovingClient({ way, path: way === "plain" ? "/ws" : "/shop", track });
      guest.visit(port);
      return guest;
    }),
  );
  await expectReady(guests);
  const step = async (at: FornoUnderTest, status: string): Promise<void> => {
    const answer = await at.ask("POST", `/api/v1/erp/orders/${order_id}/status`, {
      token,
      body: { status },
    });
    expect(answer.status).toBe(200);
  };
  await step(node(2), "preparing");
  const statuses = (guest: RovingClient): unknown[] =>
    guest.news.filter(({ type }) => type === "order:status:changed").map(({ data }) => data["status"]);
  for (const guest of guests)
    await eventually(() => {
      expect(statuses(guest)).toEqual(["preparing"]);
    });
  for (const [at, guest] of guests.entries()) guest.visit(node(1 + ((at + 1) % nodes.length)).port);
  await step(node(3), "cooking");
  await expectReady(guests);
  for (const guest of guests)
    await eventually(() => {
      expect(statuses(guest)).toEqual(["preparing", "cooking"]);
    });
  for (const guest of guests) guest.leave();
});
