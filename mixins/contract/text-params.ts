import type { TSchema } from "@sinclair/typebox";

/** Decimal digits only. Ajv's own coercion takes " " for 0, "0x10" for 16 and "1e999" for Infinity. */
const INTEGER = /^-?\d{1,16}$/;
const NUMBER = /^-?\d{1,16}(\.\d{1,16})?$/;

type Read = (text: string) => unknown;

const asInteger: Read = (text) => (INTEGER.test(text) ? Number(text) : text);
const asNumber: Read = (text) => (NUMBER.test(text) ? Number(text) : text);
const asBoolean: Read = (text) => (text === "true" ? true : text === "false" ? false : text);

/**
 * Reads the text values of flat parameters in place, as the types in their schema want them. Text that is no such value
 * stays text, for the validation to refuse.
 */
export function textReader(schema: TSchema): (params: Record<string, unknown>) => void {
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, TSchema>);
  const readers = properties.flatMap(([name, property]): [string, Read][] => {
    const read = readerOf(typesOf(property));
    return read === undefined ? [] : [[name, read]];
  });
  return (params) => {
    for (const [name, read] of readers) {
      const value = params[name];
      if (typeof value === "string") params[name] = read(value);
    }
  };
}

function readerOf(types: ReadonlySet<unknown>): Read | undefined {
  if (types.has("string")) return undefined;
  if (types.has("number")) return asNumber;
  if (types.has("integer")) return asInteger;
  return types.has("boolean") ? asBoolean : undefined;
}

/** The JSON types that a schema names, through unions. */
function typesOf(schema: TSchema): Set<unknown> {
  const own: unknown = schema["type"];
  const union = (schema["anyOf"] ?? schema["oneOf"] ?? []) as readonly TSchema[];
  return new Set([...(own === undefined ? [] : [own].flat()), ...union.flatMap((one) => [...typesOf(one)])]);
}
