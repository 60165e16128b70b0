import type { TSchema } from "@sinclair/typebox";
import { Ajv, type ErrorObject } from "ajv";
import formats from "ajv-formats";
import { refuse, type FieldError, type Refusal } from "./refusal";

const options = { allErrors: true, useDefaults: true, strict: false, messages: true } as const;
/** JSON bodies are taken as they are: "5" is not 5. */
const exact = formats.default(new Ajv(options));
/** Path and query parameters are strings by nature. */
const coercing = formats.default(new Ajv({ ...options, coerceTypes: true }));

export type Validate = (value: unknown) => Refusal | undefined;

/** Compiles a schema once into a check that names every offending field. */
export function validatorOf(schema: TSchema, mode: "exact" | "coerce" = "exact"): Validate {
  const check = (mode === "exact" ? exact : coercing).compile(schema);
  return (value) =>
    check(value)
      ? undefined
      : refuse("invalid", "input.invalid", "The request does not fit its contract; see errors.", {
          errors: (check.errors ?? []).map(fieldError),
        });
}

function fieldError(error: ErrorObject): FieldError {
  const params = error.params as Record<string, unknown>;
  const child = params["additionalProperty"] ?? params["missingProperty"];
  const path = child === undefined ? error.instancePath : `${error.instancePath}/${String(child)}`;
  const message =
    error.keyword === "additionalProperties" ? "is not a known field" : (error.message ?? error.keyword);
  return { path: path === "" ? "/" : path, message };
}
