import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import WebSocket from "ws";
import { Fleet } from "../fleet/fleet";
import type { FleetNode } from "../fleet/fleet-node";
import { loadFromOutside } from "./load-process";
import { orderBodies, type Menu } from "./orders.bench";

export interface Latency {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}
export interface FleetFigures {
  readonly orders: readonly ({
    readonly nodes: number;
    readonly orders_per_s: number;
    readonly refused: number;
  } & Latency)[];
  /** From the answer to the placing client to the message at each socket, over all pairs; below 0 counts as 0. */
  readonly sockets: {
    readonly sockets: number;
    readonly orders: number;
    readonly messages: number;
  } & Latency;
  /** From the answer of a publish to the moment at which the last node serves the new menu. */
  readonly menu: { readonly publishes: number } & Latency;
}

const CONNECTIONS = 500;
const SOCKETS = 500;
/** So slow that the sockets' side of the test, which shares the machine, does not queue: 25 orders make 12 500 messages. */
const SOCKET_ORDERS_PER_S = 25;
const PUBLISHES = 40;

/** One and three nodes with PostgreSQL, NATS and Redis, all on this machine: what more nodes cost, not what they bring. */
export async function benchFleet(seconds: number): Promise<FleetFigures> {
  const alone = await withFleet(1, (fleet) => loadOrders(fleet, seconds));
  return withFleet(3, async (fleet) => {
    const orders = [alone, await loadOrders(fleet, seconds)];
    return { orders, sockets: await listen(fleet, seconds), menu: await publish(fleet) };
  });
}

async function withFleet<T>(nodes: number, work: (fleet: Fleet) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-bench-fleet-"));
  const env = { RATE_LIMIT: "off", LOG_LEVEL: "warn" };
  const fleet = await Fleet.start({ folder, nodes, nats: true, redis: true, anyPorts: true, env });
  try {
    const token = await fleet.adminToken();
    // The seeded kitchen takes 10 000 a slot; this measures Forno, not the oven.
    await ask(fleet.node(1), "PUT", "/api/v1/erp/slots/config", { capacity_minor: 1_000_000_000_000 }, token);
    return await work(fleet);
  } finally {
    await fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function loadOrders(fleet: Fleet, seconds: number): Promise<FleetFigures["orders"][number]> {
  const plan = {
    port: fleet.nodes.map(({ port }) => port),
    connections: CONNECTIONS,
    method: "POST" as const,
    path: "/api/v1/order",
    bodies: orderBodies(await ask<Menu>(fleet.node(1), "GET", "/api/v1/menu")),
  };
  await loadFromOutside({ ...plan, duration_ms: 2_000 });
  const report = await loadFromOutside({ ...plan, duration_ms: seconds * 1000 });
  const { p50_ms, p99_ms, max_ms } = report;
  const placed = report.statuses["201"] ?? 0;
  const orders_per_s = (placed / report.requests) * report.per_second;
  return {
    nodes: fleet.nodes.length,
    orders_per_s,
    refused: report.requests - placed,
    p50_ms,
    p99_ms,
    max_ms,
  };
}

/** Desks on all nodes, orders at all nodes. */
async function listen(fleet: Fleet, seconds: number): Promise<FleetFigures["sockets"]> {
  const token = await fleet.adminToken();
  const heard_at = new Map<string, number[]>();
  const sockets = await Promise.all(
    Array.from({ length: SOCKETS }, (_, at) =>
      desk(fleet.nodes[at % fleet.nodes.length] ?? fleet.node(1), token, heard_at),
    ),
  );
  const bodies = orderBodies(await ask<Menu>(fleet.node(1), "GET", "/api/v1/menu"));
  const answered_at = new Map<string, number>();
  const orders = seconds * SOCKET_ORDERS_PER_S;
  for (let n = 0; n < orders; n += 1) {
    const node = fleet.nodes[n % fleet.nodes.length] ?? fleet.node(1);
    const body = JSON.parse(bodies[n % bodies.length] ?? "{}") as object;
    const { order_id } = await ask<{ order_id: string }>(node, "POST", "/api/v1/order", body);
    answered_at.set(order_id, performance.now());
    await pause(1000 / SOCKET_ORDERS_PER_S);
  }
  const all = (): number[] =>
    [...answered_at].flatMap(([id, at]) => (heard_at.get(id) ?? []).map((heard) => heard - at));
  for (let tries = 0; all().length < orders * SOCKETS && tries < 100; tries += 1) await pause(50);
  for (const socket of sockets) socket.terminate();
  const latencies = all().map((ms) => Math.max(0, ms));
  return { sockets: SOCKETS, orders, messages: latencies.length, ...quantiles(latencies) };
}

/** Notes when messages come, and hardly reads them: five hundred desks share one process here. */
function desk(node: FleetNode, token: string, heard_at: Map<string, number[]>): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${node.url.replace("http", "ws")}/api/v1/erp/ws?access_token=${token}`, {
      perMessageDeflate: false,
    });
    socket.on("error", reject);
    socket.on("message", (bytes: Buffer) => {
      const now = performance.now();
      const text = bytes.toString("latin1");
      if (text.startsWith('{"type":"ready"')) resolve(socket);
      if (!text.startsWith('{"type":"order:created"')) return;
      const order_id = /"order_id":"([^"]+)"/.exec(text)?.[1] ?? "";
      const times = heard_at.get(order_id);
      if (times === undefined) heard_at.set(order_id, [now]);
      else times.push(now);
    });
  });
}

async function publish(fleet: Fleet): Promise<FleetFigures["menu"]> {
  const token = await fleet.adminToken();
  const { pizzas } = await ask<{ pizzas: { id: string; price_minor: number }[] }>(
    fleet.node(1),
    "GET",
    "/api/v1/menu",
  );
  const [pizza] = pizzas;
  const latencies: number[] = [];
  for (let n = 1; n <= PUBLISHES; n += 1) {
    const node = fleet.nodes[n % fleet.nodes.length] ?? fleet.node(1);
    const price = { price_minor: (pizza?.price_minor ?? 0) + n * 100 };
    await ask(node, "PUT", `/api/v1/menu/items/${pizza?.id ?? ""}`, price, token);
    const served = fleet.nodes.map(nextMenu);
    await ask(node, "POST", "/api/v1/menu/publish", {}, token);
    const answered = performance.now();
    latencies.push(Math.max(0, Math.max(...(await Promise.all(served))) - answered));
  }
  return { publishes: PUBLISHES, ...quantiles(latencies) };
}

/** When a node serves another menu than it does now; looks a few times a millisecond. */
async function nextMenu({ port }: FleetNode): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const look = (etag?: string): Promise<{ status: number; etag: string }> =>
    new Promise((resolve, reject) => {
      const headers = etag === undefined ? {} : { "if-none-match": etag };
      request({ agent, host: "127.0.0.1", port, path: "/api/v1/menu", headers }, (res) => {
        res.resume().on("end", () => {
          resolve({ status: res.statusCode ?? 0, etag: res.headers.etag ?? "" });
        });
      })
        .on("error", reject)
        .end();
    });
  const { etag } = await look();
  while ((await look(etag)).status === 304);
  agent.destroy();
  return performance.now();
}

export async function ask<T>(
  node: FleetNode,
  method: string,
  route: string,
  body?: object,
  token?: string,
): Promise<T> {
  const answer = await fetch(node.url + route, {
    method,
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${route}: ${String(answer.status)} ${await answer.text()}`);
  return (await answer.json()) as T;
}

export function quantiles(values: readonly number[]): Latency {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1) };
}
