import type { ClientBase, ClientConfig, Pool } from "pg";
import { parseIntoClientConfig } from "pg-connection-string";
import type { DataSource } from "typeorm";
import { dataSource, poolOf } from "../mixins/postgres/pool";

/** What an order leaves in the log: its place in the kitchen's day, its founding, and four steps to the customer. */
const EVENTS_PER_ORDER = 6;
/** Orders of one day, of all branches together. */
const ORDERS_PER_DAY = 2_000;

/** A database whose log holds a history of orders; whoever opened it destroys `db`. */
export interface OrderHistory {
  readonly connection: ClientConfig;
  readonly db: DataSource;
  readonly pool: Pool;
  readonly head: number;
}

/** Opens a database with an empty log, and writes about so many events into that. */
export async function openOrderHistory(url: string, events: number): Promise<OrderHistory> {
  const connection = parseIntoClientConfig(url);
  const db = dataSource(connection, []);
  await db.initialize();
  const pool = poolOf(db);
  const writer = await pool.connect();
  try {
    return { connection, db, pool, head: await writeOrders(writer, Math.ceil(events / EVENTS_PER_ORDER)) };
  } finally {
    writer.release();
  }
}

/**
 * Writes the events of so many orders straight into an empty log, in one statement: as the rooms would write them, but without
 * deciding anything, at some hundred thousand events a second. The steps of an order lie some fifty orders apart, as in life.
 * Answers the log's head.
 */
async function writeOrders(client: ClientBase, orders: number): Promise<number> {
  await client.query("select es.ensure_partitions(4000000, $1)", [orders * EVENTS_PER_ORDER]);
  await client.query(WRITE, [orders, ORDERS_PER_DAY]);
  const { rows } = await client.query<{ head: number }>(
    "update es.lane set head = (select count(*) from es.event) where lane = 0 returning head",
  );
  await client.query("analyze es.event");
  return rows[0]?.head ?? 0;
}

const LINES = JSON.stringify(
  [
    { ru: "Пепперони", en: "Pepperoni", quantity: 2, price: 54_900 },
    { ru: "Маргарита", en: "Margherita", quantity: 1, price: 44_900 },
  ].map(({ ru, en, quantity, price }, line) => ({
    kind: "pizza",
    menu_item_id: `01900000-0000-7000-800d-00000000000${String(line)}`,
    name: { ru, en },
    quantity,
    unit_price_minor: price,
    list_price_minor: price,
    flash_sale_id: null,
    extras:
      line === 0
        ? [
            {
              extra_id: "01900000-0000-7000-800e-000000000000",
              name: { ru: "Бортик", en: "Crust" },
              price_minor: 19_900,
            },
          ]
        : [],
    exclude_ingredients: line === 0 ? ["Лук"] : [],
    line_total_minor: quantity * price,
  })),
);

/** $1 orders, $2 orders a day. `at` is the minute of the order; each step comes some minutes later. */
const WRITE = `
with made as (
  select n, step, k.kind, o.order_id, o.branch_id, o.day, o.display_id,
    to_char(o.placed_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as placed_at,
    to_char(o.placed_at + step * interval '7 minutes', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at,
    row_number() over (order by n + greatest(step - 2, 0) * 50, n, step) as pos
  from generate_series(1, $1::integer) as n
  cross join lateral (values (1, 'slot.booked'), (2, 'order.placed'), (3, 'preparing'), (4, 'cooking'), (5, 'ready'), (6, 'delivered')) as k (step, kind)
  cross join lateral (
    select '01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0') as order_id,
      '01900000-0000-7000-800b-00000000000' || n % 8 as branch_id,
      timestamp '2026-01-01 06:00' + (n / $2) * interval '1 day' + (n % $2) * interval '25 seconds' as placed_at,
      to_char(date '2026-01-01' + n / $2, 'YYYY-MM-DD') as day,
      'K-' || n % $2 as display_id
  ) as o
)
insert into es.event (lane, pos, recorded_at, event_id, version, partition, schema_v, stream_id, stream_type, type, data, meta)
select 0, pos, at::timestamptz, gen_random_uuid(), case step when 1 then 1 + n % $2 else step - 1 end, n % 16, 1,
  case step when 1 then 'slots-' || branch_id || '-' || day else 'order-' || order_id end,
  case step when 1 then 'kitchen-day' else 'order' end,
  case when step < 3 then kind else 'order.status_changed' end,
  (case step
    when 1 then format('{"branch_id":"%1$s","business_date":"%2$s","order_id":"%3$s","number":%4$s,"fulfilment":"pickup","visible_at":"%5$s","shares":[{"slot_id":"%1$s_x","start":"%5$s","end":"%5$s","amount_minor":154700}],"slots":[{"slot_id":"%1$s_x","branch_id":"%1$s","start":"%5$s","end":"%5$s","capacity_minor":1000000,"load_minor":154700,"orders_count":1,"delivery_count":0,"pickup_count":1,"delivery_plan":null,"pickup_plan":null,"disabled":false}]}',
      branch_id, day, order_id, n % $2, placed_at)
    when 2 then format('{"order_id":"%3$s","branch_id":"%1$s","channel":"shop","fulfilment":"pickup","address":null,"customer":{"user_id":null,"name":"Анна","phone":"+79%6$s"},"payment_method":"card","notes":null,"currency":"RUB","menu_version":1,"items":%7$s,"items_total_minor":154700,"delivery_fee_minor":0,"discount_minor":0,"total_minor":154700,"promo_code":null,"preferred_time":null,"track_token":"bench-%3$s","placed_at":"%5$s","display_id":"%4$s","business_date":"%2$s","shares":[{"slot_id":"%1$s_x","start":"%5$s","end":"%5$s","amount_minor":154700}],"ready_at":"%5$s","visible_at":"%5$s","preorder":false}',
      branch_id, day, order_id, display_id, placed_at, lpad(n::text, 9, '0'), '${LINES}')
    else format('{"order_id":"%3$s","branch_id":"%1$s","display_id":"%4$s","business_date":"%2$s","placed_at":"%5$s","user_id":null,"from":"%6$s","to":"%7$s","at":"%8$s"}',
      branch_id, day, order_id, display_id, placed_at, (array['pending','preparing','cooking','ready'])[step - 2], kind, at)
  end)::json,
  format('{"actor":"system:bench","correlation_id":"%s"}', order_id)::json
from made`;
