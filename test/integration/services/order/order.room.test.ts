import { randomUUID } from "node:crypto";
import { FlashSaleRow } from "../../../../entities/flash-sale.entity";
import { MenuDraftRow } from "../../../../entities/menu-draft.entity";
import { MenuHeadRow } from "../../../../entities/menu-head.entity";
import { MenuItemRow } from "../../../../entities/menu-item.entity";
import { MenuVersionRow } from "../../../../entities/menu-version.entity";
import { OrderItemEntity } from "../../../../entities/order-item.entity";
import { OrderEntity } from "../../../../entities/order.entity";
import { PromoCodeRow } from "../../../../entities/promo-code.entity";
import { SlotEntity } from "../../../../entities/slot.entity";
import { GUEST, type Caller } from "../../../../mixins/contract/caller";
import type { ParamsOf, ResultOf } from "../../../../mixins/contract/contract";
import {
  advanceOrder,
  cancelMyOrder,
  cancelOrder,
  cancelTrackedOrder,
  getMyOrder,
  getOrder,
  getOrderHistory,
  listActiveOrders,
  listMyOrders,
  listOrderBatches,
  listPendingOrders,
  placeOrder,
  placeOrderAtDesk,
  processOrder,
  refundOrder,
  searchOrders,
  trackOrder,
} from "../../../../services/order/order.contract";
import { createEventLog } from "../../../../mixins/event-log/postgres-event-log";
import { orderStream } from "../../../../services/order/order.events";
import { listSlots } from "../../../../services/slot/slot.contract";
import { eventually } from "../../../support/eventually";
import { OrderNode } from "../../../support/order-room";
import {
  BRANCH,
  OTHER_BRANCH,
  cook,
  courier,
  customer,
  manager,
  placed as placedEvent,
  uuidOf,
} from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { QuietLogger } from "../../../support/quiet-logger";

const tables = [
  OrderEntity,
  OrderItemEntity,
  SlotEntity,
  MenuDraftRow,
  MenuHeadRow,
  MenuItemRow,
  MenuVersionRow,
  FlashSaleRow,
  PromoCodeRow,
];
type Wish = ParamsOf<typeof placeOrder>;
type Placed = ResultOf<typeof placeOrder>;

/** Маргарита: 449 ₽ on the demo menu. */
const wish: Wish = {
  channel: "shop",
  fulfilment: "pickup",
  payment_method: "cash",
  items: [{ name: "Маргарита", quantity: 1 }],
};
const delivery: Wish = {
  ...wish,
  fulfilment: "delivery",
  address: "ул. Мира, 7",
  customer: { name: "Анна", phone: "8 923 123-45-67" },
};

jest.setTimeout(60_000);

let database: TestDatabase;
let node: OrderNode;

beforeAll(async () => {
  database = await startTestDatabase({ entities: tables });
  node = await OrderNode.start(database);
  await node.furnish();
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});

const place = (changes: Partial<Wish> = {}, caller: Caller = customer, key?: string): Promise<Placed> =>
  node.call(placeOrder, { ...wish, ...changes }, caller, key);
const tokenOf = (order: Placed): string => order.track_url.replace("/track/", "");
const settled = async (): Promise<number> => {
  const head = await node.runtime.log.head();
  await node.call(listActiveOrders, { after: head, limit: 1 });
  return head;
};

describe("placing", () => {
  it("is priced by the server, fee included, and is in the log before it is answered", async () => {
    const order = await node.call(placeOrder, delivery, customer);
    expect(order).toMatchObject({
      items_total_minor: 44_900,
      delivery_fee_minor: 19_900,
      discount_minor: 0,
      total_minor: 64_800,
      currency: "RUB",
      status: "pending",
    });
    const { rows } = await database.pool.query("select pos, type from es.event where stream_id = $1", [
      orderStream(order.order_id),
    ]);
    expect(rows).toEqual([{ pos: order.position, type: "order.placed" }]);
  });

  it.each([
    ["a discount", { ...wish, discount_minor: 44_900 }],
    ["a fee", { ...wish, delivery_fee_minor: 0 }],
    ["a negative quantity", { ...wish, items: [{ name: "Маргарита", quantity: -5 }] }],
  ])("%s from outside is refused", async (_what, params) => {
    expect(await node.refusal(placeOrder, params, GUEST)).toBe("input.invalid");
  });

  it.each([
    ["an unknown pizza", { ...wish, items: [{ name: "Гавайская", quantity: 1 }] }, "menu.unknown_item"],
    [
      "an unknown extra",
      { ...wish, items: [{ name: "Маргарита", quantity: 1, extras: [uuidOf(99)] }] },
      "menu.unknown_extra",
    ],
    ["an unknown branch", { ...wish, branch_id: uuidOf(99) }, "branch.unknown"],
    ["a delivery to nowhere", { ...wish, fulfilment: "delivery" }, "order.address_required"],
    ["a time that has passed", { ...wish, preferred_time: "2026-03-10T08:00:00Z" }, "order.time_in_past"],
    ["a time next week", { ...wish, preferred_time: "2026-03-17T08:00:00Z" }, "order.time_too_far"],
  ])("%s is refused by name", async (_what, params, code) => {
    expect(await node.refusal(placeOrder, params, GUEST)).toBe(code);
  });

  it("under the same key is one order, booked once, with one answer", async () => {
    const key = randomUUID();
    const before = await bookedAt(BRANCH);
    const answers = await Promise.all(Array.from({ length: 8 }, () => place({}, customer, key)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await place({}, customer, key)).toEqual(answers[0]);
    const after = await bookedAt(BRANCH);
    expect({ orders: after.orders - before.orders, load: after.load - before.load }).toEqual({
      orders: 1,
      load: 44_900,
    });
  });

  it("under the same key answers as before even when the wish is no longer possible", async () => {
    const key = randomUUID();
    const preferred_time = new Date(node.now + 60_000).toISOString();
    const first = await place({ preferred_time }, customer, key);
    node.now += 3_600_000;
    expect(await place({ preferred_time }, customer, key)).toEqual(first);
  });

  it("at the desk needs the permission and the branch", async () => {
    const { channel, ...plain } = delivery;
    expect(channel).toBe("shop");
    expect(await node.refusal(placeOrderAtDesk, plain, customer)).toBe("auth.forbidden");
    expect(await node.refusal(placeOrderAtDesk, plain, GUEST)).toBe("auth.required");
    expect(await node.refusal(placeOrderAtDesk, { ...plain, branch_id: OTHER_BRANCH }, manager)).toBe(
      "order.not_yours",
    );
    const order = await node.call(placeOrderAtDesk, plain, manager);
    expect(
      await node.call(getOrder, { order_id: order.order_id, after: order.position }, manager),
    ).toMatchObject({
      channel: "erp",
      customer: { user_id: null, name: "Анна", phone: "+79231234567" },
    });
  });
});

/** Orders and money in a branch's slots, as the slot board shows them. */
async function bookedAt(branch_id: string): Promise<{ orders: number; load: number }> {
  const { items } = await node.call(listSlots, {
    branch_id,
    from: "2026-03-09",
    to: "2026-03-12",
    after: await node.runtime.log.head(),
  });
  return {
    orders: items.reduce((sum, slot) => sum + slot.orders_count, 0),
    load: items.reduce((sum, slot) => sum + slot.load_minor, 0),
  };
}

it("300 orders at once fill the slots to exactly their sum, oversell none, and share no display id within a day", async () => {
  const before = await bookedAt(OTHER_BRANCH);
  const orders = await Promise.all(
    Array.from({ length: 300 }, (_, index) =>
      place({ branch_id: OTHER_BRANCH, items: [{ name: "Маргарита", quantity: 1 + (index % 3) }] }, GUEST),
    ),
  );
  const after = await bookedAt(OTHER_BRANCH);
  expect(after.orders - before.orders).toBe(300);
  expect(after.load - before.load).toBe(orders.reduce((sum, order) => sum + order.items_total_minor, 0));
  const { items } = await node.call(listSlots, {
    branch_id: OTHER_BRANCH,
    from: "2026-03-09",
    to: "2026-03-12",
  });
  expect(items.filter((slot) => slot.load_minor > slot.capacity_minor)).toEqual([]);
  await settled();
  const { rows } = await database.pool.query(
    "select count(*) as orders, sum(items_total_minor)::bigint as load from orders where branch_id = $1",
    [OTHER_BRANCH],
  );
  expect(rows).toEqual([after]);
  // They reach into the next business day, whose numbers begin anew.
  const { rows: days } = await database.pool.query(
    "select count(*) as orders, count(distinct display_id) as display_ids from orders where branch_id = $1 group by business_date",
    [OTHER_BRANCH],
  );
  expect(days).toHaveLength(2);
  for (const { orders: placed, display_ids } of days) expect(display_ids).toBe(placed);
});

describe("the life of an order", () => {
  it("goes from the counter to the customer by those whose work it is, and its history tells each what concerns them", async () => {
    const { order_id, ...rest } = await node.call(placeOrder, delivery, customer);
    for (const [status, by] of [
      ["preparing", cook],
      ["cooking", cook],
      ["ready", cook],
      ["delivery", courier],
      ["delivered", courier],
    ] as const) {
      expect(await node.call(advanceOrder, { order_id, status }, by)).toMatchObject({
        order_id,
        status,
        display_id: rest.display_id,
      });
    }
    expect(await node.refusal(cancelOrder, { order_id, reason: "поздно" }, manager)).toBe(
      "order.already_closed",
    );
    const refund = await node.call(
      refundOrder,
      { order_id, amount_minor: 4_800, reason: "холодная" },
      manager,
    );
    expect(refund).toMatchObject({ amount_minor: 4_800, refunded_total_minor: 4_800 });
    const seenBy = async (caller: Caller) =>
      (await node.call(getOrderHistory, { order_id }, caller)).items.map(({ type }) => type);
    const steps = ["order.placed", ...Array.from({ length: 5 }, () => "order.status_changed")];
    expect(await seenBy(manager)).toEqual([...steps, "order.refunded"]);
    expect(await seenBy(cook)).toEqual(steps);
    const toCook = JSON.stringify(await node.call(getOrderHistory, { order_id }, cook));
    for (const secret of ["+7923", "Мира", "cash", "64800", customer.user_id ?? ""])
      expect(toCook).not.toContain(secret);
  });

  it("a repeated command gives the first answer, a second person's is refused", async () => {
    const { order_id } = await place();
    const key = randomUUID();
    const first = await node.call(processOrder, { order_id }, manager, key);
    expect(await node.call(processOrder, { order_id }, manager, key)).toEqual(first);
    expect(await node.refusal(processOrder, { order_id }, manager)).toBe("order.already_processed");
  });

  it("a cancellation gives the slot back, once", async () => {
    const before = await bookedAt(BRANCH);
    const order = await place();
    await node.call(cancelOrder, { order_id: order.order_id, reason: "передумали" }, manager);
    await eventually(async () => {
      expect(await bookedAt(BRANCH)).toEqual(before);
    });
    expect(await node.refusal(cancelOrder, { order_id: order.order_id, reason: "ещё раз" }, manager)).toBe(
      "order.already_closed",
    );
  });

  it("commands on an order that does not exist are refused by name", async () => {
    const order_id = uuidOf(404);
    expect(await node.refusal(advanceOrder, { order_id, status: "preparing" }, manager)).toBe(
      "order.unknown",
    );
    expect(await node.refusal(getOrder, { order_id }, manager)).toBe("order.unknown");
    expect(await node.refusal(getOrderHistory, { order_id }, manager)).toBe("order.unknown");
    expect(await node.refusal(trackOrder, { token: "0123456789abcdef" }, GUEST)).toBe("order.unknown");
  });
});

describe("who gets at what", () => {
  it("customers have their own orders in full and nobody else's", async () => {
    const mine = await node.call(placeOrder, delivery, customer);
    const stranger: Caller = { ...customer, user_id: uuidOf(77, "c") };
    const { order_id } = mine;
    expect(await node.call(getMyOrder, { order_id }, customer)).toMatchObject({
      address: "ул. Мира, 7",
      total_minor: 64_800,
      track_url: mine.track_url,
    });
    expect(await node.refusal(getMyOrder, { order_id }, stranger)).toBe("order.not_yours");
    expect(await node.refusal(cancelMyOrder, { order_id }, stranger)).toBe("order.not_yours");
    expect(await node.refusal(getOrder, { order_id }, customer)).toBe("auth.forbidden");
    expect((await node.call(listMyOrders, {}, stranger)).items).toEqual([]);
    expect((await node.call(listMyOrders, { limit: 1 }, customer)).items).toMatchObject([{ order_id }]);
    expect(await node.call(cancelMyOrder, { order_id }, customer)).toMatchObject({ status: "cancelled" });
  });

  it("a guest follows and cancels by the link, and learns nothing personal from it", async () => {
    const order = await node.call(placeOrder, delivery, GUEST);
    const view = await node.call(trackOrder, { token: tokenOf(order) }, GUEST);
    expect(view).toMatchObject({
      order_id: order.order_id,
      status: "pending",
      ready_at: order.ready_at,
      items: [{ quantity: 1 }],
    });
    expect(JSON.stringify(view)).not.toMatch(/Анна|7923|Мира|cash|64800|44900/);
    expect(await node.refusal(cancelOrder, { order_id: order.order_id, reason: "x" }, GUEST)).toBe(
      "order.not_yours",
    );
    expect(await node.call(cancelTrackedOrder, { token: tokenOf(order) }, GUEST)).toMatchObject({
      status: "cancelled",
    });
    await settled();
    expect(await node.call(trackOrder, { token: tokenOf(order) }, GUEST)).toMatchObject({
      status: "cancelled",
    });
  });

  it("staff see and touch the orders of their branches only", async () => {
    const { order_id } = await place({ branch_id: OTHER_BRANCH });
    expect(await node.refusal(getOrder, { order_id }, manager)).toBe("order.not_yours");
    expect(await node.refusal(getOrderHistory, { order_id }, manager)).toBe("order.not_yours");
    expect(await node.refusal(advanceOrder, { order_id, status: "preparing" }, cook)).toBe("order.not_yours");
    expect(await node.refusal(listActiveOrders, { branch_id: OTHER_BRANCH }, manager)).toBe(
      "order.not_yours",
    );
    const { items } = await node.call(
      listActiveOrders,
      { limit: 200, after: await node.runtime.log.head() },
      manager,
    );
    expect(new Set(items.map(({ branch_id }) => branch_id))).toEqual(new Set([BRANCH]));
  });

  it("a role in the parameters shows nothing more: it is refused", async () => {
    expect(await node.refusal(listActiveOrders, { role: "admin" }, cook)).toBe("input.invalid");
    const { order_id } = await place();
    expect(await node.refusal(getOrder, { order_id, role: "admin" }, cook)).toBe("input.invalid");
    expect(await node.refusal(trackOrder, { token: "0123456789abcdef", role: "admin" }, GUEST)).toBe(
      "input.invalid",
    );
  });
});

describe("lists", () => {
  it("the kitchen gets an order when it becomes visible; the desk has it at once, also among the pending", async () => {
    const order = await place({ preferred_time: new Date(node.now + 5 * 3_600_000).toISOString() });
    const has = async (
      list: typeof listActiveOrders | typeof listPendingOrders,
      caller: Caller,
    ): Promise<boolean> => {
      const { items } = await node.call(list, { limit: 200, after: order.position }, caller);
      return items.some(({ order_id }) => order_id === order.order_id);
    };
    expect([
      await has(listActiveOrders, manager),
      await has(listPendingOrders, cook),
      await has(listActiveOrders, cook),
    ]).toEqual([true, true, false]);
    node.now = Date.parse(order.visible_at);
    expect([
      await has(listActiveOrders, manager),
      await has(listPendingOrders, cook),
      await has(listActiveOrders, cook),
    ]).toEqual([true, false, true]);
  });

  it("pages hold each order once while others are placed between them", async () => {
    await settled();
    const { rows } = await database.pool.query("select order_id from orders order by placed_at, order_id");
    const known = rows.map(({ order_id }: { order_id: string }) => order_id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: ResultOf<typeof listOrderBatches> = await node.call(
        listOrderBatches,
        cursor === null ? {} : { cursor },
      );
      expect(page.items.length).toBeLessThanOrEqual(50);
      seen.push(...page.items.map(({ order_id }) => order_id));
      cursor = page.next_cursor;
      await place();
      await settled();
    } while (cursor !== null && seen.length < known.length);
    expect(seen.slice(0, known.length)).toEqual(known);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("the newest come first in a search, page by page, whatever is placed meanwhile", async () => {
    const phone = "+7 905 000-11-22";
    const orders: Placed[] = [];
    for (let count = 0; count < 5; count += 1) orders.push(await place({ customer: { phone } }));
    const first = await node.call(
      searchOrders,
      { phone: "11-22", limit: 3, after: orders[4]?.position ?? 0 },
      manager,
    );
    await place({ customer: { phone } });
    await settled();
    const second = await node.call(
      searchOrders,
      { phone: "89050001122", limit: 3, cursor: first.next_cursor ?? "" },
      manager,
    );
    const found = [...first.items, ...second.items].map(({ order_id }) => order_id);
    expect(found).toEqual(orders.map(({ order_id }) => order_id).reverse());
    expect(second.next_cursor).toBeNull();
  });

  it("a phone is kept in one form and found by every form that people type", async () => {
    const order = await place({ customer: { phone: "8\u00a0(913)\u202f707‑80–90" } });
    const view = await node.call(getOrder, { order_id: order.order_id, after: order.position }, manager);
    expect(view.customer?.phone).toBe("+79137078090");
    for (const phone of ["8 913 707", "+7 913 7", "79137", "913 70", "80-90", "80‑90", "8 913 707-80-90"]) {
      const { items } = await node.call(searchOrders, { phone }, manager);
      expect(items.map(({ order_id }) => order_id)).toEqual([order.order_id]);
    }
    expect((await node.call(searchOrders, { phone: "8 913 708" }, manager)).items).toEqual([]);
  });

  it("a phone by which nobody can be called is refused by name", async () => {
    const nobody = { ...delivery, customer: { phone: "12-34-56" } };
    expect(await node.refusal(placeOrder, nobody, GUEST)).toBe("order.phone_invalid");
  });

  it("a display id is found as people type it, in Cyrillic and by its digits alone", async () => {
    const { order_id, display_id, position } = await place();
    const { business_date = "" } = await node.call(getOrder, { order_id, after: position }, manager);
    const [, number = ""] = display_id.split("-");
    expect(display_id).toBe(`K-${number}`);
    for (const typed of [`К-${number}`, `к ${number}`, `k‑${number}`, `№ K${number}`, number]) {
      const { items } = await node.call(searchOrders, { display_id: typed, date: business_date }, manager);
      expect(items.map((found) => found.order_id)).toEqual([order_id]);
    }
  });

  it("an order is the same in capital letters, and so is a branch", async () => {
    const { order_id, position } = await place();
    const view = await node.call(getOrder, { order_id: order_id.toUpperCase(), after: position }, manager);
    expect(view.order_id).toBe(order_id);
    const branch_id = view.branch_id.toUpperCase();
    expect((await node.call(listActiveOrders, { branch_id, limit: 1 }, manager)).items).toHaveLength(1);
    const cancelled = { order_id: order_id.toUpperCase(), reason: "x" };
    expect(await node.call(cancelOrder, cancelled, manager)).toMatchObject({ order_id, status: "cancelled" });
  });

  it("a display id and a date find what they name", async () => {
    const order = await place();
    const view = await node.call(getOrder, { order_id: order.order_id, after: order.position }, manager);
    const by = { display_id: order.display_id.toLowerCase(), date: view.business_date ?? "" };
    expect((await node.call(searchOrders, by, manager)).items.map(({ order_id }) => order_id)).toEqual([
      order.order_id,
    ]);
    expect((await node.call(searchOrders, { ...by, date: "2020-01-01" }, manager)).items).toEqual([]);
    expect((await node.call(searchOrders, { date: "0001-01-01" }, manager)).items).toEqual([]);
    expect(await node.refusal(searchOrders, {}, cook)).toBe("auth.forbidden");
  });

  it("a cursor that nobody gave out is malformed", async () => {
    for (const list of [listActiveOrders, listPendingOrders, listOrderBatches, searchOrders, listMyOrders])
      expect(await node.refusal(list, { cursor: "junk" }, { ...manager, role: "super_admin" })).toBe(
        "input.cursor_malformed",
      );
  });
});

it("a node reports started only when its read model holds everything that the log held", async () => {
  await node.stop();
  const log = await createEventLog({ connection: database.connection, logger: new QuietLogger() });
  const before =
    (await database.pool.query<{ n: number }>("select count(*) as n from orders")).rows[0]?.n ?? 0;
  const late = Array.from({ length: 3_000 }, (_, index) => placedEvent(100_000 + index));
  await Promise.all(
    late.map((event) => {
      const stream = {
        stream_id: orderStream(event.data.order_id),
        stream_type: "order",
        expected_version: 0,
        events: [event],
      };
      return log.append({ streams: [stream], commands: [], meta: {} });
    }),
  );
  await log.close();
  node = await OrderNode.start(database);
  const { rows } = await database.pool.query("select count(*) as n from orders");
  expect(rows).toEqual([{ n: before + late.length }]);
});
