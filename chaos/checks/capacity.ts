import { told, type LogEvent, type Placed, type Share, type ToldOf } from "../model/events";
import { differences } from "../model/digest";
import { without } from "../model/fields";
import { listPriceOf } from "../model/order";
import { SlotBook, type KeptSlot } from "../model/slot-book";
import type { Evidence, Violation } from "./evidence";

/**
 * No slot was ever given more than the capacity in force at that moment; what an event says of a slot is what its live orders
 * make of it; an order takes what the menu asks for its lines, before any sale, holds it once, and gives it back once, when it is
 * cancelled and only then. The slots' length must not change in such a history.
 */
export function capacity({ events }: Pick<Evidence, "events">): Violation[] {
  const audit = new Audit();
  for (const event of events) audit.take(event);
  return [...audit.violations, ...audit.unsettled()];
}

class Audit {
  readonly violations: Violation[] = [];
  readonly #book = new SlotBook();
  readonly #cancelled = new Set<string>();

  take(event: LogEvent): void {
    const fact = told(event);
    switch (fact.type) {
      case "branch.opened":
        this.#book.opened(fact);
        return;
      case "branch.slots_configured":
        this.#book.configured(fact);
        return;
      case "order.placed":
        this.#placed(fact.data, fact.position);
        return;
      case "order.cancelled":
        this.#cancelled.add(fact.data.order_id);
        return;
      case "slot.booked":
        this.#booked(fact);
        break;
      case "slot.released":
        this.#released(fact);
        break;
      case "slot.disabled_set":
      case "slot.capacity_set":
      case "slot.plan_set":
        this.#book.take(fact);
        break;
      default:
        return;
    }
    for (const said of fact.data.slots) this.#compare(said, fact.position);
  }

  /** What should have been given back by now, and was not. */
  unsettled(): Violation[] {
    const { released } = this.#book;
    const kept = [...this.#cancelled].filter((order_id) => !released.has(order_id));
    const lost = [...released].filter((order_id) => !this.#cancelled.has(order_id));
    return [
      ...kept.map((order_id) => ({ promise: "slot.not_released", detail: `${order_id} was cancelled` })),
      ...lost.map((order_id) => ({
        promise: "slot.released_alive",
        detail: `${order_id} was never cancelled`,
      })),
    ];
  }

  #booked(event: ToldOf<"slot.booked">): void {
    const { data, position } = event;
    const { order_id, shares } = data;
    if (this.#book.bookings.has(order_id)) this.#violate("slot.booked_twice", order_id, position);
    this.#book.take(event);
    for (const { slot_id } of shares) {
      const slot = this.#book.slot(slot_id);
      if (slot === undefined) continue;
      const { load_minor, capacity_minor, disabled } = slot;
      if (load_minor > capacity_minor)
        this.#violate("slot.oversold", `${slot_id} holds ${load_minor} of ${capacity_minor}`, position);
      if (disabled) this.#violate("slot.sold_while_disabled", slot_id, position);
    }
  }

  #released(event: ToldOf<"slot.released">): void {
    const { data, position } = event;
    const { order_id, shares } = data;
    if (this.#book.released.has(order_id)) this.#violate("slot.released_twice", order_id, position);
    const held = this.#book.bookings.get(order_id);
    if (held === undefined) this.#violate("slot.released_unbooked", order_id, position);
    else if (essence(held.shares) !== essence(shares))
      this.#violate("slot.released_other_shares", order_id, position);
    this.#book.take(event);
  }

  #placed({ order_id, shares, items, ready_at, fulfilment, visible_at }: Placed, position: number): void {
    const held = this.#book.bookings.get(order_id);
    const sum = shares.reduce((total, { amount_minor }) => total + amount_minor, 0);
    if (held === undefined) this.#violate("slot.placed_unbooked", order_id, position);
    else if (essence(held.shares) !== essence(shares) || held.fulfilment !== fulfilment)
      this.#violate("slot.placed_other_shares", order_id, position);
    const list = listPriceOf(items);
    if (sum !== list)
      this.#violate("slot.share", `${order_id} holds ${sum}, the menu asks ${list} for it`, position);
    if (ready_at !== shares.at(-1)?.end)
      this.#violate("slot.ready_at", `${order_id} is promised for ${ready_at}`, position);
    if (visible_at > (shares[0]?.start ?? ""))
      this.#violate("slot.visible_at", `${order_id} is shown at ${visible_at}, after its start`, position);
  }

  #compare(said: Readonly<KeptSlot> | { readonly slot_id: string }, position: number): void {
    const slot = this.#book.slot(said.slot_id);
    if (slot === undefined) return;
    const wrong = differences(said, without(slot, "business_date", "own_capacity_minor", "position"));
    if (wrong.length > 0) this.#violate("slot.view", `${said.slot_id}: ${wrong.join(", ")}`, position);
  }

  #violate(promise: string, what: string, position: number): void {
    this.violations.push({ promise, detail: `${what}, at position ${position}` });
  }
}

/** What is held where, whatever the slots' times are called. */
const essence = (shares: readonly Share[]): string =>
  shares.map(({ slot_id, amount_minor }) => `${slot_id} ${amount_minor}`).join(", ");
