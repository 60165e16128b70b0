import fc from "fast-check";
import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import { inTransaction } from "../../../../mixins/postgres/transaction";
import type { OrderEvent } from "../../../../services/order/order.events";
import { pairsProjection } from "../../../../services/shop/shop.pairs.projection";
import { cancelled, orderLine, placed, stepsTo, uuidOf } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());
const empty = () => database.pool.query("truncate item_pairs, open_baskets");
beforeEach(empty);

/** What became of an order in the end. */
type Fate = "placed" | "cancelled" | "delivered";
const dish = (n: number): string => uuidOf(n, "d");
const orderOf = (number: number, dishes: readonly number[]) =>
  placed(number, { items: dishes.map((n) => orderLine({ menu_item_id: dish(n) })) });

function eventsOf(number: number, dishes: readonly number[], fate: Fate): OrderEvent[] {
  const order = orderOf(number, dishes);
  if (fate === "cancelled") return [order, cancelled(order)];
  return fate === "delivered" ? [order, ...stepsTo(order, "delivered")] : [order];
}

async function apply(...batches: readonly (readonly OrderEvent[])[]): Promise<void> {
  for (const batch of batches)
    await inTransaction(database.pool, (tx) =>
      pairsProjection.apply(batch as unknown as readonly RecordedEvent[], tx),
    );
}
async function pairs(): Promise<string[]> {
  const { rows } = await database.pool.query<{ a: string; b: string; n: number }>(
    "select right(item_id::text, 2) as a, right(also_id::text, 2) as b, orders_count as n from item_pairs order by 1, 2",
  );
  return rows.map(({ a, b, n }) => `${a}+${b}:${String(n)}`);
}
const baskets = async (): Promise<number> =>
  (await database.pool.query("select 1 from open_baskets")).rowCount ?? 0;

it("counts each pair of an order once, in either direction", async () => {
  await apply([...eventsOf(1, [1, 2, 2], "placed"), ...eventsOf(2, [1, 2, 3], "delivered")]);
  expect(await pairs()).toEqual(["01+02:2", "01+03:1", "02+01:2", "02+03:1", "03+01:1", "03+02:1"]);
  expect(await baskets()).toBe(1);
});

it("takes a cancelled order back, whenever it is cancelled, and leaves no trace of it", async () => {
  const [first, ...rest] = eventsOf(1, [1, 2], "cancelled");
  await apply([first!], rest, eventsOf(2, [1, 2], "cancelled"));
  expect(await pairs()).toEqual([]);
  expect(await baskets()).toBe(0);
});

it("forgets the basket of an order that can no longer be cancelled, and keeps its pairs", async () => {
  const [first, ...rest] = eventsOf(1, [1, 2], "delivered");
  await apply([first!], rest);
  expect(await pairs()).toEqual(["01+02:1", "02+01:1"]);
  expect(await baskets()).toBe(0);
});

it("makes nothing of an order of one dish", async () => {
  await apply(eventsOf(1, [1, 1], "placed"), eventsOf(2, [3], "cancelled"));
  expect(await pairs()).toEqual([]);
});

it("comes to the same tables however the events are cut into batches", async () => {
  const fates = fc.constantFrom<Fate>("placed", "cancelled", "delivered");
  const orders = fc.array(
    fc.tuple(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), fates),
    {
      minLength: 1,
      maxLength: 8,
    },
  );
  const cuts = fc.array(fc.nat(50), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(orders, cuts, async (wishes, at) => {
      // All of them are placed before anything becomes of the first.
      const histories = wishes.map(([dishes, fate], n) => eventsOf(n + 1, dishes, fate));
      const events = [...histories.map(([first]) => first!), ...histories.flatMap(([, ...rest]) => rest)];
      const bounds = [0, ...at.map((cut) => cut % events.length).sort((a, b) => a - b), events.length];
      await empty();
      await apply(...bounds.slice(1).map((end, i) => events.slice(bounds[i], end)));
      const [cut, open] = [await pairs(), await baskets()];
      await empty();
      await apply(events);
      expect(await pairs()).toEqual(cut);
      expect(await baskets()).toBe(open);
      const living = wishes.filter(([, fate]) => fate !== "cancelled");
      const together = living.filter(([dishes]) => dishes.includes(1) && dishes.includes(2)).length;
      expect(cut.filter((pair) => pair.startsWith("01+02:"))).toEqual(
        together === 0 ? [] : [`01+02:${String(together)}`],
      );
    }),
    { numRuns: 60 },
  );
});
