import type { IncomingHttpHeaders } from "node:http";
import { RefusedError, refuse } from "../../../mixins/contract/refusal";
import { CART_TOKEN } from "../../cart/cart.events";
import { cookieValue, tokenCookie, tokenHeaders } from "./token-cookie";

const COOKIE = tokenCookie({
  // No other site can have sent it.
  ...{ cookie: "forno_cart", header: "X-Cart-Token", path: "/", same_site: "Strict" },
  kept_s: 30 * 86_400,
});

/** The guest's cart token in a browser's cookie; anything that is none is as good as no cookie. */
export function cookieCartToken(headers: Pick<IncomingHttpHeaders, "cookie">): string | undefined {
  const token = cookieValue(COOKIE, headers);
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

/** How a client is given a token, or null to forget it. */
export function cartTokenHeaders(token: string | null, secure: boolean): string[] {
  return tokenHeaders(COOKIE, token, secure);
}
