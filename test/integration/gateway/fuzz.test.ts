import { UUID, startEchoGateway, type EchoGateway } from "./echo-gateway";

/** mulberry32: the same requests at every run. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"];
const PATHS = [
  "/",
  "//",
  "/*",
  "*",
  "/..",
  "/%",
  "/%00",
  "/%ff",
  "/api",
  "/api/v1/echo",
  `/api/v1/echo/${UUID}`,
  "/api/v1/echo/mine",
  `/api/v1/echo/${UUID}/lines/1`,
  `/api/v1/echo/${UUID}/lines/${"9".repeat(400)}`,
  "/api/v1/echo/__proto__",
  "/api/v1/knock",
  "/api/v1/echo/%E0%A4%A",
  "/api/v1/cached",
  "/api/docs/",
  "/api/docs/../../etc/passwd",
  "/api/openapi.json",
  "/~node/health",
  "/constructor",
];
const QUERIES = [
  "",
  "?",
  "?&&&",
  "?count=1e999",
  "?count=",
  "?count=Infinity",
  "?count=0x10",
  "?__proto__[x]=1",
  "?constructor=1",
  "?id=1&id=2",
  "?%",
  "?%ff=1",
  "?loud=TRUE",
  "?word=\u00e9",
  `?${"a=1&".repeat(300)}`,
  `?word=${"w".repeat(5000)}`,
  "?count[]=1",
  "?=1",
  "?toString=1",
];
const HEADERS = [
  "",
  "Authorization: Bearer cook",
  "Authorization: Bearer \u00ff",
  "Authorization:",
  "Authorization: Bearer a.b.c",
  "Content-Type: application/json",
  "Content-Type: ;;;",
  "Content-Encoding: br",
  "Idempotency-Key: k",
  "Idempotency-Key: \u00e9",
  'If-None-Match: "',
  "X-Request-ID: \u00e9",
  "Origin: null",
  "Accept: nothing/none",
  "Expect: 100-continue",
  "Expect: the worst",
  "Access-Control-Request-Method: POST",
  "Range: bytes=9-1",
  "Upgrade: h2c",
  "Connection: upgrade",
  "Transfer-Encoding: gzip",
  "traceparent: 00",
  "Cookie: a=b",
  "Host: a\r\nHost: b",
];
const BODIES = [
  "",
  "{}",
  "[]",
  "null",
  "{",
  '{"name":"a"}',
  '{"name":1e999}',
  '{"name":"\\ud800"}',
  '{"name":"\\u0000"}',
  '{"__proto__":1}',
  '{"count":1.5}',
  '{"name":"a","tree":{"a":{"b":[1,null,{}]}}}',
  "\u00ff\u00fe",
  '{"name":"a","name":"b"}',
  "x".repeat(3000),
  `{"name":"a","tree":${"[".repeat(40)}1${"]".repeat(40)}}`,
];

describe("malformed requests by the hundred", () => {
  let gateway: EchoGateway;
  beforeAll(async () => {
    gateway = await startEchoGateway({ env: { RATE_LIMIT: "off" } });
  });
  afterAll(() => gateway.stop());

  function request(next: () => number): Buffer {
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
    const body = Buffer.from(pick(BODIES), "latin1");
    const lines = [
      `${pick(METHODS)} ${pick(PATHS)}${pick(QUERIES)} HTTP/1.1`,
      "Host: x",
      "Connection: close",
    ];
    if (next() < 0.6) lines.push("Content-Type: application/json");
    for (let n = Math.floor(next() * 3); n > 0; n--) lines.push(pick(HEADERS));
    if (body.length > 0 && next() < 0.9)
      lines.push(`Content-Length: ${String(body.length + (next() < 0.05 ? 5 : 0))}`);
    const bytes = Buffer.concat([
      Buffer.from(`${lines.filter((line) => line !== "").join("\r\n")}\r\n\r\n`, "latin1"),
      body,
    ]);
    if (next() < 0.1) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
    return next() < 0.05 ? bytes.subarray(0, Math.floor(next() * bytes.length)) : bytes;
  }

  it.each([1, 2, 3])("never make a 500 and never go unanswered (seed %i)", async (seed) => {
    const next = random(seed);
    const seen = new Map<string, number>();
    for (let i = 0; i < 400; i++) {
      const bytes = request(next);
      const answer = await gateway.raw(bytes);
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? "none";
      seen.set(status, (seen.get(status) ?? 0) + 1);
      if (status.startsWith("5") || (status === "none" && bytes.includes("\r\n\r\n")))
        throw new Error(`${status} for ${JSON.stringify(bytes.toString("latin1"))}: ${answer}`);
    }
    expect([...seen.keys()]).toEqual(expect.arrayContaining(["200", "400", "401", "404", "405"]));
    expect(gateway.defects).toEqual([]);
    expect((await gateway.ask("GET", "/api/v1/cached")).status).toBe(200);
  });
});
