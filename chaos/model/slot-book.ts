import type { Told, ToldOf, Fulfilment, Share, Slot } from "./events";

/** What an order holds of slots. */
export interface Booking {
  readonly shares: readonly Share[];
  readonly fulfilment: Fulfilment;
}

/** A slot that somebody has booked or set, reckoned from orders and rules. */
export interface KeptSlot extends Slot {
  readonly business_date: string;
  /** The slot's own capacity; null: its branch's. */
  readonly own_capacity_minor: number | null;
  /** Of the event that touched it last. */
  readonly position: number;
}

interface Entry {
  readonly slot_id: string;
  readonly branch_id: string;
  readonly business_date: string;
  own_capacity_minor: number | null;
  disabled: boolean;
  delivery_plan: number | null;
  pickup_plan: number | null;
  load_minor: number;
  orders: number;
  deliveries: number;
  /** The branch's capacity when it was touched last. */
  capacity_minor: number;
  position: number;
}

type SlotEvent = Extract<Told, { readonly type: `slot.${string}` }>;

/** The capacity of a branch's slots, and their length. */
interface Rules {
  readonly capacity_minor: number;
  readonly slot_minutes: number;
  /** Of the event that named the capacity last. */
  readonly position: number;
}

/** The books of all slots, kept apart from the product's own: loads are sums of what live orders hold. */
export class SlotBook {
  readonly bookings = new Map<string, Booking>();
  readonly released = new Set<string>();
  readonly #rules = new Map<string, Rules>();
  readonly #entries = new Map<string, Entry>();

  opened({ data, position }: ToldOf<"branch.opened">): void {
    const { branch_id, slot_rules } = data;
    const { capacity_minor = 0, slot_minutes } = slot_rules;
    this.#rules.set(branch_id, { capacity_minor, slot_minutes: Number(slot_minutes), position });
  }

  configured({ data, position }: ToldOf<"branch.slots_configured">): void {
    const before = this.#rules.get(data.branch_id);
    const { capacity_minor, slot_minutes } = data.slot_rules;
    if (before === undefined) return;
    this.#rules.set(data.branch_id, {
      capacity_minor: capacity_minor ?? before.capacity_minor,
      slot_minutes: Number(slot_minutes ?? before.slot_minutes),
      position: capacity_minor === undefined ? before.position : position,
    });
  }

  /** Takes an event's changes; what it says of slots is not believed, only which ones it touches. */
  take(event: SlotEvent): void {
    const { data, position } = event;
    for (const { slot_id } of data.slots) this.#entry(slot_id, data).position = position;
    switch (event.type) {
      case "slot.booked": {
        const { order_id, shares, fulfilment } = event.data;
        this.bookings.set(order_id, { shares, fulfilment });
        this.#move(event.data, { shares, fulfilment }, 1);
        break;
      }
      case "slot.released": {
        const { order_id, shares } = event.data;
        const { fulfilment = "pickup" } = this.bookings.get(order_id) ?? {};
        this.released.add(order_id);
        this.#move(event.data, { shares, fulfilment }, -1);
        break;
      }
      case "slot.capacity_set":
        for (const { slot_id } of data.slots)
          this.#entry(slot_id, data).own_capacity_minor = event.data.capacity_minor;
        break;
      case "slot.disabled_set":
        for (const { slot_id } of data.slots) this.#entry(slot_id, data).disabled = event.data.disabled;
        break;
      case "slot.plan_set":
        // Nothing but the event itself says what was planned.
        for (const { slot_id, delivery_plan, pickup_plan } of event.data.slots)
          Object.assign(this.#entry(slot_id, data), { delivery_plan, pickup_plan });
    }
    for (const { slot_id } of data.slots) {
      const entry = this.#entry(slot_id, data);
      entry.capacity_minor = this.#rules.get(entry.branch_id)?.capacity_minor ?? 0;
    }
  }

  /** A slot as it was when touched last; undefined where nobody has. */
  slot(slot_id: string): KeptSlot | undefined {
    const entry = this.#entries.get(slot_id);
    return entry && this.#view(entry);
  }

  /** All slots that were touched, as they were then. */
  slots(): KeptSlot[] {
    return [...this.#entries.values()].map((entry) => this.#view(entry));
  }

  /** The same under the capacities in force, each with the position of what changed it last. */
  slotsInForce(): KeptSlot[] {
    return this.slots().map((slot) => {
      const rules = this.#rules.get(slot.branch_id);
      if (rules === undefined || slot.own_capacity_minor !== null || slot.position >= rules.position)
        return slot;
      return { ...slot, capacity_minor: rules.capacity_minor, position: rules.position };
    });
  }

  #move(
    day: { branch_id: string; business_date: string },
    { shares, fulfilment }: Booking,
    by: 1 | -1,
  ): void {
    for (const [at, { slot_id, amount_minor }] of shares.entries()) {
      const entry = this.#entry(slot_id, day);
      entry.load_minor += by * amount_minor;
      if (at > 0) continue;
      entry.orders += by;
      if (fulfilment === "delivery") entry.deliveries += by;
    }
  }

  #entry(slot_id: string, day: { branch_id: string; business_date: string }): Entry {
    const known = this.#entries.get(slot_id);
    if (known !== undefined) return known;
    const entry: Entry = {
      ...{ slot_id, branch_id: day.branch_id, business_date: day.business_date, own_capacity_minor: null },
      ...{ disabled: false, delivery_plan: null, pickup_plan: null, load_minor: 0, orders: 0 },
      ...{ deliveries: 0, capacity_minor: 0, position: 0 },
    };
    this.#entries.set(slot_id, entry);
    return entry;
  }

  #view(entry: Entry): KeptSlot {
    const { slot_id, branch_id, business_date, own_capacity_minor, position, load_minor, disabled } = entry;
    const { orders, deliveries, delivery_plan, pickup_plan } = entry;
    const start_ms = startOf(slot_id);
    const minutes = this.#rules.get(branch_id)?.slot_minutes ?? 0;
    return {
      ...{ slot_id, branch_id, business_date, own_capacity_minor, position, load_minor, disabled },
      start: new Date(start_ms).toISOString(),
      end: new Date(start_ms + minutes * 60_000).toISOString(),
      capacity_minor: own_capacity_minor ?? entry.capacity_minor,
      ...{ orders_count: orders, delivery_count: deliveries, pickup_count: orders - deliveries },
      ...{ delivery_plan, pickup_plan },
    };
  }
}

/** A slot's name says when it starts: `<branch_id>_<start as YYYYMMDDTHHMMZ>`. */
function startOf(slot_id: string): number {
  const start = slot_id.slice(slot_id.indexOf("_") + 1);
  const [day, time] = [start.slice(0, 8), start.slice(9, 13)];
  const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  return Date.parse(`${date}T${time.slice(0, 2)}:${time.slice(2)}:00Z`);
}
