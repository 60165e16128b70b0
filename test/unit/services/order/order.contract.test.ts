import { validatorOf } from "../../../../mixins/contract/validation";
import {
  orderContracts,
  placeOrder,
  placeOrderAtDesk,
  searchOrders,
} from "../../../../services/order/order.contract";
import { uuidOf } from "../../../support/orders";

const validate = validatorOf(placeOrder.params);
const wish = {
  channel: "shop",
  fulfilment: "pickup",
  payment_method: "cash",
  items: [{ menu_item_id: uuidOf(1, "d"), quantity: 1 }],
};
const item = wish.items[0];

/** Paths of the refusal's complaints; "fine" when there are none. */
const complaints = (params: object): unknown => {
  const refusal = validate(structuredClone(params));
  return refusal === undefined
    ? "fine"
    : (refusal.data?.["errors"] as { path: string }[]).map(({ path }) => path);
};

describe("what a client may not say about an order", () => {
  it("a plain wish is fine", () => {
    expect(complaints(wish)).toBe("fine");
  });

  it.each([
    ["a discount", { ...wish, discount_minor: 100 }, "/discount_minor"],
    ["a fee", { ...wish, delivery_fee_minor: 0 }, "/delivery_fee_minor"],
    ["a total", { ...wish, total_minor: 1 }, "/total_minor"],
    [
      "a price of an item",
      { ...wish, items: [{ ...item, unit_price_minor: 1 }] },
      "/items/0/unit_price_minor",
    ],
    ["a negative quantity", { ...wish, items: [{ ...item, quantity: -1 }] }, "/items/0/quantity"],
    ["a quantity of zero", { ...wish, items: [{ ...item, quantity: 0 }] }, "/items/0/quantity"],
    ["a fractional quantity", { ...wish, items: [{ ...item, quantity: 1.5 }] }, "/items/0/quantity"],
    ["a hundred of one thing", { ...wish, items: [{ ...item, quantity: 100 }] }, "/items/0/quantity"],
    ["a quantity in words", { ...wish, items: [{ ...item, quantity: "2" }] }, "/items/0/quantity"],
    ["an order of nothing", { ...wish, items: [] }, "/items"],
    ["whose account it is", { ...wish, customer: { user_id: uuidOf(1) } }, "/customer/user_id"],
    ["a role", { ...wish, role: "admin" }, "/role"],
    ["a payment that does not exist", { ...wish, payment_method: "barter" }, "/payment_method"],
    ["a NUL character", { ...wish, notes: "a\u0000b" }, "/notes"],
    ["half a surrogate pair", { ...wish, notes: "a\ud83c" }, "/notes"],
    ["a phone without digits", { ...wish, customer: { phone: "()  --" } }, "/customer/phone"],
    ["a branch by a URN", { ...wish, branch_id: `urn:uuid:${uuidOf(1)}` }, "/branch_id"],
    ["the desk's channel", { ...wish, channel: "erp" }, "/channel"],
  ])("%s", (_what, params, path) => {
    expect(complaints(params)).toContainEqual(path);
  });

  it("emoji and all other letters are welcome", () => {
    expect(complaints({ ...wish, notes: "🍕 без лука, ёж" })).toBe("fine");
  });
});

it("the desk's door is for the desk, the shop's for everybody", () => {
  expect([placeOrderAtDesk.permission, placeOrder.permission]).toEqual([
    "order.place_for_others",
    "order.place",
  ]);
});

it("a date that does not exist is malformed", () => {
  expect(validatorOf(searchOrders.params)({ date: "2026-02-31" })).toMatchObject({ refused: "invalid" });
});

it("names and doors are unique, and no door hides behind an earlier one with a parameter", () => {
  const names = orderContracts.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const doors = orderContracts.flatMap(({ rest }) => rest ?? []);
  const covers = (earlier: string, later: string): boolean => {
    const [a, b] = [earlier.split("/"), later.split("/")];
    return a.length === b.length && a.every((part, index) => part.startsWith(":") || part === b[index]);
  };
  for (const [index, door] of doors.entries())
    for (const earlier of doors.slice(0, index))
      expect(
        earlier.method === door.method && covers(earlier.path, door.path)
          ? `${earlier.path} hides ${door.path}`
          : "free",
      ).toBe("free");
});
