import type { Refusal } from "../../mixins/contract/refusal";
import { cursorMalformed, cursorOf, isRealTime, keyBehind } from "../../mixins/crud/cursor";

/** The last row of a page: lists are ordered by `placed_at`, and by `order_id` where two were placed in one millisecond. */
export interface OrderCursor {
  /** RFC 3339 UTC with milliseconds. */
  readonly placed_at: string;
  readonly order_id: string;
}

const SHAPE =
  /^([12]\d{3}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z)\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** The opaque form in which a cursor goes to clients. */
export function encodeCursor({ placed_at, order_id }: OrderCursor): string {
  return cursorOf(`${placed_at}/${order_id}`);
}

/** Reads a cursor back. Refusal: `input.cursor_malformed`. */
export function decodeCursor(text: string): OrderCursor | Refusal {
  const [, placed_at, order_id] = SHAPE.exec(keyBehind(text)) ?? [];
  if (placed_at === undefined || order_id === undefined || !isRealTime(placed_at)) {
    return cursorMalformed();
  }
  return { placed_at, order_id };
}
