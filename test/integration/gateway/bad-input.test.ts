import { UUID, startEchoGateway, type EchoAnswer, type EchoGateway } from "./echo-gateway";

const json = { "content-type": "application/json" };

describe("what a client may get wrong over HTTP", () => {
  let gateway: EchoGateway;
  beforeAll(async () => {
    gateway = await startEchoGateway({ env: { RATE_LIMIT: "off" } });
  });
  afterAll(() => gateway.stop());

  const post = (body: string | Buffer, headers: Record<string, string> = json): Promise<EchoAnswer> =>
    gateway.ask("POST", "/api/v1/echo", { body, headers });

  function expectProblem(answer: EchoAnswer, status: number, code: string): void {
    expect({ status: answer.status, code: answer.body["code"] }).toEqual({ status, code });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.body).toMatchObject({ type: "about:blank", status });
    expect(answer.body["request_id"]).toBe(answer.headers.get("x-request-id"));
  }
  const pathsOf = (answer: EchoAnswer): string[] =>
    (answer.body["errors"] as { path: string }[]).map((error) => error.path).sort();

  it("names every field of a query that does not fit", async () => {
    const answer = await gateway.ask("GET", "/api/v1/echo/no-uuid?count=99&loud=maybe&colour=red");
    expectProblem(answer, 400, "input.invalid");
    expect(pathsOf(answer)).toEqual(["/colour", "/count", "/id", "/loud"]);
  });

  it("names every field of a body that does not fit", async () => {
    const answer = await gateway.ask("POST", "/api/v1/echo", {
      json: { name: "", count: "5", colour: "red" },
    });
    expectProblem(answer, 400, "input.invalid");
    expect(pathsOf(answer)).toEqual(["/colour", "/count", "/name"]);
  });

  it("coerces path and query, and never a body", async () => {
    const read = await gateway.ask("GET", `/api/v1/echo/${UUID}?count=3&loud=true&word=caf%C3%A9+noir`);
    expect(read.body["params"]).toEqual({ id: UUID, count: 3, loud: true, word: "café noir" });
    const headers = { authorization: "Bearer manager" };
    const change = await gateway.ask("PUT", `/api/v1/echo/${UUID}/lines/7`, { json: { text: "t" }, headers });
    expect(change.body["params"]).toEqual({ id: UUID, line: 7, text: "t" });
    const text = await gateway.ask("PUT", `/api/v1/echo/${UUID}/lines/7`, { json: { text: 7 }, headers });
    expectProblem(text, 400, "input.invalid");
  });

  it("refuses a name that comes from two places", async () => {
    const twice = await gateway.ask("GET", `/api/v1/echo/${UUID}?id=${UUID}`);
    expectProblem(twice, 400, "input.invalid");
    expect(pathsOf(twice)).toEqual(["/id"]);
    const headers = { authorization: "Bearer manager" };
    const body = await gateway.ask("PUT", `/api/v1/echo/${UUID}/lines/7`, {
      json: { text: "t", line: 8 },
      headers,
    });
    expectProblem(body, 400, "input.invalid");
    expect(pathsOf(body)).toEqual(["/line"]);
  });

  it("lets nobody send what a door fixes", async () => {
    const fixed = await gateway.ask("POST", "/api/v1/erp/echo", { json: { name: "a" } });
    expect(fixed.body).toMatchObject({ name: "a", channel: "erp" });
    const sent = await gateway.ask("POST", "/api/v1/erp/echo", { json: { name: "a", channel: "shop" } });
    expectProblem(sent, 400, "input.invalid");
    expect(pathsOf(sent)).toEqual(["/channel"]);
  });

  it("refuses a query parameter that comes twice, and one on a door with a body", async () => {
    expectProblem(await gateway.ask("GET", `/api/v1/echo/${UUID}?count=1&count=2`), 400, "input.invalid");
    const answer = await gateway.ask("POST", "/api/v1/echo?name=a", { json: {} });
    expectProblem(answer, 400, "input.invalid");
    expect(pathsOf(answer)).toEqual(["/name"]);
  });

  it("reads a[b]=1 as a parameter of that name, which nobody knows", async () => {
    const answer = await gateway.ask("GET", `/api/v1/echo/${UUID}?word[a]=1`);
    expect(pathsOf(answer)).toEqual(["/word[a]"]);
  });

  it.each([
    ["a brace", "{", "http.bad_json", /\(at character 1\)/],
    ["a trailing comma", '{"name":"a",}', "http.bad_json", /\(at character 12\)/],
    ["a list", "[]", "input.not_an_object", /object/],
    ["null", "null", "input.not_an_object", /object/],
    ["a number", "1", "input.not_an_object", /object/],
    ["__proto__ inside", '{"name":"a","tree":{"__proto__":{"x":1}}}', "input.forbidden_key", /__proto__/],
    [
      "__proto__, escaped",
      '{"name":"a","tree":{"\\u005f_proto__":{"x":1}}}',
      "input.forbidden_key",
      /__proto__/,
    ],
    ["a deep nest", `{"name":"a","tree":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, "input.too_deep", /32/],
  ])("answers 400 to %s", async (_, body, code, detail) => {
    const answer = await post(body);
    expectProblem(answer, 400, code);
    expect(answer.body["detail"]).toMatch(detail);
  });

  it("answers 400 to text that no database could store, wherever it comes in", async () => {
    const body = await post('{"name":"a\\u0000","tree":{"b":["\\ud800"]}}');
    expectProblem(body, 400, "input.invalid");
    expect(pathsOf(body)).toEqual(["/name"]);
    expect(pathsOf(await post('{"name":"a","tree":{"b":["\\ud800"]}}'))).toEqual(["/tree/b/0"]);
    const query = await gateway.ask("GET", `/api/v1/echo/${UUID}?word=%00`);
    expectProblem(query, 400, "input.invalid");
    expect(pathsOf(query)).toEqual(["/word"]);
    expectProblem(await gateway.ask("GET", "/api/v1/echo/%00"), 400, "input.invalid");
    expectProblem(await gateway.ask("GET", `/api/v1/echo/${UUID}?word=%ED%A0%80`), 400, "http.bad_encoding");
  });

  it("takes `constructor` and the like for the unknown fields that they are", async () => {
    const answer = await post('{"name":"a","constructor":{"prototype":{"x":1}},"toString":1}');
    expect(pathsOf(answer)).toEqual(["/constructor", "/toString"]);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  it("answers 400 to a query named __proto__", async () => {
    expectProblem(await gateway.ask("GET", `/api/v1/echo/${UUID}?__proto__=1`), 400, "input.invalid");
  });

  it("answers 400 to bytes that are not UTF-8", async () => {
    expectProblem(await post(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), 400, "http.bad_encoding");
  });

  it.each(["/api/v1/echo/%zz", "/%c3%28", `/api/v1/echo/${UUID}?word=%ff`])(
    "answers 400 to the broken encoding %s",
    async (target) => {
      const answer = await gateway.raw(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1.1 400 /);
      expect(answer).toContain("http.bad_encoding");
    },
  );

  it("answers 413 to a body over the limit, whether it says its size or not", async () => {
    expectProblem(await post(JSON.stringify({ name: "x".repeat(300_000) })), 413, "http.body_too_large");
    const chunk = "x".repeat(60_000);
    const chunked = Array.from({ length: 6 }, () => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
    const answer = await gateway.raw(
      `POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  it.each([
    ["text/plain", {}],
    ["application/x-www-form-urlencoded", {}],
    ["application/json; charset=windows-1251", {}],
    ["application/json", { "content-encoding": "gzip" }],
  ])("answers 415 to %s %j", async (type, more) => {
    const answer = await post('{"name":"a"}', { "content-type": type, ...more });
    expect(answer.status).toBe(415);
  });

  it("takes application/json with charset utf-8", async () => {
    expect((await post('{"name":"a"}', { "content-type": "application/json;charset=UTF-8" })).status).toBe(
      201,
    );
  });

  it("answers 400 to a body where none belongs", async () => {
    expectProblem(
      await gateway.ask("DELETE", `/api/v1/echo/${UUID}`, { json: {} }),
      400,
      "http.body_not_expected",
    );
  });

  it("answers 404 to unknown paths, and 405 with Allow to known ones with another method", async () => {
    expectProblem(await gateway.ask("GET", "/api/v1/nothing"), 404, "http.not_found");
    expectProblem(await gateway.ask("GET", "/~node/list"), 404, "http.not_found");
    expectProblem(await gateway.ask("GET", "/echo/make"), 404, "http.not_found");
    expectProblem(await gateway.ask("GET", "/API/v1/echo/mine"), 404, "http.not_found");
    const wrong = await gateway.ask("PATCH", `/api/v1/echo/${UUID}`);
    expectProblem(wrong, 405, "http.method_not_allowed");
    expect(wrong.headers.get("allow")).toBe("HEAD, DELETE, GET");
    expectProblem(await gateway.ask("POST", "/api/openapi.json"), 405, "http.method_not_allowed");
  });

  it.each([
    ["an enormous address", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ["enormous headers", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(20_000)}\r\n\r\n`, 431],
    ["no HTTP at all", "hello\r\n\r\n", 400],
    [
      "two lengths",
      "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
      400,
    ],
    [
      "a length and chunks",
      "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["a foreign target", "GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400],
    [
      "a bad chunk",
      "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      400,
    ],
  ])("answers %s with its own status", async (_, bytes, status) => {
    expect(await gateway.raw(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${String(status)} `));
  });

  it("survives a client that hangs up in the middle of a body", async () => {
    await gateway.raw(
      "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    );
    expect((await gateway.ask("GET", "/api/v1/cached")).status).toBe(200);
  });

  it.each(["x".repeat(256), "ключ", "a b", ""])("answers 400 to the Idempotency-Key %j", async (key) => {
    const answer = await gateway.raw(
      `POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: ${key}\r\nContent-Length: 12\r\n\r\n{"name":"a"}`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain("idempotency.bad_key");
  });

  it("logged none of this as a defect", () => {
    expect(gateway.defects).toEqual([]);
  });
});
