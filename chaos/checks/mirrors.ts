import { differences } from "../model/digest";
import { without } from "../model/fields";
import { ordersOf, standing, type Order } from "../model/order";
import { orderSeen } from "../model/sight";
import { bookOf, branchesOf } from "../model/tables";
import type { KeptSlot } from "../model/slot-book";
import type { Evidence, Mirror, Violation } from "./evidence";

const HOUR_MS = 3_600_000;
/** An order's keys end a day after its last change, a slot's six hours after the slot. */
const ORDER_KEPT_MS = 24 * HOUR_MS;
const SLOT_KEPT_MS = 6 * HOUR_MS;
/** Redis' clock and the nodes' may differ by so much before an end is moved by the difference. */
const CLOCKS_DIFFER_MS = 2_000;
/** A write that was held up on its way takes the wait for such a difference: its keys are kept that much longer. */
const HELD_UP_MS_MAX = 60_000;
const RULES = [
  ...["capacity_minor", "slot_minutes", "lead_time_minutes", "preorder_hours", "oversize"],
  ...["hours", "holidays"],
];

/** Every key in Redis holds, field by field, what the log says by now, and ends when it should. */
export function mirrors({ events, head, mirror }: Pick<Evidence, "events" | "head" | "mirror">): Violation[] {
  if (mirror === undefined) return [];
  const read = new Reading(mirror);
  for (const order of standing(ordersOf(events))) orderKeys(read, order);
  for (const slot of bookOf(events).slotsInForce()) slotKey(read, slot);
  for (const [branch_id, { details, slot_rules, rules_position }] of branchesOf(events))
    read.json(`slot:config ${branch_id}`, mirror.config.get(branch_id), {
      ...{ branch_id, time_zone: details["time_zone"], position: rules_position },
      ...Object.fromEntries(RULES.map((name) => [name, slot_rules[name]])),
    });
  const { state, position } = mirror.marker;
  read.same("forno:mirror", { state, position: Number(position) }, { state: "following", position: head });
  const menu = mirror.texts.get("menu:full");
  if (menu !== mirror.menu) {
    const wrong = menu === undefined ? ["missing"] : differences(JSON.parse(menu), JSON.parse(mirror.menu));
    const how = wrong.length === 0 ? "the same in other bytes" : wrong.join(", ");
    read.violations.push({ promise: "mirror.differs", detail: `menu:full, by GET /api/v1/menu: ${how}` });
  }
  return read.violations;
}

function orderKeys(read: Reading, order: Order): void {
  const { order_id } = order.placed;
  const [key, beside] = [`order:${order_id}`, `order:${order_id}:status`];
  // Who holds the link can cancel the order.
  read.text(key, { ...without(orderSeen("desk", order), "track_url"), position: order.position });
  read.same(beside, read.mirror.texts.get(beside), order.status);
  for (const each of [key, beside]) read.ends(each, Date.parse(order.updated_at) + ORDER_KEPT_MS);
}

function slotKey(read: Reading, slot: KeptSlot): void {
  const key = `slot:${slot.slot_id}`;
  read.text(key, without(slot, "business_date", "own_capacity_minor"));
  read.ends(key, Date.parse(slot.end) + SLOT_KEPT_MS);
}

/** Holds keys against what they should be. */
class Reading {
  readonly violations: Violation[] = [];

  constructor(readonly mirror: Mirror) {}

  text(key: string, wanted: object): void {
    this.json(key, this.mirror.texts.get(key), wanted);
  }

  json(key: string, text: string | undefined, wanted: object): void {
    this.same(key, text === undefined ? undefined : (JSON.parse(text) as unknown), wanted);
  }

  same(key: string, is: unknown, wanted: unknown): void {
    const wrong = differences(is, wanted);
    if (wrong.length > 0)
      this.violations.push({ promise: "mirror.differs", detail: `${key}: ${wrong.join(", ")}` });
  }

  ends(key: string, wanted_ms: number): void {
    const ends_ms = this.mirror.ends_ms.get(key);
    // What is not there is named already.
    if (ends_ms === undefined) return;
    if (ends_ms >= wanted_ms - CLOCKS_DIFFER_MS && ends_ms <= wanted_ms + HELD_UP_MS_MAX) return;
    this.violations.push({
      promise: "mirror.kept_otherwise",
      detail: `${key} ends at ${ends_ms} instead of ${wanted_ms}`,
    });
  }
}
