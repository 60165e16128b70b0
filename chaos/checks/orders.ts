import { operationsOf } from "../history";
import { differences } from "../model/digest";
import { toldOf, type Line, type Placed } from "../model/events";
import { without } from "../model/fields";
import { pricedLine } from "../model/sight";
import type { Evidence, Violation } from "./evidence";

/** A placed order in the log. Its notes carry the Idempotency-Key under which it was asked for. */
interface Found {
  readonly order: Placed;
  readonly position: number;
}

/**
 * Every acknowledged order stands exactly once in the log and in the read model, as it was acknowledged and as it was asked for;
 * no order is there that nobody asked for; no key has two.
 */
export function orders(
  evidence: Pick<Evidence, "operations" | "events" | "tables" | "began_at">,
): Violation[] {
  const found = placedByKey(evidence.events);
  const rows = new Map<unknown, number>();
  for (const { order_id } of evidence.tables.get("orders") ?? [])
    rows.set(order_id, (rows.get(order_id) ?? 0) + 1);
  const violations: Violation[] = [];
  const asked = new Set<string>();
  for (const operation of operationsOf(evidence.operations, "place")) {
    const { key, answer, outcome } = operation;
    asked.add(key);
    const mine = found.get(key) ?? [];
    if (mine.length > 1)
      violations.push({ promise: "order.doubled", detail: `key ${key} has ${idsOf(mine).join(", ")}` });
    if (outcome === "refused" && mine.length > 0)
      violations.push({
        promise: "order.refused_yet_placed",
        detail: `key ${key} has ${idsOf(mine).join()}`,
      });
    for (const { order } of mine)
      violations.push(...unlike("order.not_as_asked", `key ${key}`, wishOf(order), operation.asked));
    if (outcome !== "acked" || answer === null) continue;
    const { order_id, position } = answer;
    const there = mine.find(({ order }) => order.order_id === order_id);
    if (there === undefined)
      violations.push({
        promise: "order.lost",
        detail: `${order_id} was acknowledged to key ${key} at ${position}`,
      });
    else if (there.position > position)
      violations.push({
        promise: "order.acknowledged_early",
        detail: `${order_id} was acknowledged at ${position} and stands at ${there.position}`,
      });
    else
      violations.push(
        ...unlike("order.other_answer", order_id, { ...answer }, answerOf(there.order, position)),
      );
    if (rows.get(order_id) !== 1)
      violations.push({
        promise: "order.not_listed",
        detail: `${order_id} has ${rows.get(order_id) ?? 0} rows`,
      });
  }
  for (const [key, mine] of found)
    if (!asked.has(key) && mine.some(({ position }) => position > evidence.began_at))
      violations.push({ promise: "order.unasked", detail: `${idsOf(mine).join(", ")} has the key ${key}` });
  return [...violations, ...displayIds(found)];
}

function unlike(promise: string, whose: string, is: unknown, wanted: unknown): Violation[] {
  const wrong = differences(is, wanted);
  return wrong.length === 0 ? [] : [{ promise, detail: `${whose}: ${wrong.join(", ")}` }];
}

/** What a client asked for, as the order has it. */
function wishOf({ branch_id, channel, fulfilment, promo_code, customer, items }: Placed): object {
  return {
    ...{ branch_id, channel, fulfilment, promo_code, user_id: customer.user_id },
    items: items.map(({ menu_item_id, quantity, extras }) => ({
      ...{ menu_item_id, quantity },
      extras: extras.map(({ extra_id }) => extra_id),
    })),
  };
}

/** What whoever placed it has to be answered. */
function answerOf(order: Placed, position: number): object {
  const { order_id, display_id, items, items_total_minor, delivery_fee_minor, discount_minor } = order;
  const { total_minor, currency, shares, ready_at, visible_at, track_token, preorder, channel } = order;
  const [first] = shares;
  return {
    ...{
      order_id,
      display_id,
      status: "pending",
      items: items.map(channel === "grpc" ? wireLine : pricedLine),
      items_total_minor,
    },
    ...{
      delivery_fee_minor,
      discount_minor,
      total_minor,
      currency,
      ready_at,
      visible_at,
      preorder,
      position,
    },
    slot: first && { slot_id: first.slot_id, start: first.start, end: first.end },
    track_url: `/track/${track_token}`,
  };
}

/** gRPC does not tell in which sale. */
const wireLine = (line: Line): object => without(pricedLine(line), "flash_sale_id");

function placedByKey(events: Evidence["events"]): Map<string, Found[]> {
  const found = new Map<string, Found[]>();
  for (const { data: order, position } of toldOf(events, "order.placed")) {
    const key = order.notes ?? `none (${order.order_id})`;
    found.set(key, [...(found.get(key) ?? []), { order, position }]);
  }
  return found;
}

const idsOf = (found: readonly Found[]): string[] => found.map(({ order }) => order.order_id);

function displayIds(found: ReadonlyMap<string, readonly Found[]>): Violation[] {
  const holders = new Map<string, string>();
  const violations: Violation[] = [];
  for (const { order } of [...found.values()].flat()) {
    const shown = `${order.branch_id} ${order.business_date} ${order.display_id}`;
    const holder = holders.get(shown);
    if (holder !== undefined)
      violations.push({
        promise: "order.display_id_twice",
        detail: `${shown} is ${holder} and ${order.order_id}`,
      });
    holders.set(shown, order.order_id);
  }
  return violations;
}
