import type { Caller } from "../../mixins/contract/caller";
import type { Fulfilment, OrderStatus } from "./order.events";

/** Which orders a caller may look at: the one place that decides it, for lists, single orders, their history, gRPC and sockets. */

/**
 * Whether an order concerns a caller at all: staff by branch, customers by being the one who ordered. Guests have no
 * order but the one whose tracking token they hold, which is not decided here.
 */
export function isWithinReach(
  caller: Caller,
  order: { readonly branch_id: string; readonly user_id: string | null },
): boolean {
  if (caller.role === "guest") return false;
  if (caller.role === "customer") return order.user_id !== null && order.user_id === caller.user_id;
  return caller.branch_ids === null || caller.branch_ids.includes(order.branch_id);
}

/** How long a courier sees what they have delivered: a shift, wherever midnight falls in it. */
export const COURIER_SEES_MS = 16 * 3_600_000;

/** What of an order decides whether it is a courier's work. */
interface CarriedOrder {
  readonly fulfilment: Fulfilment;
  readonly status: OrderStatus;
  readonly courier_id: string | null;
  readonly closed_at: string | null;
}

/** Whether an order is a courier's work: a delivery that is ready or on its way, or that they have delivered in this shift. */
export function isCouriersWork(courier_id: string | null, order: CarriedOrder, now_ms: number): boolean {
  if (order.fulfilment !== "delivery") return false;
  if (order.status === "ready" || order.status === "delivery") return true;
  if (order.closed_at === null || order.courier_id === null || order.courier_id !== courier_id) return false;
  return Date.parse(order.closed_at) >= now_ms - COURIER_SEES_MS;
}

/** Whether a caller may look at an order as it stands now. */
export function maySee(
  caller: Caller,
  order: CarriedOrder & { readonly branch_id: string; readonly user_id: string | null },
  now_ms: number,
): boolean {
  if (!isWithinReach(caller, order)) return false;
  return caller.role !== "courier" || isCouriersWork(caller.user_id, order, now_ms);
}
