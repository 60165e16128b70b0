import { randomUUID } from "node:crypto";
import { refusalOf } from "../../../mixins/contract/refusal";
import { cookieGuestToken, guestTokenHeaders } from "../../../services/gateway/http/guest-token";
import { guestTokenOf, isSecretKey, keyHolder, type Carried } from "../../../services/gateway/key-holder";

const GUEST = { user_id: null };
const ANNA = { user_id: "01890a5d-ac96-774b-bcce-b302099a8057" };
const TOKEN = "abcdefghijklmnopqrst_-";
const OTHER = "ABCDEFGHIJKLMNOPQRST12";
const OWN: Carried = { guest_token: TOKEN };
const ORDER = {};
const CART = { cart_token: true } as const;

const holder = (key: string, carried: Carried, who: { user_id: string | null } = GUEST) =>
  keyHolder(key, who, ORDER, carried).name;

describe("whose an Idempotency-Key is", () => {
  it("is the account's of who is signed in, whatever they carry", () => {
    expect(keyHolder("k", ANNA, ORDER, OWN)).toEqual({ name: ANNA.user_id });
    expect(holder("k", {}, ANNA)).toBe(holder("k", OWN, ANNA));
  });

  it.each<[string, Carried, Carried]>([
    ["what a client says of itself", { guest_token: TOKEN }, { guest_token: OTHER }],
    ["a browser's cookie", { guest_cookie: TOKEN }, { guest_cookie: OTHER }],
    ["the cart", { cart_token: TOKEN }, { cart_token: OTHER }],
    ["a machine's key", { api_key: TOKEN }, { api_key: OTHER }],
  ])("is a guest's by %s", (_, mine, yours) => {
    expect(holder("k", mine)).toBe(holder("k", mine));
    expect(holder("k", mine)).not.toBe(holder("k", yours));
    expect(keyHolder("k", GUEST, ORDER, mine).new_guest_token).toBeUndefined();
  });

  it("is nobody else's where a guest carries nothing, and the answer brings a token that is this holder", () => {
    const [one, two] = [keyHolder("k", GUEST, ORDER, {}), keyHolder("k", GUEST, ORDER, {})];
    expect(one.name).not.toBe(two.name);
    const token = one.new_guest_token ?? "";
    expect(guestTokenOf(token)).toBe(token);
    expect(holder("k", { guest_token: token })).toBe(one.name);
    expect(holder("k", { guest_cookie: token })).toBe(one.name);
  });

  it("needs nothing else where the key is a secret: cookies come and go between two attempts", () => {
    const key = randomUUID();
    const bare = holder(key, {});
    expect([{ guest_cookie: TOKEN }, { cart_token: TOKEN }].map((carried) => holder(key, carried))).toEqual([
      bare,
      bare,
    ]);
    expect(keyHolder(key, GUEST, ORDER, {}).new_guest_token).toBeUndefined();
    expect(holder(key, OWN)).not.toBe(bare);
  });

  it("gives no second token where the cart's own comes", () => {
    const [one, two] = [keyHolder("k", GUEST, CART, {}), keyHolder("k", GUEST, CART, {})];
    expect(one.new_guest_token).toBeUndefined();
    expect(one.name).not.toBe(two.name);
  });

  it("keeps kinds of secret apart that read the same", () => {
    const names = [{ guest_cookie: TOKEN }, { cart_token: TOKEN }, { api_key: TOKEN }].map((one) =>
      holder("k", one),
    );
    expect(new Set([...names, holder("k", {}, { user_id: TOKEN })]).size).toBe(4);
  });
});

describe("a key that nobody else can have made up", () => {
  it.each([randomUUID(), randomUUID().toUpperCase(), "0199a3b2-7c1d-7e4f-8a5b-6c7d8e9f0a1b"])("%s", (key) => {
    expect(isSecretKey(key)).toBe(true);
  });

  it.each([
    "my-first-order",
    "00000000-0000-4000-8000-000000000001",
    "11111111-1111-4111-8111-111111111111",
    "01900000-0000-7000-8000-000000000001",
    // Copied from a page that everybody reads.
    "550e8400-e29b-41d4-a716-446655440000",
    // Version 1: of the time and the machine. Version 5: of a name.
    "c232ab00-9414-11ec-b3c8-9f6bdeced846",
    "2ed6657d-e927-568b-95e1-2665a8aea6a2",
    `${randomUUID()}1`,
    randomUUID().replaceAll("-", ""),
  ])("is not %s", (key) => {
    expect(isSecretKey(key)).toBe(false);
  });

  it("is every random UUID, so that nobody's repetition is lost by chance", () => {
    expect(Array.from({ length: 20_000 }, () => randomUUID()).filter((key) => !isSecretKey(key))).toEqual([]);
  });
});

describe("a guest's token", () => {
  it.each(["short", "", `${TOKEN} `, "x".repeat(129), `${TOKEN}, ${OTHER}`])("cannot be %j", (token) => {
    let thrown: unknown;
    try {
      guestTokenOf(token);
    } catch (error) {
      thrown = error;
    }
    expect(refusalOf(thrown)).toMatchObject({ refused: "invalid", code: "guest.bad_token" });
  });

  it("comes in a cookie, where anything else is as good as none", () => {
    expect(cookieGuestToken({ cookie: `a=1; forno_guest=${TOKEN}; b=2` })).toBe(TOKEN);
    for (const cookie of [undefined, "forno_guest=short", `not_forno_guest=${TOKEN}`])
      expect(cookieGuestToken({ ...(cookie === undefined ? {} : { cookie }) })).toBeUndefined();
  });

  it("is given as a header for apps and a cookie that no script reads", () => {
    expect(guestTokenHeaders(TOKEN, false)).toEqual([
      ...["X-Guest-Token", TOKEN],
      ...["Set-Cookie", `forno_guest=${TOKEN}; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax`],
    ]);
    expect(guestTokenHeaders(TOKEN, true).at(-1)).toMatch(/; Secure$/);
  });
});
