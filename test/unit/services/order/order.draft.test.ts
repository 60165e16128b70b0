import type { Branch } from "../../../../services/branch/branch.events";
import {
  checkHorizon,
  checkTotal,
  checkWish,
  draftOf,
  totalsOf,
  type DraftContext,
  type OrderWish,
} from "../../../../services/order/order.draft";
import { BRANCH, CUSTOMER, orderLine, uuidOf } from "../../../support/orders";

const NOW = Date.parse("2026-03-10T09:00:00.000Z");
const wish: OrderWish = {
  fulfilment: "delivery",
  address: " ул. Мира, 7 ",
  customer: { name: " Анна ", phone: "+79231234567" },
  payment_method: "card",
  items: [{ menu_item_id: uuidOf(1, "d"), quantity: 2 }],
};
const branch = { branch_id: BRANCH, delivery_fee_minor: 19_900, free_delivery_from_minor: 150_000 } as Branch;
const quote = {
  menu_version: 3,
  currency: "RUB",
  items: [orderLine()],
  items_total_minor: 149_600,
  discount_minor: 600,
  promo_code: null,
};
const context: DraftContext = {
  order_id: uuidOf(1),
  track_token: "t",
  channel: "shop",
  user_id: CUSTOMER,
  now: NOW,
  branch,
  quote,
  holds: [],
};

describe("a customer who says what they expect to pay", () => {
  const totals = { items_total_minor: 500, delivery_fee_minor: 100, discount_minor: 50, total_minor: 550 };

  it("pays that or nothing, and hears of the price that it would be", () => {
    expect(checkTotal(wish, totals)).toBeUndefined();
    expect(checkTotal({ ...wish, expected_total_minor: 550 }, totals)).toBeUndefined();
    for (const expected_total_minor of [0, 549, 551])
      expect(checkTotal({ ...wish, expected_total_minor }, totals)).toMatchObject({
        refused: "conflict",
        code: "order.price_changed",
        data: { ...totals, expected_total_minor },
      });
  });

  it("hears of nothing else", () => {
    const draft = draftOf(wish, context);
    const refusal = checkTotal({ ...wish, expected_total_minor: 1 }, draft);
    expect(Object.keys(refusal?.data ?? {})).toEqual([
      "expected_total_minor",
      "items_total_minor",
      "delivery_fee_minor",
      "discount_minor",
      "total_minor",
    ]);
  });
});

it("an order carries what it has of limited offers, and nothing where that is nothing", () => {
  const hold = { quota_id: uuidOf(1, "f"), hold_id: uuidOf(2, "f"), units: 2 };
  expect(draftOf(wish, { ...context, holds: [hold] }).holds).toEqual([hold]);
  expect(draftOf(wish, context)).not.toHaveProperty("holds");
});

describe("the money of an order", () => {
  it.each([
    ["a delivery below the threshold pays the fee", "delivery", 149_999, 150_000, 19_900],
    ["a delivery at the threshold is free", "delivery", 150_000, 150_000, 0],
    ["a discount does not take the free delivery away", "delivery", 150_100, 150_000, 0],
    ["where there is no threshold, every delivery pays", "delivery", 10_000_000, null, 19_900],
    ["a threshold of zero makes every delivery free", "delivery", 0, 0, 0],
    ["a pickup pays no fee", "pickup", 1, null, 0],
  ] as const)("%s", (_rule, fulfilment, items_total_minor, free_delivery_from_minor, fee) => {
    const discount_minor = Math.min(items_total_minor, 600);
    expect(
      totalsOf(
        { items_total_minor, discount_minor },
        { delivery_fee_minor: 19_900, free_delivery_from_minor },
        fulfilment,
      ),
    ).toEqual({
      items_total_minor,
      delivery_fee_minor: fee,
      discount_minor,
      total_minor: items_total_minor - discount_minor + fee,
    });
  });

  it.each([-1, 149_601])("a discount of %d is a defect of the menu, not a price", (discount_minor) => {
    expect(() => totalsOf({ ...quote, discount_minor }, branch, "pickup")).toThrow("a discount of");
  });
});

describe("a wish", () => {
  it("for a delivery needs an address, also one that is more than blanks", () => {
    const nowhere: OrderWish = { ...wish };
    delete (nowhere as { address?: string }).address;
    for (const bad of [nowhere, { ...wish, address: "  " }])
      expect(checkWish(bad, NOW)).toMatchObject({ code: "order.address_required" });
    expect(checkWish({ ...nowhere, fulfilment: "pickup" }, NOW)).toBeUndefined();
  });

  it("for a time that has passed is refused, beyond a minute's grace", () => {
    expect(checkWish({ ...wish, preferred_time: "2026-03-10T08:59:00.000Z" }, NOW)).toBeUndefined();
    expect(checkWish({ ...wish, preferred_time: "2026-03-10T08:58:59.999Z" }, NOW)).toMatchObject({
      refused: "unprocessable",
      code: "order.time_in_past",
    });
  });

  it("for a time beyond the branch's horizon is refused and says what is the latest", () => {
    expect(checkHorizon({ ...wish, preferred_time: "2026-03-11T09:00:00Z" }, 24, NOW)).toBeUndefined();
    expect(checkHorizon({ ...wish, preferred_time: "2026-03-11T09:00:01Z" }, 24, NOW)).toMatchObject({
      code: "order.time_too_far",
      data: { latest: "2026-03-11T09:00:00.000Z" },
    });
  });
});

describe("a draft", () => {
  it("takes prices, fee and time from the server and tidies what was typed", () => {
    expect(draftOf({ ...wish, preferred_time: "2026-03-10T19:00:00+07:00" }, context)).toEqual({
      order_id: uuidOf(1),
      branch_id: BRANCH,
      channel: "shop",
      fulfilment: "delivery",
      address: "ул. Мира, 7",
      customer: { user_id: CUSTOMER, name: "Анна", phone: "+79231234567" },
      payment_method: "card",
      notes: null,
      currency: "RUB",
      menu_version: 3,
      items: quote.items,
      items_total_minor: 149_600,
      delivery_fee_minor: 19_900,
      discount_minor: 600,
      total_minor: 168_900,
      promo_code: null,
      preferred_time: "2026-03-10T12:00:00.000Z",
      track_token: "t",
      placed_at: "2026-03-10T09:00:00.000Z",
    });
  });

  it("keeps no address of a pickup", () => {
    expect(draftOf({ ...wish, fulfilment: "pickup" }, context).address).toBeNull();
  });
});
