import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Type } from "@sinclair/typebox";
import type { ServiceBroker } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { freePort } from "../../../fleet/servers/free-port";
import { natsServer, type NatsServer } from "../../../fleet/servers/nats-server";
import { contract } from "../../../mixins/contract/contract";
import { faultOf } from "../../../mixins/contract/fault";
import { act, implement } from "../../../mixins/contract/implement";
import { RefusedError, UnavailableError, refuse, refusalOf } from "../../../mixins/contract/refusal";
import { strictObject } from "../../../mixins/contract/schemas";
import { healthProbesOf } from "../../../mixins/health/health-probes";
import { watchFleet } from "../../../mixins/transport/fleet-health";
import { fleetNodesOf } from "../../../mixins/transport/fleet-nodes";
import { eventually } from "../../support/eventually";
import { fleetBroker, fleetSettings } from "../../support/fleet-broker";

const echo = contract({
  name: "echo.say",
  summary: "Says it again",
  kind: "query",
  permission: "public",
  params: strictObject({ what: Type.String() }),
  result: strictObject({ said: Type.String(), by: Type.String() }),
});

describe("a node on NATS", () => {
  let folder: string;
  let nats: NatsServer;
  const brokers: ServiceBroker[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-nats-"));
    nats = await natsServer(folder, await freePort());
  });

  afterEach(async () => {
    nats.process.resume();
    await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
    await nats.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const namespace = (): string => `t-${randomUUID()}`;

  async function node(space: string, services: readonly string[] = []): Promise<ServiceBroker> {
    const broker = fleetBroker(fleetSettings(nats.url, space));
    brokers.push(broker);
    if (services.includes("echo")) broker.createService(echoService(broker));
    watchFleet(broker);
    await broker.start();
    return broker;
  }

  const sees = (broker: ServiceBroker, other: ServiceBroker) =>
    eventually(() => {
      expect(fleetNodesOf(broker).hosts("echo.say")).toContain(other.nodeID);
    });
  const health = async (broker: ServiceBroker) =>
    healthProbesOf(broker)
      .all()
      .find(({ name }) => name === "nats")
      ?.probe();

  it("starts without NATS, says so, and joins when it appears", async () => {
    const space = namespace();
    const begun = performance.now();
    const [asking, echoing] = await Promise.all([node(space), node(space, ["echo"])]);
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(await health(asking)).toMatchObject({ status: "down", nodes: 1 });
    await nats.process.start();
    await sees(asking, echoing);
    expect(await act(asking, echo, { what: "hello" })).toEqual({ said: "hello", by: echoing.nodeID });
    expect(await health(asking)).toMatchObject({ status: "up", nodes: 2 });
  });

  it("fails calls at once when NATS is killed, and finds the others again when it is back", async () => {
    await nats.process.start();
    const space = namespace();
    const [asking, echoing] = await Promise.all([node(space), node(space, ["echo"])]);
    await sees(asking, echoing);
    await nats.process.kill();
    await eventually(async () => {
      expect(await health(asking)).toMatchObject({ status: "down", nodes: 1 });
    });
    const begun = performance.now();
    const error = await act(asking, echo, { what: "hello" }).catch((thrown: unknown) => thrown);
    expect(faultOf(error)).toMatchObject({ code: "service.unavailable" });
    expect(performance.now() - begun).toBeLessThan(200);
    await nats.process.start();
    await sees(asking, echoing);
    expect(await act(asking, echo, { what: "again" })).toMatchObject({ said: "again" });
  });

  it("notices that NATS is frozen, lets no call wait long, and goes on when it thaws", async () => {
    await nats.process.start();
    const space = namespace();
    const [asking, echoing] = await Promise.all([node(space), node(space, ["echo"])]);
    await sees(asking, echoing);
    nats.process.suspend();
    const begun = performance.now();
    const error = await act(asking, echo, { what: "hello" }).catch((thrown: unknown) => thrown);
    expect(faultOf(error)).toMatchObject({
      code: expect.stringMatching(/^(node\.silent|service\.unavailable)$/) as string,
    });
    expect(performance.now() - begun).toBeLessThan(2_500);
    await eventually(async () => {
      expect(await health(asking)).toMatchObject({ status: "down" });
    });
    nats.process.resume();
    await sees(asking, echoing);
    expect(await act(asking, echo, { what: "again" })).toMatchObject({ said: "again" });
  });

  it("stops within a second while NATS is frozen", async () => {
    await nats.process.start();
    const broker = await node(namespace());
    nats.process.suspend();
    const begun = performance.now();
    await broker.stop();
    expect(performance.now() - begun).toBeLessThan(1_500);
    expect(nats.process.running).toBe(true);
    expect(fleetNodesOf(broker).live).toEqual([broker.nodeID]);
  });

  it("sees a node go at once, and asks another", async () => {
    await nats.process.start();
    const space = namespace();
    const [asking, first, second] = await Promise.all([
      node(space),
      node(space, ["echo"]),
      node(space, ["echo"]),
    ]);
    await sees(asking, first);
    await sees(asking, second);
    await first.stop();
    for (let i = 0; i < 10; i++)
      expect(await act(asking, echo, { what: "x" })).toEqual({ said: "x", by: second.nodeID });
  });

  describe("whose neighbour died without a word", () => {
    let raw: NatsConnection;

    beforeEach(async () => {
      await nats.process.start();
      raw = await connect({ servers: `127.0.0.1:${String(nats.port)}` });
    });
    afterEach(() => raw.close());

    /** Announces a node that hosts `echo.say`; whether it listens is another matter. */
    async function ghost(space: string, broker: ServiceBroker): Promise<void> {
      const action = { name: "echo.say", rawName: "say", kind: "query" };
      const services = [{ name: "echo", fullName: "echo", actions: { "echo.say": action }, events: {} }];
      const info = { ver: broker.PROTOCOL_VERSION, sender: "ghost", services, instanceID: "ghost", seq: 1 };
      raw.publish(`MOL-${space}.INFO`, JSON.stringify({ ...info, config: {}, client: {}, metadata: {} }));
      await eventually(() => {
        expect(fleetNodesOf(broker).hosts("echo.say")).toContain("ghost");
      });
    }

    it("hears from NATS that nobody listens there any more", async () => {
      const space = namespace();
      const asking = await node(space);
      await ghost(space, asking);
      const begun = performance.now();
      const error = await act(asking, echo, { what: "x" }).catch((thrown: unknown) => thrown);
      expect(faultOf(error)).toMatchObject({ code: "service.unavailable" });
      expect(performance.now() - begun).toBeLessThan(300);
      expect(fleetNodesOf(asking).live).not.toContain("ghost");
    });

    it("asks another node what may be asked twice, and only that", async () => {
      const space = namespace();
      const [asking, echoing] = await Promise.all([node(space), node(space, ["echo"])]);
      await sees(asking, echoing);
      await ghost(space, asking);
      for (let i = 0; i < 4; i++)
        expect(await act(asking, echo, { what: "x" })).toEqual({ said: "x", by: echoing.nodeID });
      expect(fleetNodesOf(asking).live).not.toContain("ghost");
      await ghost(space, asking);
      const error = await act(asking, echo, { what: "x" }, { nodeID: "ghost" }).catch((e: unknown) => e);
      // Whoever names a node gets no other one's answer.
      expect(faultOf(error)).toMatchObject({ code: "service.unavailable" });
    });

    it("waits once for a frozen one, and passes it over afterwards", async () => {
      const space = namespace();
      raw.subscribe(`MOL-${space}.*.ghost`, { callback: () => undefined });
      const [asking, echoing] = await Promise.all([node(space), node(space, ["echo"])]);
      await sees(asking, echoing);
      await ghost(space, asking);
      const ask = () => act(asking, echo, { what: "x" });
      const begun = performance.now();
      const answers = await Promise.all(Array.from({ length: 20 }, ask));
      expect(answers.every(({ by }) => by === echoing.nodeID)).toBe(true);
      expect(performance.now() - begun).toBeGreaterThan(700);
      expect(performance.now() - begun).toBeLessThan(2_500);
      expect(fleetNodesOf(asking).suspects).toEqual(["ghost"]);
      const again = performance.now();
      for (let i = 0; i < 20; i++) await ask();
      expect(performance.now() - again).toBeLessThan(500);
    });
  });

  it("keeps what a refusal, a fault and a driver's error are", async () => {
    await nats.process.start();
    const space = namespace();
    const [asking, echoing] = await Promise.all([node(space), node(space, ["echo"])]);
    await sees(asking, echoing);
    const thrown = (what: string) => act(asking, echo, { what }).catch((error: unknown) => error);
    const refused = await thrown("refuse");
    expect(refused).toBeInstanceOf(RefusedError);
    expect(refusalOf(refused)).toEqual(refuse("conflict", "echo.no", "No.", { why: [1] }));
    const fault = await thrown("fault");
    expect(fault).toBeInstanceOf(UnavailableError);
    expect(faultOf(fault)).toEqual({ code: "echo.down", detail: "Down.", retry_after_s: 7 });
    expect(faultOf(await thrown("driver"))).toMatchObject({ code: "database.unavailable" });
    const defect = await thrown("defect");
    expect([refusalOf(defect), faultOf(defect)]).toEqual([undefined, undefined]);
  });

  it("gives up a call to a node that lives and does not answer", async () => {
    await nats.process.start();
    const space = namespace();
    const [asking, echoing] = await Promise.all([node(space), node(space, ["echo"])]);
    await sees(asking, echoing);
    const error = await act(asking, echo, { what: "hang" }, { timeout: 1_200 }).catch((e: unknown) => e);
    expect(faultOf(error)).toMatchObject({
      code: expect.stringMatching(/^(node\.slow|service\.unavailable)$/) as string,
    });
    expect(fleetNodesOf(asking).isSuspect(echoing.nodeID)).toBe(false);
    expect(await act(asking, echo, { what: "again" })).toEqual({ said: "again", by: echoing.nodeID });
  });
});

/** Says things again, or fails in the way that it is told. */
function echoService(broker: ServiceBroker) {
  return {
    name: "echo",
    actions: {
      say: implement(echo, ({ params: { what } }) => {
        if (what === "refuse") throw new RefusedError(refuse("conflict", "echo.no", "No.", { why: [1] }));
        if (what === "fault") throw new UnavailableError("echo.down", "Down.", { retry_after_s: 7 });
        if (what === "driver")
          throw Object.assign(new Error("query failed"), {
            driverError: Object.assign(new Error("connect ENOENT"), { code: "ENOENT", syscall: "connect" }),
          });
        if (what === "defect") throw new Error("broken");
        if (what === "hang") return new Promise<never>(() => undefined);
        return { said: what, by: broker.nodeID };
      }),
    },
  };
}
