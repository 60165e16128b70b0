import type { SlotEvent } from "../../../../services/slot/slot.events";
import { lineOf } from "../../../support/orders";
import { loadKitchenDay, saveKitchenDay } from "../../../../services/slot/slot.snapshot";
import { evolve, KitchenDay } from "../../../../services/slot/slot.state";
import { at, branchWith, daily, givenFor, Kitchen, MINUTE, place } from "./kitchen";

const FULL = 100_000;

/** Another process takes the day over: from the log alone, or from a snapshot and the rest of the log. */
function restarted(kitchen: Kitchen, snapshotAfter: number): Kitchen {
  const fold = (events: readonly SlotEvent[], state: KitchenDay): KitchenDay => events.reduce(evolve, state);
  const early = fold(kitchen.history.slice(0, snapshotAfter), new KitchenDay());
  const other = new Kitchen(kitchen.given);
  const saved: unknown = JSON.parse(JSON.stringify(saveKitchenDay(early)));
  other.state = fold(kitchen.history.slice(snapshotAfter), loadKitchenDay(saved));
  return other;
}

describe("faults of older systems that do not come back", () => {
  it("a slot far ahead does not empty before it starts, however long ago it was booked", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", FULL, { now: "07:00", wish: "20:00" }));
    for (const now of ["09:01", "12:00", "19:29"]) {
      expect(kitchen.times(place(`at ${now}`, 1, { now, wish: "20:00" }))).toEqual(["20:15"]);
    }
  });

  it.each([0, 1, 2])("a restart forgets nothing (snapshot after %s events)", (snapshotAfter) => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", FULL));
    kitchen.accept(place("b", 150_000));
    const other = restarted(kitchen, snapshotAfter);
    const next = other.placed(place("c", 50_001));
    expect(next.shares[0]?.start).toBe(at("13:15"));
    expect(next.display_id).toBe("K-3");
    expect(other.accept({ type: "slot.release", order_id: "b" }).events).toHaveLength(1);
    expect(other.times(place("d", FULL))).toEqual(["12:45"]);
  });

  it("an order booked twice counts once, also after a restart", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", 60_000));
    const other = restarted(kitchen, 1);
    expect(other.refused(place("a", 60_000)).code).toBe("slot.already_booked");
    expect(other.loadAt("12:30")).toBe(60_000);
    expect(other.history).toEqual([]);
  });

  it("a negative price frees no capacity", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", FULL));
    expect(() => kitchen.tell(place("b", -FULL))).toThrow("list price");
    expect(kitchen.times(place("c", 1))).toEqual(["12:45"]);
  });

  it("a discount frees no capacity either", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", FULL, { discount_minor: FULL, total_minor: 0 }));
    expect(kitchen.times(place("b", 1))).toEqual(["12:45"]);
  });

  it("nor does a flash sale, a promo code that gives everything away, or both: what counts is the menu's price", () => {
    const free = { items_total_minor: 0, discount_minor: 0, total_minor: 0 };
    for (const paid of [free, { items_total_minor: FULL / 100, total_minor: FULL / 100 }, {}]) {
      const kitchen = new Kitchen();
      const { shares } = kitchen.placed(place("a", FULL, paid));
      expect(shares.map(({ amount_minor }) => amount_minor)).toEqual([FULL]);
      expect(kitchen.times(place("b", 1))).toEqual(["12:45"]);
      kitchen.accept({ type: "slot.release", order_id: "a" });
      expect(kitchen.loadAt("12:30")).toBe(0);
    }
  });

  it("extras are the kitchen's work, too", () => {
    const kitchen = new Kitchen();
    const extra = { extra_id: "e", name: { ru: "", en: "" }, price_minor: 10 };
    const items = [{ ...lineOf(100), quantity: 3, unit_price_minor: 1, extras: [extra, extra] }];
    const [share] = kitchen.placed(place("a", 0, { items, items_total_minor: 63 })).shares;
    expect(share?.amount_minor).toBe(360);
  });

  it("cancelling an order gives its capacity back, once", () => {
    const kitchen = new Kitchen();
    kitchen.accept(place("a", FULL));
    kitchen.accept({ type: "slot.release", order_id: "a" });
    expect(kitchen.times(place("b", FULL))).toEqual(["12:30"]);
    expect(restarted(kitchen, 3).refused({ type: "slot.release", order_id: "a" }).code).toBe(
      "slot.already_released",
    );
    expect(kitchen.loadAt("12:30")).toBe(FULL);
  });

  it("an order just under half an hour ahead is not visible later than one just over", () => {
    for (let seconds = -120; seconds <= 120; seconds += 10) {
      const kitchen = new Kitchen();
      const wish_ms = Date.parse(at("12:30")) + seconds * 1_000;
      const preferred_time = new Date(wish_ms).toISOString();
      const near = kitchen.placed(place("near", 1, { preferred_time }));
      const far = kitchen.placed(
        place("far", 1, { preferred_time: new Date(wish_ms + 2 * MINUTE).toISOString() }),
      );
      expect(Date.parse(near.visible_at)).toBeLessThanOrEqual(Date.parse(far.visible_at));
    }
  });

  it("an order after the last slot is not lost: the next business day takes it", () => {
    const branch = branchWith({ hours: daily("09:45", "23:45") }, { time_zone: "Asia/Krasnoyarsk" });
    const late = { ...place("a", 1), now_ms: Date.parse("2026-03-02T23:46:00+07:00") };
    expect(new Kitchen(givenFor(branch)).refused(late).code).toBe("slot.branch_closed");
    const placed = new Kitchen(givenFor(branch, undefined, "2026-03-03")).placed(late);
    expect(placed).toMatchObject({
      business_date: "2026-03-03",
      preorder: true,
      ready_at: "2026-03-03T03:00:00.000Z",
    });
  });
});
