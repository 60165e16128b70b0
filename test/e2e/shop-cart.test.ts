import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Chain, type Placed, type Problem } from "../support/chain";
import { eventually } from "../support/eventually";
import { FornoUnderTest, type Answer } from "../support/forno";
import { heardOf, IoListener, news, PlainListener, type Listener } from "../support/listener";

const HOW = { fulfilment: "pickup", payment_method: "cash" };
const CARTS_KILLED = 24;

interface Cart {
  readonly items: readonly {
    readonly line_id: string;
    readonly menu_item_id: string;
    readonly quantity: number;
  }[];
  readonly total_minor: number;
}
interface Tokens {
  readonly token: string;
  readonly user_id: string;
}

let forno: FornoUnderTest;
let chain: Chain;
let pepperoni: string;

/** A client of the shop: an app that sends its cart's token in a header, or a browser with a cookie jar. */
class Client {
  token: string | undefined;
  cart: string | undefined;
  cookie: string | undefined;

  constructor(readonly browses = false) {}

  async ask<T = Cart & Problem>(
    method: string,
    route: string,
    body?: object,
    key?: string,
  ): Promise<Answer<T>> {
    const headers: Record<string, string> = {};
    if (key !== undefined) headers["idempotency-key"] = key;
    if (this.browses && this.cookie !== undefined) headers["cookie"] = `theme=dark; ${this.cookie}`;
    if (!this.browses && this.cart !== undefined) headers["x-cart-token"] = this.cart;
    const answer = await forno.ask<T>(method, route, { body, token: this.token, headers });
    this.cart = answer.headers.get("x-cart-token") ?? this.cart;
    const [cookie] = answer.headers.getSetCookie();
    if (cookie !== undefined)
      this.cookie = cookie.includes("Max-Age=0") ? undefined : cookie.split(";", 1)[0];
    return answer;
  }

  add = (quantity = 1, key?: string): Promise<Answer<Cart & Problem>> =>
    this.ask("POST", `/api/cart/add/${pepperoni}`, { quantity }, key);
  checkout = (key?: string): Promise<Answer<Placed & Problem & { last_order_id?: string }>> =>
    this.ask("POST", "/api/cart/checkout", HOW, key);

  async quantities(): Promise<number[]> {
    const { body } = await this.ask("GET", "/api/cart");
    return body.items.map(({ quantity }) => quantity);
  }

  async register(): Promise<string> {
    const body = { name: "Anna", email: `${randomUUID()}@forno.test`, password: "long enough for anybody" };
    const answer = await forno.ask<Tokens>("POST", "/api/v1/auth/register", { body });
    this.token = answer.body.token;
    return answer.body.user_id;
  }
}

async function customer(): Promise<Client> {
  const client = new Client();
  await client.register();
  return client;
}

const updates = (listener: Listener, type = "cart:updated"): unknown[] =>
  news(listener)
    .filter((message) => message.type === type)
    .map(({ data }) => data);
const plain = async (query: string, headers: Record<string, string> = {}): Promise<PlainListener> => {
  const listener = new PlainListener(forno.port, `/ws?${query}`, { headers });
  await heardOf(listener, "ready");
  return listener;
};
const io = async (auth: object): Promise<IoListener> => {
  const listener = new IoListener(forno.port, "/shop", auth);
  await heardOf(listener, "ready");
  return listener;
};

beforeAll(async () => {
  forno = await FornoUnderTest.started();
  chain = await Chain.of(forno);
  pepperoni = chain.dish("Pepperoni").id;
  await chain.desk("PUT", "/api/v1/erp/slots/config", { capacity_minor: 1_000_000_000 });
});
afterAll(() => forno.remove());

describe("the cart over REST", () => {
  it("is kept by a browser in a cookie that no script and no other site can use", async () => {
    const browser = new Client(true);
    const { headers } = await browser.add();
    const kept = headers.getSetCookie();
    expect(kept).toEqual([
      expect.stringMatching(/^forno_cart=[\w-]{22}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    // Thirty days from the last change on, not from the first.
    expect((await browser.add(2)).headers.getSetCookie()).toEqual(kept);
    expect(await browser.quantities()).toEqual([3]);
    // Of whoever is no trusted proxy it is not believed.
    const https = await forno.ask("POST", `/api/cart/add/${pepperoni}`, {
      headers: { "x-forwarded-proto": "https" },
    });
    expect(https.headers.getSetCookie()[0]).not.toContain("; Secure");
  });

  it("is kept by an app by its token, and refuses a token that cannot be one", async () => {
    const app = new Client();
    await app.add();
    expect(app.cart).toMatch(/^[\w-]{22}$/);
    const { body: before } = await app.ask("GET", "/api/cart");
    const [line] = before.items;
    const extras = chain.dish("Pepperoni").extras.slice(0, 1);
    const changed = await app.ask("PUT", "/api/cart/update", { line_id: line?.line_id, quantity: 4, extras });
    expect(changed.body.items).toMatchObject([{ quantity: 4, extras }]);
    expect((await app.ask("DELETE", `/api/cart/remove/${String(line?.line_id)}`)).body.items).toEqual([]);
    expect((await app.ask("DELETE", "/api/cart")).status).toBe(200);
    app.cart = "short";
    expect(await app.ask("GET", "/api/cart")).toMatchObject({
      status: 400,
      body: { code: "cart.bad_token" },
    });
    const browser = new Client(true);
    browser.cookie = "forno_cart=short";
    expect((await browser.ask("GET", "/api/cart")).status).toBe(200);
  });

  it("merges at the login, tells the browser to forget its token, and survives a restart", async () => {
    const browser = new Client(true);
    await browser.add(2);
    const { cookie } = browser;
    const anna = await customer();
    await anna.add(1);
    browser.token = anna.token;
    expect(await browser.quantities()).toEqual([3]);
    expect(browser.cookie).toBeUndefined();
    browser.cookie = cookie;
    const again = await browser.ask("POST", "/api/cart/merge");
    expect(again.body.items.map(({ quantity }) => quantity)).toEqual([3]);
    await forno.end("SIGKILL");
    await forno.start();
    expect(await anna.quantities()).toEqual([3]);
  });

  it("orders, lists and reorders; every user is the token's user", async () => {
    const [anna, boris] = [await customer(), await customer()];
    await anna.add(2);
    const { status, body: order } = await anna.checkout();
    expect(status).toBe(201);
    const mine = await anna.ask<{ items: { order_id: string }[] }>(
      "GET",
      `/api/orders?after=${String(order.position)}`,
    );
    expect(mine.body.items).toMatchObject([{ order_id: order.order_id }]);
    expect((await boris.ask<{ items: object[] }>("GET", "/api/orders")).body.items).toEqual([]);
    const again = `/api/orders/${order.order_id}/reorder`;
    expect(await boris.ask("POST", again)).toMatchObject({ status: 403, body: { code: "order.not_yours" } });
    expect(await new Client().ask("POST", again)).toMatchObject({ status: 401 });
    expect(await anna.ask("POST", again)).toMatchObject({ status: 200, body: { missing: [] } });
    expect([await anna.quantities(), await boris.quantities()]).toEqual([[2], []]);
  });

  it("makes one order of fifty checkouts at once", async () => {
    const anna = await customer();
    await anna.add();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => anna.checkout(at % 2 ? randomUUID() : undefined)),
    );
    const ids = answers.map(({ status, body }) => (status === 201 ? body.order_id : body.last_order_id));
    expect(new Set(ids).size).toBe(1);
    expect((await anna.ask<{ items: object[] }>("GET", "/api/orders")).body.items).toHaveLength(1);
  });

  it("makes one order of each cart although Forno is killed in the middle of their checkouts", async () => {
    const clients = await Promise.all(Array.from({ length: CARTS_KILLED }, customer));
    for (const client of clients) await client.add();
    const keys = clients.map(() => randomUUID());
    for (const [round, ms] of [4, 12, 25].entries()) {
      const part = clients.slice((round * CARTS_KILLED) / 3, ((round + 1) * CARTS_KILLED) / 3);
      const asked = part.map((client) =>
        client.checkout(keys[clients.indexOf(client)]).catch(() => undefined),
      );
      await pause(ms);
      await forno.end("SIGKILL");
      await Promise.all(asked);
      await forno.start();
    }
    const orders = new Set<string>();
    for (const [at, client] of clients.entries()) {
      const { status, body } = await client.checkout(keys[at]);
      expect({ status, code: body.code }).toMatchObject({ status: 201 });
      orders.add(body.order_id);
      await eventually(async () => {
        const mine = await client.ask<{ items: { order_id: string }[] }>("GET", "/api/orders");
        expect(mine.body.items.map(({ order_id }) => order_id)).toEqual([body.order_id]);
      });
      expect(await client.quantities()).toEqual([]);
    }
    expect(orders.size).toBe(CARTS_KILLED);
  }, 120_000);
});

describe("the cart at the sockets", () => {
  it("tells all of a customer's tabs and devices, and nobody else", async () => {
    const anna = await customer();
    const tabs = [await plain(`access_token=${String(anna.token)}`), await io({ token: anna.token })];
    const strangers = [await plain(""), await io({ token: (await customer()).token })];
    await anna.add(2);
    await anna.checkout();
    for (const tab of tabs)
      await eventually(() => {
        expect(updates(tab)).toMatchObject([
          { change: "added", lines: [{ menu_item_id: pepperoni, quantity: 2 }] },
          { change: "ordered", lines: [], order_id: expect.any(String) as string },
        ]);
      });
    for (const stranger of strangers) expect(updates(stranger)).toEqual([]);
    for (const one of [...tabs, ...strangers]) one.close();
  });

  it("tells a guest who brings the cart's token, by cookie, in the address, at the handshake or later", async () => {
    const [guest, other] = [new Client(), new Client()];
    await guest.add();
    await other.add();
    const cart = String(guest.cart);
    const later = await plain("");
    later.send({ type: "cart", token: cart });
    await heardOf(later, "cart_followed");
    const ears = [
      later,
      await plain(`cart=${cart}`),
      await plain("", { cookie: `forno_cart=${cart}` }),
      await io({ cart }),
    ];
    const stranger = await plain(`cart=${String(other.cart)}`);
    await guest.add(2);
    for (const ear of ears)
      await eventually(() => {
        expect(updates(ear)).toMatchObject([{ change: "added", lines: [{ quantity: 3 }] }]);
      });
    const anna = await customer();
    guest.token = anna.token;
    await guest.ask("POST", "/api/cart/merge");
    for (const ear of ears)
      await eventually(() => {
        expect(updates(ear).at(-1)).toMatchObject({ change: "given", lines: [] });
      });
    expect(updates(stranger)).toEqual([]);
    for (const one of [...ears, stranger]) one.close();
  });

  it("refuses a token that cannot be one", async () => {
    const plainOne = new PlainListener(forno.port, "/ws?cart=short");
    expect((await heardOf(plainOne, "closing")).data).toMatchObject({ code: expect.anything() as unknown });
    await plainOne.ended();
    const ioOne = new IoListener(forno.port, "/shop", { cart: 7 });
    await eventually(() => {
      expect(ioOne.refusal).toMatchObject({ code: "cart.bad_token" });
    });
    ioOne.close();
  });
});

describe("the profile", () => {
  it("is the caller's own, served from the cache, and changes are told", async () => {
    const anna = await customer();
    const tab = await plain(`access_token=${String(anna.token)}`);
    const profile = (): Promise<Answer> => anna.ask("GET", "/api/user/profile");
    await profile();
    const cached = await profile();
    expect([cached.headers.get("x-cache"), cached.headers.get("x-cache-strategy")]).toEqual(["HIT", "event"]);
    const wish = { marketing_consent: true, phone: null, language: "en" };
    expect((await anna.ask("PUT", "/api/user/profile", wish)).body).toMatchObject(wish);
    expect((await profile()).body).toMatchObject(wish);
    await anna.ask("PUT", "/api/user/profile", { marketing_consent: false });
    expect((await profile()).body).toMatchObject({ ...wish, marketing_consent: false });
    await eventually(() => {
      expect(updates(tab, "profile:updated")).toEqual([
        { changed: ["language", "marketing_consent", "phone"] },
        { changed: ["marketing_consent"] },
      ]);
    });
    expect((await new Client().ask("GET", "/api/user/profile")).status).toBe(401);
    tab.close();
  });
});
