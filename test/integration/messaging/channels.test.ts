import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Redis from "ioredis";
import { ServiceBroker } from "moleculer";
import { natsServer, type NatsServer } from "../../../fleet/servers/nats-server";
import { redisServer, type RedisServer } from "../../../fleet/servers/redis-server";
import { channelsOf, type Channels } from "../../../mixins/messaging/channels";
import { metricsOf } from "../../../mixins/metrics/metrics";
import { guardOf } from "../../../mixins/redis/redis-guard";
import { RedisLink } from "../../../mixins/redis/redis-link";
import { eventually } from "../../support/eventually";
import { fleetBroker, fleetSettings } from "../../support/fleet-broker";
import { QuietLogger } from "../../support/quiet-logger";
import { TcpProxy } from "../../support/tcp-proxy";

jest.setTimeout(60_000);

/** A node with nothing but its channels. */
class ChannelNode {
  readonly heard: unknown[] = [];

  constructor(
    readonly broker: ServiceBroker,
    readonly channels: Channels,
    readonly redis: RedisLink | undefined,
    private readonly proxy: TcpProxy | undefined,
  ) {}

  async listen(...names: readonly string[]): Promise<this> {
    for (const name of names) await this.channels.subscribe(name, (message) => void this.heard.push(message));
    return this;
  }

  get line(): TcpProxy {
    if (this.proxy === undefined) throw new Error("This node has no Redis.");
    return this.proxy;
  }

  /** Messages that were lost for a reason. */
  async lost(why: string): Promise<number> {
    const text = await metricsOf(this.broker).render();
    const found = new RegExp(`^forno_channels_lost_total{why="${why}"} (\\d+)`, "m").exec(text);
    return Number(found?.[1] ?? 0);
  }

  async stop(): Promise<void> {
    this.proxy?.resume();
    await this.broker.stop();
    await this.redis?.close();
    await this.proxy?.stop();
  }
}

const numbers = (from: number, to: number): { n: number }[] =>
  Array.from({ length: to - from + 1 }, (_, at) => ({ n: from + at }));

describe("channels", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-channels-"));
  const nodes: ChannelNode[] = [];
  const programs: Redis[] = [];
  let redis: RedisServer;
  let nats: NatsServer;
  let outsider: Redis;

  beforeAll(async () => {
    redis = await redisServer(folder);
    nats = await natsServer(folder);
    await Promise.all([redis.process.start(), nats.process.start()]);
    outsider = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    outsider.on("error", () => undefined);
  });
  afterEach(async () => {
    redis.process.resume();
    await redis.process.start();
    await Promise.all(nodes.splice(0).map((node) => node.stop()));
    for (const program of programs.splice(0)) program.disconnect();
  });
  afterAll(async () => {
    outsider.disconnect();
    await Promise.all([redis.process.kill(), nats.process.kill()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** @param servers what the node is told of; its line to Redis is its own. */
  async function node(
    servers: readonly ("redis" | "nats")[],
    space = `t-${randomUUID()}`,
  ): Promise<ChannelNode> {
    const broker = servers.includes("nats")
      ? fleetBroker(fleetSettings(nats.url, space))
      : new ServiceBroker({
          nodeID: `node-${randomUUID()}`,
          logger: false,
          skipProcessEventRegistration: true,
        });
    let link: RedisLink | undefined;
    let proxy: TcpProxy | undefined;
    if (servers.includes("redis")) {
      proxy = new TcpProxy(redis.port);
      link = new RedisLink(`redis://127.0.0.1:${String(await proxy.start())}`, new QuietLogger());
    }
    const channels = channelsOf({ broker, ...(link === undefined ? {} : { redis: link }) });
    const made = new ChannelNode(broker, channels, link, proxy);
    nodes.push(made);
    await broker.start();
    if (link !== undefined) await up(made);
    return made;
  }

  const up = (one: ChannelNode): Promise<void> =>
    eventually(() => {
      expect(one.redis !== undefined && guardOf(one.redis).usable).toBe(true);
    });
  /** Until Redis has so many listeners of a channel. */
  const listeners = (channel: string, count: number): Promise<void> =>
    eventually(async () => {
      expect((await outsider.pubsub("NUMSUB", channel))[1]).toBe(count);
    });
  /** Until a node sees another's listeners over NATS. */
  const sees = (one: ChannelNode, others: number): Promise<void> =>
    eventually(() => {
      const listed = one.broker.registry.getServiceList({ onlyAvailable: true });
      const channels = listed.filter(
        ({ name, nodeID }) => name === "channels" && nodeID !== one.broker.nodeID,
      );
      expect(channels).toHaveLength(others);
    });
  const hears = (one: ChannelNode, messages: readonly unknown[]): Promise<void> =>
    eventually(() => {
      expect(one.heard).toEqual(messages);
    });

  it("without any server a node hears itself, in order, on the channels that it listens to", async () => {
    const one = await (await node([])).listen("a", "b");
    for (const message of numbers(1, 100)) void one.channels.publish("a", message);
    void one.channels.publish("c", { n: -1 });
    void one.channels.publish("b", { n: 101 });
    await eventually(() => {
      expect(one.heard).toHaveLength(101);
    });
    expect(one.heard.filter((message) => (message as { n: number }).n <= 100)).toEqual(numbers(1, 100));
  });

  it("who has unsubscribed hears nothing more, the others go on", async () => {
    const one = await (await node([])).listen("a");
    const heard: unknown[] = [];
    const stop = await one.channels.subscribe("a", (message) => void heard.push(message));
    await one.channels.publish("a", { n: 1 });
    await hears(one, numbers(1, 1));
    await stop();
    await stop();
    await one.channels.publish("a", { n: 2 });
    await hears(one, numbers(1, 2));
    expect(heard).toEqual(numbers(1, 1));
  });

  it("through Redis every node hears each message once and in order, and a program outside can tell repetitions", async () => {
    const [one, two] = [await (await node(["redis"])).listen("a"), await (await node(["redis"])).listen("a")];
    const program: { n: number; origin: { node: string; n: number } }[] = [];
    const subscriber = outsider.duplicate();
    programs.push(subscriber);
    subscriber.on("message", (_, text: string) => program.push(JSON.parse(text) as (typeof program)[0]));
    await subscriber.subscribe("a");
    await listeners("a", 3);
    for (const message of numbers(1, 2_500)) void one.channels.publish("a", message);
    await hears(two, numbers(1, 2_500));
    await hears(one, numbers(1, 2_500));
    // What Redis did not acknowledge in time is sent to it again, with the same origin.
    const once = [...new Map(program.map(({ n, origin }) => [origin.n, { n }])).values()];
    expect(once).toEqual(numbers(1, 2_500));
    expect(program[0]).toMatchObject({
      origin: { node: expect.stringContaining(one.broker.nodeID) as string },
    });
  });

  it("hears what other programs publish, and passes over what is no message", async () => {
    const one = await (await node(["redis"])).listen("a");
    await listeners("a", 1);
    for (const text of ["not JSON", "[1]", '{"from":"outside"}']) await outsider.publish("a", text);
    await hears(one, [{ from: "outside" }]);
    expect(await one.lost("unreadable")).toBe(2);
  });

  it("over NATS alone, nodes hear each other", async () => {
    const space = `t-${randomUUID()}`;
    const [one, two] = [
      await (await node(["nats"], space)).listen("a"),
      await (await node(["nats"], space)).listen("a"),
    ];
    await sees(one, 1);
    for (const message of numbers(1, 1_000)) void one.channels.publish("a", message);
    await hears(two, numbers(1, 1_000));
    await hears(one, numbers(1, 1_000));
  });

  it.each(["is killed", "hangs"])(
    "while Redis %s, messages go over NATS, and nobody hears one twice",
    async (how) => {
      const space = `t-${randomUUID()}`;
      const [one, two] = [
        await (await node(["redis", "nats"], space)).listen("a"),
        await (await node(["redis", "nats"], space)).listen("a"),
      ];
      await sees(one, 1);
      await listeners("a", 2);
      for (const message of numbers(1, 10)) void one.channels.publish("a", message);
      await hears(two, numbers(1, 10));
      if (how === "hangs") redis.process.suspend();
      else await redis.process.kill();
      for (const message of numbers(11, 500)) void one.channels.publish("a", message);
      await hears(one, numbers(1, 500));
      await hears(two, numbers(1, 500));
      redis.process.resume();
      await redis.process.start();
      await Promise.all([up(one), up(two)]);
      await listeners("a", 2);
      for (const message of numbers(501, 600)) void one.channels.publish("a", message);
      await hears(two, numbers(1, 600));
      await hears(one, numbers(1, 600));
    },
  );

  it("without any way messages wait for one as long as they are news", async () => {
    const [one, two] = [await (await node(["redis"])).listen("a"), await (await node(["redis"])).listen("a")];
    await listeners("a", 2);
    one.line.cut();
    for (const message of numbers(1, 1_500)) void one.channels.publish("a", message);
    await hears(two, numbers(1, 1_500));
  });

  it("without Redis and NATS a node still hears itself at once, and counts what others missed", async () => {
    const one = await (await node(["redis"])).listen("a");
    await redis.process.kill();
    const began = performance.now();
    for (const message of numbers(1, 100)) await one.channels.publish("a", message);
    expect(performance.now() - began).toBeLessThan(500);
    await hears(one, numbers(1, 100));
    await eventually(async () => {
      expect(await one.lost("no_way")).toBe(100);
    });
  });

  it("subscribes again when Redis comes back, also to what was asked for while it was away", async () => {
    const one = await (await node(["redis"])).listen("before");
    await redis.process.kill();
    await one.listen("meanwhile");
    await redis.process.start();
    for (const channel of ["before", "meanwhile"]) {
      await listeners(channel, 1);
      await outsider.publish(channel, JSON.stringify({ channel }));
    }
    await hears(one, [{ channel: "before" }, { channel: "meanwhile" }]);
  });

  it("a connection to Redis that has come apart without anybody being told is made anew", async () => {
    const one = await (await node(["redis"])).listen("a");
    await listeners("a", 1);
    one.line.strand();
    // Redis still counts the old connection, of which nobody has told it either.
    await listeners("a", 2);
    await outsider.publish("a", JSON.stringify({ again: true }));
    await hears(one, [{ again: true }]);
  });

  it("a listener that never ends costs the others nothing", async () => {
    const one = await node([]);
    await one.channels.subscribe("a", () => new Promise(() => undefined));
    await one.channels.subscribe("a", () => {
      throw new Error("a mistake");
    });
    await one.listen("a");
    for (const message of numbers(1, 12_000)) void one.channels.publish("a", message);
    await eventually(() => {
      expect(one.heard).toHaveLength(12_000 - 2_000);
    });
    expect(one.heard.at(-1)).toEqual({ n: 12_000 });
    expect(await one.lost("slow_listener")).toBeGreaterThan(0);
    expect(await one.lost("listener_failed")).toBeGreaterThan(0);
  });

  it("a message too long to travel is heard at home only", async () => {
    const [one, two] = [await (await node(["redis"])).listen("a"), await (await node(["redis"])).listen("a")];
    await listeners("a", 2);
    await one.channels.publish("a", { text: "x".repeat(250_000) });
    await one.channels.publish("a", { n: 1 });
    await hears(two, numbers(1, 1));
    expect(one.heard).toHaveLength(2);
    expect(await one.lost("too_long")).toBe(1);
  });
});
