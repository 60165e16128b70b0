import { randomUUID } from "node:crypto";
import { GUEST, SYSTEM, type Caller } from "../../../../mixins/contract/caller";
import { isRefusal } from "../../../../mixins/contract/refusal";
import { PERSONAL_RECORDS } from "../../../../personal-data";
import { consumersOf } from "../../../../mixins/projection/consumer-registry";
import { addToCart, getCart } from "../../../../services/cart/cart.contract";
import { createUser, login } from "../../../../services/auth/auth.contract";
import { eraseCustomer, eraseOwn } from "../../../../services/customer/customer.contract";
import { Erasures } from "../../../../services/customer/customer.erasure";
import { eraseRest } from "../../../../services/customer/customer.rest";
import { erasureStream } from "../../../../services/customer/customer.events";
import {
  advanceOrder,
  getOrder,
  getOrderHistory,
  refundOrder,
  searchOrders,
} from "../../../../services/order/order.contract";
import { changeProfile, getProfile } from "../../../../services/profile/profile.contract";
import { createPost } from "../../../../services/views/post.contract";
import { addView, countViews } from "../../../../services/views/views.contract";
import { itemReviews, writeReview } from "../../../../services/shop/review.contract";
import { LANE_LOCK } from "../../../support/event-log.fixture";
import { eventually } from "../../../support/eventually";
import { PeopleNode, type Somebody } from "../../../support/people-node";

jest.setTimeout(90_000);

/** Nothing else contains these, so that all of the database can be searched for them. */
const TRACES = /Zyxw|79007654\d{3}/i;
const admin: Caller = { role: "super_admin", user_id: randomUUID(), branch_ids: null };
const ERASED = { customer: { name: "erased", phone: "erased" }, address: "erased", notes: "erased" };

let people: PeopleNode;
let phones = 100;

beforeAll(async () => {
  people = await PeopleNode.start();
});
afterAll(() => people.stop());

const phoneOf = (): string => `+79007654${String(++phones)}`;
const given = (phone: string) => ({
  customer: { name: "Zyxwana", phone },
  notes: "Zyxwdoor 17",
  address: "Zyxwstreet 7",
});
const settled = async (): Promise<void> => {
  const orders = consumersOf(people.node.runtime.log).get("orders");
  const head = await people.node.runtime.log.head();
  await eventually(() => expect(orders?.position).toBeGreaterThanOrEqual(head));
};
const shown = (order_id: string) => people.node.call(getOrder, { order_id });
const erase = (named: { user_id: string } | { phone: string }, key?: string) =>
  people.node.call(eraseCustomer, named, admin, key);
const orderRows = async (...order_ids: string[]): Promise<unknown[]> =>
  (
    await people.database.pool.query<object>(
      "select * from orders where order_id = any ($1) order by order_id",
      [order_ids],
    )
  ).rows;

describe("a customer who is erased", () => {
  let anna: Somebody;
  let order_id: string;

  beforeAll(async () => {
    anna = await people.somebody({ name: "Zyxwana Petrova", email: "zyxwana@forno.test", phone: phoneOf() });
    await people.node.call(
      changeProfile,
      { addresses: [{ label: null, address: "Zyxwstreet 7", comment: "Zyxwdoor", is_default: true }] },
      anna.caller,
    );
    order_id = await people.delivered(given(phoneOf()), anna.caller);
    await people.node.call(refundOrder, { order_id, amount_minor: 100, reason: "Zyxwcold" });
    const menu_item_id = (await shown(order_id)).items[0]?.menu_item_id ?? "";
    await people.node.call(writeReview, { menu_item_id, rating: 5, text: "Zyxwtasty" }, anna.caller);
    // So that it is in the cache.
    expect(await people.node.call(itemReviews, { item_id: menu_item_id })).toMatchObject({
      items: [{ author: "Zyxwana P.", text: "Zyxwtasty" }],
    });
    await settled();
  });

  it("is found in the tables before, and in none of them after; not even by a rebuild", async () => {
    expect(await people.everything()).toMatch(TRACES);
    const before = await shown(order_id);
    const answer = await erase({ user_id: anna.caller.user_id });
    expect(answer).toMatchObject({ streams: 1, accounts: [anna.caller.user_id] });
    await settled();
    const found = (await people.everything()).split("\n").filter((row) => TRACES.test(row));
    expect(found).toEqual([]);
    const { customer } = before;
    expect(await shown(order_id)).toEqual({
      ...before,
      ...ERASED,
      customer: { ...customer, ...ERASED.customer },
    });
    const rows = await orderRows(order_id);
    await consumersOf(people.node.runtime.log)
      .get("orders")
      ?.rebuild?.(() => undefined);
    expect(await orderRows(order_id)).toEqual(rows);
    const { items } = await people.node.call(getOrderHistory, { order_id });
    expect(JSON.stringify(items)).not.toMatch(TRACES);
    expect(items.at(-1)).toMatchObject({
      type: "order.refunded",
      data: { reason: "erased", amount_minor: 100 },
    });
    expect(items[0]).toMatchObject({
      type: "order.placed",
      data: { ...ERASED, total_minor: before.total_minor },
    });
    await eventually(async () => {
      const item_id = before.items[0]?.menu_item_id ?? "";
      expect(await people.node.call(itemReviews, { item_id })).toMatchObject({
        items: [],
        rating: { count: 0 },
      });
    });
  });

  it("is nobody any more: neither token nor password opens the account, whose email is free again", async () => {
    await eventually(async () => expect(isRefusal(await people.room.verifier.verify(anna.token))).toBe(true));
    const password = "tall umbrella kiosk 41";
    expect(await people.node.refusal(login, { email: anna.email, password })).toBe(
      "auth.invalid_credentials",
    );
    const again = await people.somebody({ email: anna.email });
    expect(again.caller.user_id).not.toBe(anna.caller.user_id);
    expect(await people.node.call(getProfile, {}, again.caller)).toMatchObject({ addresses: [] });
    await erase({ user_id: again.caller.user_id });
  });

  it("leaves a cart that is over, and views that are nobody's", async () => {
    const { pool } = people.database;
    const { caller } = await people.somebody();
    const menu_item_id = (await shown(order_id)).items[0]?.menu_item_id ?? "";
    await people.node.call(addToCart, { menu_item_id }, caller);
    const text = { ru: "Проба", en: "Probe" };
    const { post } = await people.node.call(
      createPost,
      { title: text, body: text, status: "published" },
      admin,
    );
    const { post_id } = post;
    await people.node.call(addView, { post_id }, caller);
    await erase({ user_id: caller.user_id });
    await eventually(async () => {
      expect(await people.node.call(getCart, {}, caller)).toMatchObject({ items: [] });
      const views = await pool.query("select from post_views where user_id = $1", [caller.user_id]);
      expect(views.rowCount).toBe(0);
    });
    expect(await people.node.call(countViews, { post_ids: [post_id] })).toEqual({
      items: [{ post_id, views_count: 1 }],
    });
    await eventually(async () => {
      const carts = await pool.query("select from carts where user_id = $1", [caller.user_id]);
      expect(carts.rowCount).toBe(0);
    });
  });

  it("loses what came in under the account while it was erased, as soon as it is looked for", async () => {
    const { runtime } = people.node;
    const { caller } = await people.somebody();
    await erase({ user_id: caller.user_id });
    const logger = runtime.broker.getLogger("test");
    const rest = { runtime, erasures: new Erasures(runtime, PERSONAL_RECORDS), logger };
    expect(await eraseRest(rest)).toBe(0);
    // By a token that this node did not know to be void.
    const late = await people.delivered(given(phoneOf()), caller);
    await settled();
    expect(await shown(late)).toMatchObject({ address: "Zyxwstreet 7" });
    expect(await eraseRest(rest)).toBe(1);
    await settled();
    expect(await shown(late)).toMatchObject(ERASED);
    expect(await eraseRest(rest)).toBe(0);
  });

  it("is told of by an event that says who was erased and nothing about them", async () => {
    const { caller } = await people.somebody();
    const { erasure_id, erased_at } = await erase({ user_id: caller.user_id });
    const events = await people.node.runtime.log.readStream(erasureStream(erasure_id));
    expect(events).toMatchObject([
      {
        type: "customer.erased",
        data: { erasure_id, user_id: caller.user_id, by: "desk", streams: 0, at: erased_at },
        meta: { actor: admin.user_id },
      },
    ]);
  });

  it("is erased once: the same key gives the first answer, another finds nobody", async () => {
    const { caller } = await people.somebody();
    const [key, named] = [randomUUID(), { user_id: caller.user_id }];
    const first = await erase(named, key);
    expect(await erase(named, key)).toEqual(first);
    expect(await people.node.refusal(eraseCustomer, named, admin)).toBe("customer.unknown");
  });
});

describe("a guest who is erased by phone", () => {
  it("is in no order of this number any more, and everybody else is in theirs", async () => {
    const [phone, other] = [phoneOf(), phoneOf()];
    const mine = [await people.delivered(given(phone), GUEST), await people.delivered(given(phone), GUEST)];
    const theirs = await people.delivered(given(other), GUEST);
    const typed = `8 (900) 765-4${phone.slice(-3, -2)}-${phone.slice(-2)}`;
    expect(await erase({ phone: typed })).toMatchObject({ streams: 2, accounts: [] });
    await settled();
    for (const order_id of mine) expect(await shown(order_id)).toMatchObject(ERASED);
    expect(await shown(theirs)).toMatchObject(given(other));
    expect(await people.node.call(searchOrders, { phone })).toMatchObject({ items: [] });
    expect(await people.everything()).not.toContain(phone.slice(1));
    expect(await people.node.refusal(eraseCustomer, { phone }, admin)).toBe("customer.unknown");
    // A later order under the number is a new one.
    await people.delivered(given(phone), GUEST);
    await settled();
    expect(await people.node.call(searchOrders, { phone })).toMatchObject({ items: [given(phone)] });
    await erase({ phone: other });
  });

  it("leaves accounts that have given the number without it, and names them", async () => {
    const phone = phoneOf();
    const anna = await people.somebody({ name: "Anna", phone });
    await people.node.call(changeProfile, { phone, name: "Anna" }, anna.caller);
    await people.delivered(given(phone), GUEST);
    expect(await erase({ phone })).toMatchObject({ streams: 1, accounts: [anna.caller.user_id] });
    await settled();
    expect(await people.everything()).not.toContain(phone.slice(1));
    expect(await people.node.call(getProfile, {}, anna.caller)).toMatchObject({ name: "Anna", phone: null });
  });

  it("is also erased in the months that were detached from the read model", async () => {
    const phone = phoneOf();
    const order_id = await people.delivered(given(phone), GUEST);
    await settled();
    const month = "detached.orders_2019_01";
    await people.database.pool.query(
      `create table ${month} as select * from orders where order_id = $1`.replace("$1", `'${order_id}'`),
    );
    await erase({ phone });
    await settled();
    const { rows } = await people.database.pool.query(`select customer_phone, address from ${month}`);
    expect(rows).toEqual([{ customer_phone: "erased", address: "erased" }]);
    await people.database.pool.query(`drop table ${month}`);
  });
});

describe("an erasure is refused", () => {
  it("while an order is under way, and goes through when that has ended", async () => {
    const phone = phoneOf();
    const anna = await people.somebody();
    const { order_id } = await people.place(given(phone), anna.caller);
    for (const named of [{ phone }, { user_id: anna.caller.user_id }])
      expect(await people.node.refusal(eraseCustomer, named, admin)).toBe("customer.has_open_orders");
    expect(await shown(order_id)).toMatchObject(given(phone));
    expect(await people.node.call(getProfile, {}, anna.caller)).toMatchObject({ name: "Zyxwana Petrova" });
    for (const status of ["preparing", "cooking", "ready", "delivery", "delivered"] as const)
      await people.node.call(advanceOrder, { order_id, status });
    expect(await erase({ user_id: anna.caller.user_id })).toMatchObject({ streams: 1 });
  });

  it("for staff, for nobody, and for two names or none", async () => {
    const staff = { role: "technologist", name: "Probe", email: `${randomUUID()}@forno.test` } as const;
    const { user_id } = await people.node.call(createUser, staff);
    const refusal = (named: object) => people.node.refusal(eraseCustomer, named, admin);
    expect(await refusal({ user_id })).toBe("customer.is_staff");
    expect(await refusal({ user_id: randomUUID() })).toBe("customer.unknown");
    expect(await refusal({})).toBe("customer.not_named");
    expect(await refusal({ user_id, phone: phoneOf() })).toBe("customer.not_named");
    expect(await refusal({ phone: "12345" })).toBe("customer.phone_invalid");
  });
});

describe("who deletes their own account", () => {
  it("must have signed in with the password within ten minutes", async () => {
    const anna = await people.somebody();
    const start = people.node.now;
    people.node.now = start + 600_001;
    expect(await people.node.refusal(eraseOwn, {}, anna.caller)).toBe("auth.sign_in_again");
    people.node.now = start + 599_000;
    const { user_id } = anna.caller;
    const { accounts, erasure_id } = await people.node.call(eraseOwn, {}, anna.caller);
    people.node.now = start;
    expect(accounts).toEqual([user_id]);
    const events = await people.node.runtime.log.readStream(erasureStream(erasure_id));
    expect(events).toMatchObject([{ data: { by: "self" }, meta: { actor: user_id } }]);
    expect(await people.node.refusal(eraseOwn, {}, anna.caller)).toBe("auth.sign_in_again");
  });

  it("is nobody who comes without a session", async () => {
    for (const caller of [SYSTEM, { role: "customer", user_id: randomUUID(), branch_ids: null } as const])
      expect(await people.node.refusal(eraseOwn, {}, caller)).toBe("auth.sign_in_again");
  });
});

it("sees an order that has just come to the log before it: nothing slips in behind what was read", async () => {
  const { pool } = people.database;
  const anna = await people.somebody();
  await people.delivered(given(phoneOf()), anna.caller);
  const waiting = async (): Promise<number | null> =>
    (await pool.query("select from pg_locks where locktype = 'advisory' and classid = 7461 and not granted"))
      .rowCount;
  const holder = await pool.connect();
  await holder.query("begin");
  await holder.query(LANE_LOCK);
  const placed = people.place(given(phoneOf()), anna.caller);
  await eventually(async () => expect(await waiting()).toBe(1));
  const refused = people.node.refusal(eraseCustomer, { user_id: anna.caller.user_id }, admin);
  await eventually(async () => expect(await waiting()).toBe(2));
  await holder.query("rollback");
  holder.release();
  const { order_id } = await placed;
  expect(await refused).toBe("customer.has_open_orders");
  expect(await shown(order_id)).toMatchObject({ address: "Zyxwstreet 7" });
});
