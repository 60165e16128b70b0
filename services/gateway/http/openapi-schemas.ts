/**
 * What is refused beyond the words of a schema, as patterns that every dialect of regular expressions reads: formats are
 * narrower here than in JSON Schema (`formats.ts`), and no text may hold NUL, which PostgreSQL cannot keep.
 */
const DATE = "(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-[0-9]{2}-[0-9]{2}";
const PATTERNS: Readonly<Record<string, string>> = {
  date: `^${DATE}$`,
  "date-time": `^${DATE}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?([Zz]|[+-](0[0-9]|1[0-5]):[0-5][0-9])$`,
  uuid: "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
};
const NO_NUL = "^[^\\x00]*$";

/** A schema of what clients send, with the rules that the validator has beside it. The schema itself stays as it is. */
export function told<S>(schema: S): S {
  if (Array.isArray(schema)) return schema.map(told) as S;
  if (typeof schema !== "object" || schema === null) return schema;
  const { examples, default: value, ...rest } = schema as Record<string, unknown>;
  const inner = Object.fromEntries(Object.entries(rest).map(([name, part]) => [name, told(part)]));
  const known = ["pattern", "enum", "const"].some((rule) => Object.hasOwn(inner, rule));
  return {
    ...inner,
    ...(inner["type"] === "string" && !known ? { pattern: PATTERNS[String(inner["format"])] ?? NO_NUL } : {}),
    ...(inner["type"] === "object" && inner["additionalProperties"] !== false ? freeObject(inner) : {}),
    ...(examples === undefined ? {} : { examples }),
    ...(value === undefined ? {} : { default: value }),
  } as S;
}

/** An object whose names are the client's own; what is in it, is too, unless its schema says. */
function freeObject({ patternProperties, additionalProperties }: Readonly<Record<string, unknown>>): object {
  const named = Object.entries((patternProperties ?? {}) as Record<string, object>);
  return {
    propertyNames: { pattern: NO_NUL },
    ...(named.length === 0
      ? {}
      : { patternProperties: Object.fromEntries(named.map(([name, schema]) => [name, opened(schema)])) }),
    additionalProperties: opened(additionalProperties ?? {}),
  };
}

const opened = (schema: object): object => (Object.keys(schema).length === 0 ? ANYTHING : schema);

const ANYTHING = { $ref: "#/components/schemas/Anything" };

/** Any JSON that can be kept. */
export const ANYTHING_SCHEMA = {
  description: "Any JSON without the NUL character",
  anyOf: [
    { type: ["null", "boolean", "number"] },
    { type: "string", pattern: NO_NUL },
    { type: "array", items: ANYTHING },
    { type: "object", propertyNames: { pattern: NO_NUL }, additionalProperties: ANYTHING },
  ],
} as const;
