import { historyDays } from "../../../seed/seed";
import { StoryClock } from "../../../seed/clock";
import { chanceOf, plannedDay, targetOf, type SoldAt } from "../../../seed/orders";
import type { MenuDocument } from "../../../services/menu/menu.events";

const MIDNIGHT = Date.parse("2026-03-05T17:00:00Z");
const HOURS = [10, 11, 12, 13, 18, 19, 20, 21, 22];
const sold: SoldAt = {
  branch_id: "b",
  share: 0.5,
  hours: HOURS,
  midnight_ms: MIDNIGHT,
  delivery_fee_minor: 19_900,
  free_delivery_from_minor: 150_000,
};
const name = { ru: "Пицца", en: "Pizza" };
const pizza = (n: number, available = true) => ({
  id: `p${String(n)}`,
  name,
  price_minor: 44_900 + n * 5_000,
  ingredients: [],
  extras: [],
  available,
  image: null,
});
const menu: MenuDocument = {
  version: 1,
  currency: "RUB",
  updated_at: "2026-01-01T00:00:00Z",
  pizzas: [pizza(0), pizza(1), pizza(2, false), pizza(3)],
  extras: [],
  sets: [{ id: "s", name, price_minor: 120_000, items: [], available: true, image: null }],
};
const plan = () => plannedDay(sold, menu, 28_000_000, chanceOf("a day"));

describe("A made-up day", () => {
  it("is the same one each time, and another one under another name", () => {
    expect(plan()).toEqual(plan());
    expect(plannedDay(sold, menu, 28_000_000, chanceOf("another day"))).not.toEqual(plan());
  });

  it("is in the order of time and within opening hours", () => {
    const times = plan().map(({ placed_ms }) => placed_ms);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    for (const ms of times) expect(HOURS).toContain(Math.floor((ms - MIDNIGHT) / 3_600_000));
  });

  it("comes to its share of the target, cancelled orders left out", () => {
    const prices = new Map([...menu.pizzas, ...menu.sets].map(({ id, price_minor }) => [id, price_minor]));
    const worth = plan()
      .filter(({ cancelled }) => !cancelled)
      .map(({ wish }) => {
        const items = wish.items.reduce(
          (sum, { menu_item_id = "", quantity }) => sum + quantity * (prices.get(menu_item_id) ?? 0),
          0,
        );
        return items + (wish.fulfilment === "delivery" && items < 150_000 ? 19_900 : 0);
      })
      .reduce((sum, amount) => sum + amount, 0);
    expect(worth).toBeGreaterThanOrEqual(14_000_000);
    expect(worth).toBeLessThan(14_400_000);
  });

  it("orders nothing that is not available", () => {
    expect(plan().flatMap(({ wish }) => wish.items.map(({ menu_item_id }) => menu_item_id))).not.toContain(
      "p2",
    );
  });
});

describe("Sales of a day", () => {
  it.each([
    ["2026-03-02", 250_000, 300_000],
    ["2026-03-05", 250_000, 300_000],
    ["2026-03-06", 450_000, 550_000],
    ["2026-03-07", 450_000, 550_000],
    ["2026-03-08", 250_000, 300_000],
  ])("on %s are between %i and %i roubles", (date, least, most) => {
    for (let n = 0; n < 50; n++) {
      const target = targetOf(date, chanceOf(String(n)));
      expect(target).toBeGreaterThanOrEqual(least * 100);
      expect(target).toBeLessThanOrEqual(most * 100);
    }
  });
});

describe("The clock of stories", () => {
  it("shows each story its own time, also side by side and after waiting", async () => {
    const clock = new StoryClock().over({ now: () => 3 });
    const told = (ms: number) => clock.at(ms, async () => (await Promise.resolve(), clock.now()));
    expect(await Promise.all([told(1), told(2)])).toEqual([1, 2]);
    expect(await clock.at(1, async () => (await Promise.resolve(), clock.present()))).toBe(3);
    expect(clock.now()).toBe(3);
    expect(() => new StoryClock().now()).toThrow("A story is told over a clock.");
  });
});

describe("The command line", () => {
  it.each([
    [[], 0],
    [["--history", "90d"], 90],
    [["--history", "1d"], 1],
  ])("%p asks for %i days", (args, days) => {
    expect(historyDays(args)).toBe(days);
  });

  it.each([
    [["--history"]],
    [["--history", "0d"]],
    [["--history", "366d"]],
    [["--history", "90"]],
    [["--past", "90d"]],
    [["--history", "9d", "x"]],
  ])("%p is refused", (args) => {
    expect(() => historyDays(args)).toThrow();
  });
});
