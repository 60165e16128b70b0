import type { IncomingMessage } from "node:http";
import type { FieldError } from "../../../mixins/contract/refusal";
import { RefusedError, orThrow } from "../../../mixins/contract/refusal";
import { invalidInput } from "../../../mixins/contract/validation";
import type { Door } from "./door";
import { hasBody, readJsonBody, readJsonList } from "./json-body";
import { HttpRefusal } from "./problem";
import { parseQuery } from "./query-string";

type Params = Record<string, unknown>;

/**
 * The flat parameters of a request: path and query as text, coerced by the schema; a JSON body exactly as it came; and
 * what the door fixes. A name comes from one place.
 * @throws RefusedError `input.invalid`, HttpRefusal 400, 413, 415
 */
export async function paramsOfRequest(door: Door, req: IncomingMessage, path: Params): Promise<Params> {
  const query = parseQuery(queryOf(req.url ?? ""));
  if (!door.takes_body) {
    if (hasBody(req)) throw new HttpRefusal(400, "http.body_not_expected", "This method takes no body.");
    return textParams(door, path, query);
  }
  refuseNames(Object.keys(query), "is given in the query string, but belongs into the body");
  if (door.path_names.length > 0) orThrow(door.coerce(path));
  const { body_array, body_bytes_max } = door.binding;
  const body =
    body_array === undefined
      ? await readJsonBody(req, body_bytes_max)
      : { [body_array]: await readJsonList(req, body_bytes_max) };
  return bodyParams(door, path, body);
}

/** Parameters of a door without a body. */
export function textParams(door: Door, path: Params, query: Params): Params {
  refuseTaken(door, query);
  const params = Object.assign(query, path, door.binding.fixed);
  orThrow(door.coerce(params));
  return params;
}

/** Parameters of a door with a body; `path` is coerced already. */
export function bodyParams(door: Door, path: Params, body: Params): Params {
  refuseTaken(door, body);
  return Object.assign(body, path, door.binding.fixed);
}

function refuseTaken(door: Door, given: Params): void {
  if (door.taken_names.length === 0) return;
  const twice = door.taken_names.filter((name) => Object.hasOwn(given, name));
  const fixed = door.binding.fixed ?? {};
  const errors = twice.map((name): FieldError => {
    const message = Object.hasOwn(fixed, name) ? "is not a known field" : "is given by the path already";
    return { path: `/${name}`, message };
  });
  if (errors.length > 0) throw new RefusedError(invalidInput(errors));
}

function refuseNames(names: readonly string[], message: string): void {
  if (names.length === 0) return;
  throw new RefusedError(invalidInput(names.map((name) => ({ path: `/${name}`, message }))));
}

/** Path of a request target, without its query string. */
export function pathOf(url: string): string {
  const mark = url.indexOf("?");
  return mark === -1 ? url : url.slice(0, mark);
}

function queryOf(url: string): string {
  const mark = url.indexOf("?");
  return mark === -1 ? "" : url.slice(mark + 1);
}
