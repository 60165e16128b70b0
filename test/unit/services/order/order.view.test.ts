import type { Role } from "../../../../mixins/contract/caller";
import type { OrderEvent, OrderStatus } from "../../../../services/order/order.events";
import { eventViewFor, newsViewFor, orderViewFor } from "../../../../services/order/order.view";
import { BRANCH, CUSTOMER, cancelled, placed, refOf, stepped, uuidOf } from "../../../support/orders";

const order = placed(1);
const AT = "2026-03-10T10:00:00.000Z";
const everyRole: Role[] = [
  "super_admin",
  "manager",
  "system",
  "technologist",
  "cook",
  "courier",
  "customer",
  "guest",
];

/** What may show in the JSON of a view, by the words that only it contains. */
const SECRETS = {
  phone: "+79231234567",
  address: "ул. Мира",
  name: "Анна",
  account: CUSTOMER,
  payment: '"cash"',
  total: "309100",
  discount: "10000,",
  promo: "SPRING",
  list_price: "59900",
  line_price: "54900",
  extra_price: "19900",
  token: order.data.track_token,
} as const;

const shown = (role: Role): string[] => {
  const json = JSON.stringify(orderViewFor(role, { ...order.data, refunded_total_minor: 0 }));
  return Object.entries(SECRETS).flatMap(([what, text]) => (json.includes(text) ? [what] : []));
};

describe("what a role sees of an order beyond what to cook and when", () => {
  it.each<[Role, string[]]>([
    ["cook", []],
    ["technologist", []],
    ["guest", []],
    ["courier", ["phone", "address", "name", "payment", "total"]],
    ["customer", Object.keys(SECRETS)],
    ["manager", Object.keys(SECRETS)],
    ["super_admin", Object.keys(SECRETS)],
    ["system", Object.keys(SECRETS)],
  ])("%s: %j", (role, expected) => {
    expect(shown(role)).toEqual(expected);
  });

  it("everybody sees status, items and times", () => {
    for (const role of everyRole) {
      expect(orderViewFor(role, order.data)).toMatchObject({
        display_id: "K-001",
        status: "pending",
        items: [{ name: { en: "Pepperoni" }, quantity: 2, exclude_ingredients: ["Лук"] }, { kind: "set" }],
        slot: { start: "2026-03-10T09:30:00.000Z", end: "2026-03-10T09:45:00.000Z" },
        ready_at: order.data.ready_at,
      });
    }
  });

  it("the notes of a pickup are read by all but the public, those of a delivery (door codes) not by the kitchen either", () => {
    const readers = (fulfilment: "pickup" | "delivery") =>
      everyRole.filter((role) => orderViewFor(role, { ...order.data, fulfilment }).notes !== undefined);
    expect(readers("pickup")).toEqual(everyRole.filter((role) => role !== "guest"));
    expect(readers("delivery")).toEqual(["super_admin", "manager", "system", "courier", "customer"]);
  });

  it("why an order was cancelled is read by the desk and its customer", () => {
    const facts = { ...order.data, status: "cancelled" as const, cancel_reason: "передумали" };
    expect(
      everyRole.filter((role) => JSON.stringify(orderViewFor(role, facts)).includes("передумали")),
    ).toEqual([...["super_admin", "manager", "system", "customer"]]);
  });

  it.each(["processed_by", "courier_id"] as const)("only the desk sees %s of an order", (field) => {
    const facts = { ...order.data, [field]: uuidOf(1, "a") };
    expect(everyRole.filter((role) => field in orderViewFor(role, facts))).toEqual([
      "super_admin",
      "manager",
      "system",
    ]);
  });

  it("progress shows", () => {
    const facts = { ...order.data, status: "cooking" as const, updated_at: AT };
    expect(orderViewFor("guest", facts)).toMatchObject({ status: "cooking", updated_at: AT });
  });
});

describe("what a role hears of an event", () => {
  const ref = refOf(order);
  const by = uuidOf(1, "a");
  const refunded: OrderEvent = {
    type: "order.refunded",
    data: { ...ref, amount_minor: 5, refunded_total_minor: 5, reason: "холодная", at: AT },
  };
  const processed: OrderEvent = { type: "order.processed", data: { ...ref, by, at: AT } };
  const archived: OrderEvent = { type: "order.archived", data: { ...ref, from: "delivered", at: AT } };
  const hearers = (event: OrderEvent) => everyRole.filter((role) => eventViewFor(role, event) !== null);

  it("a placed order as its role's view", () => {
    for (const role of everyRole) expect(eventViewFor(role, order)).toEqual(orderViewFor(role, order.data));
  });

  it("a step is heard by all", () => {
    expect(eventViewFor("guest", stepped(order, "pending", "preparing", AT))).toEqual({
      order_id: ref.order_id,
      display_id: "K-001",
      branch_id: BRANCH,
      business_date: "2026-03-10",
      placed_at: ref.placed_at,
      at: AT,
      from: "pending",
      status: "preparing",
    });
  });

  it("a cancellation is heard by all, its reason by the desk and the customer, what the slots were worth by nobody", () => {
    const views = everyRole.map((role) => eventViewFor(role, cancelled(order)));
    expect(views.every((view) => view !== null && "status" in view && view.status === "cancelled")).toBe(
      true,
    );
    expect(everyRole.filter((role) => "reason" in (eventViewFor(role, cancelled(order)) ?? {}))).toEqual([
      ...["super_admin", "manager", "system", "customer"],
    ]);
    expect(JSON.stringify(views)).not.toContain("309100");
  });

  it("a refund is heard by the desk and its customer", () => {
    expect(hearers(refunded)).toEqual(["super_admin", "manager", "system", "customer"]);
    expect(
      everyRole.filter((role) => JSON.stringify(eventViewFor(role, refunded)).includes("холодная")),
    ).toEqual(["super_admin", "manager", "system"]);
  });

  it("that the desk processed an order is heard by staff; who did it, by the desk", () => {
    expect(hearers(processed)).toEqual([
      "super_admin",
      "manager",
      "system",
      "technologist",
      "cook",
      "courier",
    ]);
    expect(everyRole.filter((role) => "by" in (eventViewFor(role, processed) ?? {}))).toEqual([
      "super_admin",
      "manager",
      "system",
    ]);
  });

  it("the archive is heard by the desk", () => {
    expect(hearers(archived)).toEqual(["super_admin", "manager", "system"]);
  });

  it("the customer's account is named to the desk and to the customer only", () => {
    const event = stepped(order, "pending", "preparing");
    expect(everyRole.filter((role) => JSON.stringify(eventViewFor(role, event)).includes(CUSTOMER))).toEqual([
      "super_admin",
      "manager",
      "system",
      "customer",
    ]);
  });
});

describe("what a role hears of an event the moment it happens", () => {
  const pickup = placed(2, { fulfilment: "pickup" });
  const at = (status: OrderStatus) => ({ ...refOf(order), from: status, at: AT });
  const events: OrderEvent[] = [
    order,
    stepped(order, "pending", "preparing"),
    stepped(order, "preparing", "cooking"),
    stepped(order, "cooking", "ready"),
    stepped(order, "ready", "delivery"),
    stepped(order, "delivery", "delivered"),
    cancelled(order),
    { ...cancelled(order), data: { ...cancelled(order).data, from: "ready" } },
    { type: "order.processed", data: { ...refOf(order), by: null, at: AT } },
    { type: "order.archived", data: at("delivered") },
    pickup,
    stepped(pickup, "cooking", "ready"),
    stepped(pickup, "ready", "delivered"),
    { ...cancelled(pickup), data: { ...cancelled(pickup).data, from: "ready" } },
  ];

  it("a courier: of deliveries, from when they are ready", () => {
    const heard = events.filter((event) => newsViewFor("courier", event) !== null);
    expect(heard).toEqual([events[3], events[4], events[5], events[7]]);
    for (const event of heard) expect(newsViewFor("courier", event)).toEqual(eventViewFor("courier", event));
  });

  it("anybody else: what they see of it later, too", () => {
    for (const role of everyRole.filter((one) => one !== "courier"))
      for (const event of events) expect(newsViewFor(role, event)).toEqual(eventViewFor(role, event));
  });
});
