import type { Role } from "../../../../../mixins/contract/caller";
import type { NewEvent, RecordedEvent } from "../../../../../mixins/event-log/event-log";
import { announcementOf } from "../../../../../services/gateway/socket/announcements";
import { DOORS } from "../../../../../services/gateway/socket/doors";
import {
  branchTopic,
  cartTopic,
  entitlementsOf,
  EVERY_BRANCH_TOPIC,
  orderTopic,
  PUBLIC_TOPIC,
  userTopic,
} from "../../../../../services/gateway/socket/entitlements";
import {
  BRANCH_A,
  BRANCH_B,
  cancelled,
  menuPublished,
  placed,
  refunded,
  sampleOrder,
  slotBooked,
  stepped,
} from "../../../../support/order-events";

const recorded = ({ type, data }: NewEvent): RecordedEvent => ({
  ...{ position: 1, partition: 0, stream_id: "s", stream_type: "t", version: 1, event_id: "e", schema_v: 1 },
  ...{ type, data, meta: {}, recorded_at: "2026-01-01T00:00:00Z" },
});
const announce = (event: NewEvent) => announcementOf(recorded(event));

describe("what events become at the sockets", () => {
  const order = sampleOrder({ user_id: "anna" });
  const topics = [branchTopic(BRANCH_A), EVERY_BRANCH_TOPIC, userTopic("anna"), orderTopic(order.order_id)];

  it("announces a new order to its branch, its customer and its trackers", () => {
    expect(announce(placed(order))).toMatchObject({
      type: "order:created",
      topics,
      audiences: ["kitchen", "erp", "shop"],
    });
  });

  it.each([
    ["a step", stepped(order, "pending", "preparing")],
    ["a cancellation", cancelled(order)],
    ["a refund", refunded(order)],
  ])("announces %s as a change of the order, with the same topics", (_what, event) => {
    expect(announce(event)).toMatchObject({ type: "order:status:changed", topics });
  });

  it("names nobody as the customer of a guest's order", () => {
    expect(announce(placed(sampleOrder()))?.topics).toHaveLength(3);
  });

  it("keeps a refund from everybody but the desk and the customer", () => {
    const sees = (role: Role) => announce(refunded(order))?.dataFor(role) !== null;
    expect((["manager", "customer", "cook", "courier", "guest"] as const).map(sees)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it("keeps slots inside, and names only what a board needs", () => {
    const announcement = announce(slotBooked(BRANCH_B));
    expect(announcement).toMatchObject({
      ...{
        type: "slot:changed",
        audiences: ["kitchen", "erp"],
        topics: [branchTopic(BRANCH_B), EVERY_BRANCH_TOPIC],
      },
    });
    expect(Object.keys(announcement?.dataFor("cook") ?? {})).toEqual(["branch_id", "business_date", "slots"]);
  });

  it("tells a board to read its slots again when the branch has new rules", () => {
    const rules = {
      type: "branch.slots_configured",
      data: { branch_id: BRANCH_A, slot_rules: { slot_minutes: 30 } },
    };
    expect(announce(rules)?.dataFor("manager")).toEqual({
      branch_id: BRANCH_A,
      business_date: null,
      slots: [],
    });
  });

  it("tells everybody of a new menu, but not who published it and why", () => {
    const announcement = announce(menuPublished(7));
    expect(announcement).toMatchObject({
      type: "menu:updated",
      topics: [PUBLIC_TOPIC],
      audiences: ["kitchen", "erp", "shop"],
    });
    expect(announcement?.dataFor("guest")).toEqual({
      version: 7,
      published_at: "2026-01-01T09:00:00.000Z",
      changed: ["x"],
    });
  });

  it("tells everybody when the prices of a sale come into force and when they go", () => {
    const sale = { sale_id: "s", item_ids: ["x"], limit_quantity: 5 };
    const at = "2026-01-01T09:00:00.000Z";
    const began = announce({
      type: "flash_sale.started",
      data: { sale_id: "s", sale, reason: "time", at },
    });
    expect(began).toMatchObject({
      ...{ type: "flash_sale:changed", topics: [PUBLIC_TOPIC], audiences: ["kitchen", "erp", "shop"] },
    });
    const said = { sale_id: "s", item_ids: ["x"], at };
    expect(began?.dataFor("guest")).toEqual({ ...said, running: true, reason: "time" });
    const over = { sale_id: "s", item_ids: ["x"], reason: "exhausted", at };
    expect(announce({ type: "flash_sale.ended", data: over })?.dataFor("guest")).toEqual({
      ...said,
      ...{ running: false, reason: "exhausted" },
    });
  });

  it("tells every desk which of the shop's caches were ended, but not by whom", () => {
    const data = { names: ["bestsellers"], by: "boss", at: "2026-01-01T09:00:00.000Z" };
    const announcement = announce({ type: "cache.invalidated", data });
    expect(announcement).toMatchObject({
      ...{ type: "cache:invalidated", topics: [PUBLIC_TOPIC], audiences: ["erp"] },
    });
    expect(announcement?.dataFor("manager")).toEqual({ names: data.names, at: data.at });
  });

  describe("a cart", () => {
    const contents = { lines: [{ line_id: "l", quantity: 2 }], promo_code: null };
    const none = { lines: [], promo_code: null };
    const [guests, annas] = [
      { cart_id: "c", user_id: null, at: "now" },
      { cart_id: "anna", user_id: "anna", at: "now" },
    ];

    it.each<[string, NewEvent, string, object]>([
      [
        "an edit",
        { type: "cart.changed", data: { ...guests, ...contents, change: "added" } },
        cartTopic("c"),
        { change: "added", ...contents },
      ],
      [
        "a merge",
        { type: "cart.merged", data: { ...annas, ...contents, from_cart_id: "c" } },
        userTopic("anna"),
        { change: "merged", ...contents },
      ],
      [
        "an order",
        { type: "cart.ordered", data: { ...annas, ...none, checkout_no: 1, order_id: "o" } },
        userTopic("anna"),
        { change: "ordered", ...none, order_id: "o" },
      ],
      [
        "its going to a customer, whom it does not name",
        { type: "cart.given", data: { ...guests, ...contents, to_user_id: "anna" } },
        cartTopic("c"),
        { change: "given", ...none },
      ],
      ["its end", { type: "cart.expired", data: guests }, cartTopic("c"), { change: "expired", ...none }],
    ])("tells its owner alone, in the shop, of %s", (_what, event, topic, data) => {
      const announcement = announce(event);
      expect(announcement).toMatchObject({ type: "cart:updated", audiences: ["shop"], topics: [topic] });
      expect(announcement?.dataFor("guest")).toEqual(data);
    });

    it("is nobody's news while it is being ordered", () => {
      for (const type of ["cart.checkout_begun", "cart.checkout_dropped"])
        expect(announce({ type, data: { ...annas, checkout_no: 1 } })).toBeUndefined();
    });
  });

  it("tells a customer which fields of the profile have changed", () => {
    const data = { user_id: "anna", changed: ["phone"], at: "now" };
    const announcement = announce({ type: "user.profile_changed", data });
    expect(announcement).toMatchObject({
      ...{ type: "profile:updated", audiences: ["shop"], topics: [userTopic("anna")] },
    });
    expect(announcement?.dataFor("customer")).toEqual({ changed: ["phone"] });
  });

  it("makes nothing of events that no row is for, whatever they are called", () => {
    for (const type of ["user.signed_in", "toString", "__proto__", "order.archived"]) {
      expect(announce({ type, data: {} })).toBeUndefined();
    }
  });
});

describe("who hears what", () => {
  const caller = (role: Role, branch_ids: string[] | null = null) => ({
    role,
    user_id: role === "guest" ? null : "me",
    branch_ids,
  });

  const entitled = (...[audience, who]: Parameters<typeof entitlementsOf>) =>
    Object.fromEntries(entitlementsOf(audience, who));

  it("gives staff what concerns its branches as its role sees it, and those without branches all of them", () => {
    expect(entitled("kitchen", caller("cook", [BRANCH_A]))).toEqual({
      ...{ [PUBLIC_TOPIC]: "guest", [branchTopic(BRANCH_A)]: "cook" },
    });
    expect(entitled("erp", caller("super_admin"))).toEqual({
      ...{ [PUBLIC_TOPIC]: "guest", [EVERY_BRANCH_TOPIC]: "super_admin" },
    });
    expect(entitled("erp", caller("manager", []))).toEqual({ [PUBLIC_TOPIC]: "guest" });
  });

  it("gives the shop one's own orders as a customer whatever one's role, and guests what is public", () => {
    expect(entitled("shop", caller("manager", [BRANCH_A]))).toEqual({
      ...{ [PUBLIC_TOPIC]: "guest", [userTopic("me")]: "customer" },
    });
    expect(entitled("shop", caller("guest"))).toEqual({ [PUBLIC_TOPIC]: "guest" });
  });

  it("admits each role to its doors", () => {
    const roles: Role[] = ["super_admin", "manager", "technologist", "cook", "courier", "customer", "guest"];
    const admitted = Object.fromEntries(
      DOORS.map(({ audience, admits }) => [audience, roles.filter(admits)]),
    );
    expect(admitted).toEqual({
      kitchen: ["super_admin", "manager", "technologist", "cook", "courier"],
      erp: ["super_admin", "manager", "technologist"],
      shop: roles,
    });
  });
});
