import { told, type LogEvent, type ToldOf } from "./events";
import { without } from "./fields";
import { ordersOf, standing, type Order } from "./order";
import { SlotBook } from "./slot-book";

type Fields = Readonly<Record<string, unknown>>;

/** What a table has to hold, by its key; the columns that are named here are judged. */
export interface WantedTable {
  readonly table: string;
  readonly key: readonly string[];
  readonly rows: readonly Fields[];
}

/** Read models as they follow from the log. */
export function wantedTables(events: readonly LogEvent[]): WantedTable[] {
  const orders = standing(ordersOf(events));
  return [
    { table: "orders", key: ["order_id"], rows: orders.map(orderRow) },
    { table: "order_items", key: ["order_id", "line_no"], rows: orders.flatMap(itemRows) },
    { table: "slots", key: ["slot_id"], rows: slotRows(events) },
    { table: "branches", key: ["branch_id"], rows: branchRows(events) },
    { table: "quota_holds", key: ["hold_id"], rows: holdRows(events) },
    { table: "offer_uses", key: ["offer_id"], rows: useRows(events) },
    { table: "item_pairs", key: ["item_id", "also_id"], rows: pairRows(orders) },
    { table: "open_baskets", key: ["order_id"], rows: orders.flatMap(basketRow) },
    { table: "carts", key: ["cart_id"], rows: cartRows(events) },
  ];
}

function orderRow({ placed, ...progress }: Order): Fields {
  const { user_id, name, phone } = placed.customer;
  return {
    ...without(placed, "customer", "items", "holds"),
    ...progress,
    user_id,
    customer_name: name,
    customer_phone: phone,
  };
}

function itemRows({ placed: { order_id, placed_at, items } }: Order): Fields[] {
  return items.map(({ name, ...line }, at) => ({
    ...{ order_id, placed_at, line_no: at + 1, name_ru: name.ru, name_en: name.en },
    ...line,
  }));
}

function slotRows(events: readonly LogEvent[]): Fields[] {
  return bookOf(events)
    .slots()
    .map(({ start, end, ...slot }) => ({ ...slot, start_at: start, end_at: end }));
}

/** The books of all slots at the end of a log. */
export function bookOf(events: readonly LogEvent[]): SlotBook {
  const book = new SlotBook();
  for (const event of events) {
    const fact = told(event);
    switch (fact.type) {
      case "branch.opened":
        book.opened(fact);
        break;
      case "branch.slots_configured":
        book.configured(fact);
        break;
      case "slot.booked":
      case "slot.released":
      case "slot.disabled_set":
      case "slot.capacity_set":
      case "slot.plan_set":
        book.take(fact);
        break;
      default:
    }
  }
  return book;
}

/** A branch as its stream tells it. */
export interface Branch {
  readonly details: Fields;
  readonly slot_rules: Fields;
  readonly version: number;
  /** Of the newest event that changed its slot rules or its time zone. */
  readonly rules_position: number;
}

/** Branches by their ids; the one that said so last takes orders that name none. */
export function branchesOf(events: readonly LogEvent[]): Map<string, Branch> {
  const branches = new Map<string, Branch>();
  let usual: string | undefined;
  for (const event of events) {
    const { type, data, version, position } = told(event);
    if (type !== "branch.opened" && type !== "branch.changed" && type !== "branch.slots_configured") continue;
    const before = branches.get(data.branch_id);
    const details = type === "branch.slots_configured" ? {} : data.details;
    const slot_rules = type === "branch.changed" ? {} : data.slot_rules;
    if (details["is_default"] === true) usual = data.branch_id;
    const changesRules = type !== "branch.changed" || details["time_zone"] !== undefined;
    branches.set(data.branch_id, {
      details: { ...before?.details, ...details },
      slot_rules: { ...before?.slot_rules, ...slot_rules },
      version,
      rules_position: changesRules ? position : (before?.rules_position ?? 0),
    });
  }
  for (const [branch_id, branch] of branches)
    branches.set(branch_id, {
      ...branch,
      details: { ...branch.details, is_default: branch_id === usual },
    });
  return branches;
}

function branchRows(events: readonly LogEvent[]): Fields[] {
  return [...branchesOf(events)].map(([branch_id, { details, slot_rules, version }]) => ({
    ...{ branch_id, slot_rules, version },
    ...details,
  }));
}

function holdRows(events: readonly LogEvent[]): Fields[] {
  const holds = new Map<string, Fields>();
  for (const event of events) {
    const { type, data } = told(event);
    if (type === "quota.taken") {
      const { hold_id, quota_id, units, user_id, placing, at } = data;
      const { id: command_id, fingerprint } = placing;
      holds.set(hold_id, {
        ...{ hold_id, quota_id, units, user_id, command_id, fingerprint, taken_at: at, order_id: null },
      });
    } else if (type === "quota.confirmed") {
      const hold = holds.get(data.hold_id);
      if (hold !== undefined) holds.set(data.hold_id, { ...hold, order_id: data.order_id });
    } else if (type === "quota.returned") holds.delete(data.hold_id);
  }
  return [...holds.values()];
}

/** Uses are added up here; a customer's first order is no offer. */
function useRows(events: readonly LogEvent[]): Fields[] {
  const uses = new Map<string, { offer_id: string; used: number; position: number }>();
  for (const event of events) {
    const { type, data, position } = told(event);
    if ((type !== "quota.taken" && type !== "quota.returned") || data.first_order === true) continue;
    const units = type === "quota.taken" ? data.units : -data.units;
    const used = (uses.get(data.quota_id)?.used ?? 0) + units;
    uses.set(data.quota_id, { offer_id: data.quota_id, used, position });
  }
  return [...uses.values()];
}

/** The dishes of an order, each once. */
export const dishesOf = ({ placed }: Pick<Order, "placed">): string[] =>
  [...new Set(placed.items.map(({ menu_item_id }) => menu_item_id))].sort();

/** In how many orders that are not cancelled two dishes came together. */
function pairRows(orders: readonly Order[]): Fields[] {
  const pairs = new Map<string, { item_id: string; also_id: string; orders_count: number }>();
  for (const order of orders) {
    if (order.status === "cancelled") continue;
    const dishes = dishesOf(order);
    for (const item_id of dishes)
      for (const also_id of dishes) {
        if (item_id === also_id) continue;
        const key = `${item_id} ${also_id}`;
        const orders_count = (pairs.get(key)?.orders_count ?? 0) + 1;
        pairs.set(key, { item_id, also_id, orders_count });
      }
  }
  return [...pairs.values()];
}

/** An order that may still be cancelled. */
function basketRow(order: Order): Fields[] {
  const isOver = ["cancelled", "delivery", "delivered", "archived"].includes(order.status);
  return isOver ? [] : [{ order_id: order.placed.order_id, item_ids: dishesOf(order) }];
}

function cartRows(events: readonly LogEvent[]): Fields[] {
  const carts = new Map<string, Fields>();
  for (const event of events) {
    if (!event.type.startsWith("cart.")) continue;
    const { type, data, position } = event as unknown as ToldOf<"cart.changed">;
    const { cart_id, user_id, at: changed_at } = data;
    const before = carts.get(cart_id) ?? { lines_count: 0, checkout_at: null };
    const over = (type as string) === "cart.given" || (type as string) === "cart.expired";
    if (over) carts.delete(cart_id);
    else
      carts.set(cart_id, {
        ...before,
        ...{ cart_id, user_id, changed_at, position },
        ...checkoutOf(type, changed_at),
        ...("lines" in data ? { lines_count: data.lines.length } : {}),
      });
  }
  return [...carts.values()];
}

function checkoutOf(type: string, at: string): Fields {
  if (type === "cart.checkout_begun") return { checkout_at: at };
  return type === "cart.checkout_dropped" || type === "cart.ordered" ? { checkout_at: null } : {};
}
