import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Redis from "ioredis";
import { freePort } from "../../../fleet/servers/free-port";
import { redisServer, type RedisServer } from "../../../fleet/servers/redis-server";
import { channelsOf } from "../../../mixins/messaging/channels";
import { RedisLink } from "../../../mixins/redis/redis-link";
import { eventually } from "../../support/eventually";
import { MemoryLog } from "../../support/memory-log";
import { BRANCH_A } from "../../support/order-events";
import { QuietLogger } from "../../support/quiet-logger";
import { startSocketNode, type SocketNode } from "../../support/socket-node";
import { Subscriber } from "../../support/subscriber";

const CAMERA = randomUUID();

describe("subscriptions at two gateways on one Redis", () => {
  let folder: string;
  let redis: RedisServer;
  let outsider: Redis;
  let links: RedisLink[];
  let nodes: SocketNode[];
  let clients: Subscriber[];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-subscriptions-"));
    redis = await redisServer(folder, await freePort());
    await redis.process.start();
    outsider = new Redis(redis.url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 });
    outsider.on("error", () => undefined);
    links = [1, 2].map(() => new RedisLink(redis.url, new QuietLogger()));
    nodes = await Promise.all(links.map((link) => startSocketNode(new MemoryLog(), {}, { redis: link })));
    clients = await Promise.all(
      nodes.flatMap((node) =>
        (["plain", "socket.io"] as const).map(async (way) => {
          const client = await Subscriber.to(way, node.port, node.verifier.issue("manager")).joined();
          await client.subscribe({ filters: { camera_id: CAMERA }, fields: ["event_type"] });
          return client;
        }),
      ),
    );
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await Promise.all(nodes.map((node) => node.stop()));
    for (const link of links) await link.close();
    outsider.disconnect();
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const event = (event_type: string, camera_id = CAMERA) => ({
    ...{ event_id: randomUUID(), event_type, camera_id, mac_address: "AA:BB:CC:DD:EE:01", model: "Dahua" },
    ...{ branch_id: BRANCH_A, complex_id: null, timestamp: new Date().toISOString(), data: {} },
  });
  const publishAt = (node: number, event_type: string): Promise<void> => {
    const { runtime } = nodes[node] ?? fail("no such node");
    return channelsOf(runtime).publish("camera.events", event(event_type));
  };
  const fail = (why: string): never => {
    throw new Error(why);
  };
  const types = (client: Subscriber): unknown[] =>
    client
      .heard()
      .map(({ event_type }) => event_type)
      .filter((type) => type !== "hello");
  const forget = (): void => {
    for (const client of clients) client.frames.length = 0;
  };

  it("every client hears once of what either gateway, or a program outside, has published", async () => {
    // Whoever has just subscribed at Redis hears from then on.
    await eventually(async () => {
      await outsider.publish("camera.events", JSON.stringify(event("hello")));
      for (const client of clients) expect(client.heard()).toContainEqual({ event_type: "hello" });
    });
    await publishAt(0, "at one");
    await publishAt(1, "at the other");
    await outsider.publish("camera.events", JSON.stringify(event("outside")));
    await outsider.publish("camera.events", JSON.stringify(event("another camera", randomUUID())));
    await eventually(() => {
      for (const client of clients)
        expect(new Set(types(client))).toEqual(new Set(["at one", "at the other", "outside"]));
    });
    for (const client of clients) expect(types(client)).toHaveLength(3);
  });

  it("rubbish on the channel costs nobody anything", async () => {
    forget();
    for (const rubbish of ["{", "null", "[]", "7", '{"camera_id":7,"branch_id":{}}', '{"__proto__":{"x":1}}'])
      await outsider.publish("camera.events", rubbish);
    await outsider.publish("camera.events", JSON.stringify(event("after the rubbish")));
    await eventually(() => {
      for (const client of clients) expect(types(client)).toEqual(["after the rubbish"]);
    });
    for (const { logged } of nodes) expect(logged).toEqual([]);
  });

  it("a Redis that is away costs a gateway's own clients nothing, and all hear again when it is back", async () => {
    forget();
    await redis.process.kill();
    await publishAt(0, "without Redis");
    await eventually(() => {
      for (const client of clients.slice(0, 2)) expect(types(client)).toEqual(["without Redis"]);
    });
    expect(await clients[2]?.ask({ type: "ping" }, "pong")).toEqual({ type: "pong" });
    await redis.process.start();
    await eventually(async () => {
      await publishAt(0, "back");
      for (const client of clients) expect(types(client)).toContain("back");
    });
  });
});
