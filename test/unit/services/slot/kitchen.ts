import type { Decision } from "../../../../mixins/actor/decider";
import { isRefusal, type Refusal } from "../../../../mixins/contract/refusal";
import type { Branch, SlotRules, WeekHours } from "../../../../services/branch/branch.events";
import type { OrderDraft, OrderPlaced } from "../../../../services/order/order.events";
import { gridOf } from "../../../../services/slot/slot.calendar";
import type { DayGiven, PlaceOrder, SlotCommand } from "../../../../services/slot/slot.commands";
import { slotDecider } from "../../../../services/slot/slot.decider";
import type { SlotEvent } from "../../../../services/slot/slot.events";
import { slotIdOf } from "../../../../services/slot/slot.id";
import { NO_OVERHANG, type Overhang } from "../../../../services/slot/slot.overhang";
import { evolve, KitchenDay } from "../../../../services/slot/slot.state";
import { lineOf } from "../../../support/orders";

export const BRANCH_ID = "0198a000-0000-7000-8000-000000000001";
/** A Monday. */
export const DATE = "2026-03-02";
export const MINUTE = 60_000;

/** The same hours on every weekday. */
export function daily(open: string, close: string): WeekHours {
  const hours = { open, close };
  return { 1: hours, 2: hours, 3: hours, 4: hours, 5: hours, 6: hours, 7: hours };
}

/** UTC, 10:00–22:00, slots of 15 minutes for 1 000 ₽, 30 minutes ahead. */
export function branchWith(rules: Partial<SlotRules> = {}, details: Partial<Branch> = {}): Branch {
  return {
    branch_id: BRANCH_ID,
    version: 1,
    code: "K",
    name: { ru: "Центр", en: "Centre" },
    address: { ru: "Мира, 1", en: "Mira 1" },
    phone: null,
    time_zone: "UTC",
    currency: "RUB",
    delivery_fee_minor: 0,
    free_delivery_from_minor: null,
    is_default: true,
    legal_entity_id: null,
    ...details,
    slot_rules: {
      capacity_minor: 100_000,
      slot_minutes: 15,
      lead_time_minutes: 30,
      preorder_hours: 24,
      oversize: "spread",
      hours: daily("10:00", "22:00"),
      holidays: [],
      ...rules,
    },
  };
}

/** An instant of the test day, by its UTC clock. */
export const at = (time: string, date: string = DATE): string => `${date}T${time}:00.000Z`;
export const ms = (time: string, date: string = DATE): number => Date.parse(at(time, date));
export const slotId = (time: string, date: string = DATE): string => slotIdOf(BRANCH_ID, ms(time, date));

export function givenFor(
  branch: Branch = branchWith(),
  overhang: Overhang = NO_OVERHANG,
  date = DATE,
): DayGiven {
  return { branch, grid: gridOf(branch, date), overhang };
}

export function draftOf(
  order_id: string,
  items_total_minor: number,
  more: Partial<OrderDraft> = {},
): OrderDraft {
  return {
    order_id,
    branch_id: BRANCH_ID,
    channel: "shop",
    fulfilment: "pickup",
    address: null,
    customer: { user_id: null, name: null, phone: null },
    payment_method: "cash",
    notes: null,
    currency: "RUB",
    menu_version: 1,
    items: [lineOf(items_total_minor)],
    items_total_minor,
    delivery_fee_minor: 0,
    discount_minor: 0,
    total_minor: items_total_minor,
    promo_code: null,
    preferred_time: null,
    track_token: "token",
    placed_at: at("12:00"),
    ...more,
  };
}

/** An order of an amount, at noon unless said otherwise. */
export function place(
  order_id: string,
  amount: number,
  { now = "12:00", wish, ...more }: Partial<OrderDraft> & { now?: string; wish?: string } = {},
): PlaceOrder {
  const preferred_time = wish === undefined ? null : at(wish);
  return {
    type: "slot.place",
    draft: draftOf(order_id, amount, { preferred_time, ...more }),
    now_ms: ms(now),
  };
}

/** A kitchen-day as the actor runs it: decides, folds, keeps its history. Rules may change between two commands. */
export class Kitchen {
  readonly history: SlotEvent[] = [];
  state = new KitchenDay();

  constructor(public given: DayGiven = givenFor()) {}

  tell(command: SlotCommand): Decision<SlotEvent> | Refusal {
    const decision = slotDecider.decide(command, this.state, this.given);
    if (isRefusal(decision)) return decision;
    for (const event of decision.events) {
      this.history.push(event);
      this.state = evolve(this.state, event);
    }
    return decision;
  }

  /** Tells what must not be refused. */
  accept(command: SlotCommand): Decision<SlotEvent> {
    const decision = this.tell(command);
    if (isRefusal(decision)) throw new Error(`${command.type} was refused: ${decision.code}`);
    return decision;
  }

  /** Places what must be placed; the order as it stands in its own stream. */
  placed(command: PlaceOrder): OrderPlaced["data"] {
    return this.accept(command).answer as OrderPlaced["data"];
  }

  /** Starts of the slots that an order was given, as `HH:MM`. */
  times(command: PlaceOrder): string[] {
    return this.placed(command).shares.map(({ start }) => start.slice(11, 16));
  }

  /** The code of what must be refused. */
  refused(command: SlotCommand): Refusal {
    const decision = this.tell(command);
    if (!isRefusal(decision)) throw new Error(`${command.type} was not refused`);
    return decision;
  }

  /** Other rules from now on, as a new version of the branch. */
  configure(rules: Partial<SlotRules>, overhang = this.given.overhang): void {
    const { branch } = this.given;
    const next = { ...branch, version: branch.version + 1, slot_rules: { ...branch.slot_rules, ...rules } };
    this.given = { branch: next, grid: gridOf(next, this.given.grid.business_date), overhang };
  }

  loadAt(time: string): number {
    return [...this.state.cells()]
      .filter((cell) => cell.start_ms === ms(time))
      .reduce((sum, cell) => sum + cell.load_minor, 0);
  }
}
