import type { IncomingHttpHeaders } from "node:http";
import { cookieValue, tokenCookie, tokenHeaders } from "./token-cookie";

const COOKIE = tokenCookie({
  // Only to where passwords are typed.
  ...{ cookie: "forno_device", header: "X-Device-Token", path: "/api/v1/auth", same_site: "Strict" },
  kept_s: 180 * 86_400,
});
/** Tokens of up to eight accounts; anything else is as good as none, and no reason to refuse a login. */
const CARRIED = /^[\w-]{88}(?:\.[\w-]{88}){0,7}$/;

/** What a device carries to be known again; the header of an app wins over a cookie. */
export function deviceTokenOf(headers: IncomingHttpHeaders): string | undefined {
  const sent = headers["x-device-token"] ?? cookieValue(COOKIE, headers);
  return typeof sent === "string" && CARRIED.test(sent) ? sent : undefined;
}

/** How a device is given what it is to carry. */
export function deviceTokenHeaders(token: string, secure: boolean): string[] {
  return tokenHeaders(COOKIE, token, secure);
}
