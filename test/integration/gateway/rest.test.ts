import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { metricsOf } from "../../../mixins/metrics/metrics";
import { hotDocumentsOf, type HotDocument } from "../../../mixins/rest/hot-documents";
import { UUID, USER, startEchoGateway, type EchoGateway } from "./echo-gateway";

describe("REST", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-pages-"));
  const attached: unknown[] = [];
  let gateway: EchoGateway;

  beforeAll(async () => {
    mkdirSync(path.join(folder, "web"));
    writeFileSync(path.join(folder, "web/index.html"), "<!doctype html>home");
    writeFileSync(path.join(folder, "web/track.html"), "<!doctype html>track");
    writeFileSync(path.join(folder, "web/app.js"), "1");
    writeFileSync(path.join(folder, "web/.env"), "SECRET=1");
    writeFileSync(path.join(folder, "secret.txt"), "secret");
    gateway = await startEchoGateway({
      attach: [(server) => attached.push(server)],
      pages: { folder: path.join(folder, "web"), rewrites: { "/track/": "/track.html" } },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    rmSync(folder, { recursive: true });
  });

  const token = (name: string) => ({ headers: { authorization: `Bearer ${name}` } });
  const read = `/api/v1/echo/${UUID}`;

  it("gives those who share its port the server before it listens", () => {
    expect(attached).toHaveLength(1);
  });

  it("prefers a static path to a dynamic one", async () => {
    expect((await gateway.ask("GET", "/api/v1/echo/mine", token("cook"))).body["params"]).toEqual({});
    expect((await gateway.ask("GET", read)).body["params"]).toEqual({ id: UUID, count: 5 });
  });

  it("ignores a slash at the end", async () => {
    expect((await gateway.ask("GET", `${read}/`)).status).toBe(200);
  });

  describe("identity", () => {
    it("is a guest without a token and the token's user with one", async () => {
      expect((await gateway.ask("GET", read)).body["caller"]).toEqual({
        role: "guest",
        user_id: null,
        branch_ids: null,
      });
      expect((await gateway.ask("GET", read, token("cook"))).body["caller"]).toEqual({
        role: "cook",
        user_id: USER,
        branch_ids: null,
      });
    });

    it.each(["Bearer forged", "Bearer", "Basic YTpi", "Bearer a b", "cook"])(
      "refuses the header %j also where guests may go",
      async (authorization) => {
        const answer = await gateway.ask("GET", read, { headers: { authorization } });
        expect(answer.status).toBe(401);
        expect(answer.body["code"]).toBe(
          authorization === "Bearer forged" ? "auth.token_invalid" : "auth.bad_header",
        );
        expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
      },
    );

    it("answers 401 to guests and 403 to other roles, before it looks at what they sent", async () => {
      const path = "/api/v1/echo/rubbish/lines/rubbish";
      expect((await gateway.ask("PUT", path, { json: { rubbish: 1 } })).body["code"]).toBe("auth.required");
      const cook = await gateway.ask("PUT", path, { json: { rubbish: 1 }, ...token("cook") });
      expect(cook.status).toBe(403);
      expect(cook.body["code"]).toBe("auth.forbidden");
    });

    it("answers 503 while tokens cannot be looked up", async () => {
      expect((await gateway.ask("GET", read, token("down"))).status).toBe(503);
    });

    it("never leaks from one request into another", async () => {
      const knock = await gateway.ask("POST", "/api/v1/knock", { json: {} });
      expect(knock.headers.get("idempotent-replay")).toBe("true");
      const after = await Promise.all([
        gateway.ask("GET", read),
        gateway.ask("GET", read, token("customer")),
      ]);
      expect(after.map((answer) => (answer.body["caller"] as { role: string }).role)).toEqual([
        "guest",
        "customer",
      ]);
      expect(after.map((answer) => answer.headers.get("idempotent-replay"))).toEqual([null, null]);
    });
  });

  describe("a body that is a list", () => {
    const key = { "x-api-key": "secret" };
    const pile = (json: unknown) => gateway.ask("POST", "/api/v1/pile", { json, headers: key });

    it("is an array as it is, and an object as an array of one", async () => {
      const many = await pile([{ a: 1 }, {}]);
      expect(many.status).toBe(202);
      expect(many.body["params"]).toEqual({ things: [{ a: 1 }, {}] });
      expect((await pile({ things: 1 })).body["params"]).toEqual({ things: [{ things: 1 }] });
    });

    it.each([
      [[], "/things"],
      [[{}, {}, {}, {}], "/things"],
      [[{}, 1], "/things/1"],
    ])("is held against the contract: %j", async (body, path) => {
      const { status, body: problem } = await pile(body);
      expect([status, problem["code"]]).toEqual([400, "input.invalid"]);
      expect(problem["errors"]).toMatchObject([{ path }]);
    });

    it.each([
      ["1", "input.not_an_object"],
      ["null", "input.not_an_object"],
      ['[{"__proto__":1}]', "input.forbidden_key"],
      [`${"[".repeat(40)}${"]".repeat(40)}`, "input.too_deep"],
      ["[1", "http.bad_json"],
      ["", "input.invalid"],
    ])("is refused when it is %j", async (text, code) => {
      const init = { body: text, headers: { ...key, "content-type": "application/json" } };
      expect((await gateway.ask("POST", "/api/v1/pile", init)).body["code"]).toBe(code);
    });
  });

  describe("X-API-Key", () => {
    const meta = (answer: { body: Record<string, unknown> }) => answer.body["meta"] as { api_key?: string };

    it("reaches actions that take one, and no others", async () => {
      const headers = { "x-api-key": "secret" };
      expect(meta(await gateway.ask("POST", "/api/v1/pile", { json: {}, headers }))).toMatchObject({
        api_key: "secret",
      });
      expect(
        meta(await gateway.ask("POST", "/api/v1/pile", { json: {}, ...token("customer") })).api_key,
      ).toBeUndefined();
      expect(meta(await gateway.ask("GET", read, { headers })).api_key).toBeUndefined();
    });

    it("is missed before the body is read", async () => {
      const head = "POST /api/v1/pile HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
      const answer = await gateway.raw(`${head}Content-Length: 4000000\r\nConnection: close\r\n\r\n`, false);
      expect(answer).toContain("401 Unauthorized");
      expect(answer).toContain("auth.required");
    });
  });

  describe("Idempotency-Key", () => {
    const make = (key: string | undefined, json: object, who = "manager", route = "/api/v1/echo") =>
      gateway.ask("POST", route, {
        json,
        headers: { authorization: `Bearer ${who}`, ...(key === undefined ? {} : { "idempotency-key": key }) },
      });

    it("gives the first answer again to the same request, however its fields are ordered", async () => {
      const first = await make("key-1", { name: "a", count: 1, tree: { x: 1, y: [2] } });
      expect(first.status).toBe(201);
      expect(first.headers.has("idempotent-replay")).toBe(false);
      const again = await make("key-1", { tree: { y: [2], x: 1 }, count: 1, name: "a" });
      expect(again.status).toBe(201);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get("idempotent-replay")).toBe("true");
    });

    it("refuses the key with another body", async () => {
      await make("key-2", { name: "a" });
      const other = await make("key-2", { name: "b" });
      expect({ status: other.status, code: other.body["code"] }).toEqual({
        status: 409,
        code: "idempotency.key_reused",
      });
    });

    it("is another command for a guest, and without a key each time", async () => {
      const ids = [
        await make("key-3", { name: "a" }),
        await gateway.ask("POST", "/api/v1/echo", {
          json: { name: "a" },
          headers: { "idempotency-key": "key-3" },
        }),
        await make(undefined, { name: "a" }),
        await make(undefined, { name: "a" }),
      ].map((answer) => answer.body["command_id"]);
      expect(new Set(ids).size).toBe(4);
      for (const id of ids)
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[48][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    });
  });

  describe("errors", () => {
    it.each([
      ["invalid", 400, "echo.invalid"],
      ["not_found", 404, "echo.unknown"],
      ["conflict", 409, "echo.full"],
      ["unprocessable", 422, "echo.sold_out"],
      ["rate_limited", 429, "echo.hasty"],
      ["unavailable", 503, "echo.asleep"],
      ["queue", 503, "service.unavailable"],
      ["timeout", 503, "service.unavailable"],
      ["database", 503, "database.unavailable"],
    ])("answers %s with %i %s", async (how, status, code) => {
      const answer = await gateway.ask("GET", `/api/v1/fail/${how}`);
      expect({ status: answer.status, code: answer.body["code"] }).toEqual({ status, code });
      expect(answer.headers.has("retry-after")).toBe(status === 429 || status === 503);
      expect(answer.text).not.toContain("10.0.0.7");
    });

    it("keeps a refusal's own members beside the standard ones", async () => {
      const answer = await gateway.ask("GET", "/api/v1/fail/conflict");
      expect(answer.body).toMatchObject({ next_free: ["10:00"], status: 409, title: "Conflict" });
    });

    it("answers 503 when nobody hosts the action", async () => {
      expect((await gateway.ask("GET", "/api/v1/orphan")).status).toBe(503);
    });

    it.each(["defect", "string", "cyclic"])("hides a %s and logs it with the request id", async (how) => {
      const before = gateway.defects.length;
      const answer = await gateway.ask("GET", `/api/v1/fail/${how}`, {
        headers: { "x-request-id": `find-${how}` },
      });
      expect(answer.status).toBe(500);
      expect(answer.body["code"]).toBe("internal");
      expect(answer.text).not.toMatch(/cheese|thrown|circular/i);
      expect(gateway.defects).toHaveLength(before + 1);
      expect(String(gateway.defects.at(-1)?.[0])).toContain(`find-${how}`);
    });
  });

  describe("request ids", () => {
    it("come back, reach the action, and are made when they are missing or no ids", async () => {
      const given = await gateway.ask("GET", read, { headers: { "x-request-id": "abc-1" } });
      expect(given.headers.get("x-request-id")).toBe("abc-1");
      expect((given.body["meta"] as { request_id: string }).request_id).toBe("abc-1");
      for (const headers of [{}, { "x-request-id": "<script>" }, { "x-request-id": "x".repeat(200) }])
        expect((await gateway.ask("GET", read, { headers })).headers.get("x-request-id")).toMatch(
          /^[0-9a-f-]{36}$/,
        );
    });

    it("stand beside a W3C trace context, if it is one", async () => {
      const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      const traced = await gateway.ask("GET", read, { headers: { traceparent } });
      expect(traced.body["meta"]).toMatchObject({ traceparent });
      const rubbish = await gateway.ask("GET", read, { headers: { traceparent: "rubbish" } });
      expect(rubbish.body["meta"]).not.toHaveProperty("traceparent");
    });
  });

  describe("answers", () => {
    it("carry security headers and are not stored", async () => {
      for (const route of [read, "/api/v1/nothing", "/api/openapi.json", "/"]) {
        const { headers } = await gateway.ask("GET", route);
        expect(headers.get("x-content-type-options")).toBe("nosniff");
        expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
        expect(headers.has("x-powered-by")).toBe(false);
      }
      for (const page of ["/", "/api/docs"]) {
        const { headers } = await gateway.ask("GET", page);
        expect(headers.get("x-frame-options")).toBe("DENY");
        expect(headers.get("referrer-policy")).toBe("no-referrer");
      }
      expect((await gateway.ask("GET", read)).headers.get("cache-control")).toBe("no-store");
    });

    it("of cacheable contracts carry an ETag, and 304 answers it", async () => {
      const first = await gateway.ask("GET", "/api/v1/cached");
      const etag = first.headers.get("etag") ?? "";
      expect(etag).toMatch(/^"[\w-]+"$/);
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
        const again = await gateway.ask("GET", "/api/v1/cached", { headers: { "if-none-match": known } });
        expect(again.status).toBe(304);
        expect(again.text).toBe("");
        expect(again.headers.get("etag")).toBe(etag);
      }
      expect(
        (await gateway.ask("GET", "/api/v1/cached", { headers: { "if-none-match": '"x"' } })).status,
      ).toBe(200);
    });

    it("of raw contracts are sent as they are", async () => {
      const raw = await gateway.ask("GET", "/api/v1/raw");
      expect(raw.text).toBe('{"hello":"raw"}');
      expect(raw.headers.get("etag")).toBe('"r1"');
      expect(raw.headers.get("cache-control")).toBe("public, max-age=5");
      expect((await gateway.ask("GET", "/api/v1/raw", { headers: { "if-none-match": '"r1"' } })).status).toBe(
        304,
      );
    });

    it("to HEAD are those to GET without a body", async () => {
      const head = await gateway.ask("HEAD", "/api/v1/cached");
      expect(head.status).toBe(200);
      expect(head.text).toBe("");
      expect(head.headers.get("content-length")).toBe("7");
    });

    it("of 204 have no body", async () => {
      const gone = await gateway.ask("DELETE", read);
      expect(gone.status).toBe(204);
      expect(gone.text).toBe("");
    });

    it("to OPTIONS say what is possible", async () => {
      const options = await gateway.ask("OPTIONS", read);
      expect(options.status).toBe(204);
      expect(options.headers.get("allow")).toBe("HEAD, DELETE, GET, OPTIONS");
      expect((await gateway.ask("OPTIONS", "/api/v1/nothing")).status).toBe(404);
      expect(await gateway.raw("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toMatch(
        /^HTTP\/1.1 204 /,
      );
    });
  });

  describe("hot documents", () => {
    it("are answered in front of the router, change at once and know 304 and HEAD", async () => {
      let document: HotDocument | undefined = {
        body: "one",
        content_type: "text/plain",
        etag: '"1"',
        max_age_s: 9,
      };
      const withdraw = hotDocumentsOf(gateway.broker).register("/hot", () => document);
      const first = await gateway.ask("GET", "/hot");
      expect(first.text).toBe("one");
      expect(first.headers.get("cache-control")).toBe("public, max-age=9");
      expect(first.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect((await gateway.ask("GET", "/hot", { headers: { "if-none-match": '"1"' } })).status).toBe(304);
      expect((await gateway.ask("HEAD", "/hot")).headers.get("content-length")).toBe("3");
      document = { body: Buffer.from("two!"), content_type: "text/plain", etag: '"2"' };
      expect((await gateway.ask("GET", "/hot")).text).toBe("two!");
      expect((await gateway.ask("GET", "/hot?x=1")).text).toBe("two!");
      document = undefined;
      expect((await gateway.ask("GET", "/hot")).status).toBe(404);
      withdraw();
    });

    it("let a token take the ordinary way", async () => {
      const withdraw = hotDocumentsOf(gateway.broker).register(read, () => ({
        body: "hot",
        content_type: "text/plain",
      }));
      expect((await gateway.ask("GET", read)).text).toBe("hot");
      expect((await gateway.ask("GET", read, token("forged"))).status).toBe(401);
      expect((await gateway.ask("GET", read, token("cook"))).body["params"]).toEqual({ id: UUID, count: 5 });
      withdraw();
    });
  });

  describe("pages", () => {
    it("are served with types, ETags and a policy of their own", async () => {
      const home = await gateway.ask("GET", "/");
      expect(home.text).toContain("home");
      expect(home.headers.get("content-type")).toContain("text/html");
      expect(home.headers.get("content-security-policy")).toContain("default-src 'self'");
      expect((await gateway.ask("GET", "/app.js")).headers.get("content-type")).toContain("javascript");
      // fetch would add Cache-Control: no-cache, which asks for the whole page.
      const again = `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: ${home.headers.get("etag") ?? ""}\r\n\r\n`;
      expect(await gateway.raw(again, false)).toMatch(/^HTTP\/1.1 304 /);
    });

    it("may be one page for many addresses", async () => {
      expect((await gateway.ask("GET", "/track")).text).toContain("track");
      expect((await gateway.ask("GET", "/track/any-token")).text).toContain("track");
    });

    it.each([
      "/../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/..%5csecret.txt",
      "//../secret.txt",
      "/.env",
      "/app.js%00",
    ])("do not let %s out", async (target) => {
      const answer = await gateway.raw(
        `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        false,
      );
      expect(answer).toMatch(/^HTTP\/1.1 40[04] /);
      expect(answer).not.toMatch(/secret$|SECRET=/);
    });
  });

  it("documents itself without the Internet", async () => {
    const openapi = await gateway.ask("GET", "/api/openapi.json");
    expect(openapi.body["openapi"]).toBe("3.1.0");
    const page = await gateway.ask("GET", "/api/docs");
    expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(page.text).not.toMatch(/https?:/);
    for (const [, asset] of page.text.matchAll(/(?:src|href)="([^"]+)"/g))
      expect((await gateway.ask("GET", asset ?? "")).status).toBe(200);
  });

  it("counts and times requests by door", async () => {
    await gateway.ask("GET", read);
    const metrics = await metricsOf(gateway.broker).render();
    expect(metrics).toMatch(
      /^http_requests_total\{method="GET",route="\/api\/v1\/echo\/:id",status="200"\} \d+$/m,
    );
    expect(metrics).toMatch(
      /^http_request_duration_seconds_bucket\{le="\+Inf",method="GET",route="\/api\/v1\/echo\/:id"\} \d+$/m,
    );
  });
});

describe("CORS", () => {
  const origin = "https://shop.example";
  const asked = async (env: Record<string, string>, headers: Record<string, string> = { origin }) => {
    const gateway = await startEchoGateway({ env });
    try {
      const simple = await gateway.ask("GET", "/api/v1/cached", { headers });
      const preflight = await gateway.ask("OPTIONS", "/api/v1/echo", {
        headers: { ...headers, "access-control-request-method": "POST" },
      });
      return { simple: simple.headers, preflight: preflight.headers };
    } finally {
      await gateway.stop();
    }
  };
  const fleet = { DATABASE_URL: "postgres://db/forno" };

  it("allows anybody in embedded mode", async () => {
    const { simple, preflight } = await asked({});
    expect(simple.get("access-control-allow-origin")).toBe("*");
    expect(preflight.get("access-control-allow-methods")).toContain("POST");
    expect(preflight.get("access-control-allow-headers")).toContain("Idempotency-Key");
    expect(simple.has("access-control-allow-credentials")).toBe(false);
  });

  it("allows only those listed otherwise, also when somebody lists *", async () => {
    const listed = await asked({ ...fleet, CORS_ORIGINS: `https://other.example,${origin}` });
    expect(listed.simple.get("access-control-allow-origin")).toBe(origin);
    expect(listed.simple.get("vary")).toBe("Origin");
    for (const env of [fleet, { ...fleet, CORS_ORIGINS: "*" }, { CORS_ORIGINS: "https://other.example" }]) {
      const { simple, preflight } = await asked(env);
      expect(simple.has("access-control-allow-origin")).toBe(false);
      expect(preflight.has("access-control-allow-methods")).toBe(false);
    }
  });
});

describe("rate limits", () => {
  let gateway: EchoGateway;
  afterEach(() => gateway.stop());
  const knock = (headers: Record<string, string> = {}) =>
    gateway.ask("POST", "/api/v1/knock", { json: {}, headers });

  it("refuse beyond the door's rate until Retry-After has passed", async () => {
    gateway = await startEchoGateway();
    for (let i = 0; i < 3; i++) expect((await knock()).status).toBe(200);
    const refused = await knock();
    expect({ status: refused.status, code: refused.body["code"] }).toEqual({
      status: 429,
      code: "rate.limited",
    });
    expect(refused.headers.get("retry-after")).toBe("20");
    gateway.now_ms += 19_000;
    expect((await knock()).status).toBe(429);
    gateway.now_ms += 1_000;
    expect((await knock()).status).toBe(200);
  });

  it("count users apart, and believe no X-Forwarded-For", async () => {
    gateway = await startEchoGateway();
    for (let i = 0; i < 3; i++) await knock({ "x-forwarded-for": `10.0.0.${String(i)}` });
    expect((await knock({ "x-forwarded-for": "10.0.0.9" })).status).toBe(429);
    expect((await knock({ authorization: "Bearer customer" })).status).toBe(200);
  });

  it("count requests without a key, or with one that has proved nothing yet, as a guest's writes", async () => {
    gateway = await startEchoGateway();
    const pile = async (key?: string) =>
      (
        await gateway.ask("POST", "/api/v1/pile", {
          json: {},
          headers: key === undefined ? {} : { "x-api-key": key },
        })
      ).status;
    for (let i = 0; i < 40; i += 1) {
      expect(await pile()).toBe(401);
      expect(await pile(`wrong ${String(i)}`)).toBe(401);
    }
    // One guest's token for the first time; from then on the key is known.
    for (let i = 0; i < 60; i += 1) expect(await pile("secret")).toBe(202);
    for (let i = 0; i < 39; i += 1) expect(await pile("wrong")).toBe(401);
    expect([await pile(), await pile("wrong"), await pile("secret")]).toEqual([429, 429, 202]);
    gateway.now_ms += 300_000;
    expect([await pile(), await pile("wrong"), await pile("secret")]).toEqual([401, 401, 202]);
  });

  it("count the clients of a trusted proxy apart, and tell the action who they are", async () => {
    gateway = await startEchoGateway({ env: { TRUSTED_PROXIES: "127.0.0.0/8" } });
    for (let i = 0; i < 3; i++) await knock({ "x-forwarded-for": `1.1.1.${String(i)}, 203.0.113.7` });
    expect((await knock({ "x-forwarded-for": "1.1.1.9, 203.0.113.7" })).status).toBe(429);
    expect((await knock({ "x-forwarded-for": "203.0.113.8" })).status).toBe(200);
    const { body } = await gateway.ask("GET", `/api/v1/echo/${UUID}`, {
      headers: { "x-forwarded-for": "2001:db8:1:2::9" },
    });
    expect(body["meta"]).toMatchObject({ client_address: "2001:db8:1:2" });
  });

  it("hold guests' writes to a generous default and let reads be", async () => {
    gateway = await startEchoGateway();
    const statuses = new Set<number>();
    for (let i = 0; i < 121; i++)
      statuses.add((await gateway.ask("POST", "/api/v1/echo", { json: { name: "a" } })).status);
    expect([...statuses]).toEqual([201, 429]);
    expect((await gateway.ask("GET", `/api/v1/echo/${UUID}`)).status).toBe(200);
    const signedIn = await gateway.ask("POST", "/api/v1/echo", {
      json: { name: "a" },
      headers: { authorization: "Bearer customer" },
    });
    expect(signedIn.status).toBe(201);
  });

  it.each([
    ["customer", "CUSTOMER_WRITES_PER_MINUTE"],
    ["cook", "STAFF_WRITES_PER_MINUTE"],
    ["manager", "STAFF_WRITES_PER_MINUTE"],
  ])("hold the writes of a %s together, by account, to %s, and let reads be", async (token, setting) => {
    gateway = await startEchoGateway({ env: { [setting]: "4" } });
    const headers = { authorization: `Bearer ${token}` };
    const write = (n: number) =>
      n % 2 === 0
        ? gateway.ask("POST", "/api/v1/echo", { json: { name: "a" }, headers })
        : gateway.ask("DELETE", `/api/v1/echo/${UUID}`, { headers });
    for (let n = 0; n < 4; n++) expect((await write(n)).status).toBeLessThan(300);
    expect(await write(4)).toMatchObject({ status: 429, body: { code: "rate.limited" } });
    expect((await gateway.ask("GET", `/api/v1/echo/${UUID}`, { headers })).status).toBe(200);
    // A guest behind the same address, and another account, have their own.
    for (const other of [{}, { authorization: "Bearer other-customer" }])
      expect(
        (await gateway.ask("POST", "/api/v1/echo", { json: { name: "a" }, headers: other })).status,
      ).toBe(201);
  });

  it("leave the writes of a role alone where they are 0", async () => {
    gateway = await startEchoGateway({ env: { CUSTOMER_WRITES_PER_MINUTE: "0" } });
    const headers = { authorization: "Bearer customer" };
    for (let n = 0; n < 130; n++)
      expect((await gateway.ask("POST", "/api/v1/echo", { json: { name: "a" }, headers })).status).toBe(201);
  });

  it("can be lifted", async () => {
    gateway = await startEchoGateway({ env: { RATE_LIMIT: "off" } });
    for (let i = 0; i < 5; i++) expect((await knock()).status).toBe(200);
  });
});

describe("what a device carries", () => {
  let gateway: EchoGateway;
  const carried = "a".repeat(88);
  const greet = (json: object = {}, headers: Record<string, string> = {}) =>
    gateway.ask("POST", "/api/v1/auth/greet", { json, headers });
  beforeEach(async () => {
    gateway = await startEchoGateway();
  });
  afterEach(() => gateway.stop());

  it("comes in a header or in a cookie, the header first", async () => {
    const cookie = `forno_cart=x; forno_device=${"b".repeat(88)}.${"c".repeat(88)}`;
    expect((await greet({}, { "x-device-token": carried, cookie })).body).toEqual({ carried });
    expect((await greet({}, { cookie })).body).toEqual({ carried: `${"b".repeat(88)}.${"c".repeat(88)}` });
  });

  it.each(["", "short", `${carried}.`, Array(9).fill(carried).join("."), `${"a".repeat(87)}!`])(
    "is as good as nothing when it is none of ours (%#), and no reason to refuse",
    async (rubbish) => {
      for (const headers of [{ "x-device-token": rubbish }, { cookie: `forno_device=${rubbish}` }])
        expect(await greet({}, headers)).toMatchObject({ status: 200, body: { carried: null } });
    },
  );

  it("goes to no action that does not take it", async () => {
    const { body } = await gateway.ask("GET", `/api/v1/echo/${UUID}`, {
      headers: { "x-device-token": carried },
    });
    expect(body["meta"]).not.toHaveProperty("device_token");
  });

  it("is given in the header for apps, and in a cookie that no script reads and no other page sends", async () => {
    const { headers } = await greet({ give: carried });
    expect(headers.get("x-device-token")).toBe(carried);
    expect(headers.get("set-cookie")).toBe(
      `forno_device=${carried}; Max-Age=15552000; Path=/api/v1/auth; HttpOnly; SameSite=Strict`,
    );
    expect((await greet()).headers.get("set-cookie")).toBeNull();
  });
});

describe("an action that never answers", () => {
  it("is given up with a 503 that says what to do, and holds up nobody else", async () => {
    const gateway = await startEchoGateway({ answer_ms_max: 100 });
    const silent = Array.from({ length: 3 }, () => gateway.ask("GET", "/api/v1/fail/silent"));
    expect((await gateway.ask("GET", "/api/v1/cached")).status).toBe(200);
    for (const { status, headers, body } of await Promise.all(silent)) {
      expect(status).toBe(503);
      expect(headers.get("retry-after")).toBe("1");
      expect(body).toMatchObject({ code: "http.no_answer", status: 503 });
    }
    await gateway.stop();
  });
});
