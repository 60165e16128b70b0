import type { OrderEvent } from "../../../../services/order/order.events";
import { foldRows } from "../../../../services/order/order.rows";
import { cancelled, courier, placed, refOf, stepped, stepsTo } from "../../../support/orders";

const fold = (...events: OrderEvent[]) =>
  foldRows(events.map((event, index) => ({ position: index + 1, event })));
const order = placed(1);
const AT = "2026-03-10T10:00:00.000Z";

it("a placed order is a new row", () => {
  const { inserts, updates } = fold(order);
  expect(inserts).toMatchObject([{ placed: order.data, status: "pending", position: 1 }]);
  expect(updates).toEqual([]);
});

it("an order that was placed and moved on in one batch is one new row, as it stands at the end", () => {
  const { inserts, updates } = fold(order, ...stepsTo(order, "ready"), cancelled(order));
  expect(inserts).toMatchObject([
    { placed: order.data, status: "cancelled", cancel_reason: "передумали", position: 5 },
  ]);
  expect(updates).toEqual([]);
});

it("many events of one order are one change: the last status, at the last position", () => {
  const { updates } = fold(...stepsTo(order, "ready"));
  expect(updates).toMatchObject([
    {
      order_id: order.data.order_id,
      placed_at: order.data.placed_at,
      status: "ready",
      closed_at: null,
      position: 3,
    },
  ]);
});

it.each<[string, OrderEvent, object]>([
  [
    "order.status_changed",
    stepped(order, "delivery", "delivered", AT),
    { status: "delivered", closed_at: AT, courier_id: courier.user_id },
  ],
  [
    "order.cancelled",
    cancelled(order, AT),
    { status: "cancelled", cancel_reason: "передумали", closed_at: AT },
  ],
  [
    "order.processed",
    { type: "order.processed", data: { ...refOf(order), by: "somebody", at: AT } },
    { status: null, processed_at: AT, processed_by: "somebody" },
  ],
  [
    "order.refunded",
    {
      type: "order.refunded",
      data: { ...refOf(order), amount_minor: 5, refunded_total_minor: 7, reason: "", at: AT },
    },
    { status: null, refunded_total_minor: 7 },
  ],
  [
    "order.archived",
    { type: "order.archived", data: { ...refOf(order), from: "delivered", at: AT } },
    { status: "archived", closed_at: null },
  ],
])("%s changes what it says and nothing else", (_type, event, expected) => {
  const { updates } = fold(event);
  const untouched = {
    status: null,
    refunded_total_minor: null,
    processed_at: null,
    processed_by: null,
    cancel_reason: null,
    closed_at: null,
    courier_id: null,
  };
  expect(updates).toEqual([
    {
      order_id: order.data.order_id,
      placed_at: order.data.placed_at,
      updated_at: AT,
      position: 1,
      ...untouched,
      ...expected,
    },
  ]);
});

it("changes of different events add up", () => {
  const { updates } = fold(
    { type: "order.processed", data: { ...refOf(order), by: null, at: AT } },
    cancelled(order),
  );
  expect(updates).toMatchObject([{ status: "cancelled", processed_at: AT }]);
});
