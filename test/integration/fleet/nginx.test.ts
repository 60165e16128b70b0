import { createServer, type IncomingMessage, type Server } from "node:http";
import { freePort } from "../../../fleet/servers/free-port";
import { GrpcClient } from "../../support/grpc-client";
import { hasNginx, startNginx, type NginxUnderTest } from "../../support/nginx";

/** A gateway that counts what reaches it, and does with it what the test says. */
class FakeGateway {
  readonly seen: {
    readonly method: string;
    readonly headers: IncomingMessage["headers"];
    readonly body: string;
  }[] = [];
  /** Break the connection off after the request has come, instead of answering. */
  breaksOff = false;
  #server: Server | undefined;

  constructor(readonly port: number) {}

  async start(): Promise<void> {
    const server = createServer((req, res) => {
      let body = "";
      req.on("data", (chunk: Buffer) => (body += chunk.toString()));
      req.on("end", () => {
        this.seen.push({ method: req.method ?? "", headers: req.headers, body });
        if (this.breaksOff) req.socket.destroy();
        else res.writeHead(201, { "content-type": "text/plain" }).end(body);
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  }
}

(hasNginx() ? describe : describe.skip)("nginx as it is deployed", () => {
  let gateways: [FakeGateway, FakeGateway];
  let nginx: NginxUnderTest;

  beforeEach(async () => {
    gateways = [new FakeGateway(await freePort()), new FakeGateway(await freePort())];
    const grpc = await freePort();
    await Promise.all(gateways.map((gateway) => gateway.start()));
    nginx = await startNginx([
      { http: gateways[0].port, grpc },
      { http: gateways[1].port, grpc },
    ]);
  });

  afterEach(async () => {
    await nginx.stop();
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  });

  const arrived = (): number => gateways[0].seen.length + gateways[1].seen.length;
  const post = (headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${nginx.url}/api/v1/order`, { method: "POST", body: "two margheritas", headers });
  const breakOff = (): void => {
    for (const gateway of gateways) gateway.breaksOff = true;
  };

  it("spreads requests over the gateways", async () => {
    for (let i = 0; i < 6; i += 1) expect((await post()).status).toBe(201);
    expect(gateways[0].seen.length).toBeGreaterThan(0);
    expect(gateways[1].seen.length).toBeGreaterThan(0);
  });

  it("never sends a POST without a key twice, and says that its outcome is not known", async () => {
    breakOff();
    const answer = await post();
    expect(answer.status).toBe(503);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(await answer.json()).toMatchObject({ status: 503, code: "gateway.unreachable" });
    expect(arrived()).toBe(1);
  });

  it("never sends a POST twice whose key anybody may have, by somebody who says nothing of themselves", async () => {
    breakOff();
    expect((await post({ "idempotency-key": "my-first-order" })).status).toBe(503);
    expect(arrived()).toBe(1);
  });

  it.each<[string, Record<string, string>]>([
    ["a random UUID", { "idempotency-key": "0199a3b2-7c1d-7e4f-8a5b-6c7d8e9f0a1b" }],
    ["a guest's with a token", { "idempotency-key": "once", "x-guest-token": "0123456789abcdefghijkl" }],
    ["a browser's with a cookie", { "idempotency-key": "once", cookie: "a=b; forno_guest=0123456789abcdef" }],
    ["of who is signed in", { "idempotency-key": "once", authorization: "Bearer x" }],
  ])(
    "sends a POST with an Idempotency-Key to the other gateway when the first breaks off: %s",
    async (_, headers) => {
      breakOff();
      const answer = await post(headers);
      expect(await answer.json()).toMatchObject({ status: 503, code: "gateway.unreachable" });
      expect(gateways.map(({ seen }) => seen.map(({ body }) => body))).toEqual([
        ["two margheritas"],
        ["two margheritas"],
      ]);
    },
  );

  it("reads again from the other gateway when the first breaks off", async () => {
    breakOff();
    await fetch(`${nginx.url}/api/v1/menu`);
    expect(arrived()).toBe(2);
  });

  it("takes a POST without a key to the gateway that is there, when the other is not", async () => {
    await gateways[0].stop();
    for (let i = 0; i < 6; i += 1) {
      const answer = await post();
      expect(answer.status).toBe(201);
      expect(await answer.text()).toBe("two margheritas");
    }
    expect(gateways[1].seen).toHaveLength(6);
  });

  it("tells the gateway the client's address, and not what the client says of it", async () => {
    await post({ "x-forwarded-for": "203.0.113.7" });
    const [request] = [...gateways[0].seen, ...gateways[1].seen];
    expect(request?.headers["x-forwarded-for"]).toBe("127.0.0.1");
  });

  it("keeps the nodes' metrics to itself", async () => {
    expect((await fetch(`${nginx.url}/metrics`)).status).toBe(404);
    expect(arrived()).toBe(0);
  });

  it("answers a gRPC call with UNAVAILABLE when no gateway is there", async () => {
    const client = GrpcClient.orders(nginx.grpcPort);
    const { error } = await client.call("GetOrder", { order_id: "x" });
    client.close();
    expect(error?.code).toBe(14);
  });
});
