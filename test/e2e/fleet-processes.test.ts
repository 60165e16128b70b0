import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Fleet } from "../../fleet/fleet";
import type { FleetNode } from "../../fleet/fleet-node";
import { eventually } from "../support/eventually";

interface Placed {
  readonly order_id: string;
  readonly position: number;
}

describe("a fleet of three nodes", () => {
  const reports: string[] = [];
  let folder: string;
  let fleet: Fleet;
  let token = "";
  let pizza: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-fleet-"));
    fleet = await startFleet();
    token = await fleet.adminToken();
    const menu = await ask<{ pizzas: { id: string }[] }>(fleet.node(1), "GET", "/api/v1/menu");
    pizza = menu.pizzas[0]?.id ?? "";
  });

  afterAll(async () => {
    await fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const startFleet = (): Promise<Fleet> =>
    Fleet.start({
      ...{ folder, nodes: 3, redis: true, nats: true, anyPorts: true },
      env: { RATE_LIMIT: "off", LOG_LEVEL: "warn" },
      report: (line) => reports.push(line),
    });

  async function ask<T>(node: FleetNode, method: string, route: string, body?: object, key = ""): Promise<T> {
    const answer = await fetch(node.url + route, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === "" ? {} : { "idempotency-key": key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${node.id} ${method} ${route}: ${String(answer.status)} ${text}`);
    return JSON.parse(text) as T;
  }

  const place = (node: FleetNode, key: string = randomUUID()): Promise<Placed> =>
    ask(
      node,
      "POST",
      "/api/v1/order",
      { fulfilment: "pickup", payment_method: "cash", items: [{ menu_item_id: pizza, quantity: 1 }] },
      key,
    );

  const read = ({ order_id, position }: Placed, node: FleetNode): Promise<Placed> =>
    ask(node, "GET", `/api/v1/erp/orders/${order_id}?after=${String(position)}`);

  it("shows an order that one node took on the others, at once for who asks with its position", async () => {
    const placed = await place(fleet.node(1));
    for (const node of fleet.nodes) expect((await read(placed, node)).order_id).toBe(placed.order_id);
  });

  it("accepts on every node the token that one of them gave", async () => {
    for (const node of fleet.nodes) await expect(fleet.adminToken(node)).resolves.toMatch(/^ey/);
    for (const node of fleet.nodes) await ask(node, "GET", "/api/v1/erp/orders");
  });

  it("gives the first answer to the same key on another node", async () => {
    const key = randomUUID();
    const placed = await place(fleet.node(1), key);
    expect(await place(fleet.node(3), key)).toEqual(placed);
  });

  it("goes on taking orders when a node is killed, and the node comes back to all of them", async () => {
    const before = await place(fleet.node(1));
    const victim = fleet.node(1);
    await victim.kill();
    expect(victim.running).toBe(false);
    const [second] = fleet.nodes.slice(1);
    const after = await eventually(() => place(second ?? victim));
    expect((await read(before, fleet.node(2))).order_id).toBe(before.order_id);
    await victim.start();
    for (const placed of [before, after]) expect((await read(placed, victim)).order_id).toBe(placed.order_id);
    expect(reports).toEqual([]);
  });

  it("goes on after the death of every server that it shares", async () => {
    await Promise.all([fleet.postgres.kill(), fleet.redis?.process.kill(), fleet.nats?.process.kill()]);
    await Promise.all([fleet.postgres.start(), fleet.redis?.process.start(), fleet.nats?.process.start()]);
    const placed = await eventually(() => place(fleet.node(2)), 30_000);
    for (const node of fleet.nodes)
      await eventually(async () => {
        expect((await read(placed, node)).order_id).toBe(placed.order_id);
      }, 30_000);
  });

  it("says in one line that a node has died by itself", async () => {
    process.kill(fleet.node(3).pid ?? 0, "SIGKILL");
    await eventually(() => {
      expect(reports).toEqual([
        expect.stringMatching(/^node-3 has ended by itself \(SIGKILL\); .*node-3\.log\.$/),
      ]);
    });
    await fleet.node(3).start();
  });

  it("lets no second fleet into its folder", async () => {
    await expect(startFleet()).rejects.toThrow(/A fleet runs in .* already/);
  });

  it("stops without leaving a process, and starts again on the same data and secrets", async () => {
    const placed = await place(fleet.node(2));
    const { adminPassword } = fleet;
    const pids = fleet.parts.map(({ pid }) => pid ?? 0);
    expect(pids).toHaveLength(6);
    await fleet.stop();
    // PostgreSQL takes its pid file away a moment before its end.
    await eventually(() => {
      expect(pids.filter((pid) => existsSync(`/proc/${String(pid)}`))).toEqual([]);
      expect(processesIn(folder)).toEqual([]);
    });
    fleet = await startFleet();
    expect(fleet).toMatchObject({ isNew: false, adminPassword });
    token = await fleet.adminToken(fleet.node(3));
    expect((await read(placed, fleet.node(3))).order_id).toBe(placed.order_id);
  });
});

/** Command lines of the processes that name a folder. */
function processesIn(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .map((pid) => commandLine(pid))
    .filter((line) => line.includes(folder));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    // It has ended since the listing.
    return "";
  }
}
