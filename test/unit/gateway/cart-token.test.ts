import type { IncomingHttpHeaders } from "node:http";
import { refusalOf } from "../../../mixins/contract/refusal";
import { cartTokenHeaders, cartTokenOf, cookieCartToken } from "../../../services/gateway/http/cart-token";

const TOKEN = "abcdefghijklmnopqrst_-";
const OTHER = "ABCDEFGHIJKLMNOPQRST12";

describe("the cart token that a request carries", () => {
  it.each<[string, IncomingHttpHeaders, string | undefined]>([
    ["none", {}, undefined],
    ["an app's header", { "x-cart-token": TOKEN }, TOKEN],
    ["a browser's cookie", { cookie: `forno_cart=${TOKEN}` }, TOKEN],
    ["a cookie among others", { cookie: `a=1; forno_cart=${TOKEN}; b=2` }, TOKEN],
    ["both: the header counts", { "x-cart-token": OTHER, cookie: `forno_cart=${TOKEN}` }, OTHER],
    ["another cookie whose name ends alike", { cookie: `not_forno_cart=${TOKEN}` }, undefined],
    ["a cookie that is none of ours", { cookie: "forno_cart=short" }, undefined],
  ])("%s", (_, headers, token) => {
    expect(cartTokenOf(headers)).toBe(token);
  });

  it.each(["short", "", `${TOKEN} `, "x".repeat(65), `${TOKEN}, ${OTHER}`])(
    "a header that cannot be a token is refused: %j",
    (token) => {
      let thrown: unknown;
      try {
        cartTokenOf({ "x-cart-token": token });
      } catch (error) {
        thrown = error;
      }
      expect(refusalOf(thrown)?.code).toBe("cart.bad_token");
    },
  );

  it("is read from the cookie alone where there are no headers of one's own", () => {
    expect(cookieCartToken({ cookie: `forno_cart=${TOKEN}` })).toBe(TOKEN);
  });
});

describe("the cart token that a client is given", () => {
  it("is a header for apps and a cookie for browsers, secure where the request was", () => {
    const cookie = `forno_cart=${TOKEN}; Max-Age=2592000; Path=/; HttpOnly; SameSite=Strict`;
    expect(cartTokenHeaders(TOKEN, false)).toEqual(["X-Cart-Token", TOKEN, "Set-Cookie", cookie]);
    expect(cartTokenHeaders(TOKEN, true).at(-1)).toBe(`${cookie}; Secure`);
  });

  it("is taken back", () => {
    expect(cartTokenHeaders(null, false)).toEqual([
      "Set-Cookie",
      "forno_cart=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict",
    ]);
  });
});
