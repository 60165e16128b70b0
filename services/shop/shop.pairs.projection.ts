import type { PoolClient } from "pg";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { Projection } from "../../mixins/projection/projection";
import type { OrderEvent } from "../order/order.events";

/** What is ordered together. An order counts from its placement, and no more once it is cancelled. */
export const pairsProjection: Projection = {
  name: "item-pairs",
  tables: ["item_pairs", "open_baskets"],
  handles: ["order.placed", "order.status_changed", "order.cancelled"] satisfies OrderEvent["type"][],
  apply,
};

/** What a batch makes of the baskets. */
export interface BasketChanges {
  /** Orders of this batch that count from now on; with their dishes, sorted, each once. */
  readonly counted: ReadonlyMap<string, readonly string[]>;
  /** Those of them that may still be cancelled. */
  readonly opened: readonly string[];
  /** Orders of earlier batches that count no more. */
  readonly cancelled: readonly string[];
  /** Orders of earlier batches that can no longer be cancelled. */
  readonly closed: readonly string[];
}

/** Folds a batch, in its order; an order that came and was cancelled within it never was. */
export function foldBaskets(events: readonly RecordedEvent[]): BasketChanges {
  const counted = new Map<string, readonly string[]>();
  const [opened, cancelled, closed] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { type, data } of events) {
    const event = { type, data } as OrderEvent;
    const { order_id } = event.data;
    if (event.type === "order.placed") {
      counted.set(order_id, [...new Set(event.data.items.map(({ menu_item_id }) => menu_item_id))].sort());
      opened.add(order_id);
    } else if (event.type === "order.cancelled") {
      if (!counted.delete(order_id)) cancelled.add(order_id);
      opened.delete(order_id);
    } else if (event.type === "order.status_changed" && isUnderWay(event.data.to)) {
      if (!opened.delete(order_id) && !counted.has(order_id)) closed.add(order_id);
    }
  }
  return { counted, opened: [...opened], cancelled: [...cancelled], closed: [...closed] };
}

/** From here on nobody cancels. */
const isUnderWay = (status: string): boolean => status === "delivery" || status === "delivered";

async function apply(events: readonly RecordedEvent[], tx: PoolClient): Promise<void> {
  const { counted, opened, cancelled, closed } = foldBaskets(events);
  const baskets = opened.map((order_id) => ({ order_id, item_ids: counted.get(order_id) ?? [] }));
  const changes = new PairCounts();
  for (const item_ids of counted.values()) changes.add(item_ids, 1);
  for (const item_ids of await taken(tx, [...cancelled, ...closed], cancelled)) changes.add(item_ids, -1);
  if (baskets.length > 0) await tx.query(OPEN, [JSON.stringify(baskets)]);
  await changes.write(tx);
}

const OPEN = `
  insert into open_baskets (order_id, item_ids)
  select order_id, item_ids from jsonb_to_recordset($1) as basket (order_id uuid, item_ids uuid[])`;

/** Forgets baskets; the dishes of those that were cancelled. */
async function taken(
  tx: PoolClient,
  order_ids: readonly string[],
  cancelled: readonly string[],
): Promise<readonly (readonly string[])[]> {
  if (order_ids.length === 0) return [];
  const { rows } = await tx.query<{ order_id: string; item_ids: readonly string[] }>(
    "delete from open_baskets where order_id = any($1::uuid[]) returning order_id, item_ids",
    [order_ids],
  );
  const wanted = new Set(cancelled);
  return rows.filter(({ order_id }) => wanted.has(order_id)).map(({ item_ids }) => item_ids);
}

const COUNT = `
  insert into item_pairs as pair (item_id, also_id, orders_count)
  select * from unnest($1::uuid[], $2::uuid[], $3::integer[])
  on conflict (item_id, also_id) do update set orders_count = pair.orders_count + excluded.orders_count`;
/** A pair that nobody orders has no row, as if it had never been ordered: so a rebuild comes to the same table. */
const FORGET = "delete from item_pairs where orders_count = 0 and item_id = any($1::uuid[])";

/** What a batch adds to each pair, in either direction. */
class PairCounts {
  readonly #changes = new Map<string, Map<string, number>>();

  add(item_ids: readonly string[], orders: 1 | -1): void {
    for (const item_id of item_ids) {
      const row = this.#changes.get(item_id) ?? new Map<string, number>();
      this.#changes.set(item_id, row);
      for (const also_id of item_ids)
        if (also_id !== item_id) row.set(also_id, (row.get(also_id) ?? 0) + orders);
    }
  }

  async write(tx: PoolClient): Promise<void> {
    const changes = [...this.#changes].flatMap(([item_id, row]) =>
      [...row].flatMap(([also_id, orders]) => (orders === 0 ? [] : [{ item_id, also_id, orders }])),
    );
    if (changes.length === 0) return;
    await tx.query(COUNT, [
      changes.map(({ item_id }) => item_id),
      changes.map(({ also_id }) => also_id),
      changes.map(({ orders }) => orders),
    ]);
    const lessened = changes.filter(({ orders }) => orders < 0).map(({ item_id }) => item_id);
    if (lessened.length > 0) await tx.query(FORGET, [[...new Set(lessened)]]);
  }
}
