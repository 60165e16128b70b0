import type { Caller, Role } from "../../../mixins/contract/caller";
import { allows } from "../../../mixins/contract/permissions";

/** Two ways in to the same: a socket.io namespace and a plain WebSocket path. */
export interface Door {
  /** In metrics. */
  readonly audience: string;
  readonly namespace: string;
  readonly path: string;
  readonly admits: (role: Role) => boolean;
}

/** Who hears of the log. */
export type Audience = "kitchen" | "erp" | "shop";
/** A door behind which one hears of the log. */
export interface NewsDoor extends Door {
  readonly audience: Audience;
}

const isDesk = (role: Role): boolean => role === "technologist" || allows("order.search", role);

export const DOORS: readonly NewsDoor[] = [
  {
    audience: "kitchen",
    namespace: "/kitchen",
    path: "/api/v1/ws",
    admits: (role) => allows("order.read", role),
  },
  { audience: "erp", namespace: "/erp", path: "/api/v1/erp/ws", admits: isDesk },
  { audience: "shop", namespace: "/shop", path: "/ws", admits: () => true },
];

/** Behind this one, one subscribes to what one wants to hear. */
export const SUBSCRIPTION_DOOR: Door = {
  audience: "cameras",
  namespace: "/cameras",
  path: "/subscribe",
  admits: (role) => allows("camera.read", role),
};

/** Whether one may come in without a token. */
export const takesGuests = (door: Door): boolean => door.admits("guest");

/**
 * With whose eyes a client of a door looks. In the shop everybody with a token is a customer, staff included: the shop
 * shows one's own orders, not one's branch's.
 */
export function viewRoleOf(audience: Audience, caller: Caller): Role {
  if (audience !== "shop") return caller.role;
  return caller.user_id === null ? "guest" : "customer";
}

/** What everybody may hear. */
export const PUBLIC_TOPIC = "public";
/** Of those who work everywhere. */
export const EVERY_BRANCH_TOPIC = "branch:*";
export const branchTopic = (branch_id: string): string => `branch:${branch_id}`;
export const userTopic = (user_id: string): string => `user:${user_id}`;
export const cartTopic = (cart_id: string): string => `cart:${cart_id}`;
export const orderTopic = (order_id: string): string => `order:${order_id}`;

/** What a caller hears at a door: staff by branch, customers their own orders, guests what is public. */
export function topicsOf(audience: Audience, caller: Caller): string[] {
  if (audience === "shop") {
    return caller.user_id === null ? [PUBLIC_TOPIC] : [PUBLIC_TOPIC, userTopic(caller.user_id)];
  }
  if (caller.branch_ids === null) return [PUBLIC_TOPIC, EVERY_BRANCH_TOPIC];
  return [PUBLIC_TOPIC, ...caller.branch_ids.map(branchTopic)];
}
