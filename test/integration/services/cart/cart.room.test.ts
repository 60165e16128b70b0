import { randomUUID } from "node:crypto";
import type { act } from "../../../../mixins/contract/implement";
import * as cart from "../../../../services/cart/cart.contract";
import { cartIdOf, cartStream } from "../../../../services/cart/cart.events";
import { startExpiry } from "../../../../services/cart/cart.jobs";
import { getMenu } from "../../../../services/menu/menu.contract";
import { switchItem } from "../../../../services/menu/menu-desk.contract";
import { changePromo, createPromo, createSale } from "../../../../services/menu/menu-offer.contract";
import { eventually } from "../../../support/eventually";
import { OTHER_BRANCH } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { aCustomer, ShopNode, type Visitor } from "./shop-node";

jest.setTimeout(60_000);

const DAY_MS = 86_400_000;
const NOBODYS_TOKEN = "x".repeat(22);

let database: TestDatabase;
let shop: ShopNode;
/** By English name. */
const dish = new Map<string, { id: string; price_minor: number; extras: readonly string[] }>();
const idOf = (name: string): string => dish.get(name)?.id ?? name;
const crust = (): string => dish.get("Pepperoni")?.extras[0] ?? "";

const put = (visitor: Visitor, name: string, how: object = {}, key?: string) =>
  visitor.ask(cart.addToCart, { menu_item_id: idOf(name), ...how }, key);
const see = (visitor: Visitor) => visitor.ask(cart.getCart, {});
const quantities = ({ items }: cart.CartView): number[] => items.map(({ quantity }) => quantity);
const desk = <C extends Parameters<typeof act>[1]>(contract: C, params: object) =>
  shop.orders.call(contract, params as never);
const changesOf = async (cart_id: string): Promise<string[]> =>
  (await shop.orders.runtime.log.readStream(cartStream(cart_id))).map(({ type }) => type);

beforeAll(async () => {
  database = await startTestDatabase();
  shop = await ShopNode.start(database);
  await shop.orders.furnish();
  const { pizzas, sets } = await shop.orders.call(getMenu, {});
  for (const { id, name, price_minor, ...rest } of [...pizzas, ...sets])
    dish.set(name.en, { id, price_minor, extras: "extras" in rest ? rest.extras : [] });
});
afterAll(async () => {
  await shop.stop();
  await database.stop();
});

describe("a cart", () => {
  it("is a guest's from the first thing in it, under a token that stands nowhere else", async () => {
    const guest = shop.visitor();
    expect((await see(guest)).items).toEqual([]);
    expect(guest.token).toBeUndefined();
    await put(guest, "Pepperoni");
    const { token = "" } = guest;
    expect(token).toMatch(/^[\w-]{22}$/);
    await put(guest, "Pepperoni", { quantity: 2 });
    expect(guest.token).toBe(token);
    expect(quantities(await see(guest))).toEqual([3]);
    expect((await see(shop.visitor())).items).toEqual([]);
    for (const table of ["es.event", "es.command", "es.stream", "carts"]) {
      const { rows } = await database.pool.query(`select 1 from ${table} t where t::text like $1`, [
        `%${token}%`,
      ]);
      expect(rows).toEqual([]);
    }
  });

  it("is not opened by a token that Forno has not given", async () => {
    const guest = shop.visitor(undefined, NOBODYS_TOKEN);
    expect((await see(guest)).items).toEqual([]);
    await put(guest, "Pepperoni");
    expect(guest.token).not.toBe(NOBODYS_TOKEN);
    expect(await changesOf(cartIdOf(NOBODYS_TOKEN))).toEqual([]);
  });

  it("is the caller's own: every user is the token's user", async () => {
    const [anna, boris] = [shop.visitor(aCustomer()), shop.visitor(aCustomer())];
    await put(anna, "Pepperoni");
    await put(boris, "Margherita", { quantity: 2 });
    expect((await see(anna)).items).toMatchObject([{ menu_item_id: idOf("Pepperoni"), quantity: 1 }]);
    expect((await see(boris)).items).toMatchObject([{ menu_item_id: idOf("Margherita"), quantity: 2 }]);
  });

  it("costs what the server says, with what a delivery would cost besides", async () => {
    const guest = shop.visitor();
    const price = dish.get("Pepperoni")?.price_minor ?? 0;
    const view = await put(guest, "Pepperoni", { quantity: 2, exclude_ingredients: ["mozzarella"] });
    expect(view).toMatchObject({
      ...{ items_count: 2, currency: "RUB", items_total_minor: 2 * price, discount_minor: 0 },
      ...{ total_minor: 2 * price, promo: null },
      delivery: { fee_minor: 19_900, free_from_minor: 150_000, total_minor: 2 * price + 19_900 },
    });
    expect(view.items).toMatchObject([
      {
        available: true,
        unit_price_minor: price,
        line_total_minor: 2 * price,
        exclude_ingredients: ["Моцарелла"],
      },
    ]);
    expect((await put(guest, "Margherita", { quantity: 5 })).delivery?.fee_minor).toBe(0);
    const other = await guest.ask(cart.getCart, { branch_id: OTHER_BRANCH });
    expect(other.delivery?.branch_id).toBe(OTHER_BRANCH);
    expect(await guest.refused(cart.getCart, { branch_id: randomUUID() })).toBe("branch.unknown");
  });

  it("follows flash sales and what is sold out, and says which line is in the way", async () => {
    const guest = shop.visitor();
    await put(guest, "Hunter");
    await put(guest, "Meat");
    const { now } = shop.orders;
    const times = { starts_at: new Date(now).toISOString(), ends_at: new Date(now + DAY_MS).toISOString() };
    await desk(createSale, {
      name: { ru: "Час", en: "Hour" },
      item_ids: [idOf("Meat")],
      price_minor: 100,
      ...times,
    });
    expect((await see(guest)).items.map(({ unit_price_minor }) => unit_price_minor)).toEqual([
      dish.get("Hunter")?.price_minor,
      100,
    ]);
    await desk(switchItem, { item_id: idOf("Hunter"), available: false });
    const view = await see(guest);
    expect(view.items).toMatchObject([
      { available: false, problem: { code: "menu.unavailable" }, line_total_minor: null },
      { available: true, problem: null, line_total_minor: 100 },
    ]);
    expect(view.total_minor).toBe(100);
    expect(await guest.refused(cart.checkoutCart, { fulfilment: "pickup", payment_method: "cash" })).toBe(
      "menu.unavailable",
    );
    expect(await guest.refused(cart.addToCart, { menu_item_id: idOf("Hunter") })).toBe("menu.unavailable");
    await desk(switchItem, { item_id: idOf("Hunter"), available: true });
    expect(quantities(await see(guest))).toEqual([1, 1]);
    const order = { fulfilment: "pickup", payment_method: "cash" } as const;
    expect(await guest.ask(cart.checkoutCart, order)).toMatchObject({
      items_total_minor: (dish.get("Hunter")?.price_minor ?? 0) + 100,
    });
  });

  it("refuses by name what it cannot hold", async () => {
    const guest = shop.visitor();
    const add = (menu_item_id: string, how: object = {}) =>
      guest.refused(cart.addToCart, { menu_item_id, ...how });
    expect(await add(randomUUID())).toBe("menu.unknown_item");
    expect(await add("no id")).toBe("input.invalid");
    expect(await add(idOf("Pepperoni"), { quantity: 0 })).toBe("input.invalid");
    expect(await add(idOf("Pepperoni"), { quantity: 100 })).toBe("input.invalid");
    expect(await add(idOf("Pepperoni"), { extras: [randomUUID()] })).toBe("menu.unknown_extra");
    expect(await add(idOf("Pepperoni"), { extras: [crust(), crust()] })).toBe("menu.duplicate_extra");
    expect(await add(idOf("Pepperoni"), { exclude_ingredients: ["gold"] })).toBe("menu.unknown_ingredient");
    expect(guest.token).toBeUndefined();
    await put(guest, "Pepperoni", { quantity: 99 });
    expect(await add(idOf("Pepperoni"))).toBe("cart.quantity_too_large");
    const line_id = randomUUID();
    expect(await guest.refused(cart.updateCart, { line_id, quantity: 1 })).toBe("cart.unknown_line");
    expect(await guest.refused(cart.updateCart, { line_id, extras: [] })).toBe("cart.unknown_line");
    expect(await guest.refused(cart.removeFromCart, { id: line_id })).toBe("cart.unknown_line");
    expect(await shop.visitor().refused(cart.removeFromCart, { id: line_id })).toBe("cart.unknown_line");
    expect(await guest.refused(cart.mergeCart, {})).toBe("auth.required");
    expect(await guest.refused(cart.reorder, { order_id: randomUUID() })).toBe("auth.required");
    for (const inside of [cart.takeGuestsCart, cart.settleCart, cart.expireCart])
      expect(inside).toMatchObject({ permission: "internal" });
  });

  it("loses nothing when two tabs edit it at once", async () => {
    const customer = aCustomer();
    const tabs = [shop.visitor(customer), shop.visitor(customer)];
    await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        put(tabs[at % 2] as Visitor, at % 4 < 2 ? "Pepperoni" : "Margherita"),
      ),
    );
    const { items } = await see(tabs[0] as Visitor);
    expect(items.map(({ quantity }) => quantity)).toEqual([20, 20]);
    const line_id = items[0]?.line_id ?? "";
    await Promise.all([
      tabs[0]?.ask(cart.updateCart, { line_id, quantity: 7 }),
      tabs[1]?.ask(cart.updateCart, { line_id, extras: [crust()] }),
      tabs[1]?.ask(cart.updateCart, { line_id: items[1]?.line_id ?? "", quantity: 3 }),
    ]);
    const after = (await see(tabs[0] as Visitor)).items;
    expect(after.find((line) => line.line_id === line_id)).toMatchObject({ quantity: 7, extras: [crust()] });
    expect(after.find((line) => line.line_id !== line_id)).toMatchObject({ quantity: 3 });
  });

  it("adds once under one Idempotency-Key, and keeps guests with the same key apart", async () => {
    const key = randomUUID();
    const [one, other] = [shop.visitor(), shop.visitor()];
    await put(one, "Margherita");
    await put(other, "Margherita");
    for (const guest of [one, one, other]) await put(guest, "Pepperoni", {}, key);
    expect(quantities(await see(one))).toEqual([1, 1]);
    expect(quantities(await see(other))).toEqual([1, 1]);
    expect(await one.refused(cart.addToCart, { menu_item_id: idOf("Meat") }, key)).toBe(
      "idempotency.key_reused",
    );
  });

  it("gives a repeated key its first answer, although the menu or the cart would refuse it today", async () => {
    const guest = shop.visitor();
    await put(guest, "Margherita");
    const { promo } = (await desk(createPromo, { code: "AGAIN", percent: 10 })) as {
      promo: { promo_id: string };
    };
    const keys = { add: randomUUID(), update: randomUUID(), promo: randomUUID() };
    const add = () => put(guest, "Meat", {}, keys.add);
    const line_id = (await add()).items[1]?.line_id ?? "";
    const meat = dish.get("Meat");
    const update = () =>
      guest.ask(cart.updateCart, { line_id, extras: meat?.extras.slice(0, 1) ?? [] }, keys.update);
    const setPromo = () => guest.ask(cart.setCartPromo, { code: "AGAIN" }, keys.promo);
    await update();
    await setPromo();
    await desk(changePromo, { promo_id: promo.promo_id, active: false });
    await desk(switchItem, { item_id: meat?.id ?? "", available: false });
    expect(quantities(await add())).toEqual([1, 1]);
    expect((await setPromo()).promo).toMatchObject({ code: "AGAIN", accepted: false });
    await guest.ask(cart.removeFromCart, { id: line_id });
    expect(quantities(await update())).toEqual([1]);
    await desk(switchItem, { item_id: meat?.id ?? "", available: true });
  });

  it("refuses a repeated key for good, although it would be possible by now", async () => {
    const guest = shop.visitor();
    const view = await put(guest, "Pepperoni");
    const line_id = view.items[0]?.line_id ?? "";
    const keys = { add: randomUUID(), update: randomUUID(), promo: randomUUID() };
    const refusals = async () => [
      await guest.refused(cart.addToCart, { menu_item_id: idOf("Meat") }, keys.add),
      await guest.refused(cart.updateCart, { line_id, exclude_ingredients: [] }, keys.update),
      await guest.refused(cart.setCartPromo, { code: "LATER" }, keys.promo),
    ];
    for (const name of ["Meat", "Pepperoni"])
      await desk(switchItem, { item_id: idOf(name), available: false });
    const first = await refusals();
    expect(first).toEqual(["menu.unavailable", "menu.unavailable", "menu.unavailable"]);
    for (const name of ["Meat", "Pepperoni"])
      await desk(switchItem, { item_id: idOf(name), available: true });
    await desk(createPromo, { code: "LATER", percent: 10 });
    expect(await refusals()).toEqual(first);
    expect(await see(guest)).toMatchObject({ items_count: 1, promo: null });
  });

  it("carries a promo code, tells when it no longer holds, and lets it go", async () => {
    const guest = shop.visitor();
    expect(await guest.refused(cart.setCartPromo, { code: "TENTH" })).toBe("cart.empty");
    await put(guest, "Pepperoni");
    expect(await guest.refused(cart.setCartPromo, { code: "TENTH" })).toBe("promo.unknown");
    const { promo } = (await desk(createPromo, { code: "TENTH", percent: 10 })) as {
      promo: { promo_id: string };
    };
    const view = await guest.ask(cart.setCartPromo, { code: " tenth " });
    expect(view.promo).toEqual({ code: "TENTH", accepted: true, problem: null });
    expect(view.total_minor).toBe(view.items_total_minor - view.discount_minor);
    expect(view.discount_minor).toBeGreaterThan(0);
    await desk(changePromo, { promo_id: promo.promo_id, active: false });
    expect(await see(guest)).toMatchObject({
      ...{ discount_minor: 0, promo: { code: "TENTH", accepted: false, problem: { code: "promo.expired" } } },
    });
    const order = { fulfilment: "pickup", payment_method: "cash" } as const;
    expect(await guest.refused(cart.checkoutCart, order)).toBe("promo.expired");
    expect((await see(guest)).promo?.code).toBe("TENTH");
    expect((await guest.ask(cart.removeCartPromo, {})).promo).toBeNull();
    await guest.ask(cart.checkoutCart, order);
    expect((await see(guest)).items).toEqual([]);
  });

  it("is emptied", async () => {
    const guest = shop.visitor();
    await put(guest, "Pepperoni");
    expect((await guest.ask(cart.clearCart, {})).items).toEqual([]);
    expect((await shop.visitor().ask(cart.clearCart, {})).items).toEqual([]);
  });
});

describe("signing in with a guest's cart", () => {
  it("adds it to the customer's own once, however often both are brought, from however many tabs", async () => {
    const customer = aCustomer();
    await put(shop.visitor(customer), "Pepperoni", { quantity: 98 });
    const guest = shop.visitor();
    await put(guest, "Pepperoni", { quantity: 5 });
    await put(guest, "Margherita", { quantity: 2 });
    const { token } = guest;
    const tabs = Array.from({ length: 8 }, () => shop.visitor(customer, token));
    await Promise.all(tabs.map((tab, at) => (at % 2 ? see(tab) : tab.ask(cart.mergeCart, {}))));
    for (const tab of tabs) expect(tab.token).toBeUndefined();
    expect(quantities(await shop.visitor(customer, token).ask(cart.mergeCart, {}))).toEqual([99, 2]);
    expect((await changesOf(customer.user_id)).filter((type) => type === "cart.merged")).toHaveLength(1);
  });

  it("gives it to nobody else, and the token opens nothing any more", async () => {
    const guest = shop.visitor();
    await put(guest, "Pepperoni");
    const { token } = guest;
    await see(shop.visitor(aCustomer(), token));
    expect((await see(shop.visitor(aCustomer(), token))).items).toEqual([]);
    expect((await see(guest)).items).toEqual([]);
    await put(guest, "Margherita");
    expect(guest.token).not.toBe(token);
  });

  it("happens also when the request dies between giving and taking", async () => {
    const customer = aCustomer();
    const guest = shop.visitor();
    await put(guest, "Pepperoni");
    const guests_id = cartIdOf(guest.token ?? "");
    const at = new Date(shop.orders.now).toISOString();
    const { log } = shop.orders.runtime;
    const events = await log.readStream(cartStream(guests_id));
    const { lines } = events.at(-1)?.data as { lines: object[] };
    const data = {
      cart_id: guests_id,
      user_id: null,
      to_user_id: customer.user_id,
      lines,
      promo_code: null,
      at,
    };
    await log.append({
      streams: [
        {
          ...{ stream_id: cartStream(guests_id), stream_type: "cart", expected_version: events.length },
          events: [{ type: "cart.given", data }],
        },
      ],
      ...{ commands: [], meta: {} },
    });
    await eventually(async () => {
      expect(quantities(await see(shop.visitor(customer)))).toEqual([1]);
    });
    expect(quantities(await see(shop.visitor(customer, guest.token)))).toEqual([1]);
  });
});

describe("a guest who stays away", () => {
  it("has the token for another thirty days from each change on, and from no reading", async () => {
    const guest = shop.visitor();
    await put(guest, "Pepperoni");
    const { token } = guest;
    const menu_item_id = idOf("Pepperoni");
    expect((await guest.asked(cart.addToCart, { menu_item_id })).meta.new_cart_token).toBe(token);
    expect((await guest.asked(cart.getCart, {})).meta.new_cart_token).toBeUndefined();
    expect((await guest.asked(cart.clearCart, {})).meta.new_cart_token).toBe(token);
    const anna = shop.visitor(aCustomer());
    await put(anna, "Pepperoni");
    expect((await anna.asked(cart.clearCart, {})).meta.new_cart_token).toBeUndefined();
  });

  it("is let go by the job behind any number of others, also those that are in the way", async () => {
    const guest = shop.visitor();
    await put(guest, "Pepperoni");
    const cart_id = cartIdOf(guest.token ?? "");
    await eventually(async () => {
      const { rows } = await database.pool.query("select 1 from carts where cart_id = $1", [cart_id]);
      expect(rows).toHaveLength(1);
    });
    // Carts that the job finds and cannot end, older than the guest's, at one moment.
    await database.pool.query(
      `insert into carts (cart_id, user_id, lines_count, checkout_at, changed_at, position)
       select gen_random_uuid(), null, 1, null, '2020-01-01', 0 from generate_series(1, 1200)`,
    );
    shop.orders.now += 31 * DAY_MS;
    const { runtime } = shop.orders;
    let asked = 0;
    const call = (name: string, params: object, options?: object): Promise<unknown> =>
      (asked += 1) <= 3
        ? Promise.reject(new Error("the cart's node is frozen"))
        : runtime.broker.call(name, params, options);
    const broker = Object.assign(Object.create(runtime.broker) as typeof runtime.broker, { call });
    const job = startExpiry({ ...runtime, broker });
    expect(await job.runNow()).toBe(true);
    await job.stop();
    expect(asked).toBeGreaterThan(1200);
    expect((await changesOf(cart_id)).at(-1)).toBe("cart.expired");
    await database.pool.query("delete from carts where changed_at = '2020-01-01'");
  });

  it("finds an empty cart after thirty days, and a new one to fill", async () => {
    const [stays, returns] = [shop.visitor(), shop.visitor()];
    const customer = shop.visitor(aCustomer());
    for (const visitor of [stays, returns, customer]) await put(visitor, "Pepperoni");
    const tokenBefore = stays.token ?? "";
    shop.orders.now += 20 * DAY_MS;
    await put(returns, "Pepperoni");
    shop.orders.now += 11 * DAY_MS;
    await eventually(async () => {
      const { rows } = await database.pool.query("select 1 from carts where cart_id = $1", [
        cartIdOf(tokenBefore),
      ]);
      expect(rows).toHaveLength(1);
    });
    await shop.expireCarts();
    expect((await see(stays)).items).toEqual([]);
    expect(quantities(await see(returns))).toEqual([2]);
    expect(quantities(await see(customer))).toEqual([1]);
    await put(stays, "Pepperoni");
    expect(stays.token).not.toBe(tokenBefore);
    await eventually(async () => {
      const { rows } = await database.pool.query("select 1 from carts where cart_id = $1", [
        cartIdOf(tokenBefore),
      ]);
      expect(rows).toEqual([]);
    });
  });
});
