import { Errors } from "moleculer";
import { RefusedError, UnavailableError, refuse, type RefusalKind } from "../../../mixins/contract/refusal";
import { HttpRefusal, problemOf } from "../../../services/gateway/http/problem";

/** What is left of an error that came over the transporter. */
function fromAnotherNode(error: Error): Error {
  const { name, message } = error;
  return Object.assign(new Error(message), { name, ...JSON.parse(JSON.stringify(error)) }) as Error;
}

describe("what an error means over HTTP", () => {
  it.each<[RefusalKind, number]>([
    ["invalid", 400],
    ["unauthorized", 401],
    ["forbidden", 403],
    ["not_found", 404],
    ["conflict", 409],
    ["unprocessable", 422],
    ["rate_limited", 429],
  ])("answers a refusal of kind %s with %i, here and from another node", (kind, status) => {
    const error = new RefusedError(
      refuse(kind, "room.reason", "Do this.", { extra: 1, status: 1, code: "x" }),
    );
    for (const one of [error, fromAnotherNode(error)]) {
      const problem = problemOf(one);
      expect(problem.kind).toBe("refusal");
      expect(problem.document).toMatchObject({
        status,
        code: "room.reason",
        detail: "Do this.",
        extra: 1,
        type: "about:blank",
      });
    }
  });

  it("says how to sign in, and when to come back in whole seconds", () => {
    expect(
      problemOf(new RefusedError(refuse("unauthorized", "a.b", "No."))).headers["WWW-Authenticate"],
    ).toMatch(/^Bearer/);
    const hasty = new RefusedError(refuse("rate_limited", "a.b", "No.", { retry_after_s: 1.2 }));
    expect(problemOf(hasty).headers).toEqual({ "Retry-After": "2" });
    expect(problemOf(new UnavailableError("a.b", "No.", { retry_after_s: 0 })).headers).toEqual({
      "Retry-After": "1",
    });
  });

  it.each([
    ["UnavailableError", new UnavailableError("log.unavailable", "Later."), "log.unavailable"],
    [
      "a service that nobody hosts",
      new Errors.ServiceNotFoundError({ action: "a", nodeID: "n" }),
      "service.unavailable",
    ],
    [
      "a service that is away",
      new Errors.ServiceNotAvailableError({ action: "a", nodeID: "n" }),
      "service.unavailable",
    ],
    ["a timeout", new Errors.RequestTimeoutError({ action: "a", nodeID: "n" }), "service.unavailable"],
    [
      "a rejected request",
      new Errors.RequestRejectedError({ action: "a", nodeID: "n" }),
      "service.unavailable",
    ],
    ["a full queue", new Errors.QueueIsFullError({ action: "a", nodeID: "n" }), "service.unavailable"],
    [
      "a refused connection",
      Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
      "database.unavailable",
    ],
    [
      "a missing socket",
      Object.assign(new Error("connect"), { code: "ENOENT", syscall: "connect" }),
      "database.unavailable",
    ],
    [
      "a database that shuts down",
      Object.assign(new Error("admin"), { code: "57P01" }),
      "database.unavailable",
    ],
    ["a cut connection", new Error("Connection terminated unexpectedly"), "database.unavailable"],
    [
      "what TypeORM wraps",
      Object.assign(new Error("x"), { driverError: Object.assign(new Error("y"), { code: "08006" }) }),
      "database.unavailable",
    ],
  ])("answers %s with 503 and Retry-After", (_, error, code) => {
    for (const one of [error, fromAnotherNode(error)]) {
      if (one !== error && "driverError" in error) continue;
      const problem = problemOf(one);
      expect(problem).toMatchObject({ kind: "fault", document: { status: 503, code } });
      expect(Number(problem.headers["Retry-After"])).toBeGreaterThan(0);
    }
  });

  it("keeps what HTTP itself refuses, with its headers", () => {
    expect(problemOf(new HttpRefusal(405, "http.method_not_allowed", "No.", { Allow: "GET" }))).toEqual({
      kind: "refusal",
      headers: { Allow: "GET" },
      document: {
        type: "about:blank",
        title: "Method Not Allowed",
        status: 405,
        code: "http.method_not_allowed",
        detail: "No.",
      },
    });
  });

  it.each([
    new Error("secret"),
    new TypeError("secret"),
    Object.assign(new Error("secret"), { code: "ENOENT", syscall: "open" }),
    Object.assign(new Error("secret"), { code: "42P01" }),
    new Errors.ValidationError("secret", "X", {}),
    "secret",
    null,
    undefined,
  ])("takes %p for a defect and hides its message", (error) => {
    const problem = problemOf(error);
    expect(problem).toMatchObject({ kind: "defect", document: { status: 500, code: "internal" } });
    expect(JSON.stringify(problem)).not.toContain("secret");
  });
});
