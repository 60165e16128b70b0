import { inTransaction } from "../../../../mixins/postgres/transaction";
import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import type { CartEvent, CartLine } from "../../../../services/cart/cart.events";
import { cartProjection } from "../../../../services/cart/cart.projection";
import { uuidOf } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

const [GUESTS, ANNAS, LEFT] = [uuidOf(1), uuidOf(2, "c"), uuidOf(3)];
const line: CartLine = {
  ...{
    line_id: uuidOf(1, "a"),
    menu_item_id: uuidOf(1, "d"),
    quantity: 2,
    extras: [],
    exclude_ingredients: [],
  },
};
const at = (minute: number): string => new Date(Date.UTC(2026, 2, 10, 9, minute)).toISOString();

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());

const one = { lines: [line], promo_code: null };
const none = { lines: [], promo_code: null };
const guests = { cart_id: GUESTS, user_id: null };
const annas = { cart_id: ANNAS, user_id: ANNAS };
const left = { cart_id: LEFT, user_id: null };
const HISTORY: readonly CartEvent[] = [
  { type: "cart.changed", data: { ...guests, ...one, change: "added", at: at(1) } },
  { type: "cart.changed", data: { ...left, ...one, change: "added", at: at(2) } },
  { type: "cart.given", data: { ...guests, ...one, to_user_id: ANNAS, at: at(3) } },
  { type: "cart.merged", data: { ...annas, ...one, from_cart_id: GUESTS, at: at(4) } },
  { type: "cart.checkout_begun", data: { ...annas, checkout_no: 1, at: at(5) } },
  { type: "cart.checkout_dropped", data: { ...annas, checkout_no: 1, at: at(6) } },
  { type: "cart.checkout_begun", data: { ...annas, checkout_no: 2, at: at(7) } },
  { type: "cart.ordered", data: { ...annas, ...none, checkout_no: 2, order_id: uuidOf(9), at: at(8) } },
  { type: "cart.changed", data: { ...annas, ...one, change: "added", at: at(9) } },
  { type: "cart.checkout_begun", data: { ...annas, checkout_no: 3, at: at(10) } },
  { type: "cart.expired", data: { ...left, at: at(11) } },
];
const events = HISTORY.map((event, index) => ({ ...event, position: index + 1 }) as unknown as RecordedEvent);

async function rowsAfter(batches: readonly RecordedEvent[][]): Promise<object[]> {
  await database.pool.query("delete from carts");
  for (const batch of batches) await inTransaction(database.pool, (tx) => cartProjection.apply(batch, tx));
  const { rows } = await database.pool.query<object>("select * from carts order by cart_id");
  return rows;
}

it("shows which carts there are, and which are being ordered", async () => {
  const before = await rowsAfter([events.slice(0, 5)]);
  expect(before).toEqual([
    { ...left, lines_count: 1, checkout_at: null, changed_at: new Date(at(2)), position: 2 },
    { ...annas, lines_count: 1, checkout_at: new Date(at(5)), changed_at: new Date(at(5)), position: 5 },
  ]);
  expect(await rowsAfter([events])).toEqual([
    { ...annas, lines_count: 1, checkout_at: new Date(at(10)), changed_at: new Date(at(10)), position: 10 },
  ]);
});

it("comes to the same however its events are cut into batches", async () => {
  const whole = await rowsAfter([events]);
  expect(await rowsAfter(events.map((event) => [event]))).toEqual(whole);
  for (let cut = 1; cut < events.length; cut++)
    expect(await rowsAfter([events.slice(0, cut), events.slice(cut)])).toEqual(whole);
});

it("reads every event of a cart", () => {
  expect([...cartProjection.handles].sort()).toEqual([...new Set(HISTORY.map(({ type }) => type))].sort());
});
