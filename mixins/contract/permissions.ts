import type { Role } from "./caller";

const EVERYONE = [
  "super_admin",
  "manager",
  "technologist",
  "cook",
  "courier",
  "customer",
  "guest",
] as const satisfies readonly Role[];
const SIGNED_IN = EVERYONE.filter((role) => role !== "guest");
const STAFF = SIGNED_IN.filter((role) => role !== "customer");
const DESK = ["super_admin", "manager"] as const satisfies readonly Role[];
const CONTENT = [...DESK, "technologist"] as const satisfies readonly Role[];

/**
 * Who may do what: the one table. An action names its row in its contract; `system` may do everything. What a role sees of
 * an order (phone, address, payment) is decided in `services/order/order.view.ts`.
 */
export const PERMISSIONS = {
  public: EVERYONE,
  session: SIGNED_IN,
  "order.place": EVERYONE,
  "cart.use": EVERYONE,
  "order.place_for_others": DESK,
  "order.read": STAFF,
  "order.search": DESK,
  "order.advance": ["super_admin", "manager", "cook", "courier"],
  "order.process": DESK,
  "order.cancel": [...DESK, "customer", "guest"],
  "order.refund": DESK,
  "slot.read": STAFF,
  "slot.configure": DESK,
  "branch.read": EVERYONE,
  "branch.manage": ["super_admin"],
  "menu.read": EVERYONE,
  "menu.edit": CONTENT,
  "menu.publish": CONTENT,
  "review.moderate": DESK,
  "post.read": EVERYONE,
  "post.edit": CONTENT,
  "views.add": SIGNED_IN,
  "views.read": STAFF,
  "views.sync": ["super_admin"],
  "staff.pin_login": ["super_admin", "manager", "cook", "courier", "technologist", "guest"],
  "user.manage": ["super_admin"],
  // Of the whole chain, and erased is erased.
  "customer.erase": ["super_admin"],
  "customer.export": ["super_admin"],
  "camera.read": DESK,
  "camera.manage": DESK,
  // Guests with a key of their branch.
  "camera.send": [...DESK, "guest"],
  "ops.read": DESK,
  "ops.operate": ["super_admin"],
  internal: [],
} as const satisfies Record<string, readonly Role[]>;

/** A row of {@link PERMISSIONS}. */
export type Permission = keyof typeof PERMISSIONS;

/** Whether a role holds a permission. */
export function allows(permission: Permission, role: Role): boolean {
  return role === "system" || (PERMISSIONS[permission] as readonly Role[]).includes(role);
}
