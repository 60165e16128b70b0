import type { Role } from "../../../../../mixins/contract/caller";
import type { NewEvent, RecordedEvent } from "../../../../../mixins/event-log/event-log";
import { announcementOf } from "../../../../../services/gateway/socket/announcements";
import {
  branchTopic,
  DOORS,
  EVERY_BRANCH_TOPIC,
  orderTopic,
  PUBLIC_TOPIC,
  topicsOf,
  userTopic,
  viewRoleOf,
} from "../../../../../services/gateway/socket/doors";
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
  const topics = [branchTopic(BRANCH_A), EVERY_BRANCH_TOPIC, orderTopic(order.order_id), userTopic("anna")];

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

  it("gives staff its branches, and those without branches all of them", () => {
    expect(topicsOf("kitchen", caller("cook", [BRANCH_A]))).toEqual([PUBLIC_TOPIC, branchTopic(BRANCH_A)]);
    expect(topicsOf("erp", caller("super_admin"))).toEqual([PUBLIC_TOPIC, EVERY_BRANCH_TOPIC]);
    expect(topicsOf("erp", caller("manager", []))).toEqual([PUBLIC_TOPIC]);
  });

  it("gives the shop one's own orders whatever one's role, and guests what is public", () => {
    expect(topicsOf("shop", caller("manager", [BRANCH_A]))).toEqual([PUBLIC_TOPIC, userTopic("me")]);
    expect(topicsOf("shop", caller("guest"))).toEqual([PUBLIC_TOPIC]);
    expect(viewRoleOf("shop", caller("manager"))).toBe("customer");
    expect(viewRoleOf("shop", caller("guest"))).toBe("guest");
    expect(viewRoleOf("kitchen", caller("cook"))).toBe("cook");
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
