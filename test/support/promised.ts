import { match } from "path-to-regexp";
import { doorsOf } from "../../services/gateway/http/door";
import { openApiOf } from "../../services/gateway/http/openapi";
import { Router, type Routable } from "../../services/gateway/http/router";
import { CONTRACTS } from "./contracts";

interface Promised {
  readonly responses: Readonly<Record<string, { readonly description?: string }>>;
}

const { paths } = openApiOf(CONTRACTS) as { readonly paths: Record<string, Record<string, Promised>> };
const router = new Router(
  doorsOf(CONTRACTS).map(({ binding: { method, path } }): Routable => {
    const matching = match(path);
    return {
      method,
      fullPath: path,
      match: (given) => {
        const found = matching(given);
        return found === false ? false : found.params;
      },
    };
  }),
);

/**
 * What an answer does that the OpenAPI document does not tell of its operation; undefined where it tells, or where nothing
 * is at the address. Every answer that a test gets from a whole Forno passes here.
 * @param code of a problem document; absent for a success.
 */
export function unpromised(method: string, route: string, status: number, code?: string): string | undefined {
  const [address = ""] = route.split("?");
  if (/%(?![\da-f]{2})/i.test(address)) return undefined;
  const found = router.find(method === "HEAD" ? "GET" : method, address.replace(/(?<=.)\/$/, ""));
  if (found === undefined) return undefined;
  const path = found.alias.fullPath.replaceAll(/:(\w+)/g, "{$1}");
  const responses = paths[path]?.[found.alias.method.toLowerCase()]?.responses ?? {};
  const who = `${method} ${path} answered ${String(status)} ${code ?? ""}`;
  if (status < 400) return responses[String(status)] === undefined ? `${who}: no such status` : undefined;
  // A node that is no gateway has nothing at the address.
  if (code === "http.not_found") return undefined;
  // Our own mistakes are promised nowhere.
  if (status >= 500) return status === 503 ? undefined : `${who}: a defect`;
  return responses["4XX"]?.description?.includes(`\`${String(code)}\``) === true
    ? undefined
    : `${who}: no such code`;
}
