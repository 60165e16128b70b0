import type { SlotEvent, SlotView } from "../../../../services/slot/slot.events";
import { loadKitchenDay, saveKitchenDay } from "../../../../services/slot/slot.snapshot";
import { evolve, KitchenDay } from "../../../../services/slot/slot.state";
import { at, BRANCH_ID, DATE, ms, slotId } from "./kitchen";

const slot = (time: string, more: Partial<SlotView> = {}): SlotView => ({
  slot_id: slotId(time),
  branch_id: BRANCH_ID,
  start: at(time),
  end: new Date(ms(time) + 15 * 60_000).toISOString(),
  capacity_minor: 100_000,
  load_minor: 0,
  orders_count: 0,
  delivery_count: 0,
  pickup_count: 0,
  delivery_plan: null,
  pickup_plan: null,
  disabled: false,
  ...more,
});
const share = (time: string, amount_minor: number) => {
  const { slot_id, start, end } = slot(time);
  return { slot_id, start, end, amount_minor };
};
const day = { branch_id: BRANCH_ID, business_date: DATE };

const booked: SlotEvent = {
  type: "slot.booked",
  data: {
    ...day,
    order_id: "a",
    number: 7,
    fulfilment: "delivery",
    shares: [share("13:00", 100), share("13:15", 20)],
    visible_at: at("12:30"),
    slots: [slot("13:00"), slot("13:15")],
  },
};
const released: SlotEvent = {
  type: "slot.released",
  data: { ...day, order_id: "a", shares: booked.data.shares, slots: [slot("13:00"), slot("13:15")] },
};

const fold = (...events: SlotEvent[]): KitchenDay => events.reduce(evolve, new KitchenDay());
const loads = (state: KitchenDay) => [...state.cells()].map((cell) => cell.load_minor);

describe("a kitchen-day's state", () => {
  it("after slot.booked holds the shares, the number and the counts of the slot that the order starts in", () => {
    const state = fold(booked);
    expect(loads(state)).toEqual([100, 20]);
    expect(state.number).toBe(7);
    expect([...state.slots.values()].map((each) => [each.orders_count, each.delivery_count])).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect([...state.cells()][0]).toMatchObject({
      visible_from_ms: ms("12:30"),
      visible_until_ms: ms("12:30"),
    });
  });

  it("after slot.released holds nothing but the knowledge that the order was here", () => {
    const state = fold(booked, released);
    expect(loads(state)).toEqual([0, 0]);
    expect(state.slots.get(ms("13:00"))).toMatchObject({ orders_count: 0, delivery_count: 0 });
    expect(state.bookings.get("a")).toBeNull();
    expect(saveKitchenDay(fold(booked, released, released))).toEqual(saveKitchenDay(state));
  });

  it("after slot.disabled_set knows which slots are out of sale", () => {
    const event = (disabled: boolean): SlotEvent => ({
      type: "slot.disabled_set",
      data: { ...day, disabled, slots: [slot("13:00", { disabled })] },
    });
    expect(fold(event(true)).slots.get(ms("13:00"))?.disabled).toBe(true);
    expect(fold(event(true), event(false)).slots.get(ms("13:00"))?.disabled).toBe(false);
  });

  it("after slot.capacity_set knows the slot's own capacity, also that it is 0", () => {
    const event = (capacity_minor: number | null): SlotEvent => ({
      type: "slot.capacity_set",
      data: { ...day, capacity_minor, slots: [slot("13:00", { capacity_minor: capacity_minor ?? 100_000 })] },
    });
    expect(fold(event(0)).slots.get(ms("13:00"))?.capacity_minor).toBe(0);
    expect(fold(event(0), event(null)).slots.get(ms("13:00"))?.capacity_minor).toBeNull();
  });

  it("after slot.plan_set knows the plans of all its slots", () => {
    const slots = [slot("13:00", { delivery_plan: 0, pickup_plan: 4 }), slot("13:15", { pickup_plan: 2 })];
    const state = fold({ type: "slot.plan_set", data: { ...day, slots } });
    expect([...state.slots.values()].map((each) => [each.delivery_plan, each.pickup_plan])).toEqual([
      [0, 4],
      [null, 2],
    ]);
  });

  it("comes back from its snapshot, released orders included", () => {
    const again: SlotEvent = { ...booked, data: { ...booked.data, order_id: "b", number: 8 } };
    const state = fold(booked, released, again);
    const saved: unknown = JSON.parse(JSON.stringify(saveKitchenDay(state)));
    expect(loadKitchenDay(saved)).toEqual(state);
  });

  it("comes back from the snapshot of an empty day", () => {
    expect(loadKitchenDay(JSON.parse(JSON.stringify(saveKitchenDay(new KitchenDay()))))).toEqual(
      new KitchenDay(),
    );
  });
});
