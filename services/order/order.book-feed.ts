import type { FeedHandle } from "../../mixins/event-feed/event-feed";
import type { Position } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { COUNTED_CHANNELS, type OpenBook, type OpenOrder } from "./order.open-book";
import { OPEN_STATUSES } from "./order.states";

const OPEN = `
  select order_id, branch_id, user_id, customer_phone as phone, total_minor from orders
  where status in (${OPEN_STATUSES.map((status) => `'${status}'`).join(", ")})
    and channel = any ($1) and processed_at is null`;

type Needs = Pick<Runtime, "pool" | "log" | "feed">;

/**
 * Fills the book from the read model, and keeps it by the feed from then on. The end of the log is asked before the rows: what
 * happens between is read twice, never missed.
 * @param reached waits until the read model has come to a position.
 */
export async function keepBook(
  needs: Needs,
  book: OpenBook,
  reached: (position: Position) => Promise<void>,
): Promise<FeedHandle> {
  return needs.feed.subscribe({
    name: "order:open-book",
    after: await fill(needs, book, reached),
    wentBack: () => fill(needs, book, reached),
    onBatch: (events) => {
      book.learn(events);
      return Promise.resolve();
    },
  });
}

async function fill(
  { pool, log }: Pick<Needs, "pool" | "log">,
  book: OpenBook,
  reached: (position: Position) => Promise<void>,
): Promise<Position> {
  const after = await log.head();
  await reached(after);
  const { rows } = await pool.query<OpenOrder>(OPEN, [COUNTED_CHANNELS]);
  book.forget();
  for (const order of rows) book.open(order);
  return after;
}
