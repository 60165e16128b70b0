import type { Caller, Role } from "../../../mixins/contract/caller";
import type { Audience } from "./doors";
import type { Broadcast, Frame } from "./frame";

/**
 * What somebody may hear of, and with whose eyes they see what they hear of by it: a customer's orders by being that
 * customer, a branch's by working there in a role, a tracked order by its token and so as the public does, whoever holds it.
 */
export type Entitlements = ReadonlyMap<string, Role>;

/** What everybody may hear. */
export const PUBLIC_TOPIC = "public";
/** Of those who work everywhere. */
export const EVERY_BRANCH_TOPIC = "branch:*";
export const branchTopic = (branch_id: string): string => `branch:${branch_id}`;
export const userTopic = (user_id: string): string => `user:${user_id}`;
export const cartTopic = (cart_id: string): string => `cart:${cart_id}`;
export const orderTopic = (order_id: string): string => `order:${order_id}`;

/** What a token entitles to hear of by itself: of a guest's cart, or of one order as the public sees it. */
export const BY_TOKEN: Role = "guest";

/**
 * What a caller hears at a door by being who they are: staff what concerns their branches. In the shop everybody with a token
 * is a customer, staff included: the shop shows one's own orders, not one's branch's.
 */
export function entitlementsOf(audience: Audience, { user_id, role, branch_ids }: Caller): Map<string, Role> {
  const entitlements = new Map<string, Role>([[PUBLIC_TOPIC, "guest"]]);
  if (audience === "shop") {
    if (user_id !== null) entitlements.set(userTopic(user_id), "customer");
  } else if (branch_ids === null) {
    entitlements.set(EVERY_BRANCH_TOPIC, role);
  } else {
    for (const branch_id of branch_ids) entitlements.set(branchTopic(branch_id), role);
  }
  return entitlements;
}

/** A message as it is shown to whom has these entitlements, by the strongest that shows it at all; null: it is not. */
export function frameBy(entitlements: Entitlements, audience: Audience, broadcast: Broadcast): Frame | null {
  const { audiences, topics } = broadcast.announcement;
  if (!audiences.includes(audience)) return null;
  for (const topic of topics) {
    const role = entitlements.get(topic);
    const frame = role === undefined ? null : broadcast.frameFor(role);
    if (frame !== null) return frame;
  }
  return null;
}
