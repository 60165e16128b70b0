import { connect } from "node:net";
import { hotDocumentsOf } from "../../../mixins/rest/hot-documents";
import { startEchoGateway, UUID, type EchoGateway } from "./echo-gateway";

/** How long a test waits at most for what is cut after one second. */
const CUT_MS_MAX = 4_000;

/** What came back, and when the server closed. */
interface Cut {
  readonly heard: string;
  readonly after_ms: number;
}

describe("a request that does not arrive", () => {
  let gateway: EchoGateway;

  beforeAll(async () => {
    gateway = await startEchoGateway({ env: { HTTP_HEADERS_S: "1", HTTP_REQUEST_S: "2" } });
  });
  afterAll(() => gateway.stop());

  /** Sends the beginning at once and then one more piece every 50 ms, for as long as the server listens. */
  function drip(beginning: string, piece: string): Promise<Cut> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const begun = performance.now();
      const socket = connect(gateway.port, "127.0.0.1", () => socket.write(beginning));
      const dripping = setInterval(() => socket.write(piece), 50);
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.on("error", () => undefined);
      socket.once("close", () => {
        clearInterval(dripping);
        resolve({ heard: Buffer.concat(chunks).toString("latin1"), after_ms: performance.now() - begun });
      });
    });
  }
  const post = (more: string): string =>
    `POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n${more}\r\n`;
  const expectCut = ({ heard, after_ms }: Cut, seconds: number): void => {
    expect(heard).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(heard).toContain("Connection: close");
    expect(JSON.parse(heard.slice(heard.indexOf("\r\n\r\n")))).toMatchObject({
      status: 408,
      code: "http.timeout",
    });
    expect(after_ms).toBeGreaterThan(seconds * 1_000 - 50);
    expect(after_ms).toBeLessThan(seconds * 1_000 + CUT_MS_MAX);
  };

  it("is cut when its headers come drop by drop", async () => {
    expectCut(await drip("GET /api/v1/echo HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n"), 1);
  });

  it("is cut when its body comes drop by drop", async () => {
    const cut = await drip(`${post("")}{"name":"`, "a");
    expectCut(cut, 2);
    expect(gateway.defects).toEqual([]);
  });

  it("is cut when its body comes in chunks without an end", async () => {
    const head = "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    expectCut(await drip(`${head}Transfer-Encoding: chunked\r\n\r\n`, "1\r\n \r\n"), 2);
  });

  it("is cut without a second answer when it had its own before", async () => {
    const { heard, after_ms } = await drip(`${post("Authorization: Bearer forged\r\n")}{`, " ");
    expect(heard).toMatch(/^HTTP\/1\.1 401 /);
    expect(heard.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(after_ms).toBeLessThan(2_000 + CUT_MS_MAX);
  });

  it("is cut on a connection that brought others before", async () => {
    const { heard } = await drip(`GET /api/v1/echo/${UUID} HTTP/1.1\r\nHost: x\r\n\r\n${post("")}`, " ");
    expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 408"]);
  });

  it("is cut when nothing of it comes at all", async () => {
    expectCut(await drip("", ""), 1);
  });

  it("holds up nobody who is quick", async () => {
    const slow = drip(`${post("")}{`, " ");
    expect((await gateway.ask("POST", "/api/v1/echo", { json: { name: "a" } })).status).toBe(201);
    expectCut(await slow, 2);
  });
});

describe("TLS that ends at a proxy", () => {
  const read = `/api/v1/echo/${UUID}`;
  const said = async (env: Record<string, string>, headers: Record<string, string>) => {
    const gateway = await startEchoGateway({ env });
    try {
      const answers = await Promise.all([
        gateway.ask("GET", read, { headers }),
        gateway.ask("GET", "/api/v1/unknown", { headers }),
        gateway.ask("GET", "/api/openapi.json", { headers }),
        gateway.ask("OPTIONS", read, { headers }),
      ]);
      return [...new Set(answers.map((answer) => answer.headers.get("strict-transport-security")))];
    } finally {
      await gateway.stop();
    }
  };
  const https = { "x-forwarded-proto": "https" };

  it("is told to browsers in every answer, where a trusted proxy says so", async () => {
    expect(await said({ TRUSTED_PROXIES: "127.0.0.1" }, https)).toEqual(["max-age=15552000"]);
    expect(await said({ TRUSTED_PROXIES: "127.0.0.1", HSTS_S: "60" }, https)).toEqual(["max-age=60"]);
  });

  it("is not told by anybody else, over plain HTTP, or where it is switched off", async () => {
    expect(await said({}, https)).toEqual([null]);
    expect(await said({ TRUSTED_PROXIES: "10.0.0.1" }, https)).toEqual([null]);
    expect(await said({ TRUSTED_PROXIES: "127.0.0.1" }, { "x-forwarded-proto": "http" })).toEqual([null]);
    expect(await said({ TRUSTED_PROXIES: "127.0.0.1" }, {})).toEqual([null]);
    expect(await said({ TRUSTED_PROXIES: "127.0.0.1", HSTS_S: "0" }, https)).toEqual([null]);
  });
});

describe("a path that parameters would match", () => {
  it("is not theirs where a document is at it", async () => {
    const gateway = await startEchoGateway();
    try {
      hotDocumentsOf(gateway.broker).register("/api/v1/echo/hot", () => ({
        body: Buffer.from("{}"),
        content_type: "application/json",
      }));
      expect((await gateway.ask("GET", "/api/v1/echo/hot")).text).toBe("{}");
      for (const headers of [{}, { authorization: "Bearer manager" }]) {
        const refused = await gateway.ask("DELETE", "/api/v1/echo/hot", { headers });
        expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
      }
      const mine = await gateway.ask("DELETE", "/api/v1/echo/mine");
      expect([mine.status, mine.headers.get("allow")]).toEqual([405, "HEAD, GET"]);
    } finally {
      await gateway.stop();
    }
  });
});
