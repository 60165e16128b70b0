import type { Role } from "../../../../mixins/contract/caller";
import type { Fulfilment, OrderStatus } from "../../../../services/order/order.events";
import {
  isCancellable,
  isClosed,
  mayStep,
  nextStep,
  type OrderStep,
} from "../../../../services/order/order.states";

const STEPS: readonly OrderStep[] = ["preparing", "cooking", "ready", "delivery", "delivered"];

/** Which steps each role may take, of a pickup and of a delivery: p preparing, c cooking, r ready, d delivery, D delivered. */
const WORK: Record<Role, Record<Fulfilment, string>> = {
  super_admin: { pickup: "pcrdD", delivery: "pcrdD" },
  manager: { pickup: "pcrdD", delivery: "pcrdD" },
  system: { pickup: "pcrdD", delivery: "pcrdD" },
  cook: { pickup: "pcr--", delivery: "pcr--" },
  courier: { pickup: "-----", delivery: "---dD" },
  technologist: { pickup: "-----", delivery: "-----" },
  customer: { pickup: "-----", delivery: "-----" },
  guest: { pickup: "-----", delivery: "-----" },
};

/** What comes next for a pickup and for a delivery, whether it is over, and whether it may still be cancelled. */
const STATES: Record<OrderStatus, readonly [OrderStep | null, OrderStep | null, boolean, boolean]> = {
  pending: ["preparing", "preparing", false, true],
  preparing: ["cooking", "cooking", false, true],
  cooking: ["ready", "ready", false, true],
  ready: ["delivered", "delivery", false, true],
  delivery: ["delivered", "delivered", false, false],
  delivered: [null, null, true, false],
  cancelled: [null, null, true, false],
  archived: [null, null, true, false],
};

describe("the states of an order", () => {
  it.each(Object.entries(WORK) as [Role, Record<Fulfilment, string>][])(
    "%s takes its own steps",
    (role, work) => {
      for (const fulfilment of ["pickup", "delivery"] as const)
        expect(
          STEPS.map((to, at) => (mayStep(role, to, fulfilment) ? "pcrdD".charAt(at) : "-")).join(""),
        ).toBe(work[fulfilment]);
    },
  );

  it.each(Object.entries(STATES) as [OrderStatus, (typeof STATES)[OrderStatus]][])(
    "%s",
    (status, [pickup, delivery, closed, cancellable]) => {
      expect(nextStep(status, "pickup")).toBe(pickup);
      expect(nextStep(status, "delivery")).toBe(delivery);
      expect(isClosed(status)).toBe(closed);
      expect(isCancellable(status)).toBe(cancellable);
    },
  );
});
