import type { IncomingHttpHeaders } from "node:http";

/** A secret that a client is given and sends back: apps in a header, browsers in a cookie, which no script can read. */
interface Terms {
  readonly cookie: string;
  /** As it is written in answers, e.g. `X-Cart-Token`. */
  readonly header: string;
  readonly path: string;
  readonly same_site: "Strict" | "Lax";
  readonly kept_s: number;
}

export interface TokenCookie extends Terms {
  /** Finds its value among all cookies of a request. */
  readonly value: RegExp;
}

export function tokenCookie(terms: Terms): TokenCookie {
  return { ...terms, value: new RegExp(`(?:^|; *)${terms.cookie}=([^; ]*)`) };
}

/** What a browser sends of it, whatever it is; undefined: no such cookie. */
export function cookieValue(
  { value }: TokenCookie,
  { cookie }: Pick<IncomingHttpHeaders, "cookie">,
): string | undefined {
  return cookie === undefined ? undefined : value.exec(cookie)?.[1];
}

/**
 * The headers of an answer that gives a token, or null to forget it.
 * @param secure whether the request came by TLS; so does the cookie then.
 */
export function tokenHeaders(of: TokenCookie, token: string | null, secure: boolean): string[] {
  const terms = `Path=${of.path}; HttpOnly; SameSite=${of.same_site}${secure ? "; Secure" : ""}`;
  if (token === null) return ["Set-Cookie", `${of.cookie}=; Max-Age=0; ${terms}`];
  const cookie = `${of.cookie}=${token}; Max-Age=${String(of.kept_s)}; ${terms}`;
  return [of.header, token, "Set-Cookie", cookie];
}
