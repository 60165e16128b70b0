import fc from "fast-check";
import { listTotalOf } from "../../../../services/order/order.events";
import type { SlotEvent, SlotView } from "../../../../services/slot/slot.events";
import { loadKitchenDay, saveKitchenDay } from "../../../../services/slot/slot.snapshot";
import { evolve, KitchenDay } from "../../../../services/slot/slot.state";
import { place } from "./kitchen";
import { ScriptedDay, steps, type Step } from "./kitchen-script";

const RUNS = { numRuns: 100 };

function played(script: readonly Step[]): ScriptedDay {
  const day = new ScriptedDay();
  for (const step of script) day.play(step, () => undefined);
  return day;
}

const fold = (events: readonly SlotEvent[], state = new KitchenDay()): KitchenDay =>
  events.reduce(evolve, state);

describe("whatever happens on a day", () => {
  it("no order is placed beyond the capacity of its time, grid changes included", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const day = new ScriptedDay();
        for (const step of script) {
          day.play(step, ({ shares }, amount) => {
            expect(shares.reduce((sum, share) => sum + share.amount_minor, 0)).toBe(amount);
            for (const { start, end, amount_minor } of shares) {
              expect(amount_minor).toBeLessThanOrEqual(day.roomAt(Date.parse(start), Date.parse(end)));
            }
          });
        }
      }),
      RUNS,
    );
  });

  it("an order that fits one slot gets the earliest one with room, and none is full without being so", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const day = new ScriptedDay();
        const fits = (amount: number) => (slot: { start_ms: number; end_ms: number }) =>
          day.roomAt(slot.start_ms, slot.end_ms) >= amount;
        for (const step of script) {
          const { now_ms } = day;
          day.play(
            step,
            (order, amount) => {
              if (order.shares.length > 1 || amount > day.kitchen.given.branch.slot_rules.capacity_minor)
                return;
              const earliest = day.window({ type: "slot.place", draft: order, now_ms }).find(fits(amount));
              expect(order.shares[0]?.start).toBe(earliest?.start);
            },
            (command) => {
              if (command.type !== "slot.place") return;
              expect(day.window(command).find(fits(listTotalOf(command.draft.items)))).toBeUndefined();
            },
          );
        }
      }),
      RUNS,
    );
  });

  it("a spread order lies in adjacent slots, and uses up all of them but the last", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const day = new ScriptedDay();
        for (const step of script) {
          day.play(step, ({ shares }) => {
            shares.slice(0, -1).forEach(({ start, end, amount_minor }, index) => {
              expect(amount_minor).toBe(day.roomAt(Date.parse(start), Date.parse(end)));
              expect(shares[index + 1]?.start).toBe(end);
            });
          });
        }
      }),
      RUNS,
    );
  });

  it("releasing an order restores exactly what was before it", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 400_000 }), (script, amount) => {
        const { kitchen, now_ms } = played(script);
        const loads = () =>
          [...kitchen.state.cells()]
            .filter((cell) => cell.load_minor > 0)
            .map((cell) => [cell.start_ms, cell.end_ms, cell.load_minor]);
        const counts = () =>
          [...kitchen.state.slots.values()]
            .filter((slot) => slot.orders_count > 0)
            .map((slot) => [slot.start_ms, slot.orders_count, slot.delivery_count]);
        const before = [loads(), counts()];
        const decision = kitchen.tell({ ...place("newcomer", amount), now_ms });
        fc.pre("events" in decision);
        kitchen.accept({ type: "slot.release", order_id: "newcomer" });
        expect([loads(), counts()]).toEqual(before);
      }),
      RUNS,
    );
  });

  it("slots add up to exactly the orders in them", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const day = played(script);
        const board = new Map<string, SlotView>();
        for (const { data } of day.kitchen.history)
          for (const slot of data.slots) board.set(slot.slot_id, slot);
        const orders = day.placed.filter((each) => !each.released).map(({ order }) => order);
        for (const [slot_id, view] of board) {
          const shares = orders.flatMap((order) => order.shares).filter((share) => share.slot_id === slot_id);
          const starting = orders.filter((order) => order.shares[0]?.slot_id === slot_id);
          expect(view.load_minor).toBe(shares.reduce((sum, share) => sum + share.amount_minor, 0));
          expect(view.orders_count).toBe(starting.length);
          expect(view.delivery_count).toBe(
            starting.filter((order) => order.fulfilment === "delivery").length,
          );
          expect(view.pickup_count).toBe(view.orders_count - view.delivery_count);
        }
        expect(orders.every((order) => board.has(order.shares[0]?.slot_id ?? ""))).toBe(true);
      }),
      RUNS,
    );
  });

  it("an earlier slot never becomes visible after a later one", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const orders = played(script).placed.map(({ order }) => ({
          start_ms: Date.parse(order.shares[0]?.start ?? ""),
          visible_ms: Date.parse(order.visible_at),
        }));
        for (const a of orders) {
          for (const b of orders)
            if (a.start_ms < b.start_ms) expect(a.visible_ms).toBeLessThanOrEqual(b.visible_ms);
        }
      }),
      RUNS,
    );
  });

  it("replaying it, folding on and going on from a snapshot lead to the same state and the same next decision", () => {
    fc.assert(
      fc.property(steps, fc.nat(), (script, cut) => {
        const { kitchen, now_ms } = played(script);
        const at = kitchen.history.length === 0 ? 0 : cut % kitchen.history.length;
        const saved: unknown = JSON.parse(JSON.stringify(saveKitchenDay(fold(kitchen.history.slice(0, at)))));
        const states = [
          kitchen.state,
          fold(kitchen.history),
          fold(kitchen.history.slice(at), loadKitchenDay(saved)),
        ];
        const [incremental, replayed, resumed] = states.map((state) => saveKitchenDay(state));
        expect(replayed).toEqual(incremental);
        expect(resumed).toEqual(incremental);
        const [first, ...others] = states.map((state) => {
          kitchen.state = state;
          return kitchen.tell({ ...place("next", 40_000), now_ms });
        });
        for (const other of others) expect(other).toEqual(first);
      }),
      RUNS,
    );
  });
});
