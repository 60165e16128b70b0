import type { Pool } from "pg";
import type { Ctx } from "../../mixins/contract/caller";
import { act } from "../../mixins/contract/implement";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import { listMyOrders } from "../order/order.contract";

/** What somebody wants to review, and by which order; without one, by any. */
export interface Purchase {
  readonly user_id: string;
  readonly menu_item_id: string;
  readonly order_id: string | undefined;
}

/**
 * The delivered order that brought somebody a dish. What was delivered a moment ago may not be in the read model yet, so
 * before anybody is refused, it gets to the log's present end.
 *
 * Refusals: `order.unknown`, `review.not_bought`, `review.not_delivered`.
 * @throws UnavailableError `projection.behind`
 */
export async function orderThatBrought(
  { pool, log }: Pick<Runtime, "pool" | "log">,
  ctx: Ctx<unknown>,
  purchase: Purchase,
): Promise<string | Refusal> {
  const at_once = await look(pool, purchase);
  if (!isRefusal(at_once)) return at_once;
  // Asked for its waiting alone: the room that fills the read model knows how far it is.
  await act(ctx, listMyOrders, { after: await log.head(), limit: 1 });
  return look(pool, purchase);
}

/** $1 user, $2 dish, $3 order or null. What was archived had been delivered, unless it says why it was cancelled. */
const BROUGHT = `
  select o.order_id, i.order_id is not null as has_dish,
    o.status = 'delivered' or o.status = 'archived' and o.cancel_reason is null as was_delivered
  from orders o left join lateral (
    select order_id from order_items
    where order_id = o.order_id and placed_at = o.placed_at and menu_item_id = $2 limit 1
  ) i on true
  where o.user_id = $1 and ($3::uuid is null or o.order_id = $3) and (i.order_id is not null or $3 is not null)
  order by was_delivered desc, o.placed_at desc limit 1`;

interface Found {
  readonly order_id: string;
  readonly has_dish: boolean;
  readonly was_delivered: boolean;
}

async function look(pool: Pool, { user_id, menu_item_id, order_id }: Purchase): Promise<string | Refusal> {
  const { rows } = await pool.query<Found>(BROUGHT, [user_id, menu_item_id, order_id ?? null]);
  const [found] = rows;
  if (found === undefined && order_id !== undefined)
    return refuse("not_found", "order.unknown", "You have no such order.");
  if (found?.has_dish !== true)
    return refuse("unprocessable", "review.not_bought", "Only who has ordered this dish can review it.");
  if (!found.was_delivered)
    return refuse(
      "unprocessable",
      "review.not_delivered",
      "Taste it first: a dish can be reviewed once its order is delivered.",
    );
  return found.order_id;
}
