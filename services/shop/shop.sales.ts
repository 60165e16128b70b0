import type { Pool } from "pg";
import { RANKED_MAX } from "./shop.contract";

/** Bestsellers are those of so many days. */
export const SALES_DAYS = 30;
const DAY_MS = 86_400_000;

/** How often a dish was sold. */
export interface Sold {
  readonly item_id: string;
  /** Pieces. */
  readonly sold_count: number;
  readonly orders_count: number;
}

/**
 * $1 since when, $2 branch or null. Both tables by time, so that only the partitions of these days are read.
 */
const SOLD = `
  select i.menu_item_id as item_id, sum(i.quantity) as sold_count, count(distinct o.order_id) as orders_count
  from orders o join order_items i on i.order_id = o.order_id and i.placed_at = o.placed_at and i.placed_at >= $1
  where o.placed_at >= $1 and o.status <> 'cancelled' and ($2::uuid is null or o.branch_id = $2)
  group by i.menu_item_id
  order by sold_count desc, orders_count desc, item_id
  limit ${String(RANKED_MAX)}`;

/** The dishes that sold best in the last {@link SALES_DAYS} days, from the orders themselves; cancelled ones left out. */
export async function bestSold(pool: Pool, branch_id: string | null, now_ms: number): Promise<Sold[]> {
  const since = new Date(now_ms - SALES_DAYS * DAY_MS);
  const { rows } = await pool.query<Sold>(SOLD, [since, branch_id]);
  return rows;
}

/** $1 user, $2 how many orders: the dishes of somebody's latest orders, each once. */
const ORDERED_LATELY = `
  select distinct i.menu_item_id as item_id
  from (
    select order_id, placed_at from orders
    where user_id = $1 and status <> 'cancelled'
    order by placed_at desc, order_id desc limit $2
  ) o join order_items i on i.order_id = o.order_id and i.placed_at = o.placed_at`;

/** Orders that say what somebody likes. */
const RECENT_ORDERS = 10;

/** What somebody ordered lately. */
export async function orderedLately(pool: Pool, user_id: string): Promise<string[]> {
  const { rows } = await pool.query<{ item_id: string }>(ORDERED_LATELY, [user_id, RECENT_ORDERS]);
  return rows.map(({ item_id }) => item_id);
}

/** $1 dishes: what is ordered together with them, they themselves left out. */
const ALSO_ORDERED = `
  select also_id as item_id, sum(orders_count) as orders_count
  from item_pairs
  where item_id = any($1::uuid[]) and also_id <> all($1::uuid[])
  group by also_id
  order by orders_count desc, also_id
  limit ${String(RANKED_MAX)}`;

/** What people who ordered any of these dishes also ordered, and in how many orders. */
export async function alsoOrdered(
  pool: Pool,
  item_ids: readonly string[],
): Promise<{ readonly item_id: string; readonly orders_count: number }[]> {
  if (item_ids.length === 0) return [];
  const { rows } = await pool.query<{ item_id: string; orders_count: number }>(ALSO_ORDERED, [item_ids]);
  return rows;
}
