import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import { newestOf, slotProjection } from "../../../../services/slot/slot.projection";
import { Kitchen, ms, place, slotId } from "./kitchen";

/** A day's history as the feed would bring it. */
function recorded(kitchen: Kitchen): RecordedEvent[] {
  return kitchen.history.map(({ type, data }, index) => ({
    position: index + 1,
    partition: 0,
    stream_id: "slots",
    stream_type: "kitchen-day",
    version: index + 1,
    event_id: String(index),
    type,
    schema_v: 1,
    data,
    meta: {},
    recorded_at: "",
  }));
}

function busyDay(): Kitchen {
  const kitchen = new Kitchen();
  const start_ms = ms("12:30");
  const now_ms = ms("12:00");
  kitchen.accept(place("a", 50_000));
  kitchen.accept({ type: "slot.set_capacity", start_ms, capacity_minor: 60_000, now_ms });
  kitchen.accept({ type: "slot.set_disabled", start_ms, disabled: true, now_ms });
  kitchen.accept({ type: "slot.set_plan", plans: [{ start_ms, pickup_plan: 3 }], now_ms });
  kitchen.accept(place("b", 150_000));
  kitchen.accept({ type: "slot.release", order_id: "a" });
  return kitchen;
}

describe("the projection of slots", () => {
  it("reads every event of a kitchen-day", () => {
    expect(new Set(busyDay().history.map((event) => event.type))).toEqual(new Set(slotProjection.handles));
  });

  it("keeps the newest view of each slot of a batch, and what was said about its own capacity", () => {
    const changes = newestOf(recorded(busyDay()));
    expect(changes).toHaveLength(3);
    expect(changes[0]).toMatchObject({
      position: 6,
      business_date: "2026-03-02",
      own_capacity: { capacity_minor: 60_000 },
      view: {
        slot_id: slotId("12:30"),
        load_minor: 0,
        capacity_minor: 60_000,
        disabled: true,
        pickup_plan: 3,
      },
    });
    expect(changes[1]).toMatchObject({
      position: 5,
      own_capacity: undefined,
      view: { slot_id: slotId("12:45"), load_minor: 100_000 },
    });
    expect(changes[2]).toMatchObject({ position: 5, view: { slot_id: slotId("13:00"), load_minor: 50_000 } });
  });

  it("makes nothing of an empty batch", () => {
    expect(newestOf([])).toEqual([]);
  });
});
