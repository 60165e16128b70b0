import type { IncomingHttpHeaders } from "node:http";

const COOKIE = "forno_device";
/** Tokens of up to eight accounts; anything else is as good as none, and no reason to refuse a login. */
const CARRIED = /^[\w-]{88}(?:\.[\w-]{88}){0,7}$/;
const COOKIE_VALUE = new RegExp(`(?:^|; *)${COOKIE}=([^; ]*)`);
const KEPT_S = 180 * 86_400;

/** What a device carries to be known again; the header of an app wins over a cookie. */
export function deviceTokenOf(headers: IncomingHttpHeaders): string | undefined {
  const sent = headers["x-device-token"] ?? COOKIE_VALUE.exec(headers.cookie ?? "")?.[1];
  return typeof sent === "string" && CARRIED.test(sent) ? sent : undefined;
}

/** How a device is given what it is to carry: only to where passwords are typed, and to no script. */
export function deviceTokenHeaders(token: string, secure: boolean): string[] {
  const terms = `Path=/api/v1/auth; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
  return ["X-Device-Token", token, "Set-Cookie", `${COOKIE}=${token}; Max-Age=${String(KEPT_S)}; ${terms}`];
}
