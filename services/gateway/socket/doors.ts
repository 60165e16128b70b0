import type { Role } from "../../../mixins/contract/caller";
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
