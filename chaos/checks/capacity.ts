import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { BranchOpened, SlotsConfigured } from "../../services/branch/branch.events";
import type { OrderPlaced } from "../../services/order/order.events";
import type { SlotEvent, SlotShare, SlotView } from "../../services/slot/slot.events";
import type { Evidence, Violation } from "./evidence";

/**
 * No slot was ever given more than the capacity in force at that moment; what an event says of a slot is the sum of what
 * orders hold there; an order holds its slot once and gives it back once, when it is cancelled and only then. The slots'
 * length must not change in such a history.
 */
export function capacity({ events, slots }: Pick<Evidence, "events" | "slots">): Violation[] {
  const book = new Book();
  for (const event of events) book.take(event);
  return [...book.violations, ...book.unsettled(), ...book.boardDifferences(slots)];
}

/** The books of a chain, kept apart from the product's own. */
class Book {
  readonly violations: Violation[] = [];
  /** Of branches and, where they have one of their own, of slots. */
  readonly #rules = new Map<string, number>();
  readonly #own = new Map<string, number>();
  readonly #disabled = new Set<string>();
  readonly #loads = new Map<string, number>();
  readonly #held = new Map<string, readonly SlotShare[]>();
  readonly #released = new Set<string>();
  readonly #cancelled = new Set<string>();

  take({ type, data, position }: RecordedEvent): void {
    switch (type) {
      case "branch.opened": {
        const { branch_id, slot_rules } = data as BranchOpened["data"];
        this.#rules.set(branch_id, slot_rules.capacity_minor);
        return;
      }
      case "branch.slots_configured": {
        const { branch_id, slot_rules } = data as SlotsConfigured["data"];
        if (slot_rules.capacity_minor !== undefined) this.#rules.set(branch_id, slot_rules.capacity_minor);
        return;
      }
      case "order.placed":
        this.#placed(data as OrderPlaced["data"], position);
        return;
      case "order.cancelled":
        this.#cancelled.add((data as { order_id: string }).order_id);
        return;
      default:
        if (type.startsWith("slot.")) this.#slot({ type, data } as SlotEvent, position);
    }
  }

  /** What should have been given back by now, and was not. */
  unsettled(): Violation[] {
    const kept = [...this.#cancelled].filter((order_id) => !this.#released.has(order_id));
    const lost = [...this.#released].filter((order_id) => !this.#cancelled.has(order_id));
    return [
      ...kept.map((order_id) => ({ promise: "slot.not_released", detail: `${order_id} was cancelled` })),
      ...lost.map((order_id) => ({
        promise: "slot.released_alive",
        detail: `${order_id} was never cancelled`,
      })),
    ];
  }

  /** Where the read model's loads differ from the sums of what live orders hold. */
  boardDifferences(slots: Evidence["slots"]): Violation[] {
    const board = new Map(slots.map(({ slot_id, load_minor }) => [slot_id, load_minor]));
    return [...new Set([...board.keys(), ...this.#loads.keys()])].flatMap((slot_id) => {
      const [shown, held] = [board.get(slot_id) ?? 0, this.#loads.get(slot_id) ?? 0];
      return shown === held
        ? []
        : [{ promise: "slot.load", detail: `${slot_id} shows ${shown}, its live orders hold ${held}` }];
    });
  }

  #slot(event: SlotEvent, position: number): void {
    switch (event.type) {
      case "slot.booked":
        this.#booked(event.data, position);
        break;
      case "slot.released":
        this.#given(event.data, position);
        break;
      case "slot.capacity_set":
        for (const { slot_id } of event.data.slots)
          if (event.data.capacity_minor === null) this.#own.delete(slot_id);
          else this.#own.set(slot_id, event.data.capacity_minor);
        break;
      case "slot.disabled_set":
        for (const { slot_id } of event.data.slots)
          if (event.data.disabled) this.#disabled.add(slot_id);
          else this.#disabled.delete(slot_id);
        break;
      case "slot.plan_set":
        break;
    }
    for (const view of event.data.slots) this.#compare(view, position);
  }

  #booked({ order_id, shares }: { order_id: string; shares: readonly SlotShare[] }, position: number): void {
    if (this.#held.has(order_id)) this.#violate("slot.booked_twice", order_id, position);
    this.#held.set(order_id, shares);
    for (const { slot_id, amount_minor } of shares) {
      const load = this.#add(slot_id, amount_minor);
      const room = this.#capacityOf(slot_id);
      if (load > room) this.#violate("slot.oversold", `${slot_id} holds ${load} of ${room}`, position);
      if (this.#disabled.has(slot_id)) this.#violate("slot.sold_while_disabled", slot_id, position);
    }
  }

  #given({ order_id, shares }: { order_id: string; shares: readonly SlotShare[] }, position: number): void {
    if (this.#released.has(order_id)) this.#violate("slot.released_twice", order_id, position);
    const held = this.#held.get(order_id);
    if (held === undefined) this.#violate("slot.released_unbooked", order_id, position);
    else if (JSON.stringify(held.map(essence)) !== JSON.stringify(shares.map(essence)))
      this.#violate("slot.released_other_shares", order_id, position);
    this.#released.add(order_id);
    for (const { slot_id, amount_minor } of shares) this.#add(slot_id, -amount_minor);
  }

  #placed({ order_id, shares, items }: OrderPlaced["data"], position: number): void {
    const held = this.#held.get(order_id);
    const sum = shares.reduce((total, { amount_minor }) => total + amount_minor, 0);
    if (held === undefined) this.#violate("slot.placed_unbooked", order_id, position);
    else if (JSON.stringify(held) !== JSON.stringify(shares) || sum !== listPriceOf(items))
      this.#violate("slot.placed_other_shares", order_id, position);
  }

  #compare({ slot_id, load_minor, capacity_minor }: SlotView, position: number): void {
    const [load, room] = [this.#loads.get(slot_id) ?? 0, this.#capacityOf(slot_id)];
    if (load_minor !== load)
      this.#violate("slot.view", `${slot_id} is said to hold ${load_minor}, it holds ${load}`, position);
    if (capacity_minor !== room)
      this.#violate(
        "slot.capacity",
        `${slot_id} is said to take ${capacity_minor}, it takes ${room}`,
        position,
      );
  }

  #capacityOf(slot_id: string): number {
    return this.#own.get(slot_id) ?? this.#rules.get(slot_id.slice(0, slot_id.indexOf("_"))) ?? 0;
  }

  #add(slot_id: string, amount_minor: number): number {
    const load = (this.#loads.get(slot_id) ?? 0) + amount_minor;
    this.#loads.set(slot_id, load);
    return load;
  }

  #violate(promise: string, what: string, position: number): void {
    this.violations.push({ promise, detail: `${what}, at position ${position}` });
  }
}

/** What the menu says of the lines, before any sale: capacity is the kitchen's work. */
function listPriceOf(items: OrderPlaced["data"]["items"]): number {
  let sum = 0;
  for (const { quantity, list_price_minor, extras } of items) {
    sum += quantity * list_price_minor;
    for (const extra of extras) sum += quantity * extra.price_minor;
  }
  return sum;
}

const essence = ({ slot_id, amount_minor }: SlotShare): string => `${slot_id} ${amount_minor}`;
