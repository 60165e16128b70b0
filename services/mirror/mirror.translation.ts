import { act } from "../../mixins/contract/implement";
import type { Position, RecordedEvent } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import type { BranchEvent } from "../branch/branch.events";
import { menuDocuments } from "../menu/menu.contract";
import type { OrderEvent } from "../order/order.events";
import type { SlotEvent } from "../slot/slot.events";
import { rulesOf, rulesWrite, slotWriteUnder } from "./mirror.branches";
import { messageOf, orderWrite, slotWrite } from "./mirror.documents";
import { MENU_KEY, type KeyWrite, type Message } from "./mirror.keys";
import { OrderMemory } from "./mirror.orders";
import { slotsKept } from "./mirror.slots";

type Subject = "order" | "slots" | "branch" | "menu";

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
} satisfies Partial<
  Record<OrderEvent["type"] | SlotEvent["type"] | BranchEvent["type"] | "menu.published", Subject>
>;

export type TranslationNeeds = Pick<Runtime, "broker" | "log" | "pool" | "clock">;

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
    for (const { facts, last } of await this.#orders.follow(about.get("order") ?? []))
      newest.add(orderWrite(facts, last.position));
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

/** The menu as `GET /api/v1/menu` gives it, of a position or newer: its version is the guard. */
export async function menuWrite({ broker }: TranslationNeeds, position: Position): Promise<KeyWrite> {
  const { body } = await act(broker, menuDocuments.menu, { after: position });
  const value = body.toString();
  const { version } = JSON.parse(value) as { version: number };
  return { key: MENU_KEY, value, guard: version };
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
