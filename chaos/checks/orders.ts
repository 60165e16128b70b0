import type { OrderPlaced } from "../../services/order/order.events";
import { operationsOf } from "../history";
import type { Evidence, Violation } from "./evidence";

/** A placed order in the log. Its notes carry the Idempotency-Key under which it was asked for. */
interface Found {
  readonly order: OrderPlaced["data"];
  readonly position: number;
}

/**
 * Every acknowledged order stands exactly once in the log and in the read model, as it was acknowledged; no order is there
 * that nobody asked for; no key has two.
 */
export function orders(
  evidence: Pick<Evidence, "operations" | "events" | "orders" | "began_at">,
): Violation[] {
  const found = placedByKey(evidence.events);
  const rows = new Map<string, number>();
  for (const { order_id } of evidence.orders) rows.set(order_id, (rows.get(order_id) ?? 0) + 1);
  const violations: Violation[] = [];
  const asked = new Set<string>();
  for (const { key, answer, outcome } of operationsOf(evidence.operations, "place")) {
    asked.add(key);
    const mine = found.get(key) ?? [];
    if (mine.length > 1)
      violations.push({ promise: "order.doubled", detail: `key ${key} has ${idsOf(mine).join(", ")}` });
    if (outcome === "refused" && mine.length > 0)
      violations.push({
        promise: "order.refused_yet_placed",
        detail: `key ${key} has ${idsOf(mine).join()}`,
      });
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
    if (rows.get(order_id) !== 1)
      violations.push({
        promise: "order.not_listed",
        detail: `${order_id} has ${rows.get(order_id) ?? 0} rows`,
      });
  }
  for (const [key, mine] of found)
    if (!asked.has(key) && mine.some(({ position }) => position > evidence.began_at))
      violations.push({ promise: "order.unasked", detail: `${idsOf(mine).join(", ")} has the key ${key}` });
  return [...violations, ...displayIds(found), ...rowsWithoutEvent(found, rows)];
}

function placedByKey(events: Evidence["events"]): Map<string, Found[]> {
  const found = new Map<string, Found[]>();
  for (const { type, data, position } of events) {
    if (type !== "order.placed") continue;
    const order = data as OrderPlaced["data"];
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

function rowsWithoutEvent(
  found: ReadonlyMap<string, readonly Found[]>,
  rows: ReadonlyMap<string, number>,
): Violation[] {
  const placed = new Set([...found.values()].flatMap(idsOf));
  return [...rows.keys()]
    .filter((order_id) => !placed.has(order_id))
    .map((order_id) => ({ promise: "order.row_without_event", detail: order_id }));
}
