import { digestOf } from "../model/digest";
import { told, type LogEvent } from "../model/events";
import { ordersOf, type Order } from "../model/order";
import { changeSeen, orderSeen, type Sight } from "../model/sight";
import type { DoorName, Evidence, Heard, SocketRecord, Violation } from "./evidence";

/** Of one client so many violations are told; more of them say nothing new. */
const TOLD_MAX = 5;
/** A stretch that a client is told to read by other ways is longer than this: so much it first gets when it comes back. */
const RESUMED_EVENTS = 1_000;

/** Every socket client heard every message that was meant for it, once, in the log's order, as its role sees it. */
export function sockets({ events, sockets: records }: Pick<Evidence, "events" | "sockets">): Violation[] {
  const announcer = new Announcer(events);
  return records.flatMap((record) => {
    const found = [...differences(record, announcer.expectedBy(record)), ...needlessResyncs(record)];
    const rest = found.length - TOLD_MAX;
    return rest > 0
      ? [...found.slice(0, TOLD_MAX), { promise: "socket.more", detail: `${record.name}: ${rest} more` }]
      : found;
  });
}

const EVERYBODY: readonly DoorName[] = ["kitchen", "erp", "shop"];
const STAFF: readonly DoorName[] = ["kitchen", "erp"];

/** What an event says at sockets. */
interface News {
  readonly type: string;
  readonly doors: readonly DoorName[];
  /** Whom it concerns beyond that: a branch's staff, an order's customer and followers. Neither: everybody. */
  readonly branch_id?: string;
  readonly order_id?: string;
  readonly user_id?: string | null;
  /** What is shown to these eyes; null: nothing. */
  readonly shown: (sight: Sight) => unknown;
}

/** Reckons what clients have to hear of a log. */
export class Announcer {
  readonly #orders = new Map<number, Order>();
  readonly #digests = new Map<string, string | null>();
  readonly #news: readonly (readonly [LogEvent, News])[];

  constructor(events: readonly LogEvent[]) {
    for (const past of ordersOf(events).values())
      for (const order of past) this.#orders.set(order.position, order);
    this.#news = events.flatMap((event) => {
      const news = newsOf(event, this.#orders.get(event.position));
      return news === undefined ? [] : [[event, news] as const];
    });
  }

  /** What a client should have heard. */
  expectedBy(record: SocketRecord): Heard[] {
    const { after, resyncs } = record;
    return this.#news.flatMap(([{ position }, news]) => {
      if (position <= after || resyncs.some(({ from, to }) => position > from && position <= to)) return [];
      const sight = sightOf(record, news);
      const digest = sight === undefined ? null : this.#digest(position, news, sight);
      return digest === null ? [] : [{ type: news.type, position, digest }];
    });
  }

  #digest(position: number, { shown }: News, sight: Sight): string | null {
    const key = `${position} ${sight}`;
    const known = this.#digests.get(key);
    if (known !== undefined) return known;
    const data = shown(sight);
    const digest = data === null ? null : digestOf(data);
    this.#digests.set(key, digest);
    return digest;
  }
}

/** With whose eyes a client sees some news; undefined: it is none of its business. */
function sightOf({ door, person, tracked }: SocketRecord, news: News): Sight | undefined {
  const { doors, branch_id, order_id, user_id } = news;
  if (!doors.includes(door)) return undefined;
  if (door === "shop") {
    if (user_id !== undefined && user_id !== null && user_id === person.user_id) return "customer";
    if (order_id !== undefined) return tracked.includes(order_id) ? "public" : undefined;
    return branch_id === undefined && user_id === undefined ? "public" : undefined;
  }
  const isTheirs =
    branch_id === undefined || person.branch_ids === null || person.branch_ids.includes(branch_id);
  if (!isTheirs) return undefined;
  return person.role === "cook" ? "kitchen" : "desk";
}

function newsOf(event: LogEvent, order: Order | undefined): News | undefined {
  const { type, data } = told(event);
  switch (type) {
    case "order.placed": {
      const { branch_id, order_id, customer } = data;
      const shown = (sight: Sight): unknown => order && orderSeen(sight, order);
      const concerns = { branch_id, order_id, user_id: customer.user_id };
      return { type: "order:created", doors: EVERYBODY, ...concerns, shown };
    }
    case "order.status_changed":
    case "order.cancelled":
    case "order.processed":
    case "order.refunded": {
      const { branch_id, order_id, user_id } = data;
      const shown = (sight: Sight): unknown =>
        changeSeen(sight, type, data, order?.refunded_total_minor ?? 0);
      return { type: "order:status:changed", doors: EVERYBODY, branch_id, order_id, user_id, shown };
    }
    case "slot.booked":
    case "slot.released":
    case "slot.disabled_set":
    case "slot.capacity_set":
    case "slot.plan_set": {
      const { branch_id, business_date, slots } = data;
      return slotNews(branch_id, { branch_id, business_date, slots });
    }
    case "branch.slots_configured":
      return slotNews(data.branch_id, { branch_id: data.branch_id, business_date: null, slots: [] });
    case "menu.published": {
      const { version, published_at, changed } = data;
      return { type: "menu:updated", doors: EVERYBODY, shown: () => ({ version, published_at, changed }) };
    }
    case "flash_sale.started":
    case "flash_sale.ended": {
      const { sale_id, reason, at } = data;
      const running = type === "flash_sale.started";
      const item_ids = running ? data.sale.item_ids : data.item_ids;
      const shown = { sale_id, running, reason, item_ids, at };
      return { type: "flash_sale:changed", doors: EVERYBODY, shown: () => shown };
    }
    case "cache.invalidated": {
      const { names, at } = data;
      return { type: "cache:invalidated", doors: ["erp"], shown: () => ({ names, at }) };
    }
    case "user.profile_changed": {
      const { user_id, changed } = data;
      return { type: "profile:updated", doors: ["shop"], user_id, shown: () => ({ changed }) };
    }
    default:
      return undefined;
  }
}

function slotNews(branch_id: string, shown: object): News {
  return { type: "slot:changed", doors: STAFF, branch_id, shown: () => shown };
}

function differences({ name, heard }: SocketRecord, expected: readonly Heard[]): Violation[] {
  const violations: Violation[] = [];
  const wanted = new Map(expected.map((message) => [message.position, message]));
  const seen = new Set<number>();
  let last = 0;
  for (const { position, type, digest } of heard) {
    const detail = `${name}: ${type} at position ${position}`;
    const meant = wanted.get(position);
    if (seen.has(position)) violations.push({ promise: "socket.twice", detail });
    else if (meant === undefined) violations.push({ promise: "socket.not_meant", detail });
    else if (meant.type !== type || meant.digest !== digest)
      violations.push({ promise: "socket.other_content", detail });
    if (position < last)
      violations.push({ promise: "socket.out_of_order", detail: `${detail} after position ${last}` });
    seen.add(position);
    last = Math.max(last, position);
  }
  for (const { position, type } of expected)
    if (!seen.has(position))
      violations.push({ promise: "socket.missed", detail: `${name}: ${type} at position ${position}` });
  return violations;
}

function needlessResyncs({ name, resyncs }: SocketRecord): Violation[] {
  return resyncs
    .filter(({ from, to }) => to - from < RESUMED_EVENTS)
    .map(({ from, to }) => ({
      promise: "socket.needless_resync",
      detail: `${name} was told to read ${from} to ${to} by other ways`,
    }));
}
