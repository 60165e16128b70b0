import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Fleet } from "../../fleet/fleet";
import { ErpSocket } from "../support/erp-socket";
import { eventually } from "../support/eventually";
import { GrpcClient } from "../support/grpc-client";
import { heardOf, IoListener } from "../support/listener";
import { hasNginx, startNginx, type NginxUnderTest } from "../support/nginx";

const CUSTOMERS = 8;
const ORDERS = 160;

interface Placed {
  readonly order_id: string;
  readonly position: number;
}

(hasNginx() ? describe : describe.skip)("two gateways behind nginx", () => {
  let folder: string;
  let fleet: Fleet;
  let nginx: NginxUnderTest;
  let token: string;
  let pizza: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-behind-nginx-"));
    const env = { RATE_LIMIT: "off", LOG_LEVEL: "warn", TRUSTED_PROXIES: "127.0.0.1" };
    fleet = await Fleet.start({ folder, nodes: 2, nats: true, anyPorts: true, env });
    const [one, two] = [fleet.node(1), fleet.node(2)];
    nginx = await startNginx([
      { http: one.port, grpc: one.grpcPort },
      { http: two.port, grpc: two.grpcPort },
    ]);
    token = await fleet.adminToken();
    await ask("PUT", "/api/v1/erp/slots/config", { capacity_minor: 100_000_000 });
    pizza = (await ask<{ pizzas: { id: string }[] }>("GET", "/api/v1/menu")).pizzas[0]?.id ?? "";
  });

  afterAll(async () => {
    await nginx.stop();
    await fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function ask<T>(method: string, route: string, body?: object, key?: string): Promise<T> {
    const answer = await fetch(nginx.url + route, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { "idempotency-key": key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${route}: ${String(answer.status)} ${text}`);
    return JSON.parse(text) as T;
  }

  const wish = () => ({
    fulfilment: "pickup",
    payment_method: "cash",
    items: [{ menu_item_id: pizza, quantity: 1 }],
  });
  const place = (key?: string): Promise<Placed> => ask("POST", "/api/v1/order", wish(), key);

  it("serve REST: an order, and its reading from any of them with its position", async () => {
    const { order_id, position } = await place();
    for (let i = 0; i < 4; i += 1)
      expect(await ask("GET", `/api/v1/erp/orders/${order_id}?after=${String(position)}`)).toMatchObject({
        order_id,
      });
  });

  it("serve plain WebSockets and socket.io, also by long polling", async () => {
    const desk = new ErpSocket(nginx.url, token);
    await desk.connect();
    const polling = new IoListener(nginx.port, "/erp", { token }, { transports: ["polling"] });
    const upgraded = new IoListener(nginx.port, "/erp", { token });
    await Promise.all([polling, upgraded].map((listener) => heardOf(listener, "ready")));
    const { order_id } = await place();
    await eventually(() => {
      expect(desk.created()).toContain(order_id);
    });
    for (const listener of [polling, upgraded]) {
      expect((await heardOf(listener, "order:created")).data).toMatchObject({ order_id });
      listener.close();
    }
    desk.close();
  });

  it("serve gRPC: an order with its watch", async () => {
    const client = GrpcClient.orders(nginx.grpcPort);
    const headers = { authorization: `Bearer ${token}` };
    const request = {
      fulfilment: "FULFILMENT_PICKUP",
      payment_method: "PAYMENT_METHOD_CASH",
      items: wish().items,
    };
    const { answer, error } = await client.call("CreateOrder", request, headers);
    expect(error).toBeNull();
    const order_id = String(answer["order_id"]);
    const seen: unknown[] = [];
    const watch = client.stream("WatchOrder", { order_id }, headers);
    watch.on("data", (message: never) => seen.push(message));
    watch.on("error", () => undefined);
    await eventually(() => {
      expect(seen.length).toBeGreaterThan(0);
    });
    watch.cancel();
    client.close();
  });

  it("lose no order of customers with keys, and make none twice, when one is killed", async () => {
    const desk = new ErpSocket(nginx.url, token);
    await desk.connect();
    const keys = Array.from({ length: ORDERS }, () => randomUUID());
    const waiting = [...keys];
    const placed: Placed[] = [];
    const customers = Array.from({ length: CUSTOMERS }, async () => {
      for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
        placed.push(await place(key));
        // In the middle of the others' requests.
        if (placed.length === ORDERS / 4) await fleet.node(1).kill();
      }
    });
    await Promise.all(customers);
    expect(new Set(placed.map(({ order_id }) => order_id)).size).toBe(ORDERS);
    await eventually(() => {
      expect([...desk.created()].sort()).toEqual(placed.map(({ order_id }) => order_id).sort());
    });
    desk.close();
    await fleet.node(1).start();
  });

  it("serve without a failure, keys or not, while one stops gracefully", async () => {
    let stopped = false;
    const customers = Array.from({ length: CUSTOMERS }, async () => {
      while (!stopped) await place();
    });
    try {
      expect(await fleet.node(1).stop()).toBe(0);
    } finally {
      stopped = true;
    }
    await Promise.all(customers);
    await fleet.node(1).start();
  });
});
