import { setImmediate as turn } from "node:timers/promises";
import type { Caller } from "../../../mixins/contract/caller";
import type { Refusal } from "../../../mixins/contract/refusal";
import type { VerifiedCaller } from "../../../mixins/contract/token-verifier";
import { healthProbesOf, type HealthFinding } from "../../../mixins/health/health-probes";
import { metricsOf } from "../../../mixins/metrics/metrics";
import { eventually } from "../../support/eventually";
import { heardOf, IoListener, PlainListener, type Listener } from "../../support/listener";
import { MemoryLog } from "../../support/memory-log";
import { HeldClock, startSocketNode, TestVerifier, type SocketNode } from "../../support/socket-node";

/** Takes its time over a token, as one that must ask somebody would. */
class SlowVerifier extends TestVerifier {
  override async verify(token: string): Promise<VerifiedCaller | Refusal> {
    for (let turns = 0; turns < 20; turns++) await turn();
    return super.verify(token);
  }
}

/** Whether a listener is in, or turned away. */
const outcome = (listener: Listener): Promise<"in" | "away"> =>
  eventually(() => {
    if (listener.heard.some(({ type }) => type === "ready")) return "in";
    const away =
      listener instanceof PlainListener
        ? listener.status === 429 || listener.closed?.reason === "socket.too_many_connections"
        : listener instanceof IoListener && listener.refusal?.code === "socket.too_many_connections";
    if (!away) throw new Error("neither in nor turned away");
    return "away";
  });
const outcomes = async (listeners: readonly Listener[]): Promise<number> =>
  (await Promise.all(listeners.map(outcome))).filter((each) => each === "in").length;

describe("places at the sockets", () => {
  let node: SocketNode;
  const open: Listener[] = [];
  const opened = <T extends Listener>(listener: T): T => {
    open.push(listener);
    return listener;
  };
  const start = async (env: Readonly<Record<string, string>>): Promise<void> => {
    const clock = new HeldClock();
    node = await startSocketNode(new MemoryLog(), {}, { clock, verifier: new SlowVerifier(clock) }, env);
  };
  afterEach(async () => {
    for (const listener of open.splice(0)) listener.close();
    await node.stop();
  });

  const plain = (path: string, headers: Record<string, string> = {}) =>
    opened(new PlainListener(node.port, path, { headers }));
  const byIo = (namespace: string, auth: object, options = {}) =>
    opened(new IoListener(node.port, namespace, auth, options));
  const ways = (room: "shop" | "kitchen", token?: string): Listener[] => [
    plain(`${room === "shop" ? "/ws" : "/api/v1/ws"}${token === undefined ? "" : `?access_token=${token}`}`),
    byIo(`/${room}`, { token }),
    byIo(`/${room}`, { token }, { transports: ["polling"] }),
  ];
  const tokenOf = (role: Caller["role"], who: Partial<Caller> = {}): string => node.verifier.issue(role, who);
  const placesOf = async (who: string): Promise<number> =>
    Number(
      new RegExp(`^forno_socket_places\\{who="${who}"\\} (\\d+)$`, "m").exec(
        await metricsOf(node.runtime.broker).render(),
      )?.[1],
    );
  const health = (): Promise<HealthFinding> =>
    healthProbesOf(node.runtime.broker)
      .all()
      .find(({ name }) => name === "socket-places")
      ?.probe() ?? Promise.reject(new Error("no probe"));

  it("guests who fill their address keep no cook out behind it, by any way in", async () => {
    await start({ SOCKET_ADDRESS_MAX: "3" });
    expect(await outcomes(ways("shop"))).toBe(3);
    expect(await outcomes(ways("shop"))).toBe(0);
    expect(await outcomes(ways("kitchen", tokenOf("cook")))).toBe(3);
    expect(await outcomes(ways("shop", tokenOf("customer")))).toBe(3);
  });

  it("guests from everywhere who fill their places take nobody else's", async () => {
    await start({ SOCKET_GUESTS_MAX: "2", TRUSTED_PROXIES: "127.0.0.1" });
    const from = (address: string) => plain("/ws", { "x-forwarded-for": address });
    expect(await outcomes(["203.0.113.1", "203.0.113.2"].map(from))).toBe(2);
    expect(await outcomes(["203.0.113.3"].map(from))).toBe(0);
    expect((await health()).status).toBe("degraded");
    expect(await outcomes(ways("kitchen", tokenOf("cook")))).toBe(3);
    const manager = plain(`/subscribe?access_token=${tokenOf("manager")}`);
    await eventually(() => {
      expect(manager.heard[0]).toMatchObject({ type: "connection_ack" });
    });
    expect(await health()).toMatchObject({ status: "degraded", detail: "No place is left for guests." });
  });

  it("a customer line is one address by IPv6, whichever of its addresses it shows", async () => {
    await start({ SOCKET_ADDRESS_MAX: "1", TRUSTED_PROXIES: "127.0.0.1" });
    const from = (address: string) => plain("/ws", { "x-forwarded-for": address });
    expect(await outcome(from("2001:db8:1:2::1"))).toBe("in");
    expect(await outcome(from("2001:db8:1:2:ffff::9"))).toBe("away");
    expect(await outcome(from("2001:db8:1:3::1"))).toBe("in");
  });

  it.each([
    ["guests of an address", "shop", "guest", { SOCKET_ADDRESS_MAX: "5" }, 5],
    ["guests", "shop", "guest", { SOCKET_GUESTS_MAX: "5" }, 5],
    ["connections of a customer", "shop", "customer", { SOCKET_ACCOUNT_MAX: "4" }, 4],
    ["customers", "shop", "customer", { SOCKET_CUSTOMERS_MAX: "4" }, 4],
    ["staff", "kitchen", "cook", { SOCKET_STAFF_MAX: "6" }, 6],
  ] as const)("no more %s get in than there are places, however many come at once", async (...given) => {
    const [, room, role, env, places] = given;
    await start(env);
    const token = role === "guest" ? undefined : tokenOf(role);
    const crowd = Array.from({ length: 8 }, () => ways(room, token)).flat();
    expect(await outcomes(crowd)).toBe(places);
    for (const listener of open.splice(0)) listener.close();
    await eventually(async () => {
      const left = await Promise.all(["guests", "customers", "staff", "waiting"].map(placesOf));
      expect(left).toEqual([0, 0, 0, 0]);
    });
    expect(await outcomes(ways(room, token))).toBe(3);
    expect((await health()).status).toBe("up");
  });

  it("gives back the place of who leaves while the token is being verified", async () => {
    await start({ SOCKET_STAFF_MAX: "1" });
    const token = tokenOf("cook");
    for (let round = 0; round < 20; round++) {
      const hasty = plain(`/api/v1/ws?access_token=${token}`);
      const hastyByIo = byIo("/kitchen", { token });
      await hasty.opened();
      for (let turns = 0; turns < round; turns++) await turn();
      hasty.close();
      hastyByIo.close();
    }
    await eventually(async () => {
      expect([await placesOf("staff"), await placesOf("waiting")]).toEqual([0, 0]);
    });
    expect(await outcome(plain(`/api/v1/ws?access_token=${token}`))).toBe("in");
  });

  it("who knocks and says nothing makes way for who signs in, from the same address too", async () => {
    await start({});
    const silent = Array.from({ length: 150 }, () => plain("/api/v1/ws"));
    const polling = Array.from({ length: 150 }, () =>
      fetch(`http://127.0.0.1:${node.port}/socket.io/?EIO=4&transport=polling`),
    );
    await Promise.all([...polling, silent.at(-1)?.opened()]);
    expect(await placesOf("waiting")).toBeLessThanOrEqual(128);
    const late = plain("/api/v1/ws");
    await late.opened();
    late.send({ type: "auth", token: tokenOf("cook") });
    expect(await outcomes([late, ...ways("kitchen", tokenOf("cook"))])).toBe(4);
  });

  it("ends a socket.io connection with its last session, and counts it until then", async () => {
    await start({});
    const guest = byIo("/shop", {});
    await heardOf(guest, "ready");
    const { io } = guest.socket;
    // What a client that wants to stay uncounted would do: leave the namespace and keep the connection.
    io.engine.write("1/shop,");
    await eventually(async () => {
      expect(io.engine.readyState).toBe("closed");
      expect([await placesOf("guests"), await placesOf("waiting")]).toEqual([0, 0]);
    });
  });

  it("counts each session of one socket.io connection", async () => {
    await start({ SOCKET_STAFF_MAX: "2" });
    const token = tokenOf("manager");
    const kitchen = byIo("/kitchen", { token });
    await heardOf(kitchen, "ready");
    const heard: string[] = [];
    for (const namespace of ["/erp", "/cameras"]) {
      const socket = kitchen.socket.io.socket(namespace, { auth: { token } });
      socket.on("connect", () => heard.push(`${namespace} in`));
      socket.on("connect_error", (error) =>
        heard.push(`${namespace} ${(error as Error & { data: { code: string } }).data.code}`),
      );
    }
    await eventually(() => {
      expect(heard.sort()).toEqual(["/cameras socket.too_many_connections", "/erp in"]);
    });
    expect(await placesOf("staff")).toBe(2);
  });

  it("a guest who signs in where customers have no place left stays a guest", async () => {
    await start({ SOCKET_CUSTOMERS_MAX: "0" });
    const guest = plain("/ws");
    await heardOf(guest, "ready");
    guest.send({ type: "auth", token: tokenOf("customer") });
    expect((await heardOf(guest, "error")).data).toMatchObject({ code: "socket.too_many_connections" });
    expect([await placesOf("guests"), await placesOf("customers")]).toEqual([1, 0]);
  });

  it("takes the token from the header Authorization as well", async () => {
    await start({});
    const header = { authorization: `Bearer ${tokenOf("cook")}` };
    const listeners = [
      plain("/api/v1/ws", header),
      byIo("/kitchen", {}, { extraHeaders: header }),
      byIo("/kitchen", {}, { extraHeaders: header, transports: ["polling"] }),
    ];
    expect(await outcomes(listeners)).toBe(3);
    for (const authorization of ["Bearer forged", "Basic YTpi", "Bearer"])
      expect(await plain("/ws", { authorization }).ended()).toEqual({
        ...{ code: 4401, reason: "auth.token_invalid" },
      });
  });
});
