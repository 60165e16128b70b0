import type { Role } from "../../../../../mixins/contract/caller";
import type { RecordedEvent } from "../../../../../mixins/event-log/event-log";
import { announcementOf } from "../../../../../services/gateway/socket/announcements";
import {
  branchTopic,
  frameBy,
  orderTopic,
  userTopic,
} from "../../../../../services/gateway/socket/entitlements";
import { Broadcast } from "../../../../../services/gateway/socket/frame";
import { BRANCH_A, placed, refunded, sampleOrder } from "../../../../support/order-events";

const order = sampleOrder({ user_id: "anna" });
const broadcastOf = ({ type, data }: Pick<RecordedEvent, "type" | "data">): Broadcast => {
  const event: RecordedEvent = {
    ...{
      position: 1,
      partition: 0,
      stream_id: "s",
      stream_type: "t",
      version: 1,
      event_id: "e",
      schema_v: 1,
    },
    ...{ type, data, meta: {}, recorded_at: "2026-01-01T00:00:00Z" },
  };
  const announcement = announcementOf(event);
  if (announcement === undefined) throw new Error(`nobody hears of ${type}`);
  return new Broadcast(announcement, event, () => undefined);
};
const by = (...entitlements: [string, Role][]) => new Map(entitlements);
const TRACKED: [string, Role] = [orderTopic(order.order_id), "guest"];
const OWN: [string, Role] = [userTopic("anna"), "customer"];

describe("what somebody is shown of a message", () => {
  it("is what their strongest entitlement to it shows, in whatever order they got them", () => {
    const broadcast = broadcastOf(placed(order));
    const own = broadcast.frameFor("customer");
    expect(frameBy(by(TRACKED, OWN), "shop", broadcast)).toBe(own);
    expect(frameBy(by(OWN, TRACKED), "shop", broadcast)).toBe(own);
    expect(frameBy(by(TRACKED), "shop", broadcast)).toBe(broadcast.frameFor("guest"));
  });

  it("is nothing where they have none, or come in at another door", () => {
    const broadcast = broadcastOf(placed(order));
    expect(frameBy(by([userTopic("bob"), "customer"]), "shop", broadcast)).toBeNull();
    expect(frameBy(by(), "kitchen", broadcast)).toBeNull();
    const cart = broadcastOf({
      type: "cart.expired",
      data: { cart_id: "c", user_id: "anna", at: "now" },
    });
    expect(frameBy(by(OWN), "erp", cart)).toBeNull();
  });

  it("is by a weaker entitlement what a stronger one does not show", () => {
    const broadcast = broadcastOf(refunded(order));
    const cookHere: [string, Role] = [branchTopic(BRANCH_A), "cook"];
    expect(frameBy(by(cookHere), "kitchen", broadcast)).toBeNull();
    expect(frameBy(by(cookHere, OWN), "kitchen", broadcast)).toBe(broadcast.frameFor("customer"));
    expect(frameBy(by(TRACKED), "shop", broadcast)).toBeNull();
  });
});
