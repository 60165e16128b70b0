import type { IncomingHttpHeaders } from "node:http";
import { RefusedError, refuse } from "../../../mixins/contract/refusal";
import { CART_TOKEN } from "../../cart/cart.events";

const COOKIE = "forno_cart";
const COOKIE_VALUE = new RegExp(`(?:^|; *)${COOKIE}=([^; ]*)`);
const THIRTY_DAYS_S = 30 * 86_400;

/** The guest's cart token in a browser's cookie; anything that is none is as good as no cookie. */
export function cookieCartToken({ cookie }: Pick<IncomingHttpHeaders, "cookie">): string | undefined {
  const token = cookie === undefined ? undefined : COOKIE_VALUE.exec(cookie)?.[1];
  return token !== undefined && CART_TOKEN.test(token) ? token : undefined;
}

/** The guest's cart token that a request carries; the header of an app wins over a cookie. @throws RefusedError `cart.bad_token` */
export function cartTokenOf(headers: IncomingHttpHeaders): string | undefined {
  const token = headers["x-cart-token"];
  if (token === undefined) return cookieCartToken(headers);
  if (typeof token === "string" && CART_TOKEN.test(token)) return token;
  throw new RefusedError(
    refuse("invalid", "cart.bad_token", "X-Cart-Token is sent as it was given; leave it out for a new cart."),
  );
}

/**
 * How a client is given a token, or null to forget it: apps read the header, browsers keep the cookie, which no script can
 * read and no other site can have sent.
 * @param secure whether the request came by TLS; so does the cookie then.
 */
export function cartTokenHeaders(token: string | null, secure: boolean): string[] {
  const terms = `Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
  if (token === null) return ["Set-Cookie", `${COOKIE}=; Max-Age=0; ${terms}`];
  return [
    "X-Cart-Token",
    token,
    "Set-Cookie",
    `${COOKIE}=${token}; Max-Age=${String(THIRTY_DAYS_S)}; ${terms}`,
  ];
}
