import { RefusedError } from "../../../mixins/contract/refusal";
import type { FieldError } from "../../../mixins/contract/refusal";
import { invalidInput } from "../../../mixins/contract/validation";
import { HttpRefusal } from "./problem";

/** More parameters than any contract has. */
const PARAMETERS_MAX = 100;

/**
 * Reads a query string into flat text parameters. Strict where lenient parsers guess: a name that comes twice is refused,
 * `a[b]=1` is a parameter named `a[b]`, broken percent-encoding and `__proto__` are errors.
 * @throws RefusedError `input.invalid`, HttpRefusal 400 `http.bad_encoding`
 */
export function parseQuery(text: string): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  if (text === "") return params;
  const errors: FieldError[] = [];
  for (const pair of text.split("&", PARAMETERS_MAX + 1)) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (name === "__proto__") errors.push({ path: `/${name}`, message: "is not a known field" });
    else if (Object.hasOwn(params, name))
      errors.push({ path: `/${name}`, message: "is given more than once" });
    else params[name] = equals === -1 ? "" : decode(pair.slice(equals + 1));
  }
  if (Object.keys(params).length > PARAMETERS_MAX)
    errors.push({ path: "/", message: `must not have more than ${String(PARAMETERS_MAX)} parameters` });
  if (errors.length > 0) throw new RefusedError(invalidInput(errors));
  return params;
}

function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  return spaced.includes("%") ? decodePercent(spaced, "query string") : spaced;
}

/** Decodes percent-encoded UTF-8. @throws HttpRefusal 400 `http.bad_encoding` */
export function decodePercent(text: string, where: "path" | "query string"): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
    throw new HttpRefusal(400, "http.bad_encoding", `The ${where} is not percent-encoded UTF-8.`);
  }
}
