import { Ajv2020 } from "ajv/dist/2020";
import formats from "ajv-formats";
import { openApiOf } from "../../../services/gateway/http/openapi";
import { opsContracts } from "../../../services/ops/ops.contract";
import { echoContracts } from "../../integration/gateway/echo.contract";

/** The bones of OpenAPI 3.1: what a reader of the document relies on. */
const described = {
  type: "object",
  required: ["description"],
  properties: { description: { type: "string", minLength: 1 } },
};
const content = {
  type: "object",
  minProperties: 1,
  additionalProperties: {
    type: "object",
    required: ["schema"],
    properties: { schema: { type: "object" }, example: {} },
    additionalProperties: false,
  },
};
const reference = {
  type: "object",
  required: ["$ref"],
  properties: { $ref: { type: "string", pattern: "^#/components/" } },
  additionalProperties: false,
};
const parameter = {
  type: "object",
  required: ["name", "in", "schema"],
  properties: {
    name: { type: "string" },
    in: { enum: ["path", "query", "header"] },
    required: { type: "boolean" },
    description: { type: "string" },
    schema: { type: "object" },
  },
  additionalProperties: false,
  if: { properties: { in: { const: "path" } } },
  then: { properties: { required: { const: true } }, required: ["required"] },
};
const response = {
  anyOf: [
    reference,
    {
      ...described,
      properties: { ...described.properties, headers: { type: "object" }, content },
      additionalProperties: false,
    },
  ],
};
const operation = {
  type: "object",
  required: ["operationId", "responses", "tags", "security", "parameters"],
  properties: {
    operationId: { type: "string", pattern: "^\\w+$" },
    summary: { type: "string" },
    description: { type: "string" },
    tags: { type: "array", items: { type: "string" } },
    security: { type: "array", items: { type: "object" } },
    parameters: { type: "array", items: { anyOf: [reference, parameter] } },
    requestBody: {
      type: "object",
      required: ["content"],
      properties: { content, required: { type: "boolean" }, description: { type: "string" } },
      additionalProperties: false,
    },
    responses: {
      type: "object",
      minProperties: 1,
      patternProperties: { "^[1-5](\\d\\d|XX)$": response },
      additionalProperties: false,
    },
  },
  additionalProperties: false,
};
const document = {
  type: "object",
  required: ["openapi", "info", "paths", "components"],
  properties: {
    openapi: { const: "3.1.0" },
    info: { type: "object", required: ["title", "version"] },
    paths: {
      type: "object",
      patternProperties: {
        "^/": {
          type: "object",
          patternProperties: { "^(get|post|put|delete)$": operation },
          additionalProperties: false,
        },
      },
      additionalProperties: false,
    },
  },
};

type Loose = Record<string, Record<string, Record<string, unknown>>>;
const spec = JSON.parse(JSON.stringify(openApiOf([...echoContracts, ...opsContracts]))) as Record<
  string,
  unknown
>;
const paths = spec["paths"] as Loose;

describe("the OpenAPI document", () => {
  const ajv = formats(new Ajv2020({ strict: false, allErrors: true }));

  it("has the structure of OpenAPI 3.1", () => {
    ajv.validate(document, spec);
    expect(ajv.errors ?? []).toEqual([]);
  });

  it("has valid schemas, references that lead somewhere and unique operation ids", () => {
    const ids: unknown[] = [];
    const visit = (value: unknown, key: string): void => {
      if (typeof value !== "object" || value === null) return;
      if (key === "schema" && !("$ref" in value)) expect(ajv.validateSchema(value)).toBe(true);
      for (const [name, inner] of Object.entries(value)) {
        if (name === "operationId") ids.push(inner);
        if (name === "$ref")
          expect(
            String(inner)
              .slice(2)
              .split("/")
              .reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], spec),
          ).toBeDefined();
        visit(inner, name);
      }
    };
    visit(spec, "");
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(10);
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
