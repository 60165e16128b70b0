import fc from "fast-check";
import { isRefusal } from "../../../../mixins/contract/refusal";
import type { SlotRules } from "../../../../services/branch/branch.events";
import type { OrderPlaced } from "../../../../services/order/order.events";
import { firstSlotFrom, lastSlotUntil } from "../../../../services/slot/slot.calendar";
import type { SlotCommand } from "../../../../services/slot/slot.commands";
import type { SlotShare } from "../../../../services/slot/slot.events";
import { branchWith, daily, draftOf, givenFor, Kitchen, MINUTE, ms } from "./kitchen";

/** One step of a random day. Numbers choose among what the day offers at that moment. */
export type Step =
  | {
      readonly do: "place";
      readonly amount: number;
      readonly wish_minutes: number | null;
      readonly delivery: boolean;
    }
  | { readonly do: "release"; readonly pick: number }
  | { readonly do: "disable"; readonly pick: number; readonly disabled: boolean }
  | { readonly do: "capacity"; readonly pick: number; readonly capacity: number | null }
  | { readonly do: "plan"; readonly pick: number; readonly plan: number | null }
  | { readonly do: "wait"; readonly minutes: number }
  | { readonly do: "configure"; readonly rules: Partial<SlotRules> };

const pick = fc.nat(10_000);
/** Around the capacity of a slot, and many small ones so that slots fill to the brim. */
const amount = fc.oneof(
  fc.constantFrom(0, 1, 25_000, 50_000, 100_000),
  fc.integer({ min: 1, max: 100_000 }),
  fc.integer({ min: 1, max: 450_000 }),
);
const place = fc.record({
  do: fc.constant("place" as const),
  amount,
  wish_minutes: fc.option(fc.integer({ min: -60, max: 300 })),
  delivery: fc.boolean(),
});

export const rules = fc.record(
  {
    slot_minutes: fc.constantFrom(5, 10, 15, 20, 25, 30, 45, 60),
    capacity_minor: fc.constantFrom(0, 50_000, 99_999, 100_000, 150_000),
    lead_time_minutes: fc.constantFrom(0, 10, 30, 60, 120),
    preorder_hours: fc.constantFrom(0, 2, 24),
    oversize: fc.constantFrom("spread" as const, "refuse" as const),
    hours: fc.constantFrom(daily("10:00", "16:00"), daily("12:05", "15:00"), daily("11:00", "02:00")),
  },
  { requiredKeys: [] },
);

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: place },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("release" as const), pick }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("disable" as const), pick, disabled: fc.boolean() }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("capacity" as const),
        pick,
        capacity: fc.option(fc.constantFrom(0, 30_000, 100_000, 250_000)),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("plan" as const), pick, plan: fc.option(fc.nat(9)) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), minutes: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("configure" as const), rules }) },
  ),
  { maxLength: 80, size: "max" },
);

export interface Placed {
  readonly order: OrderPlaced["data"];
  released: boolean;
}

/** Plays a random day, and keeps its own books the simple way. */
export class ScriptedDay {
  readonly kitchen = new Kitchen(givenFor(branchWith({ hours: daily("10:00", "16:00") })));
  readonly placed: Placed[] = [];
  readonly disabled = new Set<number>();
  readonly capacities = new Map<number, number>();
  now_ms = ms("12:00");
  private nextId = 1;

  /** Plays one step; `onPlaced` sees each order before it is in the books, `onFull` each refusal for lack of room. */
  play(
    step: Step,
    onPlaced: (order: OrderPlaced["data"], amount: number) => void,
    onFull: (command: SlotCommand) => void = () => undefined,
  ): void {
    switch (step.do) {
      case "place":
        this.place(step, onPlaced, onFull);
        return;
      case "release":
        this.release(step.pick);
        return;
      case "disable":
        this.set(
          step.pick,
          (start_ms, now_ms) => ({ type: "slot.set_disabled", start_ms, disabled: step.disabled, now_ms }),
          (start_ms) => {
            if (step.disabled) this.disabled.add(start_ms);
            else this.disabled.delete(start_ms);
          },
        );
        return;
      case "capacity":
        this.set(
          step.pick,
          (start_ms, now_ms) => ({
            type: "slot.set_capacity",
            start_ms,
            capacity_minor: step.capacity,
            now_ms,
          }),
          (start_ms) => {
            if (step.capacity === null) this.capacities.delete(start_ms);
            else this.capacities.set(start_ms, step.capacity);
          },
        );
        return;
      case "plan":
        this.set(
          step.pick,
          (start_ms, now_ms) => ({
            type: "slot.set_plan",
            plans: [{ start_ms, pickup_plan: step.plan }],
            now_ms,
          }),
          () => undefined,
        );
        return;
      case "wait":
        this.now_ms += step.minutes * MINUTE;
        return;
      case "configure":
        this.kitchen.configure(step.rules);
        return;
    }
  }

  /** Shares that are held now. */
  held(): SlotShare[] {
    return this.placed.filter((each) => !each.released).flatMap(({ order }) => order.shares);
  }

  capacityAt(start_ms: number): number {
    return this.capacities.get(start_ms) ?? this.kitchen.given.branch.slot_rules.capacity_minor;
  }

  /** Room of a slot by its own books: bookings of the slot in full, others by time, every interval rounded up. */
  roomAt(start_ms: number, end_ms: number): number {
    if (this.disabled.has(start_ms)) return -Infinity;
    const loads = new Map<string, { from: number; to: number; amount: number }>();
    for (const { start, end, amount_minor } of this.held()) {
      const load = loads.get(start + end) ?? { from: Date.parse(start), to: Date.parse(end), amount: 0 };
      load.amount += amount_minor;
      loads.set(start + end, load);
    }
    let room = this.capacityAt(start_ms);
    for (const { from, to, amount } of loads.values()) {
      const overlap = Math.max(0, Math.min(to, end_ms) - Math.max(from, start_ms));
      room -= Math.ceil((amount * (overlap / MINUTE)) / ((to - from) / MINUTE));
    }
    return room;
  }

  /** Slots of the grid that a placement may use, walked one by one. */
  window(command: Extract<SlotCommand, { type: "slot.place" }>) {
    const { grid, branch } = this.kitchen.given;
    const { lead_time_minutes, slot_minutes, preorder_hours } = branch.slot_rules;
    const wish_ms = command.draft.preferred_time === null ? 0 : Date.parse(command.draft.preferred_time);
    const earliest_ms = Math.max(wish_ms, command.now_ms + lead_time_minutes * MINUTE);
    const latest_ms =
      command.now_ms +
      Math.max(preorder_hours * 60 * MINUTE, (lead_time_minutes + slot_minutes) * MINUTE - 1);
    return grid.slots.slice(firstSlotFrom(grid, earliest_ms), lastSlotUntil(grid, latest_ms) + 1);
  }

  private place(
    { amount, wish_minutes, delivery }: Extract<Step, { do: "place" }>,
    onPlaced: (order: OrderPlaced["data"], amount: number) => void,
    onFull: (command: SlotCommand) => void,
  ): void {
    const preferred_time =
      wish_minutes === null ? null : new Date(this.now_ms + wish_minutes * MINUTE).toISOString();
    const draft = draftOf(`order-${String(this.nextId++)}`, amount, {
      preferred_time,
      fulfilment: delivery ? "delivery" : "pickup",
    });
    const command = { type: "slot.place", draft, now_ms: this.now_ms } as const;
    const decision = this.kitchen.tell(command);
    if (isRefusal(decision)) {
      if (decision.code === "slot.full") onFull(command);
      return;
    }
    const order = decision.answer as OrderPlaced["data"];
    onPlaced(order, amount);
    this.placed.push({ order, released: false });
  }

  private release(chosen: number): void {
    const booking = this.placed[chosen % Math.max(this.placed.length, 1)];
    if (booking === undefined) return;
    const decision = this.kitchen.tell({ type: "slot.release", order_id: booking.order.order_id });
    if (isRefusal(decision) !== booking.released) throw new Error("a booking is released exactly once");
    booking.released = true;
  }

  private set(
    chosen: number,
    command: (start_ms: number, now_ms: number) => SlotCommand,
    onSet: (start_ms: number) => void,
  ): void {
    const { slots } = this.kitchen.given.grid;
    const slot = slots[chosen % Math.max(slots.length, 1)];
    if (slot === undefined) return;
    if (!isRefusal(this.kitchen.tell(command(slot.start_ms, this.now_ms)))) onSet(slot.start_ms);
  }
}
