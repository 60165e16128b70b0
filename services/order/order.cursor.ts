import { refuse, type Refusal } from "../../mixins/contract/refusal";

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
  return Buffer.from(`${placed_at}/${order_id}`, "latin1").toString("base64url");
}

/** Reads a cursor back. Refusal: `input.cursor_malformed`. */
export function decodeCursor(text: string): OrderCursor | Refusal {
  const [, placed_at, order_id] = SHAPE.exec(Buffer.from(text, "base64url").toString("latin1")) ?? [];
  if (placed_at === undefined || order_id === undefined || !isRealTime(placed_at)) {
    return refuse(
      "invalid",
      "input.cursor_malformed",
      "Take cursor from next_cursor of the page before, unchanged.",
    );
  }
  return { placed_at, order_id };
}

/** The 31st of February fits the pattern, and PostgreSQL would choke on it. */
function isRealTime(iso: string): boolean {
  const time = new Date(iso);
  return !Number.isNaN(time.getTime()) && time.toISOString() === iso;
}
