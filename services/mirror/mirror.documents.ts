import { SYSTEM } from "../../mixins/contract/caller";
import type { Position, RecordedEvent } from "../../mixins/event-log/event-log";
import type { SlotRules } from "../branch/branch.events";
import type { MenuPublished } from "../menu/menu.events";
import type { OrderEvent } from "../order/order.events";
import { eventViewFor, orderViewFor, type OrderFacts, type OrderView } from "../order/order.view";
import type { SlotView } from "../slot/slot.events";
import {
  ENTITY_EVENTS,
  ORDER_KEPT_MS,
  orderKey,
  orderStatusKey,
  SLOT_CONFIG_KEY,
  SLOT_KEPT_MS,
  slotKey,
  type KeyWrite,
  type Message,
  type OutgoingChannel,
} from "./mirror.keys";

/**
 * The forms of what is mirrored. Whoever may read Redis is inside the firewall and sees what the desk sees; only the
 * tracking link is left out, since who holds it can cancel the order. Every value is made from the log up to its position
 * and nothing else, so that a rebuild makes the same bytes.
 */

/** An order and its status after an event. */
export function orderWrite(facts: OrderFacts, position: Position): KeyWrite {
  const view = withoutLink(orderViewFor(SYSTEM.role, facts));
  return {
    key: orderKey(view.order_id),
    value: JSON.stringify({ ...view, position }),
    guard: position,
    expires_at_ms: Date.parse(view.updated_at) + ORDER_KEPT_MS,
    beside: { key: orderStatusKey(view.order_id), value: view.status },
  };
}

/** A slot after an event that touched it, or after its branch's capacity was changed. */
export function slotWrite(view: SlotView, position: Position): KeyWrite {
  const { slot_id, branch_id, start, end, capacity_minor, load_minor, orders_count } = view;
  const { delivery_count, pickup_count, delivery_plan, pickup_plan, disabled } = view;
  const value = JSON.stringify({
    ...{ slot_id, branch_id, start, end, capacity_minor, load_minor, orders_count },
    ...{ delivery_count, pickup_count, delivery_plan, pickup_plan, disabled, position },
  });
  return { key: slotKey(slot_id), value, guard: position, expires_at_ms: Date.parse(end) + SLOT_KEPT_MS };
}

/** A branch's slot rules; `time_zone` is the one that their hours are in. */
export function configWrite(
  branch_id: string,
  time_zone: string,
  rules: SlotRules,
  position: Position,
): KeyWrite {
  const { capacity_minor, slot_minutes, lead_time_minutes, preorder_hours, oversize, hours, holidays } =
    rules;
  const value = JSON.stringify({
    ...{ branch_id, time_zone, capacity_minor, slot_minutes, lead_time_minutes, preorder_hours, oversize },
    ...{ hours, holidays, position },
  });
  return { key: SLOT_CONFIG_KEY, field: branch_id, value, guard: position };
}

const CHANNELS: Readonly<Record<string, OutgoingChannel>> = {
  "order.placed": "order:created",
  "order.status_changed": "order:status:changed",
  "order.cancelled": "order:status:changed",
  "order.processed": "order:status:changed",
  "order.refunded": "order:status:changed",
  "menu.published": "menu:updated",
  ...Object.fromEntries(ENTITY_EVENTS.map((type) => [type, type])),
} satisfies Partial<Record<OrderEvent["type"] | "menu.published", OutgoingChannel>>;

/** What an event says to the channels, in the form that the sockets send; undefined for one that says nothing. */
export function messageOf(event: RecordedEvent): Message | undefined {
  const channel = Object.hasOwn(CHANNELS, event.type) ? CHANNELS[event.type] : undefined;
  if (channel === undefined) return undefined;
  const { recorded_at: timestamp, position } = event;
  const data = newsOf(channel, event);
  return { channel, text: JSON.stringify({ type: channel, data, timestamp, position }), position };
}

function newsOf(channel: OutgoingChannel, event: RecordedEvent): object {
  if (channel === event.type) return event.data as object;
  return channel === "menu:updated" ? menuNews(event) : orderNews(event);
}

function menuNews({ data }: RecordedEvent): object {
  const { version, published_at, changed } = data as MenuPublished["data"];
  return { version, published_at, changed };
}

function orderNews({ type, data }: RecordedEvent): object {
  const event = { type, data } as OrderEvent;
  if (event.type === "order.placed") return withoutLink(orderViewFor(SYSTEM.role, event.data));
  return eventViewFor(SYSTEM.role, event) ?? {};
}

function withoutLink(view: OrderView): Omit<OrderView, "track_url"> {
  const shown = { ...view };
  delete shown.track_url;
  return shown;
}
