import type { Role } from "../../mixins/contract/caller";
import type { Fulfilment, OrderStatus } from "./order.events";

/** Statuses that a step can lead to. */
export type OrderStep = "preparing" | "cooking" | "ready" | "delivery" | "delivered";

/** Statuses of an order that somebody still has to do something about. */
export const OPEN_STATUSES = ["pending", "preparing", "cooking", "ready", "delivery"] as const;

/** Whether nothing more happens to an order, but refunds and the archive. */
export const isClosed = (status: OrderStatus): boolean =>
  !(OPEN_STATUSES as readonly OrderStatus[]).includes(status);

/** `pending → preparing → cooking → ready → delivery → delivered`; a pickup goes from `ready` to `delivered`. */
export function nextStep(status: OrderStatus, fulfilment: Fulfilment): OrderStep | null {
  switch (status) {
    case "pending":
      return "preparing";
    case "preparing":
      return "cooking";
    case "cooking":
      return "ready";
    case "ready":
      return fulfilment === "delivery" ? "delivery" : "delivered";
    case "delivery":
      return "delivered";
    case "delivered":
    case "cancelled":
    case "archived":
      return null;
  }
}

/** An order can be cancelled until it is on its way. */
export const isCancellable = (status: OrderStatus): boolean => !isClosed(status) && status !== "delivery";

const COOK_STEPS: readonly OrderStep[] = ["preparing", "cooking", "ready"];

/** Whether taking this step is a role's work; a pickup is handed over by the desk, a delivery by its courier. */
export function mayStep(role: Role, to: OrderStep, fulfilment: Fulfilment): boolean {
  switch (role) {
    case "super_admin":
    case "manager":
    case "system":
      return true;
    case "cook":
      return COOK_STEPS.includes(to);
    case "courier":
      return fulfilment === "delivery" && !COOK_STEPS.includes(to);
    case "technologist":
    case "customer":
    case "guest":
      return false;
  }
}
