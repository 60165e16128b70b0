import fc from "fast-check";
import { decodeCursor, encodeCursor } from "../../../../services/order/order.cursor";
import { uuidOf } from "../../../support/orders";

const cursor = { placed_at: "2026-03-10T09:00:00.123Z", order_id: uuidOf(77) };

it("a cursor comes back as it went out, and is safe in a URL", () => {
  expect(encodeCursor(cursor)).toMatch(/^[\w-]+$/);
  expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
});

it.each([
  ["nothing", ""],
  ["junk", "%%%"],
  ["half a cursor", encodeCursor(cursor).slice(0, 30)],
  ["a time that does not exist", encodeCursor({ ...cursor, placed_at: "2026-02-31T09:00:00.000Z" })],
  ["a time before all times", encodeCursor({ ...cursor, placed_at: "0000-01-01T00:00:00.000Z" })],
  ["no UUID", encodeCursor({ ...cursor, order_id: "1; drop table orders" })],
])("%s is refused as malformed", (_what, text) => {
  expect(decodeCursor(text)).toMatchObject({ refused: "invalid", code: "input.cursor_malformed" });
});

it("any text is either a cursor or refused, never a fault", () => {
  fc.assert(fc.property(fc.string(), (text) => "refused" in decodeCursor(text)));
});
