/** Events of a kitchen-day (stream `slots-<branch_id>-<business_date>`): the one actor that gives capacity away. */

/**
 * A slot as everybody sees it. `slot_id` is `<branch_id>_<start as YYYYMMDDTHHMMZ>`, so it names branch and time by itself.
 */
export interface SlotView {
  readonly slot_id: string;
  readonly branch_id: string;
  readonly start: string;
  readonly end: string;
  readonly capacity_minor: number;
  /** Sum of all shares with this slot_id. */
  readonly load_minor: number;
  /** Orders whose first share is here: an order spread over slots counts once, so a day's slots add up to its orders. */
  readonly orders_count: number;
  readonly delivery_count: number;
  readonly pickup_count: number;
  /** Planned numbers of orders, for the shift leader; null where nothing is planned. They do not limit. */
  readonly delivery_plan: number | null;
  readonly pickup_plan: number | null;
  readonly disabled: boolean;
}

/** The part of a slot's capacity that one order holds. */
export interface SlotShare {
  readonly slot_id: string;
  readonly start: string;
  readonly end: string;
  readonly amount_minor: number;
}

/** `slots` are the touched slots as they are after the event: absolute values, so applying one twice changes nothing. */
interface KitchenDayData {
  readonly branch_id: string;
  readonly business_date: string;
  readonly slots: readonly SlotView[];
}

export type SlotBooked = {
  readonly type: "slot.booked";
  readonly data: KitchenDayData & {
    readonly order_id: string;
    /** Running number of the order in the branch's day; with the branch code it is the display id. */
    readonly number: number;
    readonly fulfilment: "pickup" | "delivery";
    readonly shares: readonly SlotShare[];
    /** When the kitchen sees the order; a time before the placement means at once. */
    readonly visible_at: string;
  };
};
export type SlotReleased = {
  readonly type: "slot.released";
  readonly data: KitchenDayData & { readonly order_id: string; readonly shares: readonly SlotShare[] };
};
export type SlotDisabledSet = {
  readonly type: "slot.disabled_set";
  readonly data: KitchenDayData & { readonly disabled: boolean };
};
/** The slot's own capacity; null gives it back to the branch's rule. */
export type SlotCapacitySet = {
  readonly type: "slot.capacity_set";
  readonly data: KitchenDayData & { readonly capacity_minor: number | null };
};
/** One event for a plan of one slot or of many. */
export type SlotPlanSet = {
  readonly type: "slot.plan_set";
  readonly data: KitchenDayData;
};
export type SlotEvent = SlotBooked | SlotReleased | SlotDisabledSet | SlotCapacitySet | SlotPlanSet;

/** How the streams of kitchen-days begin. */
export const KITCHEN_DAY_STREAMS = "slots-";

/** Stream of a kitchen-day. */
export const kitchenDayStream = (branch_id: string, business_date: string): string =>
  `${KITCHEN_DAY_STREAMS}${branch_id}-${business_date}`;

/** What the name of a kitchen-day's stream says. */
export function parseKitchenDayStream(stream_id: string): { branch_id: string; business_date: string } {
  return {
    branch_id: stream_id.slice(KITCHEN_DAY_STREAMS.length, -"-YYYY-MM-DD".length),
    business_date: stream_id.slice(-"YYYY-MM-DD".length),
  };
}
