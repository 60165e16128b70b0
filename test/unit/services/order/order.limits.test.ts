import {
  confirmationNeeded,
  orderLimitsOf,
  tooMuch,
  type Noted,
  type OrderAsked,
  type OrderLimits,
} from "../../../../services/order/order.limits";
import type { NotedOrder } from "../../../../services/order/order.noted";
import { OpenBook } from "../../../../services/order/order.open-book";
import { loadSettings } from "../../../../settings";
import { BRANCH, CUSTOMER, OTHER_BRANCH, uuidOf } from "../../../support/orders";

const PHONE = "+79231234567";
const NONE: OrderLimits = {
  ...{ customer: { orders: 0, minor: 0 }, address: { orders: 0, minor: 0 }, branch: { orders: 0, minor: 0 } },
  ...{ address_per_minute: 0, network_per_minute: 0, confirm_above_minor: 0 },
};
const asked: OrderAsked = {
  ...{ order_id: uuidOf(99), branch_id: BRANCH, user_id: CUSTOMER, phone: PHONE, total_minor: 1_000 },
};
const QUIET: Noted = { account: [], phone: [], address: [], network: [] };
const note = (number: number, age_ms = 0, total_minor = 1_000): NotedOrder => ({
  ...{ order_id: uuidOf(number), total_minor, age_ms },
});
const notes = (count: number, age_ms = 0): NotedOrder[] =>
  Array.from({ length: count }, (_, n) => note(n + 1, age_ms));

let book: OpenBook;
beforeEach(() => {
  book = new OpenBook(() => 0);
});
/** Open orders of the customer at the branch, numbered from 1. */
const opened = (count: number, changes: Partial<OrderAsked> = {}): void => {
  for (let n = 1; n <= count; n += 1) {
    const { branch_id, user_id, phone, total_minor } = { ...asked, ...changes };
    book.open({ order_id: uuidOf(n), branch_id, user_id, phone, total_minor });
  }
};
const judged = (
  limits: Partial<OrderLimits>,
  noted: Partial<Noted> = {},
  order: Partial<OrderAsked> = {},
) => {
  const found = tooMuch({ ...asked, ...order }, book, { ...QUIET, ...noted }, { ...NONE, ...limits });
  return found === undefined ? "fine" : [found.by, found.refusal.code, found.refusal.data];
};
const five = { orders: 5, minor: 0 };

describe("too many open orders", () => {
  it.each([
    ["account", { user_id: CUSTOMER, phone: null }],
    ["phone", { user_id: null, phone: PHONE }],
  ])("of one %s: the fifth goes, the sixth does not", (by, who) => {
    opened(4, who);
    expect(judged({ customer: five }, {}, who)).toBe("fine");
    opened(5, who);
    expect(judged({ customer: five }, {}, who)).toEqual([
      by,
      "order.too_many_open",
      { by, open: 5, limit: 5 },
    ]);
  });

  it.each(["account", "phone"] as const)(
    "of one %s: those on their way count, each once, and those that were closed meanwhile do not",
    (by) => {
      const who = by === "account" ? { phone: null } : { user_id: null };
      opened(3, who);
      const under_way = [note(1), note(2), note(11), note(12)];
      expect(judged({ customer: five }, { [by]: under_way }, who)).toEqual([
        ...[by, "order.too_many_open", { by, open: 5, limit: 5 }],
      ]);
      // After a minute it is in the book, or was never placed.
      expect(judged({ customer: five }, { [by]: [note(11, 59_999), note(12, 60_000)] }, who)).toBe("fine");
      opened(3, who);
      book.open({ ...asked, ...who, order_id: uuidOf(11) });
      book.learn([{ type: "order.cancelled", data: { order_id: uuidOf(11) } } as never]);
      expect(judged({ customer: five }, { [by]: [note(11), note(12)] }, who)).toBe("fine");
    },
  );

  it("from one address: of all accounts, as long as they are open", () => {
    opened(3, { user_id: uuidOf(5, "c"), phone: null });
    const limits = { address: { orders: 3, minor: 0 } };
    const long_ago = [note(1, 3_000_000), note(2, 3_000_000), note(3, 3_000_000), note(8, 3_000_000)];
    expect(judged(limits, { address: long_ago })).toEqual([
      ...["address", "order.too_many_open", { by: "address", open: 3, limit: 3 }],
    ]);
    expect(judged(limits, { address: long_ago.slice(1) })).toBe("fine");
  });

  it("at one branch", () => {
    opened(5, { user_id: null, phone: null });
    expect(judged({ branch: five })).toEqual([
      ...["branch", "order.too_many_open", { by: "branch", open: 5, limit: 5 }],
    ]);
    expect(judged({ branch: five }, {}, { branch_id: OTHER_BRANCH })).toBe("fine");
  });
});

describe("too much that is not paid", () => {
  const money = { orders: 0, minor: 10_000 };
  it.each([
    ["account", { customer: money }, { user_id: CUSTOMER, phone: null }],
    ["phone", { customer: money }, { user_id: null, phone: PHONE }],
    ["branch", { branch: money }, { user_id: null, phone: null }],
  ] as const)("of one %s: to the kopeck", (by, limits, who) => {
    opened(2, { ...who, total_minor: 4_000 });
    expect(judged(limits, {}, { ...who, total_minor: 2_000 })).toBe("fine");
    expect(judged(limits, {}, { ...who, total_minor: 2_001 })).toEqual([
      by,
      "order.too_much_unpaid",
      { by, open_minor: 8_000, total_minor: 2_001, limit_minor: 10_000 },
    ]);
  });

  it("from one address, those on their way among it", () => {
    const noted = { address: [note(1, 0, 9_000)] };
    expect(judged({ address: money }, noted)).toBe("fine");
    expect(judged({ address: money }, noted, { total_minor: 1_001 })).toEqual([
      "address",
      "order.too_much_unpaid",
      { by: "address", open_minor: 9_000, total_minor: 1_001, limit_minor: 10_000 },
    ]);
  });

  it("says nothing of a first order", () => {
    expect(judged({ customer: money, address: money }, {}, { total_minor: 1_000_000 })).toBe("fine");
  });
});

describe("too fast", () => {
  it.each(["address", "network"] as const)("from one %s: so many in any minute", (by) => {
    const limits = { [`${by}_per_minute`]: 3 };
    expect(judged(limits, { [by]: notes(2) })).toBe("fine");
    expect(
      judged(limits, { [by]: [note(1, 50_000), note(2, 20_500), note(3, 100), note(4, 60_000)] }),
    ).toEqual([by, "order.too_fast", { by, limit: 3, retry_after_s: 10 }]);
    expect(judged(limits, { [by]: [note(1, 60_000), note(2), note(3)] })).toBe("fine");
  });

  it("says when there will be room again, however many were let through", () => {
    const noted = [5_000, 10_000, 15_000, 20_000, 25_000].map((age_ms, n) => note(n, age_ms));
    expect(judged({ address_per_minute: 3 }, { address: noted })).toMatchObject([
      ...["address", "order.too_fast", { retry_after_s: 45 }],
    ]);
  });
});

it("the account's own limit is told first, whatever else is gone beyond", () => {
  opened(5);
  const limits = { customer: five, branch: five, address_per_minute: 1 };
  expect(judged(limits, { address: notes(9) })[0]).toBe("account");
});

it("without limits everything is fine", () => {
  opened(100);
  expect(judged({}, { address: notes(200), network: notes(200) })).toBe("fine");
});

describe("a confirmation", () => {
  it.each<[number, number, boolean]>([
    [0, 1_000_000, false],
    [10_000, 10_000, false],
    [10_000, 10_001, true],
  ])("above %i: an order of %i needs one: %s", (confirm_above_minor, total_minor, needed) => {
    const refusal = confirmationNeeded({ total_minor }, { ...NONE, confirm_above_minor }, "+73912000000");
    expect(refusal?.code).toBe(needed ? "order.confirmation_needed" : undefined);
    if (needed) expect(refusal?.data).toEqual({ total_minor, limit_minor: 10_000, phone: "+73912000000" });
  });
});

it("the limits are those of the settings", () => {
  const env = {
    ...{ ORDER_OPEN_MAX: "1", ORDER_OPEN_MINOR_MAX: "2", ORDER_ADDRESS_OPEN_MAX: "3" },
    ...{ ORDER_ADDRESS_OPEN_MINOR_MAX: "4", ORDER_BRANCH_OPEN_MAX: "5", ORDER_BRANCH_OPEN_MINOR_MAX: "6" },
    ...{ ORDER_ADDRESS_PER_MINUTE: "7", ORDER_NETWORK_PER_MINUTE: "8", ORDER_CONFIRM_ABOVE_MINOR: "9" },
  };
  expect(orderLimitsOf(loadSettings(env))).toEqual({
    ...{
      customer: { orders: 1, minor: 2 },
      address: { orders: 3, minor: 4 },
      branch: { orders: 5, minor: 6 },
    },
    ...{ address_per_minute: 7, network_per_minute: 8, confirm_above_minor: 9 },
  });
});
