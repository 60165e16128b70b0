import { act } from "../../mixins/contract/implement";
import { ERASED_EVENT } from "../../mixins/erasure/erased-event";
import type { Position, RecordedEvent } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import type { BranchEvent } from "../branch/branch.events";
import { menuDocuments } from "../menu/menu.contract";
import type { MenuEvent } from "../menu/menu.events";
import type { CustomerErased } from "../customer/customer.events";
import { ORDER_STREAMS, type OrderEvent } from "../order/order.events";
import type { SlotEvent } from "../slot/slot.events";
import { rulesOf, rulesWrite, slotWriteUnder } from "./mirror.branches";
import { messageOf, orderWrite, slotWrite } from "./mirror.documents";
import { MENU_KEY, ORDER_KEPT_MS, type KeyWrite, type Message } from "./mirror.keys";
import { OrderMemory } from "./mirror.orders";
import { slotsKept } from "./mirror.slots";

type Subject = "order" | "slots" | "branch" | "menu" | "erasure";

/** Whom an event concerns. Archiving is housekeeping, a year after the last change: the mirror has long forgotten the order. */
const ABOUT: Readonly<Record<string, Subject>> = {
  "order.placed": "order",
  "order.status_changed": "order",
  "order.cancelled": "order",
  "order.processed": "order",
  "order.refunded": "order",
  "slot.booked": "slots",
  "slot.released": "slots",
  "slot.disabled_set": "slots",
  "slot.capacity_set": "slots",
  "slot.plan_set": "slots",
  "branch.opened": "branch",
  "branch.changed": "branch",
  "branch.slots_configured": "branch",
  "menu.published": "menu",
  // What a sale makes of prices is a part of the menu, and begins and ends within a version.
  "menu.sale_changed": "menu",
  "flash_sale.started": "menu",
  "flash_sale.ended": "menu",
  [ERASED_EVENT]: "erasure",
} satisfies Partial<
  Record<
    OrderEvent["type"] | SlotEvent["type"] | BranchEvent["type"] | MenuEvent["type"] | typeof ERASED_EVENT,
    Subject
  >
>;

export type TranslationNeeds = Pick<Runtime, "broker" | "log" | "pool" | "clock">;

/** An order's event is timed before it is recorded, maybe by another clock. */
const RECORDED_LATER_MS_MAX = 3_600_000;

/** What a stretch of the log changes in Redis: one write a key, whatever happened to it, and the messages in order. */
export interface Translated {
  readonly writes: readonly KeyWrite[];
  readonly messages: readonly Message[];
}

/**
 * Turns the log into what the mirror holds, stretch by stretch and without leaving one out: it remembers the orders that
 * it has passed.
 */
export class Translation {
  readonly #orders: OrderMemory;

  constructor(private readonly needs: TranslationNeeds) {
    this.#orders = new OrderMemory(needs.log);
  }

  async of(events: readonly RecordedEvent[]): Promise<Translated> {
    const about = Map.groupBy(events, ({ type }) => (Object.hasOwn(ABOUT, type) ? ABOUT[type] : undefined));
    const newest = new NewestWrites();
    const erased = await this.#erasedBy(about.get("erasure") ?? []);
    const others = about.get("order")?.filter(({ stream_id }) => !erased.has(stream_id)) ?? [];
    for (const { facts, last } of await this.#orders.follow(others))
      newest.add(orderWrite(facts, last.position));
    // The events in hand may still have what is erased; the log has it no more.
    const through = events.at(-1)?.position ?? 0;
    for (const { facts, last } of await this.#orders.readAnew([...erased.keys()], through))
      newest.add(orderWrite(facts, Math.max(last.position, erased.get(last.stream_id) ?? 0)));
    for (const { data, position } of about.get("slots") ?? [])
      for (const view of (data as SlotEvent["data"]).slots) newest.add(slotWrite(view, position));
    for (const event of about.get("branch") ?? [])
      for (const write of await this.#branchWrites(event)) newest.add(write);
    const menu = about.get("menu")?.at(-1);
    if (menu !== undefined) newest.add(await menuWrite(this.needs, menu.position));
    return {
      writes: newest.alive(this.needs.clock.now()),
      messages: events.map(messageOf).filter((message) => message !== undefined),
    };
  }

  /** Streams of orders that these events have erased, with the event's position; those that the mirror may hold. */
  async #erasedBy(events: readonly RecordedEvent[]): Promise<ReadonlyMap<string, Position>> {
    const erased = new Map<string, Position>();
    const since = new Date(this.needs.clock.now() - ORDER_KEPT_MS - RECORDED_LATER_MS_MAX);
    for (const { data, position } of events) {
      const { erasure_id } = data as CustomerErased["data"];
      const { rows } = await this.needs.pool.query<{ stream_id: string }>(ERASED_LATELY, [erasure_id, since]);
      for (const { stream_id } of rows) erased.set(stream_id, position);
    }
    return erased;
  }

  /** Its rules; and where they give a new capacity, the slots that follow it. */
  async #branchWrites(event: RecordedEvent): Promise<KeyWrite[]> {
    const { branch_id } = event.data as BranchEvent["data"];
    const branch = await rulesOf(this.needs.log, branch_id, event.version);
    if (branch?.position !== event.position) return [];
    if (branch.capacity_position !== event.position || event.type === "branch.opened")
      return [rulesWrite(branch)];
    const slots = await slotsKept(this.needs, branch_id, event.position);
    const touched = slots.map((slot) => slotWriteUnder(branch, slot));
    // A slot that was touched later has its own event, which is yet to come.
    return [rulesWrite(branch), ...touched.filter(({ guard }) => guard === event.position)];
  }
}

/** $1 erasure, $2 since when. */
const ERASED_LATELY = `
  select k.stream_id from es.data_key k
  join es.stream s on s.stream_id = k.stream_id
  join es.event e on e.lane = s.lane and e.pos = s.last_pos
  where k.erasure_id = $1 and starts_with(k.stream_id, '${ORDER_STREAMS}') and e.recorded_at > $2`;

/**
 * The menu as `GET /api/v1/menu` gives it, of a position or newer. It gives way to its own version too, which sales change; that
 * no older step comes behind a newer one is seen to by the marker.
 */
export async function menuWrite({ broker }: TranslationNeeds, position: Position): Promise<KeyWrite> {
  const { body } = await act(broker, menuDocuments.menu, { after: position });
  const value = body.toString();
  const { version } = JSON.parse(value) as { version: number };
  return { key: MENU_KEY, value, guard: version + 1 };
}

/** The newest write of each key. */
class NewestWrites {
  readonly #writes = new Map<string, KeyWrite>();

  add(write: KeyWrite): void {
    const name = `${write.key} ${write.field ?? ""}`;
    const known = this.#writes.get(name);
    if (known === undefined || write.guard > known.guard) this.#writes.set(name, write);
  }

  /** Without what would be forgotten at once: days of history that are written at one go. */
  alive(now_ms: number): KeyWrite[] {
    return [...this.#writes.values()].filter(({ expires_at_ms = Infinity }) => expires_at_ms > now_ms);
  }
}
