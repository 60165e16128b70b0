import type { Evidence, Mirror, SocketRecord } from "../../chaos/checks/evidence";
import { Announcer } from "../../chaos/checks/sockets";
import type { Answers, Operation, OperationName, Wish } from "../../chaos/history";
import type { LogEvent, MenuDocument } from "../../chaos/model/events";
import { without } from "../../chaos/model/fields";
import { ordersOf, standing } from "../../chaos/model/order";
import { orderSeen } from "../../chaos/model/sight";
import { bookOf, branchesOf, wantedTables } from "../../chaos/model/tables";
import { everyDay } from "../../services/branch/new-branch";
import { branchStream } from "../../services/branch/branch.events";
import { orderStream, type OrderPlaced } from "../../services/order/order.events";
import { placedAnswer } from "../../services/order/order.placement";
import { kitchenDayStream } from "../../services/slot/slot.events";
import { BRANCH, cancelled, cook, orderLine, placed, PLACED_AT, refOf, stepped, uuidOf } from "./orders";

export const CAPACITY = 600_000;
/** What its lines cost by the menu. */
export const AMOUNT = 279_400;
/** The menu in force when everything was ordered. */
export const MENU_VERSION = 3;
export const BEGAN_MS = Date.parse(PLACED_AT);

/** Writes events as the log would. */
export class ShortLog {
  readonly events: LogEvent[] = [];
  readonly #versions = new Map<string, number>();

  add(stream_id: string, type: string, data: object): number {
    const version = (this.#versions.get(stream_id) ?? 0) + 1;
    this.#versions.set(stream_id, version);
    const position = this.events.length + 1;
    this.events.push({
      ...{ position, stream_id, version, type, data, event_id: uuidOf(position) },
      recorded_at: "2026-03-10T09:00:00.000000Z",
    });
    return position;
  }

  get versions(): ReadonlyMap<string, number> {
    return this.#versions;
  }
}

const FULL = { unit_price_minor: 59_900, flash_sale_id: null };
const ITEMS = [
  orderLine({ ...FULL, line_total_minor: 159_600 }),
  orderLine({ ...FULL, kind: "set", extras: [], exclude_ingredients: [], line_total_minor: 119_800 }),
];

/** An order at the menu's prices, whose notes tell its key. */
export const order = (number: number, changes: Partial<OrderPlaced["data"]> = {}): OrderPlaced => {
  const [share] = placed(number).data.shares;
  return placed(number, {
    ...{ notes: `key-${String(number)}`, items: ITEMS, items_total_minor: AMOUNT, promo_code: null },
    ...{ discount_minor: 0, total_minor: AMOUNT + 19_900, menu_version: MENU_VERSION },
    shares: [{ ...share!, amount_minor: AMOUNT }],
    ...changes,
  });
};

/** The menu that says so. */
export const MENU: MenuDocument = {
  version: MENU_VERSION,
  pizzas: [{ id: ITEMS[0]!.menu_item_id, name: ITEMS[0]!.name, price_minor: 59_900 }],
  sets: [{ id: ITEMS[1]!.menu_item_id, name: ITEMS[1]!.name, price_minor: 59_900 }],
  extras: ITEMS[0]!.extras.map(({ extra_id: id, name, price_minor }) => ({ id, name, price_minor })),
};

export const SLOT_ID = order(1).data.shares[0]?.slot_id ?? "";
const DAY = kitchenDayStream(BRANCH, "2026-03-10");

/** The slot as an event says it is; all its orders are deliveries of one amount. */
export const slotView = (load_minor: number, capacity_minor = CAPACITY) => {
  const orders_count = Math.round(load_minor / AMOUNT);
  return {
    ...{ slot_id: SLOT_ID, branch_id: BRANCH, load_minor, capacity_minor },
    ...{ start: "2026-03-10T09:30:00.000Z", end: "2026-03-10T09:45:00.000Z", orders_count },
    ...{ delivery_count: orders_count, pickup_count: 0, delivery_plan: null, pickup_plan: null },
    disabled: false,
  };
};

export function book(log: ShortLog, number: number, load_minor: number, placing = order(number)): number {
  const { order_id, shares, fulfilment } = placing.data;
  const slots = [slotView(load_minor)];
  const day = { branch_id: BRANCH, business_date: "2026-03-10", slots };
  log.add(DAY, "slot.booked", { ...day, order_id, shares, number, fulfilment });
  return log.add(orderStream(order_id), "order.placed", placing.data);
}

export function release(log: ShortLog, number: number, load_minor: number): number {
  const { order_id, shares } = order(number).data;
  const slots = [slotView(load_minor)];
  const day = { branch_id: BRANCH, business_date: "2026-03-10", slots };
  return log.add(DAY, "slot.released", { ...day, order_id, shares });
}

export function openBranch(log: ShortLog): number {
  const hours = everyDay({ open: "00:00", close: "24:00" });
  const slot_rules = { capacity_minor: CAPACITY, slot_minutes: 15, hours };
  const details = { delivery_fee_minor: 19_900, free_delivery_from_minor: null, time_zone: "Europe/Moscow" };
  return log.add(branchStream(BRANCH), "branch.opened", { branch_id: BRANCH, details, slot_rules });
}

export function publish(log: ShortLog, version: number, note: string): number {
  const published = { version, note, published_at: PLACED_AT, changed: [] };
  return log.add("menu", "menu.published", published);
}

/** An operation that was answered with success at once. */
export function acked<Name extends OperationName>(
  op: Name,
  key: string,
  asked: Extract<Operation, { op: Name }>["asked"],
  answer: Extract<Operation, { op: Name }>["answer"],
): Operation {
  const done = { start_ms: 0, end_ms: 1, attempts: 1, outcome: "acked", status: 200, code: null };
  return { op, key, asked, answer, client: "test", ...done } as unknown as Operation;
}

/** What asked for an order. */
export function wishOf({ data }: OrderPlaced): Wish {
  const { branch_id, fulfilment, promo_code, customer, items } = data;
  return {
    channel: "shop",
    ...{ branch_id, fulfilment, promo_code, user_id: customer.user_id },
    items: items.map(({ menu_item_id, quantity, extras }) => ({
      ...{ menu_item_id, quantity },
      extras: extras.map(({ extra_id }) => extra_id),
    })),
  };
}

/** The placement of an order, as it was acknowledged. */
export const placing = (placed: OrderPlaced, position: number): Operation =>
  acked(
    "place",
    placed.data.notes ?? "",
    wishOf(placed),
    placedAnswer(placed.data, position) as unknown as Answers["place"],
  );

/** What a Redis holds that has followed. */
export function mirrorOf(events: readonly LogEvent[]): Mirror {
  const texts = new Map<string, string>([["menu:full", "{}"]]);
  for (const one of standing(ordersOf(events))) {
    const seen = without(orderSeen("desk", one), "track_url");
    const key = `order:${one.placed.order_id}`;
    texts.set(key, JSON.stringify({ ...seen, position: one.position }));
    texts.set(`${key}:status`, one.status);
  }
  for (const slot of bookOf(events).slotsInForce())
    texts.set(`slot:${slot.slot_id}`, JSON.stringify(without(slot, "business_date", "own_capacity_minor")));
  const config = [...branchesOf(events)].map(([branch_id, branch]) => {
    const { details, slot_rules, rules_position: position } = branch;
    const time_zone = details["time_zone"];
    return [branch_id, JSON.stringify({ branch_id, time_zone, position, ...slot_rules })] as const;
  });
  const marker = { state: "following", position: String(events.length) };
  return { texts, ends_ms: new Map(), config: new Map(config), marker, menu: "{}" };
}

/** Tables that follow from the log. */
export const tablesOf = (events: readonly LogEvent[]): Evidence["tables"] =>
  new Map(wantedTables(events).map(({ table, rows }) => [table, rows]));

/** A cook's tablet that heard everything it should have. */
export function kitchenSocket(events: readonly LogEvent[]): SocketRecord {
  const person = { role: "cook", user_id: cook.user_id, branch_ids: [BRANCH] } as const;
  const record: SocketRecord = {
    ...{ name: "tablet", door: "kitchen", person, tracked: [], after: 0, heard: [], resyncs: [] },
  };
  return { ...record, heard: new Announcer(events).expectedBy(record) };
}

/** Evidence of a log that clients have done nothing about. */
export function evidenceOf(log: ShortLog, changes: Partial<Evidence> = {}): Evidence {
  const { events, versions } = log;
  return {
    ...{ events, head: events.length, stream_versions: versions, began_at: events.length },
    ...{
      load_began_ms: BEGAN_MS,
      read_at_ms: BEGAN_MS + 3_600_000,
      operations: [],
      sockets: [],
      menus: [MENU],
      disturbances: [],
    },
    ...{ tables: tablesOf(events), mirror: mirrorOf(events), moves: [], contests: [] },
    ...changes,
  };
}

/**
 * A small history without a fault: two orders; the first is taken up, the second cancelled, its slot given back, and 100
 * refunded; the capacity is raised; a menu is published; an order is read; an answer is given again.
 */
export function goodEvidence(): Evidence {
  const log = new ShortLog();
  openBranch(log);
  const began_at = publish(log, MENU_VERSION, "before");
  const [first, second] = [order(1), order(2)];
  const placedAt = [book(log, 1, AMOUNT), book(log, 2, 2 * AMOUNT)] as const;
  const add = ({ type, data }: { type: string; data: { order_id: string } }): number =>
    log.add(orderStream(data.order_id), type, data);
  const steppedAt = add(stepped(first, "pending", "preparing"));
  const named = { ...cancelled(second).data, reason: "key-cancel" };
  const cancelledAt = add({ type: "order.cancelled", data: named });
  release(log, 2, AMOUNT);
  const amounts = { amount_minor: 100, refunded_total_minor: 100 };
  const refund = { ...refOf(second), ...amounts, reason: "key-refund", at: "2026-03-10T09:21:00.000Z" };
  const refundedAt = add({ type: "order.refunded", data: refund });
  const raised = { branch_id: BRANCH, slot_rules: { capacity_minor: 700_000 } };
  const raisedAt = log.add(branchStream(BRANCH), "branch.slots_configured", raised);
  const publishedAt = publish(log, MENU_VERSION + 1, "key-publish");
  const ids = [first.data.order_id, second.data.order_id] as const;
  const places = [placing(first, placedAt[0]), placing(second, placedAt[1])];
  const now = ordersOf(log.events).get(ids[0])!.at(-1)!;
  const operations = [
    ...places,
    acked("repeat", "key-1", { first: places[0]!.answer }, places[0]!.answer),
    acked(
      "advance",
      "key-step",
      { order_id: ids[0], to: "preparing" },
      { status: "preparing", position: steppedAt },
    ),
    acked("cancel", "key-cancel", { order_id: ids[1] }, { status: "cancelled", position: cancelledAt }),
    acked(
      "refund",
      "key-refund",
      { order_id: ids[1], amount_minor: 100 },
      { amount_minor: 100, position: refundedAt },
    ),
    acked(
      "configure",
      "key-rules",
      { branch_id: BRANCH, capacity_minor: 700_000 },
      { capacity_minor: 700_000, position: raisedAt },
    ),
    acked("publish", "key-publish", {}, { version: MENU_VERSION + 1, position: publishedAt }),
    acked("read", "key-read", { order_id: ids[0], after: steppedAt }, orderSeen("desk", now)),
  ];
  const sockets = [kitchenSocket(log.events)];
  const menus = [MENU, { ...MENU, version: MENU_VERSION + 1 }];
  return evidenceOf(log, { began_at, operations, sockets, menus });
}
