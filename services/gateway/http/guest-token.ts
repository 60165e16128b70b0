import type { IncomingHttpHeaders } from "node:http";
import { GUEST_TOKEN } from "../key-holder";
import { cookieValue, tokenCookie, tokenHeaders } from "./token-cookie";

const COOKIE = tokenCookie({
  ...{ cookie: "forno_guest", header: "X-Guest-Token", path: "/", same_site: "Lax" },
  // As long as answers are kept.
  kept_s: 30 * 86_400,
});

/** The guest's token in a browser's cookie; anything that is none is as good as no cookie. */
export function cookieGuestToken(headers: Pick<IncomingHttpHeaders, "cookie">): string | undefined {
  const token = cookieValue(COOKIE, headers);
  return token !== undefined && GUEST_TOKEN.test(token) ? token : undefined;
}

/** How a client is given a guest's token. */
export function guestTokenHeaders(token: string, secure: boolean): string[] {
  return tokenHeaders(COOKIE, token, secure);
}
