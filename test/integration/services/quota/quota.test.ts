import { randomUUID } from "node:crypto";
import { GUEST } from "../../../../mixins/contract/caller";
import { placementsOf } from "../../../../mixins/actor/placements";
import * as offers from "../../../../services/menu/menu-offer.contract";
import { menuDocuments, quoteCart } from "../../../../services/menu/menu.contract";
import { flashSaleStream } from "../../../../services/menu/menu.events";
import { announceDue } from "../../../../services/menu/menu.sale-clock";
import {
  cancelOrder,
  listMyOrders,
  placeOrder,
  placeOrderAtDesk,
} from "../../../../services/order/order.contract";
import { quotaStream } from "../../../../services/quota/quota.events";
import { eventually } from "../../../support/eventually";
import type { OrderNode } from "../../../support/order-room";
import { manager } from "../../../support/orders";
import {
  customerNo,
  diesBeforePlacing,
  faultCode,
  holdsBack,
  OfferFleet,
  slowBy,
  type Placed,
  type Wish,
} from "./offer-fleet";

jest.setTimeout(90_000);

let fleet: OfferFleet;
let one: OrderNode;
let other: OrderNode;
let customers = 1_000;

beforeAll(async () => {
  fleet = await OfferFleet.start();
  [one, other] = fleet.nodes;
});
afterAll(async () => {
  await fleet.stop();
});

const nodeNo = (number: number): OrderNode => fleet.nodes[number % 2]!;
const place = (wish: Wish, node = one, who = customerNo((customers += 1)), key?: string): Promise<Placed> =>
  node.call(placeOrder, wish, who, key);
const refused = (wish: Wish, node = one, who = customerNo((customers += 1)), key?: string): Promise<string> =>
  node.refusal(placeOrder, wish, who, key);
const atSale = ({ items }: Placed): boolean => items.every(({ flash_sale_id }) => flash_sale_id !== null);
/** Events of these types, each with its reason if it has one. */
const eventsOf = async (stream_id: string, ...types: string[]): Promise<string[]> => {
  const events = await fleet.events(stream_id);
  return events
    .filter(({ type }) => types.includes(type))
    .map(({ type, data }) => (typeof data["reason"] === "string" ? `${type} ${data["reason"]}` : type));
};
/** Where the actor of a quota lives, and where it does not. */
const ownerAndOther = (quota_id: string): [OrderNode, OrderNode] => {
  const [owner] = placementsOf(one.runtime.broker).where(quotaStream(quota_id)) ?? [];
  return owner === one.runtime.broker.nodeID ? [one, other] : [other, one];
};

describe("a flash sale of ten", () => {
  it("is sold ten times when two hundred order at once at two nodes; the others pay the ordinary price", async () => {
    const { sale_id } = await fleet.sale("Маргарита", { limit_quantity: 10 });
    const placed = await Promise.all(
      Array.from({ length: 200 }, (_, number) => place(fleet.wish("Маргарита"), nodeNo(number))),
    );
    const cheap = placed.filter(atSale);
    expect(cheap).toHaveLength(10);
    expect(cheap.every(({ total_minor }) => total_minor === 22_450)).toBe(true);
    expect(placed.filter(({ total_minor }) => total_minor === 44_900)).toHaveLength(190);
    for (const node of fleet.nodes) expect(await fleet.left(sale_id, node)).toBe(0);
    await eventually(async () => {
      expect(await eventsOf(flashSaleStream(sale_id), "flash_sale.started", "flash_sale.ended")).toEqual([
        "flash_sale.started time",
        "flash_sale.ended exhausted",
      ]);
    });
    for (const node of fleet.nodes) {
      const { items } = await node.call(offers.shopSales, {});
      expect(items.find((sale) => sale.sale_id === sale_id)).toMatchObject({ remaining: 0, running: false });
      const { items: active } = await node.call(offers.activeSales, {});
      expect(active.some((sale) => sale.sale_id === sale_id)).toBe(false);
      const quoted = await node.call(quoteCart, { items: [{ name: "Маргарита", quantity: 1 }] }, GUEST);
      expect(quoted.items_total_minor).toBe(44_900);
    }
  });

  it("gives a whole line its price or none of it", async () => {
    const { sale_id } = await fleet.sale("Классическая", { limit_quantity: 10 });
    const of = (quantity: number) =>
      fleet.wish("Классическая", { items: [{ name: "Классическая", quantity }] });
    expect(atSale(await place(of(8)))).toBe(true);
    await fleet.settled();
    expect(atSale(await place(of(3), other))).toBe(false);
    expect(atSale(await place(of(2)))).toBe(true);
    expect(await fleet.left(sale_id)).toBe(0);
  });

  it("is sold again when an order is cancelled, once, at any node", async () => {
    const { sale_id } = await fleet.sale("Охотничья", { limit_quantity: 1 });
    const { order_id } = await place(fleet.wish("Охотничья"));
    expect(await fleet.left(sale_id, other)).toBe(0);
    const key = randomUUID();
    for (const node of fleet.nodes) await node.call(cancelOrder, { order_id, reason: "no" }, manager, key);
    for (const node of fleet.nodes)
      await eventually(async () => {
        expect(await fleet.left(sale_id, node)).toBe(1);
      });
    await eventually(async () => {
      expect(await eventsOf(flashSaleStream(sale_id), "flash_sale.started", "flash_sale.ended")).toEqual([
        "flash_sale.started time",
        "flash_sale.ended exhausted",
        "flash_sale.started returned",
      ]);
    });
    expect(atSale(await place(fleet.wish("Охотничья"), other))).toBe(true);
    expect(await eventsOf(quotaStream(sale_id), "quota.returned")).toEqual(["quota.returned cancelled"]);
  });

  it("is taken from once by an order that is asked for again and again", async () => {
    const { sale_id } = await fleet.sale("Мясная", { limit_quantity: 10 });
    const [who, key] = [customerNo(1), randomUUID()];
    const placed = await Promise.all(
      Array.from({ length: 10 }, (_, number) => place(fleet.wish("Мясная"), nodeNo(number), who, key)),
    );
    expect(new Set(placed.map(({ order_id }) => order_id)).size).toBe(1);
    expect(await fleet.left(sale_id)).toBe(9);
  });

  it("keeps to a limit that is changed while it runs", async () => {
    const { sale_id } = await fleet.sale("New York", { limit_quantity: 5 });
    for (let n = 0; n < 3; n += 1) await place(fleet.wish("New York"), nodeNo(n));
    const limit = async (limit_quantity: number | null): Promise<void> => {
      const { position } = await other.call(offers.changeSale, { sale_id, limit_quantity });
      await one.call(offers.shopSales, { after: position });
    };
    await limit(2);
    expect(await fleet.left(sale_id)).toBe(0);
    expect(atSale(await place(fleet.wish("New York")))).toBe(false);
    await limit(4);
    expect(atSale(await place(fleet.wish("New York")))).toBe(true);
    expect(atSale(await place(fleet.wish("New York")))).toBe(false);
    await limit(null);
    expect(atSale(await place(fleet.wish("New York")))).toBe(true);
    expect(await eventsOf(quotaStream(sale_id), "quota.taken")).toHaveLength(4);
  });

  it("is not sold under a limit that was lowered while its quota decided", async () => {
    const { sale_id } = await fleet.sale("Курица и Грибы", { limit_quantity: 5 });
    expect(atSale(await place(fleet.wish("Курица и Грибы")))).toBe(true);
    const [owner, buyer] = ownerAndOther(sale_id);
    const terms = holdsBack(owner, "menu.offer_terms", "answer");
    const order = place(fleet.wish("Курица и Грибы"), buyer);
    await eventually(() => {
      expect(terms.waiting()).toBe(1);
    });
    await buyer.call(offers.changeSale, { sale_id, limit_quantity: 1 });
    terms.let_go();
    expect(atSale(await order)).toBe(false);
    expect(await fleet.left(sale_id)).toBe(0);
    await one.call(offers.deleteSale, { sale_id });
  });

  it("costs an order nothing that buys something else", async () => {
    const { sale_id } = await fleet.sale("Английский завтрак", { limit_quantity: 1 });
    await fleet.settled();
    const before = await one.runtime.log.head();
    await place(fleet.wish("Пепперони"));
    const written = await one.runtime.log.readAll(before, 100);
    // Orders of before may still be confirmed.
    const types = written.map(({ type }) => type).filter((type) => /^(slot|order|quota\.taken)/.test(type));
    expect(types).toEqual(["slot.booked", "order.placed"]);
    await one.call(offers.deleteSale, { sale_id });
  });
});

describe("an order of several offers", () => {
  it("keeps the last units that it took itself when another of its sales is sold out meanwhile", async () => {
    const mine = await fleet.sale("Семейный", { limit_quantity: 1 });
    const theirs = await fleet.sale("Пицца-пати", { limit_quantity: 1 });
    await fleet.promo("TAKEN", { limit_total: 1 });
    const items = [
      { name: "Семейный", quantity: 1 },
      { name: "Пицца-пати", quantity: 1 },
    ];
    const taking = holdsBack(one, "quota.take", "answer");
    const order = place(fleet.wish("Семейный", { items, promo_code: "TAKEN" }));
    await eventually(() => {
      expect(taking.waiting()).toBe(1);
    });
    expect(atSale(await place(fleet.wish("Пицца-пати"), other))).toBe(true);
    taking.let_one_go();
    await eventually(() => {
      expect(taking.waiting()).toBe(1);
    });
    expect(await fleet.left(mine.sale_id)).toBe(0);
    taking.let_go();
    const { items: lines, discount_minor } = await order;
    expect(lines.map(({ flash_sale_id }) => flash_sale_id)).toEqual([mine.sale_id, null]);
    expect(discount_minor).toBeGreaterThan(0);
    for (const { sale_id } of [mine, theirs]) {
      expect(await fleet.left(sale_id)).toBe(0);
      await one.call(offers.deleteSale, { sale_id });
    }
  });
});

describe("a node that was frozen between an order's price and its placement", () => {
  const MINUTE_MS = 60_000;

  it.each<[string, (sale_id: string) => Promise<unknown>, boolean, number]>([
    ["removed", (sale_id) => other.call(offers.deleteSale, { sale_id }), false, 0],
    ["limited", (sale_id) => other.call(offers.changeSale, { sale_id, limit_quantity: 5 }), true, 1],
  ])("does not place it under a sale that was %s meanwhile", async (_, change, at_sale, taken) => {
    const { sale_id } = await fleet.sale("Классическая", {});
    const pricing = holdsBack(one, "menu.quote", "answer");
    const order = place(fleet.wish("Классическая"));
    await eventually(() => {
      expect(pricing.waiting()).toBe(1);
    });
    await change(sale_id);
    fleet.now += MINUTE_MS;
    pricing.let_go();
    expect(atSale(await order)).toBe(at_sale);
    expect(await eventsOf(quotaStream(sale_id), "quota.taken")).toHaveLength(taken);
    if (at_sale) await one.call(offers.deleteSale, { sale_id });
  });

  it("prices an order that it holds units for at what the log says by then", async () => {
    const { sale_id } = await fleet.sale("Пепперони", { limit_quantity: 1 });
    const taking = holdsBack(one, "quota.take", "answer");
    const order = place(fleet.wish("Пепперони"));
    await eventually(() => {
      expect(taking.waiting()).toBe(1);
    });
    fleet.now += MINUTE_MS / 2;
    taking.let_go();
    expect(atSale(await order)).toBe(true);
    expect(await eventsOf(quotaStream(sale_id), "quota.taken", "quota.returned")).toEqual(["quota.taken"]);
    await one.call(offers.deleteSale, { sale_id });
  });

  it("gives up where its prices are always old by the time it could place, and nothing is placed", async () => {
    const before = await fleet.ordersInLog();
    const slow = slowBy(one, "menu.quote", 4_000);
    const order = place(fleet.wish("Пепперони"));
    expect(faultCode(await order.catch((error: unknown) => error))).toBe("order.prices_old");
    expect(slow.calls()).toBe(3);
    slow.end();
    fleet.now = one.now;
    expect(await fleet.ordersInLog()).toBe(before);
    await place(fleet.wish("Пепперони"));
  });
});

describe("a customer who says what they expect to pay", () => {
  it("is not charged more when the sale is sold out under their hands, and nothing is taken or placed", async () => {
    const { sale_id } = await fleet.sale("Курица и Грибы", { limit_quantity: 1 });
    const wish = fleet.wish("Курица и Грибы", { expected_total_minor: 44_950 });
    expect(atSale(await place(wish))).toBe(true);
    const before = await fleet.ordersInLog();
    expect(await refused(wish, other)).toBe("order.price_changed");
    expect(await fleet.ordersInLog()).toBe(before);
    expect((await place(fleet.wish("Курица и Грибы", { expected_total_minor: 89_900 }))).total_minor).toBe(
      89_900,
    );
    expect(await fleet.left(sale_id)).toBe(0);
  });

  it("gives back what was taken when another part of the price has changed", async () => {
    const { sale_id } = await fleet.sale("Пепперони", { limit_quantity: 5 });
    expect(await refused(fleet.wish("Пепперони", { expected_total_minor: 1 }))).toBe("order.price_changed");
    expect(await eventsOf(quotaStream(sale_id), "quota.taken", "quota.returned")).toEqual([
      "quota.taken",
      "quota.returned not_placed",
    ]);
    await one.call(offers.deleteSale, { sale_id });
  });
});

describe("a promo code", () => {
  it("of ten uses is used ten times by two hundred at once; the others are refused by name", async () => {
    const promo_id = await fleet.promo("TEN", { limit_total: 10 });
    const wish = fleet.wish("Пепперони", { promo_code: "ten" });
    const ends = await Promise.all(Array.from({ length: 200 }, (_, number) => refused(wish, nodeNo(number))));
    expect(ends.filter((end) => end === "not refused")).toHaveLength(10);
    expect(ends.filter((end) => end === "promo.used_up")).toHaveLength(190);
    for (const node of fleet.nodes) expect(await fleet.used(promo_id, node)).toBe(10);
    expect(await one.call(offers.getPromo, { promo_id })).toMatchObject({ used: 10, remaining: 0 });
  });

  it("is used once by each customer, whatever they try at once, and again after a cancellation", async () => {
    const promo_id = await fleet.promo("ONCE", { limit_per_user: 1 });
    const wish = fleet.wish("Пепперони", { promo_code: "ONCE" });
    const anna = customerNo((customers += 1));
    const tries = await Promise.all(
      Array.from({ length: 6 }, (_, number) =>
        place(wish, nodeNo(number), anna).catch((error: unknown) => error as Error),
      ),
    );
    const [mine, ...more] = tries.filter((end) => !(end instanceof Error)) as Placed[];
    expect(more).toEqual([]);
    expect(await refused(wish, other, anna)).toBe("promo.used_by_you");
    expect(await refused(wish, other)).toBe("not refused");
    await one.call(cancelOrder, { order_id: mine!.order_id, reason: "no" }, manager);
    await eventually(async () => {
      expect(await fleet.used(promo_id)).toBe(1);
    });
    expect(await refused(wish, other, anna)).toBe("not refused");
  });

  it("that counts by customer is refused to guests and at the desk, and costs them nothing", async () => {
    await fleet.promo("MINE", { limit_per_user: 3 });
    const wish = fleet.wish("Пепперони", { promo_code: "MINE" });
    expect(await refused(wish, one, GUEST)).toBe("promo.sign_in_required");
    expect(await one.refusal(placeOrderAtDesk, { ...wish, channel: "erp" }, manager)).toBe(
      "promo.sign_in_required",
    );
  });

  it("for first orders is refused to whoever has one, at whichever node that was placed", async () => {
    await fleet.promo("FIRST", { first_order_only: true });
    const wish = fleet.wish("Пепперони", { promo_code: "FIRST" });
    const [old, fresh] = [customerNo((customers += 1)), customerNo((customers += 1))];
    const { order_id } = await place(fleet.wish("Пепперони"), one, old);
    expect(await refused(wish, other, old)).toBe("promo.first_order_only");
    expect(await refused(wish, other, fresh)).toBe("not refused");
    expect(await refused(wish, one, fresh)).toBe("promo.first_order_only");
    await one.call(cancelOrder, { order_id, reason: "no" }, manager);
    expect(await refused(wish, other, old)).toBe("not refused");
  });

  it("for first orders, one of several, gives one discount to one customer, whoever asks where at once", async () => {
    const codes = ["FIRST-A", "FIRST-B", "FIRST-C"];
    for (const code of codes) await fleet.promo(code, { first_order_only: true });
    const customer = customerNo((customers += 1));
    const wishes = codes.map((promo_code) => fleet.wish("Пепперони", { promo_code }));
    const attempts = () =>
      Promise.all(wishes.map((wish, i) => refused(wish, i === 1 ? other : one, customer)));
    const outcomes = await attempts();
    expect(outcomes.toSorted()).toEqual(["not refused", ...Array<string>(2).fill("promo.first_order_only")]);
    const { items } = await one.call(listMyOrders, { after: await one.runtime.log.head() }, customer);
    const mine = items.filter(({ status }) => status !== "cancelled");
    expect(mine).toHaveLength(1);
    expect(await attempts()).toEqual(Array<string>(3).fill("promo.first_order_only"));
    await one.call(cancelOrder, { order_id: mine[0]?.order_id ?? "", reason: "no" }, manager);
    await eventually(async () => {
      expect((await attempts()).filter((outcome) => outcome === "not refused")).toHaveLength(1);
    });
  });

  it.each([
    ["switched off", (promo_id: string) => other.call(offers.changePromo, { promo_id, active: false })],
    ["removed", (promo_id: string) => other.call(offers.deletePromo, { promo_id })],
  ])("that was %s between an order's price and its placement is void", async (what, end) => {
    const promo_code = what.replace(" ", "-");
    const promo_id = await fleet.promo(promo_code, { limit_total: 10 });
    const taking = holdsBack(one, "quota.take");
    const order = refused(fleet.wish("Пепперони", { promo_code }), one);
    await eventually(() => {
      expect(taking.waiting()).toBe(1);
    });
    await end(promo_id);
    taking.let_go();
    expect(await order).toBe("offer.over");
    expect(await eventsOf(quotaStream(promo_id), "quota.taken")).toEqual([]);
  });

  it("is not used by an order that finds no slot, with what else that had taken", async () => {
    const promo_id = await fleet.promo("BACK", { limit_total: 1 });
    const { sale_id } = await fleet.sale("Классическая", { limit_quantity: 1 });
    // More than a day's slots could take.
    const many = Array.from({ length: 30 }, () => ({ name: "Пепперони", quantity: 99 }));
    const items = [{ name: "Классическая", quantity: 1 }, ...many];
    expect(await refused(fleet.wish("Классическая", { promo_code: "BACK", items }))).toBe(
      "slot.order_too_large",
    );
    expect(await fleet.left(sale_id)).toBe(1);
    expect(await fleet.used(promo_id, other)).toBe(0);
  });
});

describe("when a node dies between taking and placing", () => {
  it("what it took is given back after a minute, and its order can never be placed any more", async () => {
    const { sale_id } = await fleet.sale("Мясной", { limit_quantity: 1 });
    const promo_id = await fleet.promo("DEAD", { limit_total: 1 });
    const wish = fleet.wish("Мясной", { promo_code: "DEAD" });
    const [who, key] = [customerNo((customers += 1)), randomUUID()];
    const death = diesBeforePlacing(one);
    expect(faultCode(await place(wish, one, who, key).catch((error: unknown) => error))).toBe("node.dead");
    death.come_back();
    expect(await fleet.left(sale_id)).toBe(0);
    expect(await fleet.sweep()).toEqual({ confirmed: 0, returned: 0 });
    expect(await fleet.sweepAfter(2)).toEqual({ confirmed: 0, returned: 2 });
    for (const node of fleet.nodes) {
      expect(await fleet.left(sale_id, node)).toBe(1);
      expect(await fleet.used(promo_id, node)).toBe(0);
    }
    for (const node of fleet.nodes) expect(await refused(wish, node, who, key)).toBe("order.not_placed");
    expect(await fleet.left(sale_id)).toBe(1);
    expect(atSale(await place(wish, one, who, randomUUID()))).toBe(true);
    expect(await fleet.sweepAfter(0)).toEqual({ confirmed: 0, returned: 0 });
  });

  it("a customer's first order is theirs again after a minute, under whatever code, and not before", async () => {
    for (const code of ["DEAD-FIRST", "OTHER-FIRST"]) await fleet.promo(code, { first_order_only: true });
    const [who, key] = [customerNo((customers += 1)), randomUUID()];
    const [wish, another] = ["DEAD-FIRST", "OTHER-FIRST"].map((promo_code) =>
      fleet.wish("Пепперони", { promo_code }),
    );
    if (wish === undefined || another === undefined) throw new Error("there are two wishes");
    const death = diesBeforePlacing(one);
    await expect(place(wish, one, who, key)).rejects.toThrow();
    death.come_back();
    expect(await refused(another, other, who)).toBe("promo.first_order_only");
    expect(await fleet.sweepAfter(2)).toEqual({ confirmed: 0, returned: 2 });
    expect(await refused(wish, other, who, key)).toBe("order.not_placed");
    expect(await refused(another, other, who)).toBe("not refused");
    expect(await fleet.sweepAfter(0)).toEqual({ confirmed: 0, returned: 0 });
  });

  it.each<[string, number, number[], number]>([
    ["the last unit", 1, [1], 1],
    ["some of them", 2, [1], 1],
    ["what was left for one of two lines", 3, [2, 2], 2],
  ])(
    "a repetition goes on where it stopped, having taken %s",
    async (_, limit_quantity, quantities, units) => {
      const { sale_id } = await fleet.sale("Семейный", { limit_quantity });
      const items = quantities.map((quantity) => ({ name: "Семейный", quantity }));
      const wish = fleet.wish("Семейный", { items });
      const [who, key] = [customerNo((customers += 1)), randomUUID()];
      const death = diesBeforePlacing(one);
      await expect(place(wish, one, who, key)).rejects.toThrow();
      death.come_back();
      expect(await fleet.left(sale_id, other)).toBe(limit_quantity - units);
      const { items: lines } = await place(wish, other, who, key);
      expect(lines.filter((line) => line.flash_sale_id === sale_id).map(({ quantity }) => quantity)).toEqual([
        units,
      ]);
      expect(await fleet.left(sale_id)).toBe(limit_quantity - units);
      expect(await fleet.sweepAfter(0)).toEqual({ confirmed: 0, returned: 0 });
      await one.call(offers.deleteSale, { sale_id });
    },
  );

  it("a repetition has the last use of a promo code that it took itself", async () => {
    const promo_id = await fleet.promo("LAST", { limit_total: 1 });
    const wish = fleet.wish("Пепперони", { promo_code: "LAST" });
    const [who, key] = [customerNo((customers += 1)), randomUUID()];
    const death = diesBeforePlacing(one);
    await expect(place(wish, one, who, key)).rejects.toThrow();
    death.come_back();
    expect(await fleet.used(promo_id, other)).toBe(1);
    expect((await place(wish, other, who, key)).discount_minor).toBeGreaterThan(0);
    expect(await refused(wish, other)).toBe("promo.used_up");
    expect(await refused(wish, one, who, randomUUID())).toBe("promo.used_up");
    expect(await fleet.used(promo_id)).toBe(1);
  });

  it("an order that comes to its slot only after the sweep is not placed", async () => {
    const { sale_id } = await fleet.sale("Пицца-пати", { limit_quantity: 1 });
    const before = await fleet.ordersInLog();
    const placing = holdsBack(one, "slot.place");
    const late = refused(fleet.wish("Пицца-пати"));
    await eventually(() => {
      expect(placing.waiting()).toBe(1);
    });
    expect(await fleet.sweepAfter(1)).toEqual({ confirmed: 0, returned: 1 });
    placing.let_go();
    expect(await late).toBe("order.not_placed");
    expect(await fleet.ordersInLog()).toBe(before);
    expect(await fleet.left(sale_id)).toBe(1);
  });

  it("what an order has is not given back, though nobody said that the order stands", async () => {
    const { sale_id } = await fleet.sale("Английский завтрак", { limit_quantity: 5 });
    const [owner, buyer] = ownerAndOther(sale_id);
    const { broker } = buyer.runtime;
    const call = broker.call.bind(broker);
    broker.call = ((name: string, ...rest: [object, object]) =>
      name === "quota.confirm" ? new Promise(() => undefined) : call(name, ...rest)) as typeof broker.call;
    const { order_id } = await place(fleet.wish("Английский завтрак"), buyer);
    broker.call = call;
    expect(await fleet.sweepAfter(1)).toEqual({ confirmed: 1, returned: 0 });
    expect(await fleet.left(sale_id, owner)).toBe(4);
    const [confirmed] = (await fleet.events(quotaStream(sale_id))).filter(
      ({ type }) => type === "quota.confirmed",
    );
    expect(confirmed?.data).toMatchObject({ order_id });
  });
});

describe("a sale's times", () => {
  const HOUR_MS = 3_600_000;
  const [NAME, USUAL, HALF] = ["Солянка Злодейская", 63_920, 39_950] as const;

  /** What every reader is shown of the pizza, at every node. */
  const shown = async (sale_id: string): Promise<unknown[]> =>
    Promise.all(
      fleet.nodes.map(async (node) => {
        const quoted = await node.call(quoteCart, { items: [{ name: NAME, quantity: 1 }] }, GUEST);
        const document = await node.call(menuDocuments.pizzas, {}, GUEST);
        const { pizzas } = JSON.parse(document.body.toString()) as {
          pizzas: { name: { ru: string }; sale?: { price_minor: number } }[];
        };
        const { items } = await node.call(offers.shopSales, {}, GUEST);
        return [
          quoted.items_total_minor,
          pizzas.find(({ name }) => name.ru === NAME)?.sale?.price_minor,
          items.find((sale) => sale.sale_id === sale_id)?.running,
        ];
      }),
    );

  it("change prices at their very millisecond at every node, and stand in the log once", async () => {
    const begun = fleet.now;
    const { sale_id } = await fleet.sale(NAME, {
      starts_at: fleet.at(HOUR_MS),
      ends_at: fleet.at(2 * HOUR_MS),
    });
    const at = async (offset_ms: number): Promise<unknown[]> => {
      fleet.now = begun + offset_ms;
      return shown(sale_id);
    };
    const twice = (...seen: unknown[]) => [seen, seen];
    expect(await at(HOUR_MS - 1)).toEqual(twice(USUAL, USUAL, false));
    expect(await at(HOUR_MS)).toEqual(twice(HALF, HALF, true));
    // Whoever leads, and whoever believes that they lead as well.
    await Promise.all(fleet.nodes.map(({ runtime }) => announceDue(runtime, () => 0)));
    const said = () => eventsOf(flashSaleStream(sale_id), "flash_sale.started", "flash_sale.ended");
    await eventually(async () => {
      expect(await said()).toEqual(["flash_sale.started time"]);
    });
    expect(await at(2 * HOUR_MS - 1)).toEqual(twice(HALF, HALF, true));
    expect(await at(2 * HOUR_MS)).toEqual(twice(USUAL, USUAL, undefined));
    await eventually(async () => {
      expect(await said()).toEqual(["flash_sale.started time", "flash_sale.ended time"]);
    });
    const events = await fleet.events(flashSaleStream(sale_id));
    expect(events.slice(1).map(({ data }) => data["at"])).toEqual(
      [HOUR_MS, 2 * HOUR_MS].map((offset_ms) => new Date(begun + offset_ms).toISOString()),
    );
  });

  it("are said late, but each and in order, when nobody was there to say them", async () => {
    const plan = async (from: number, until: number): Promise<string> =>
      (await fleet.sale("Пепперони", { starts_at: fleet.at(from), ends_at: fleet.at(until) })).sale_id;
    const [long, short] = [await plan(1_000, 4_000), await plan(2_000, 3_000)];
    const before = await one.runtime.log.head();
    fleet.now += 60_000;
    const said = async (): Promise<unknown[]> =>
      (await one.runtime.log.readAll(before, 100)).map(({ type, data }) => [
        type,
        (data as { sale_id: string }).sale_id,
      ]);
    await eventually(async () => {
      expect(await said()).toHaveLength(4);
    });
    expect(await said()).toEqual([
      ["flash_sale.started", long],
      ["flash_sale.started", short],
      ["flash_sale.ended", short],
      ["flash_sale.ended", long],
    ]);
  });
});
