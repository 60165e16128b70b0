import { Ajv2020 } from "ajv/dist/2020";
import formats from "ajv-formats";

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

/** What keeps a document from being one of OpenAPI 3.1; nothing, if all is well. */
export function openApiComplaints(spec: Readonly<Record<string, unknown>>): string[] {
  const ajv = formats(new Ajv2020({ strict: false, allErrors: true }));
  ajv.validate(document, spec);
  const complaints = (ajv.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath} ${message ?? ""}`,
  );
  const ids = new Set<unknown>();
  const visit = (value: unknown, key: string, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    if (key === "schema" && !("$ref" in value) && ajv.validateSchema(value) !== true)
      complaints.push(`${path} is no JSON Schema`);
    for (const [name, inner] of Object.entries(value)) {
      if (name === "operationId" && ids.size === ids.add(inner).size)
        complaints.push(`${path} has the id of another operation`);
      if (name === "$ref" && !leadsSomewhere(spec, String(inner)))
        complaints.push(`${path} refers to ${String(inner)}, which is not there`);
      visit(inner, name, `${path}/${name}`);
    }
  };
  visit(spec, "", "");
  if (ids.size === 0) complaints.push("There is no operation.");
  return complaints;
}

function leadsSomewhere(spec: unknown, reference: string): boolean {
  const parts = reference.slice(2).split("/");
  return (
    parts.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], spec) !==
    undefined
  );
}
