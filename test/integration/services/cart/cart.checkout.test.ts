import { randomUUID } from "node:crypto";
import { entities } from "../../../../entities/entities";
import { act } from "../../../../mixins/contract/implement";
import { refusalOf } from "../../../../mixins/contract/refusal";
import * as cart from "../../../../services/cart/cart.contract";
import { LEFT_AFTER_MS, orderCommand } from "../../../../services/cart/cart.checkout-ends";
import { cartIdOf, cartStream, type CartEvent } from "../../../../services/cart/cart.events";
import { configureSlots } from "../../../../services/branch/branch.contract";
import { getMenu } from "../../../../services/menu/menu.contract";
import { switchItem } from "../../../../services/menu/menu-desk.contract";
import { createPromo } from "../../../../services/menu/menu-offer.contract";
import { placeOrder } from "../../../../services/order/order.contract";
import { eventually } from "../../../support/eventually";
import { BRANCH, manager } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { aCustomer, ShopNode, type Visitor } from "./shop-node";

jest.setTimeout(60_000);

const HOW = { fulfilment: "pickup", payment_method: "cash" } as const;

let database: TestDatabase;
let shop: ShopNode;
const dish = new Map<string, string>();

const put = (visitor: Visitor, name: string, quantity = 1) =>
  visitor.ask(cart.addToCart, { menu_item_id: dish.get(name) ?? name, quantity });
const linesOf = async (visitor: Visitor): Promise<[string, number][]> => {
  const { items } = await visitor.ask(cart.getCart, {});
  return items.map(({ menu_item_id, quantity }) => [menu_item_id, quantity]);
};
const ordersInLog = async (): Promise<number> => {
  const { rows } = await database.pool.query<{ n: number }>(
    "select count(*) as n from es.event where type = 'order.placed'",
  );
  return rows[0]?.n ?? -1;
};
const cartEvents = async (cart_id: string): Promise<CartEvent["type"][]> =>
  (await shop.orders.runtime.log.readStream(cartStream(cart_id))).map(
    ({ type }) => type as CartEvent["type"],
  );

/** Writes what a checkout has written when it is killed between its order and the clearing of the cart. */
async function killedCheckout(visitor: Visitor, cart_id: string, items: object[]): Promise<string> {
  const { broker, log } = shop.orders.runtime;
  const { user_id } = visitor.caller;
  const events = await log.readStream(cartStream(cart_id));
  const before = events.filter(
    ({ type }) => type === "cart.ordered" || type === "cart.checkout_dropped",
  ).length;
  const data = { cart_id, user_id, checkout_no: before + 1, at: new Date(shop.orders.now).toISOString() };
  await log.append({
    streams: [
      {
        ...{ stream_id: cartStream(cart_id), stream_type: "cart", expected_version: events.length },
        events: [{ type: "cart.checkout_begun", data }],
      },
    ],
    ...{ commands: [], meta: {} },
  });
  const meta = { caller: visitor.caller, command: orderCommand(cart_id, before + 1) };
  const { order_id } = await act(broker, placeOrder, { ...HOW, channel: "shop", items } as never, { meta });
  return order_id;
}

beforeAll(async () => {
  database = await startTestDatabase({ entities });
  shop = await ShopNode.start(database);
  await shop.orders.furnish();
  const { pizzas } = await shop.orders.call(getMenu, {});
  for (const { id, name } of pizzas) dish.set(name.en, id);
});
afterAll(async () => {
  await shop.stop();
  await database.stop();
});

it("makes one order of what is in the cart, and clears it", async () => {
  const anna = shop.visitor(aCustomer());
  await put(anna, "Pepperoni", 2);
  await put(anna, "Margherita");
  const before = await ordersInLog();
  const placed = await anna.ask(cart.checkoutCart, HOW);
  expect(placed.items.map(({ menu_item_id, quantity }) => [menu_item_id, quantity])).toEqual([
    [dish.get("Pepperoni"), 2],
    [dish.get("Margherita"), 1],
  ]);
  expect(await linesOf(anna)).toEqual([]);
  expect(await ordersInLog()).toBe(before + 1);
  await eventually(async () => {
    const { rows } = await database.pool.query("select user_id from orders where order_id = $1", [
      placed.order_id,
    ]);
    expect(rows).toEqual([{ user_id: anna.caller.user_id }]);
  });
});

it("makes one order of fifty parallel checkouts, with keys and without, of customers and of guests", async () => {
  for (const who of [shop.visitor(aCustomer()), shop.visitor()]) {
    await put(who, "Pepperoni");
    const before = await ordersInLog();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        who.ask(cart.checkoutCart, HOW, at % 2 ? randomUUID() : undefined).then(
          ({ order_id }) => order_id,
          (error: unknown) => refusalOf(error)?.data?.["last_order_id"] ?? error,
        ),
      ),
    );
    expect(new Set(outcomes).size).toBe(1);
    expect(await ordersInLog()).toBe(before + 1);
    expect(await linesOf(who)).toEqual([]);
  }
});

it("gives a repeated key its own order again, also when the cart has gone on", async () => {
  const anna = shop.visitor(aCustomer());
  const keys = [randomUUID(), randomUUID()];
  const orders: string[] = [];
  for (const key of keys) {
    await put(anna, "Pepperoni");
    orders.push((await anna.ask(cart.checkoutCart, HOW, key)).order_id);
  }
  expect(orders[0]).not.toBe(orders[1]);
  await put(anna, "Margherita");
  const again = await anna.asked(cart.checkoutCart, HOW, keys[0]);
  expect([again.result.order_id, again.meta.replayed]).toEqual([orders[0], true]);
  expect(await linesOf(anna)).toEqual([[dish.get("Margherita"), 1]]);
  expect(await anna.refused(cart.checkoutCart, { ...HOW, notes: "other" }, keys[1])).toBe(
    "idempotency.key_reused",
  );
});

it("is refused by name, and the cart stays", async () => {
  const guest = shop.visitor();
  expect(await guest.refused(cart.checkoutCart, HOW)).toBe("cart.empty");
  await put(guest, "Pepperoni");
  expect(await guest.refused(cart.checkoutCart, { ...HOW, fulfilment: "delivery" })).toBe(
    "order.address_required",
  );
  expect(await guest.refused(cart.checkoutCart, { ...HOW, branch_id: randomUUID() })).toBe("branch.unknown");
  const time = { preferred_time: "2020-01-01T00:00:00Z" };
  expect(await guest.refused(cart.checkoutCart, { ...HOW, ...time })).toBe("order.time_in_past");
  await shop.orders.call(switchItem, { item_id: dish.get("Pepperoni") ?? "", available: false });
  expect(await guest.refused(cart.checkoutCart, HOW)).toBe("menu.unavailable");
  await shop.orders.call(switchItem, { item_id: dish.get("Pepperoni") ?? "", available: true });
  expect(await linesOf(guest)).toEqual([[dish.get("Pepperoni"), 1]]);
  await guest.ask(cart.checkoutCart, HOW);
  expect(await linesOf(guest)).toEqual([]);
});

it("is refused by a promo code that is used up for this customer, and the cart keeps both", async () => {
  await shop.orders.call(createPromo, { code: "ONCE", percent: 10, limit_per_user: 1 });
  const anna = shop.visitor(aCustomer());
  const orderWithCode = async (): Promise<string> => {
    await put(anna, "Pepperoni");
    await anna.ask(cart.setCartPromo, { code: "ONCE" });
    return anna.refused(cart.checkoutCart, HOW);
  };
  expect(await orderWithCode()).toBe("not refused");
  expect((await anna.ask(cart.getCart, {})).promo).toBeNull();
  expect(await orderWithCode()).toMatch(/^promo\./);
  expect(await anna.ask(cart.getCart, {})).toMatchObject({ items_count: 1, promo: { code: "ONCE" } });
  await anna.ask(cart.removeCartPromo, {});
  expect(await anna.refused(cart.checkoutCart, { ...HOW, expected_total_minor: 1 })).toBe(
    "order.price_changed",
  );
  await anna.ask(cart.checkoutCart, HOW);
});

it("refuses a repeated key as it was refused, whatever has become possible since", async () => {
  const guest = shop.visitor();
  await put(guest, "Pepperoni");
  const key = randomUUID();
  const setCapacity = (capacity_minor: number) =>
    shop.orders.call(configureSlots, { branch_id: BRANCH, capacity_minor }, manager);
  await setCapacity(1);
  const spread = await guest.refused(cart.checkoutCart, HOW, key);
  expect(spread).toMatch(/^slot\./);
  await setCapacity(1_000_000);
  expect(await guest.refused(cart.checkoutCart, HOW, key)).toBe(spread);
  await guest.ask(cart.checkoutCart, HOW, randomUUID());
});

describe("killed between the order and the clearing of the cart", () => {
  const wish = (): object[] => [{ menu_item_id: dish.get("Pepperoni"), quantity: 1 }];

  it("is cleared for whoever looks next, on a node that was started anew", async () => {
    const customer = aCustomer();
    const anna = shop.visitor(customer);
    await put(anna, "Pepperoni", 3);
    await killedCheckout(anna, customer.user_id, wish());
    await shop.stop();
    shop = await ShopNode.start(database);
    expect(await linesOf(shop.visitor(customer))).toEqual([[dish.get("Pepperoni"), 2]]);
  });

  it("is the same order for who checks out again, without a key and before looking", async () => {
    const guest = shop.visitor();
    await put(guest, "Pepperoni");
    const cart_id = cartIdOf(guest.token ?? "");
    const order_id = await killedCheckout(guest, cart_id, wish());
    const before = await ordersInLog();
    expect((await guest.ask(cart.checkoutCart, HOW)).order_id).toBe(order_id);
    expect(await ordersInLog()).toBe(before);
    expect(await linesOf(guest)).toEqual([]);
  });

  it("is the same order although somebody has emptied the cart in between", async () => {
    const customer = aCustomer();
    const anna = shop.visitor(customer);
    await put(anna, "Pepperoni");
    const order_id = await killedCheckout(anna, customer.user_id, wish());
    const { log } = shop.orders.runtime;
    const at = new Date(shop.orders.now).toISOString();
    const data = {
      cart_id: customer.user_id,
      user_id: customer.user_id,
      change: "cleared",
      lines: [],
      promo_code: null,
      at,
    };
    await log.append({
      streams: [
        {
          ...{ stream_id: cartStream(customer.user_id), stream_type: "cart", expected_version: 2 },
          events: [{ type: "cart.changed", data }],
        },
      ],
      ...{ commands: [], meta: {} },
    });
    expect((await anna.ask(cart.checkoutCart, HOW)).order_id).toBe(order_id);
  });

  it("is cleared by the job when nobody looks", async () => {
    const customer = aCustomer();
    const anna = shop.visitor(customer);
    await put(anna, "Pepperoni");
    await killedCheckout(anna, customer.user_id, wish());
    shop.orders.now += LEFT_AFTER_MS;
    await eventually(async () => {
      await shop.settleCarts();
      expect(await cartEvents(customer.user_id)).toEqual([
        "cart.changed",
        "cart.checkout_begun",
        "cart.ordered",
      ]);
    });
    const { data } = (await shop.orders.runtime.log.readStream(cartStream(customer.user_id))).at(-1) as {
      data: object;
    };
    expect(data).toMatchObject({ user_id: customer.user_id });
  });
});

it("gives up for good what was left before its order, so that it cannot become one later", async () => {
  const customer = aCustomer();
  const anna = shop.visitor(customer);
  await put(anna, "Pepperoni");
  const { log, broker } = shop.orders.runtime;
  const cart_id = customer.user_id;
  const data = { cart_id, user_id: cart_id, checkout_no: 1, at: new Date(shop.orders.now).toISOString() };
  await log.append({
    streams: [
      {
        ...{ stream_id: cartStream(cart_id), stream_type: "cart", expected_version: 1 },
        events: [{ type: "cart.checkout_begun", data }],
      },
    ],
    ...{ commands: [], meta: {} },
  });
  await linesOf(anna);
  expect(await cartEvents(cart_id)).toHaveLength(2);
  shop.orders.now += LEFT_AFTER_MS;
  await linesOf(anna);
  expect((await cartEvents(cart_id)).at(-1)).toBe("cart.checkout_dropped");
  // The attempt that was left comes to the log after all.
  const before = await ordersInLog();
  const items = [{ menu_item_id: dish.get("Pepperoni") ?? "", quantity: 1 }];
  const meta = { caller: customer, command: orderCommand(cart_id, 1) };
  await expect(act(broker, placeOrder, { ...HOW, channel: "shop", items }, { meta })).rejects.toMatchObject({
    type: "cart.checkout_given_up",
  });
  expect(await ordersInLog()).toBe(before);
  await anna.ask(cart.checkoutCart, HOW);
  expect(await ordersInLog()).toBe(before + 1);
});

it("ends a checkout whose lines somebody has taken out, for good, and names the order before", async () => {
  const customer = aCustomer();
  const anna = shop.visitor(customer);
  await put(anna, "Pepperoni");
  const { order_id } = await anna.ask(cart.checkoutCart, HOW);
  await put(anna, "Pepperoni");
  const { log, broker } = shop.orders.runtime;
  const { user_id: cart_id } = customer;
  const of = { cart_id, user_id: cart_id, at: new Date(shop.orders.now).toISOString() };
  const events = [
    { type: "cart.checkout_begun", data: { ...of, checkout_no: 2 } },
    { type: "cart.changed", data: { ...of, change: "cleared", lines: [], promo_code: null } },
  ];
  const expected_version = (await log.readStream(cartStream(cart_id))).length;
  const cartOf = { stream_id: cartStream(cart_id), stream_type: "cart", expected_version, events };
  await log.append({ streams: [cartOf], ...{ commands: [], meta: {} } });
  await expect(anna.ask(cart.checkoutCart, HOW)).rejects.toMatchObject({
    ...{ type: "cart.empty", data: { data: { last_order_id: order_id } } },
  });
  expect((await cartEvents(cart_id)).at(-1)).toBe("cart.checkout_dropped");
  // The checkout that had begun comes to the log after all.
  const items = [{ menu_item_id: dish.get("Pepperoni") ?? "", quantity: 1 }];
  const meta = { caller: customer, command: orderCommand(cart_id, 2) };
  await expect(act(broker, placeOrder, { ...HOW, channel: "shop", items }, { meta })).rejects.toMatchObject({
    type: "cart.empty",
  });
});

describe("reordering", () => {
  it("puts an earlier order's lines into the cart and names what is gone", async () => {
    const anna = shop.visitor(aCustomer());
    await put(anna, "Pepperoni", 2);
    await put(anna, "Margherita");
    const { order_id } = await anna.ask(cart.checkoutCart, HOW);
    await put(anna, "Pepperoni");
    await shop.orders.call(switchItem, { item_id: dish.get("Margherita") ?? "", available: false });
    const { cart: view, missing } = await anna.ask(cart.reorder, { order_id });
    expect(view.items).toMatchObject([{ menu_item_id: dish.get("Pepperoni"), quantity: 3 }]);
    expect(missing).toMatchObject([{ menu_item_id: dish.get("Margherita"), code: "menu.unavailable" }]);
    await shop.orders.call(switchItem, { item_id: dish.get("Pepperoni") ?? "", available: false });
    expect(await anna.refused(cart.reorder, { order_id })).toBe("cart.nothing_to_reorder");
    for (const name of ["Pepperoni", "Margherita"])
      await shop.orders.call(switchItem, { item_id: dish.get(name) ?? "", available: true });
  });

  it("gives a repeated key its first answer, although nothing of it can be had today", async () => {
    const anna = shop.visitor(aCustomer());
    await put(anna, "Pepperoni");
    const { order_id } = await anna.ask(cart.checkoutCart, HOW);
    const key = randomUUID();
    await anna.ask(cart.reorder, { order_id }, key);
    const pepperoni = { item_id: dish.get("Pepperoni") ?? "" };
    await shop.orders.call(switchItem, { ...pepperoni, available: false });
    const { cart: view, missing } = await anna.ask(cart.reorder, { order_id }, key);
    expect(view.items).toMatchObject([{ menu_item_id: dish.get("Pepperoni"), quantity: 1 }]);
    expect(missing).toMatchObject([{ code: "menu.unavailable" }]);
    await shop.orders.call(switchItem, { ...pepperoni, available: true });
  });

  it("does it once under one key, and only with one's own orders", async () => {
    const anna = shop.visitor(aCustomer());
    await put(anna, "Pepperoni", 50);
    const { order_id } = await anna.ask(cart.checkoutCart, HOW);
    const key = randomUUID();
    await anna.ask(cart.reorder, { order_id }, key);
    await anna.ask(cart.reorder, { order_id }, key);
    expect(await linesOf(anna)).toEqual([[dish.get("Pepperoni"), 50]]);
    expect(await anna.refused(cart.reorder, { order_id })).toBe("cart.quantity_too_large");
    expect(await shop.visitor(aCustomer()).refused(cart.reorder, { order_id })).toBe("order.not_yours");
    expect(await anna.refused(cart.reorder, { order_id: randomUUID() })).toBe("order.unknown");
  });
});
