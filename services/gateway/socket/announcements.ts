import type { Role } from "../../../mixins/contract/caller";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import type { SlotsConfigured } from "../../branch/branch.events";
import type { MenuPublished } from "../../menu/menu.events";
import type { OrderEvent } from "../../order/order.events";
import { eventViewFor } from "../../order/order.view";
import type { SlotEvent } from "../../slot/slot.events";
import { branchTopic, EVERY_BRANCH_TOPIC, orderTopic, PUBLIC_TOPIC, userTopic, type Audience } from "./doors";

/** Message types that an event of the log can become. */
export type MessageType = "order:created" | "order:status:changed" | "slot:changed" | "menu:updated";

/** What the sockets make of one event: to whom it goes, and what each role sees of it. */
export interface Announcement {
  readonly type: MessageType;
  readonly audiences: readonly Audience[];
  /** A client that hears one of these is meant; see `topicsOf`. */
  readonly topics: readonly string[];
  /** The message's `data` for one role; null: not for this role. */
  dataFor(role: Role): object | null;
}

type Announce = (event: RecordedEvent) => Announcement;

const EVERYBODY: readonly Audience[] = ["kitchen", "erp", "shop"];
const STAFF: readonly Audience[] = ["kitchen", "erp"];

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
    const topics = [branchTopic(branch_id), EVERY_BRANCH_TOPIC, orderTopic(order_id)];
    if (user_id !== null) topics.push(userTopic(user_id));
    return { type, audiences: EVERYBODY, topics, dataFor: (role) => eventViewFor(role, event) };
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
