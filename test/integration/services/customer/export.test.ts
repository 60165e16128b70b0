import { randomUUID } from "node:crypto";
import { GUEST, type Caller } from "../../../../mixins/contract/caller";
import { addToCart } from "../../../../services/cart/cart.contract";
import { eraseCustomer, exportCustomer, exportOwn } from "../../../../services/customer/customer.contract";
import { getOrder, refundOrder } from "../../../../services/order/order.contract";
import { changeProfile } from "../../../../services/profile/profile.contract";
import { writeReview } from "../../../../services/shop/review.contract";
import { PeopleNode, type Somebody } from "../../../support/people-node";

jest.setTimeout(90_000);

const PHONE = "+79007650001";
const GUESTS = "+79007650002";
const admin: Caller = { role: "super_admin", user_id: randomUUID(), branch_ids: null };

let people: PeopleNode;
let anna: Somebody;
let order_id: string;
let menu_item_id: string;

beforeAll(async () => {
  people = await PeopleNode.start();
  anna = await people.somebody({ name: "Anna Petrova", phone: PHONE });
  const { caller } = anna;
  const address = { label: null, address: "Lenin street 5", comment: "door 17", is_default: true };
  await people.node.call(changeProfile, { addresses: [address], birthday: "1990-02-28" }, caller);
  order_id = await people.delivered({ customer: { name: "Anna", phone: PHONE }, notes: "no onions" }, caller);
  await people.node.call(refundOrder, { order_id, amount_minor: 100, reason: "cold, says Boris" });
  menu_item_id = (await people.node.call(getOrder, { order_id })).items[0]?.menu_item_id ?? "";
  await people.node.call(writeReview, { menu_item_id, rating: 4, text: "Tasty" }, caller);
  await people.node.call(addToCart, { menu_item_id, quantity: 3 }, caller);
});
afterAll(() => people.stop());

const own = async () => (await people.node.call(exportOwn, {}, anna.caller)).records;

it("tells customers everything that is known of them, but what the desk noted for itself", async () => {
  const records = await own();
  expect(Object.keys(records)).toEqual([
    "accounts",
    "profiles",
    "reviews",
    "votes",
    "views",
    "cart",
    "orders",
  ]);
  expect(records).toMatchObject({
    accounts: [{ user_id: anna.caller.user_id, email: anna.email, name: "Anna Petrova", phone: PHONE }],
    profiles: [{ birthday: "1990-02-28", addresses: [{ address: "Lenin street 5", comment: "door 17" }] }],
    reviews: [{ menu_item_id, rating: 4, text: "Tasty" }],
    ...{ votes: [], views: [] },
    cart: { lines: [{ menu_item_id, quantity: 3 }] },
    orders: [
      {
        order_id,
        events: [
          { type: "order.placed", data: { notes: "no onions" } },
          ...Array.from({ length: 5 }, () => ({})),
          {},
        ],
      },
    ],
  });
  const text = JSON.stringify(records);
  expect(text).toContain('"amount_minor":100');
  expect(text).not.toMatch(/cold|password_hash/);
});

it("tells the head of the chain all of it", async () => {
  const { records } = await people.node.call(exportCustomer, { user_id: anna.caller.user_id }, admin);
  expect(JSON.stringify(records)).toContain("cold, says Boris");
  expect(Object.keys(records)).toEqual(Object.keys(await own()));
});

it("tells of a guest by phone: their orders, and accounts that have given the number", async () => {
  const theirs = await people.delivered({ customer: { name: "Boris", phone: GUESTS } }, GUEST);
  const { records } = await people.node.call(exportCustomer, { phone: "8 900 765-00-02" }, admin);
  expect(records).toMatchObject({
    ...{ accounts: [], profiles: [], reviews: [], votes: [], views: [], cart: null },
    orders: [{ order_id: theirs }],
  });
  expect(await people.node.call(exportCustomer, { phone: PHONE }, admin)).toMatchObject({
    records: { accounts: [{ user_id: anna.caller.user_id }], orders: [{ order_id }] },
  });
});

it("tells nobody of orders under a number that they have only written into their account", async () => {
  const curious = await people.somebody({ phone: GUESTS });
  await people.node.call(changeProfile, { phone: GUESTS }, curious.caller);
  const { records } = await people.node.call(exportOwn, {}, curious.caller);
  expect(records).toMatchObject({ orders: [] });
  expect(JSON.stringify(records)).not.toContain("Boris");
});

it("knows nobody, and nobody any more", async () => {
  const refusal = (named: object) => people.node.refusal(exportCustomer, named, admin);
  expect(await refusal({ user_id: randomUUID() })).toBe("customer.unknown");
  expect(await refusal({ phone: "+79007650099" })).toBe("customer.unknown");
  expect(await refusal({})).toBe("customer.not_named");
  await people.node.call(eraseCustomer, { user_id: anna.caller.user_id }, admin);
  expect(await refusal({ user_id: anna.caller.user_id })).toBe("customer.unknown");
  expect(await people.node.refusal(exportOwn, {}, anna.caller)).toBe("customer.unknown");
});
