import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import type { Channel, OrderEvent } from "../../../../services/order/order.events";
import { OpenBook } from "../../../../services/order/order.open-book";
import { BRANCH, CUSTOMER, OTHER_BRANCH, cancelled, placed, refOf, stepped } from "../../../support/orders";

const PHONE = "+79231234567";
let now_ms: number;
let book: OpenBook;
beforeEach(() => {
  now_ms = Date.parse("2026-03-10T10:00:00Z");
  book = new OpenBook(() => now_ms);
});
const learn = (...events: OrderEvent[]): void => book.learn(events as unknown as RecordedEvent[]);
const first = placed(1);
const second = placed(2);
const ids = (orders: ReadonlyMap<string, unknown>): string[] => [...orders.keys()];
const AT = "2026-03-10T09:30:00.000Z";

describe("the book of open orders", () => {
  it("counts an order against its account, its phone and its branch", () => {
    learn(
      first,
      second,
      placed(3, { branch_id: OTHER_BRANCH, customer: { user_id: null, name: null, phone: PHONE } }),
    );
    expect(ids(book.ofAccount(CUSTOMER))).toEqual([first.data.order_id, second.data.order_id]);
    expect(book.ofPhone(PHONE).size).toBe(3);
    expect(book.ofBranch(BRANCH)).toEqual({ orders: 2, minor: 2 * first.data.total_minor });
    expect(book.ofBranch(OTHER_BRANCH)).toEqual({ orders: 1, minor: first.data.total_minor });
    expect(book.ofAccount("nobody").size + book.ofPhone("+7").size).toBe(0);
  });

  it.each<[Channel, number]>([
    ["shop", 1],
    ["grpc", 1],
    ["erp", 0],
    ["till", 0],
  ])("of what comes through %s: %i, because the desk answers for what it takes", (channel, counted) => {
    learn(placed(1, { channel }));
    expect(book.size).toBe(counted);
  });

  it.each<[string, OrderEvent, boolean]>([
    ["a step in the kitchen", stepped(first, "pending", "preparing"), true],
    ["a step on the road", stepped(first, "ready", "delivery"), true],
    [
      "a refund",
      {
        type: "order.refunded",
        data: { ...refOf(first), amount_minor: 1, refunded_total_minor: 1, reason: "", at: AT },
      },
      true,
    ],
    ["its delivery", stepped(first, "delivery", "delivered"), false],
    ["a cancellation", cancelled(first), false],
    [
      "the desk's word that it has dealt with it",
      { type: "order.processed", data: { ...refOf(first), by: null, at: AT } },
      false,
    ],
    ["the archive", { type: "order.archived", data: { ...refOf(first), from: "delivered", at: AT } }, false],
  ])("after %s an order counts: %s", (_what, event, counts) => {
    learn(first, second, event);
    expect(book.has(first.data.order_id)).toBe(counts);
    expect(book.ofAccount(CUSTOMER).size).toBe(counts ? 2 : 1);
    expect(book.ofPhone(PHONE).size).toBe(counts ? 2 : 1);
    expect(book.ofBranch(BRANCH).orders).toBe(counts ? 2 : 1);
    expect(book.hasClosed(first.data.order_id)).toBe(!counts);
  });

  it("is the same when events come twice, and empty when all is over", () => {
    learn(first, first, second);
    expect(book.ofBranch(BRANCH).orders).toBe(2);
    learn(cancelled(first), cancelled(first), cancelled(second));
    expect(book.size).toBe(0);
    expect(book.ofBranch(BRANCH)).toEqual({ orders: 0, minor: 0 });
    expect(book.ofAccount(CUSTOMER).size + book.ofPhone(PHONE).size).toBe(0);
  });

  it("remembers for two minutes that an order was closed", () => {
    learn(first, cancelled(first));
    now_ms += 119_999;
    learn(second, cancelled(second));
    expect(book.hasClosed(first.data.order_id)).toBe(true);
    now_ms += 1;
    learn(cancelled(placed(3)));
    expect(book.hasClosed(first.data.order_id)).toBe(false);
    expect(book.hasClosed(second.data.order_id)).toBe(true);
  });
});
