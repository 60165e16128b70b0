import type { FeedHandle } from "../../mixins/event-feed/event-feed";
import type { Runtime } from "../../mixins/runtime";
import { COUNTED_CHANNELS, type OpenBook, type OpenOrder } from "./order.open-book";
import { OPEN_STATUSES } from "./order.states";

const OPEN = `
  select order_id, branch_id, user_id, customer_phone as phone, total_minor from orders
  where status in (${OPEN_STATUSES.map((status) => `'${status}'`).join(", ")})
    and channel = any ($1) and processed_at is null`;

/**
 * Fills the book from the read model, which must have reached the log's end, and keeps it by the feed from then on. The end is
 * asked before the rows: what happens between is read twice, never missed.
 */
export async function keepBook(
  { pool, log, feed }: Pick<Runtime, "pool" | "log" | "feed">,
  book: OpenBook,
): Promise<FeedHandle> {
  const after = await log.head();
  const { rows } = await pool.query<OpenOrder>(OPEN, [COUNTED_CHANNELS]);
  for (const order of rows) book.open(order);
  return feed.subscribe({
    name: "order:open-book",
    after,
    onBatch: (events) => {
      book.learn(events);
      return Promise.resolve();
    },
  });
}
