import type { TSchema } from "@sinclair/typebox";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import formats from "ajv-formats";
import { STORABLE_FORMATS } from "./formats";
import { refuse, type FieldError, type Refusal } from "./refusal";
import { FORMS } from "../text/forms";
import { findUnstorableText } from "./storable-text";
import { textReader } from "./text-params";

/** `strictNumbers`: JSON's 1e999 parses to Infinity, which is no number of ours. */
const ajv = formats(
  new Ajv({ allErrors: true, useDefaults: true, strict: false, strictNumbers: true, messages: true }),
);
for (const [name, format] of Object.entries(STORABLE_FORMATS)) ajv.addFormat(name, format);
// Before all other keywords of text, the first of which is maxLength: they look at the one form.
ajv.addKeyword({
  ...{ keyword: "x-read-as", type: "string", before: "maxLength", modifying: true, errors: false },
  compile: (kind: keyof typeof FORMS) => (typed: string, at) => {
    const form = FORMS[kind](typed);
    // What other rooms hand over has its form already, and may be frozen; a text by itself stands in nothing.
    if (form !== typed && at?.parentData !== undefined)
      (at.parentData as Record<string | number, string>)[at.parentDataProperty] = form;
    return true;
  },
});
/** A hostile body can break a rule a hundred thousand times; a reader needs the first few. */
const FIELD_ERRORS_MAX = 50;

const UNSTORABLE = "must not hold the NUL character or half of a surrogate pair";

export type Validate = (value: unknown) => Refusal | undefined;

/**
 * A check that names the offending fields and fills in defaults. `exact` takes values as they are, as JSON bodies are: "5"
 * is not 5. `coerce` first reads text as what the schema wants, in place: path and query parameters are text by nature.
 * Whatever comes from outside passes here, so here text is refused that the database could not store; `inside` spares that
 * walk through the whole value for calls that only other rooms can make.
 *
 * The schema is compiled at its first use: a node knows a few hundred contracts, and compiling them all would cost more
 * than the rest of its start.
 */
export function validatorOf(schema: TSchema, mode: "exact" | "coerce" | "inside" = "exact"): Validate {
  let check: ValidateFunction | undefined;
  const readText = mode === "coerce" ? textReader(schema) : undefined;
  return (value) => {
    readText?.(value as Record<string, unknown>);
    const valid = (check ??= ajv.compile(schema));
    if (!valid(value)) return invalidInput((valid.errors ?? []).slice(0, FIELD_ERRORS_MAX).map(fieldError));
    const path = mode === "inside" ? undefined : findUnstorableText(value);
    return path === undefined ? undefined : invalidInput([{ path, message: UNSTORABLE }]);
  };
}

/** The refusal of input that does not fit its contract. */
export function invalidInput(errors: readonly FieldError[]): Refusal {
  return refuse("invalid", "input.invalid", "The request does not fit its contract; see errors.", { errors });
}

function fieldError(error: ErrorObject): FieldError {
  const params = error.params as Readonly<Record<string, string | undefined>>;
  const child = params["additionalProperty"] ?? params["missingProperty"];
  const path = child === undefined ? error.instancePath : `${error.instancePath}/${child}`;
  const message =
    error.keyword === "additionalProperties" ? "is not a known field" : (error.message ?? error.keyword);
  return { path: path === "" ? "/" : path, message };
}
