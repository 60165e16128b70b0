import type { PoolClient } from "pg";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { Projection } from "../../mixins/projection/projection";
import type { CartEvent } from "./cart.events";

const HANDLES: readonly CartEvent["type"][] = [
  "cart.changed",
  "cart.given",
  "cart.merged",
  "cart.checkout_begun",
  "cart.checkout_dropped",
  "cart.ordered",
  "cart.expired",
];

/** Table `carts`: which there are, for the jobs that end what was left. What is in them is in their streams. */
export const cartProjection: Projection = {
  name: "carts",
  tables: ["carts"],
  handles: HANDLES,
  rows_of_one_stream: true,
  async apply(events, tx) {
    await write([...newestOf(events).values()], tx);
  },
};

/** A cart after a batch of events; what a batch says nothing of is absent. */
interface CartRow {
  readonly cart_id: string;
  readonly user_id: string | null;
  readonly changed_at: string;
  readonly position: number;
  readonly over?: true;
  readonly lines_count?: number;
  readonly checkout_said?: true;
  readonly checkout_at?: string | null;
}

function newestOf(events: readonly RecordedEvent[]): Map<string, CartRow> {
  const rows = new Map<string, CartRow>();
  for (const { type, data, position } of events) {
    const event = { type, data } as CartEvent;
    const { cart_id, user_id, at: changed_at } = event.data;
    const said = saidBy(event);
    rows.set(cart_id, { ...rows.get(cart_id), cart_id, user_id, changed_at, position, ...said });
  }
  return rows;
}

function saidBy(event: CartEvent): Partial<CartRow> {
  switch (event.type) {
    case "cart.changed":
    case "cart.merged":
      return { lines_count: event.data.lines.length };
    case "cart.ordered":
      return { lines_count: event.data.lines.length, checkout_said: true, checkout_at: null };
    case "cart.checkout_begun":
      return { checkout_said: true, checkout_at: event.data.at };
    case "cart.checkout_dropped":
      return { checkout_said: true, checkout_at: null };
    case "cart.given":
    case "cart.expired":
      return { over: true };
    default:
      return event satisfies never;
  }
}

const UPSERT = `
  insert into carts as cart (cart_id, user_id, lines_count, checkout_at, changed_at, position)
  select cart_id, user_id, coalesce(lines_count, 0), checkout_at, changed_at, position
  from jsonb_to_recordset($1) as change (
    cart_id uuid, user_id uuid, lines_count integer, checkout_at timestamptz, changed_at timestamptz, position bigint)
  on conflict (cart_id) do update set
    lines_count = case when cart.cart_id = any ($2) then excluded.lines_count else cart.lines_count end,
    checkout_at = case when cart.cart_id = any ($3) then excluded.checkout_at else cart.checkout_at end,
    changed_at = excluded.changed_at, position = excluded.position`;

async function write(rows: readonly CartRow[], tx: PoolClient): Promise<void> {
  const over = rows.filter((row) => row.over);
  const rest = rows.filter((row) => !row.over);
  const ids = (of: readonly CartRow[]): string[] => of.map(({ cart_id }) => cart_id);
  if (over.length > 0) await tx.query("delete from carts where cart_id = any ($1)", [ids(over)]);
  if (rest.length === 0) return;
  await tx.query(UPSERT, [
    JSON.stringify(rest),
    ids(rest.filter(({ lines_count }) => lines_count !== undefined)),
    ids(rest.filter(({ checkout_said }) => checkout_said)),
  ]);
}
