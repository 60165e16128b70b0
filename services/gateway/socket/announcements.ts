import type { Role } from "../../../mixins/contract/caller";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import type { SlotsConfigured } from "../../branch/branch.events";
import type { CartEvent, CheckoutBegun, CheckoutDropped } from "../../cart/cart.events";
import type { FlashSaleEnded, FlashSaleStarted, MenuPublished } from "../../menu/menu.events";
import type { OrderEvent } from "../../order/order.events";
import { newsViewFor } from "../../order/order.view";
import type { ProfileChanged } from "../../profile/profile.events";
import type { CacheInvalidated } from "../../shop/shop.events";
import type { SlotEvent } from "../../slot/slot.events";
import type { Audience } from "./doors";
import {
  branchTopic,
  cartTopic,
  EVERY_BRANCH_TOPIC,
  orderTopic,
  PUBLIC_TOPIC,
  userTopic,
} from "./entitlements";

/** Message types that an event of the log can become. */
export type MessageType =
  | "order:created"
  | "order:status:changed"
  | "slot:changed"
  | "menu:updated"
  | "flash_sale:changed"
  | "cart:updated"
  | "profile:updated"
  | "cache:invalidated";

/** What the sockets make of one event: to whom it goes, and what each role sees of it. */
export interface Announcement {
  readonly type: MessageType;
  readonly audiences: readonly Audience[];
  /** Who is entitled to one of these is meant; the one that shows most comes first. See `frameBy`. */
  readonly topics: readonly string[];
  /** The message's `data` for one role; null: not for this role. */
  dataFor(role: Role): object | null;
}

type Announce = (event: RecordedEvent) => Announcement;

const EVERYBODY: readonly Audience[] = ["kitchen", "erp", "shop"];
const SHOP: readonly Audience[] = ["shop"];
const STAFF: readonly Audience[] = ["kitchen", "erp"];
const DESKS: readonly Audience[] = ["erp"];

/** The table: one row an event type that somebody wants to hear of. Types that are not here make no message. */
const ANNOUNCE: Readonly<Record<string, Announce>> = {
  "order.placed": announceOrder("order:created"),
  "order.status_changed": announceOrder("order:status:changed"),
  "order.cancelled": announceOrder("order:status:changed"),
  "order.processed": announceOrder("order:status:changed"),
  "order.refunded": announceOrder("order:status:changed"),
  "slot.booked": announceSlots,
  "slot.released": announceSlots,
  "slot.disabled_set": announceSlots,
  "slot.capacity_set": announceSlots,
  "slot.plan_set": announceSlots,
  "branch.slots_configured": announceNewRules,
  "menu.published": announceMenu,
  "flash_sale.started": announceSale,
  "flash_sale.ended": announceSale,
  "cache.invalidated": announceCache,
  "cart.changed": announceCart,
  "cart.merged": announceCart,
  "cart.ordered": announceCart,
  "cart.given": announceCart,
  "cart.expired": announceCart,
  "user.profile_changed": announceProfile,
};

/** What the sockets make of an event; undefined for one that nobody at a socket hears of. */
export function announcementOf(event: RecordedEvent): Announcement | undefined {
  return Object.hasOwn(ANNOUNCE, event.type) ? ANNOUNCE[event.type]?.(event) : undefined;
}

function announceOrder(type: MessageType): Announce {
  return ({ type: eventType, data }) => {
    const event = { type: eventType, data } as OrderEvent;
    const user_id = event.type === "order.placed" ? event.data.customer.user_id : event.data.user_id;
    const { branch_id, order_id } = event.data;
    const owner = user_id === null ? [] : [userTopic(user_id)];
    const topics = [branchTopic(branch_id), EVERY_BRANCH_TOPIC, ...owner, orderTopic(order_id)];
    return { type, audiences: EVERYBODY, topics, dataFor: (role) => newsViewFor(role, event) };
  };
}

/** Slots as they are after the event, absolute values: the newest message about a slot is the truth about it. */
function announceSlots({ data }: RecordedEvent): Announcement {
  const { branch_id, business_date, slots } = data as SlotEvent["data"];
  return slotAnnouncement(branch_id, { branch_id, business_date, slots });
}

/** New hours or capacities move slots that nobody has touched yet: a null date tells a board to read its slots again. */
function announceNewRules({ data }: RecordedEvent): Announcement {
  const { branch_id } = data as SlotsConfigured["data"];
  return slotAnnouncement(branch_id, { branch_id, business_date: null, slots: [] });
}

function slotAnnouncement(branch_id: string, data: object): Announcement {
  const topics = [branchTopic(branch_id), EVERY_BRANCH_TOPIC];
  return { type: "slot:changed", audiences: STAFF, topics, dataFor: () => data };
}

/** Who published it, and why, stays inside. */
function announceMenu({ data }: RecordedEvent): Announcement {
  const { version, published_at, changed } = data as MenuPublished["data"];
  return {
    type: "menu:updated",
    audiences: EVERYBODY,
    topics: [PUBLIC_TOPIC],
    dataFor: () => ({ version, published_at, changed }),
  };
}

/** Prices of these items come into force or go; whoever shows them reads the menu or the sales again. */
function announceSale({ type, data }: RecordedEvent): Announcement {
  const event = { type, data } as FlashSaleStarted | FlashSaleEnded;
  const { sale_id, reason, at } = event.data;
  const running = event.type === "flash_sale.started";
  const item_ids = running ? event.data.sale.item_ids : event.data.item_ids;
  return {
    type: "flash_sale:changed",
    audiences: EVERYBODY,
    topics: [PUBLIC_TOPIC],
    dataFor: () => ({ sale_id, running, reason, item_ids, at }),
  };
}

/** What is in it, to whoever's it is; prices are another matter, and read when they are shown. */
function announceCart({ type, data }: RecordedEvent): Announcement {
  const event = { type, data } as Exclude<CartEvent, CheckoutBegun | CheckoutDropped>;
  const { cart_id, user_id } = event.data;
  const isOver = event.type === "cart.given" || event.type === "cart.expired";
  const { lines, promo_code } = isOver ? { lines: [], promo_code: null } : event.data;
  const order = event.type === "cart.ordered" ? { order_id: event.data.order_id } : {};
  return {
    type: "cart:updated",
    audiences: SHOP,
    topics: [user_id === null ? cartTopic(cart_id) : userTopic(user_id)],
    dataFor: () => ({ change: changeOf(event), lines, promo_code, ...order }),
  };
}

const changeOf = (event: Exclude<CartEvent, CheckoutBegun | CheckoutDropped>): string =>
  event.type === "cart.changed" ? event.data.change : event.type.slice("cart.".length);

/** Which fields; what they say is read over REST, where the cache knows of the change. */
function announceProfile({ data }: RecordedEvent): Announcement {
  const { user_id, changed } = data as ProfileChanged["data"];
  return {
    type: "profile:updated",
    audiences: SHOP,
    topics: [userTopic(user_id)],
    dataFor: () => ({ changed }),
  };
}

/** Who did it stays inside. */
function announceCache({ data }: RecordedEvent): Announcement {
  const { names, at } = data as CacheInvalidated["data"];
  return {
    type: "cache:invalidated",
    audiences: DESKS,
    topics: [PUBLIC_TOPIC],
    dataFor: () => ({ names, at }),
  };
}
