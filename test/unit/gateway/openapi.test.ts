import { openApiOf } from "../../../services/gateway/http/openapi";
import { opsContracts } from "../../../services/ops/ops.contract";
import { echoContracts } from "../../integration/gateway/echo.contract";
import { openApiComplaints } from "../../support/openapi-complaints";

type Loose = Record<string, Record<string, Record<string, unknown>>>;
const spec = JSON.parse(JSON.stringify(openApiOf([...echoContracts, ...opsContracts]))) as Record<
  string,
  unknown
>;
const paths = spec["paths"] as Loose;

describe("the OpenAPI document", () => {
  it("is one of OpenAPI 3.1, with valid schemas, references that lead somewhere and unique operation ids", () => {
    expect(openApiComplaints(spec)).toEqual([]);
  });

  it("splits parameters into path, query and body, and leaves out what a door fixes", () => {
    const names = (path: string, method: string) =>
      (paths[path]?.[method]?.["parameters"] as { name?: string; in?: string }[]).map((one) =>
        `${one.in ?? ""} ${one.name ?? ""}`.trim(),
      );
    expect(names("/api/v1/echo/{id}", "get")).toEqual(["path id", "query count", "query loud", "query word"]);
    expect(names("/api/v1/echo/{id}/lines/{line}", "put")).toEqual(["path id", "path line", ""]);
    const body = (path: string) =>
      Object.keys(
        (
          paths[path]?.["post"]?.["requestBody"] as {
            content: { "application/json": { schema: { properties: object } } };
          }
        ).content["application/json"].schema.properties,
      );
    expect(body("/api/v1/echo")).toEqual(["name", "count", "channel", "tree"]);
    expect(body("/api/v1/erp/echo")).toEqual(["name", "count", "tree"]);
  });

  it("describes a body that is one or many, and machines that send a key", () => {
    const pile = paths["/api/v1/pile"]?.["post"] as unknown as Record<string, unknown>;
    expect(pile["requestBody"]).toMatchObject({
      required: true,
      content: {
        "application/json": { schema: { anyOf: [{ type: "array", maxItems: 3 }, { type: "object" }] } },
      },
    });
    expect(pile["security"]).toEqual([{ bearer: [] }, { api_key: [] }]);
  });

  it("tells of Idempotency-Key, tokens, statuses and refusals", () => {
    const make = paths["/api/v1/echo"]?.["post"] as unknown as Record<string, Record<string, unknown>>;
    expect(make["parameters"]).toContainEqual({ $ref: "#/components/parameters/IdempotencyKey" });
    expect(make["security"]).toEqual([{}, { bearer: [] }]);
    expect(Object.keys(make["responses"] ?? {})).toEqual(
      expect.arrayContaining(["201", "400", "413", "415", "429", "503", "4XX"]),
    );
    expect(JSON.stringify(make["responses"])).toContain("echo.full");
    const change = paths["/api/v1/echo/{id}/lines/{line}"]?.["put"] as unknown as Record<string, unknown>;
    expect(change["security"]).toEqual([{ bearer: [] }]);
    expect(paths["/api/v1/cached"]?.["get"]?.["responses"]).toHaveProperty("304");
  });
});
