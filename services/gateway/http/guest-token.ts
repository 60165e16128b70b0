import type { IncomingHttpHeaders } from "node:http";
import { GUEST_TOKEN } from "../key-holder";

const COOKIE = "forno_guest";
const COOKIE_VALUE = new RegExp(`(?:^|; *)${COOKIE}=([^; ]*)`);
/** As long as answers are kept. */
const THIRTY_DAYS_S = 30 * 86_400;

/** The guest's token in a browser's cookie; anything that is none is as good as no cookie. */
export function cookieGuestToken({ cookie }: Pick<IncomingHttpHeaders, "cookie">): string | undefined {
  const token = cookie === undefined ? undefined : COOKIE_VALUE.exec(cookie)?.[1];
  return token !== undefined && GUEST_TOKEN.test(token) ? token : undefined;
}

/** How a client is given a guest's token: apps read the header, browsers keep the cookie, which no script can read. */
export function guestTokenHeaders(token: string, secure: boolean): string[] {
  const terms = `Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
  return [
    "X-Guest-Token",
    token,
    "Set-Cookie",
    `${COOKIE}=${token}; Max-Age=${String(THIRTY_DAYS_S)}; ${terms}`,
  ];
}
