import { GUEST, SYSTEM, type Caller } from "../../../../mixins/contract/caller";
import type { Fulfilment, OrderStatus } from "../../../../services/order/order.events";
import {
  COURIER_SEES_MS,
  isCouriersWork,
  isWithinReach,
  maySee,
} from "../../../../services/order/order.reach";
import {
  OTHER_BRANCH,
  cook,
  courier,
  customer,
  manager,
  placed,
  refOf,
  uuidOf,
} from "../../../support/orders";

const order = placed(1);
const NOW = Date.parse("2026-03-10T23:00:00.000Z");
const ago = (ms: number): string => new Date(NOW - ms).toISOString();

describe("whose business an order is", () => {
  it.each<[string, Caller, boolean]>([
    ["staff of the branch", cook, true],
    ["staff of another branch", { ...manager, branch_ids: [OTHER_BRANCH] }, false],
    ["staff of no branch", { ...manager, branch_ids: [] }, false],
    ["staff of all branches", { ...manager, branch_ids: null }, true],
    ["Forno itself", SYSTEM, true],
    ["its customer", customer, true],
    ["another customer", { ...customer, user_id: uuidOf(9, "c") }, false],
    ["a guest", GUEST, false],
  ])("%s: %s", (_who, caller, expected) => {
    expect(isWithinReach(caller, refOf(order))).toBe(expected);
  });
});

describe("what a courier's work is", () => {
  const ME = courier.user_id;
  const work = (
    fulfilment: Fulfilment,
    status: OrderStatus,
    courier_id: string | null = null,
    closed_at: string | null = null,
  ) => isCouriersWork(ME, { fulfilment, status, courier_id, closed_at }, NOW);

  it.each<[OrderStatus, boolean]>([
    ["pending", false],
    ["preparing", false],
    ["cooking", false],
    ["ready", true],
    ["delivery", true],
    ["delivered", false],
    ["cancelled", false],
    ["archived", false],
  ])("a delivery that is %s: %s, a pickup never", (status, expected) => {
    expect(work("delivery", status)).toBe(expected);
    expect(work("pickup", status)).toBe(false);
  });

  it("is what they have delivered themselves, for a shift, to the millisecond", () => {
    expect(work("delivery", "delivered", ME, ago(COURIER_SEES_MS))).toBe(true);
    expect(work("delivery", "delivered", ME, ago(COURIER_SEES_MS + 1))).toBe(false);
    expect(work("delivery", "delivered", uuidOf(9, "a"), ago(0))).toBe(false);
    expect(
      isCouriersWork(
        null,
        { fulfilment: "delivery", status: "delivered", courier_id: null, closed_at: ago(0) },
        NOW,
      ),
    ).toBe(false);
  });
});

describe("which orders a caller may look at", () => {
  const cooking = {
    ...{ ...refOf(order), status: "cooking" as const, courier_id: null, closed_at: null },
  };

  it.each<[string, Caller, boolean]>([
    ["a cook of the branch", cook, true],
    ["its manager", manager, true],
    ["a courier, before it is ready", courier, false],
    ["its customer", customer, true],
    ["a guest", GUEST, false],
  ])("%s: %s", (_who, caller, expected) => {
    expect(maySee(caller, cooking, NOW)).toBe(expected);
  });

  it("no courier of another branch, however ready it is", () => {
    const ready = { ...cooking, status: "ready" as const };
    expect(maySee(courier, ready, NOW)).toBe(true);
    expect(maySee({ ...courier, branch_ids: [OTHER_BRANCH] }, ready, NOW)).toBe(false);
  });
});
