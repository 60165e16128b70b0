import type { PoolClient } from "pg";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { KnowingDeps, Person, PersonalRecords } from "../../mixins/erasure/personal-records";
import { ORDER_STREAMS, orderStream, type OrderEvent } from "./order.events";
import { OPEN_STATUSES } from "./order.states";
import { eventViewFor } from "./order.view";

/** Orders that are read side by side for an export. */
const READS_AT_ONCE = 8;

/**
 * Orders tell name, phone, address, notes and reasons. In the log these go with the keys of their streams, in the read model when
 * its projection comes to the erasure; money, dishes and times stay.
 */
export const orderRecords: PersonalRecords = {
  name: "orders",
  async known(deps, person) {
    const filed = deps.streams.filter((stream) => stream.startsWith(ORDER_STREAMS));
    const ids = person.user_id === null ? [] : await ordersOf(deps, person.user_id);
    const waiting = [...new Set([...filed, ...ids.map(orderStream)])].sort();
    const orders: object[] = [];
    const work = async (): Promise<void> => {
      for (let stream = waiting.shift(); stream !== undefined; stream = waiting.shift())
        orders.push(await historyOf(deps, stream));
    };
    await Promise.all(Array.from({ length: READS_AT_ONCE }, work));
    return orders;
  },
  refusal: openOrders,
};

const OF_ACCOUNT = "select order_id from orders where user_id = $1";

async function ordersOf({ pool }: KnowingDeps, user_id: string): Promise<string[]> {
  const { rows } = await pool.query<{ order_id: string }>(OF_ACCOUNT, [user_id]);
  return rows.map(({ order_id }) => order_id);
}

async function historyOf({ log, to }: KnowingDeps, stream: string): Promise<object> {
  const events = await log.readStream(stream);
  return {
    order_id: stream.slice(ORDER_STREAMS.length),
    events: events.flatMap(({ type, data, recorded_at }) => {
      const seen = eventViewFor(to, { type, data } as OrderEvent);
      return seen === null ? [] : [{ type, recorded_at, data: seen }];
    }),
  };
}

/**
 * The kitchen and the courier still need to know for whom an order is. Asked of the log where it has a key, because the read model
 * may be behind; one whose events are all archived was closed long ago. Of orders with nothing personal in them the read model tells.
 */
async function openOrders(
  tx: PoolClient,
  { user_id }: Person,
  streams: readonly string[],
): Promise<Refusal | undefined> {
  const { rows } = await tx.query<{ order_id: string }>(OPEN, [
    streams.filter((stream) => stream.startsWith(ORDER_STREAMS)),
    user_id,
    OPEN_STATUSES,
  ]);
  if (rows.length === 0) return undefined;
  return refuse(
    "conflict",
    "customer.has_open_orders",
    "There are orders under way; wait until they have ended, or cancel them, and ask again.",
    { order_ids: rows.map(({ order_id }) => order_id) },
  );
}

/** $1 streams, $2 account, $3 statuses of open orders. */
const OPEN = `
  select substr(s.stream_id, ${String(ORDER_STREAMS.length + 1)})::uuid as order_id
  from es.stream s
  where s.stream_id = any ($1)
    and exists (
      select from es.event e
      where e.stream_id = s.stream_id and e.pos between s.first_pos and s.last_pos and e.type = 'order.placed')
    and not exists (
      select from es.event e
      where e.stream_id = s.stream_id and e.pos between s.first_pos and s.last_pos
        and (e.type in ('order.cancelled', 'order.archived')
          or e.type = 'order.status_changed' and e.data ->> 'to' = 'delivered'))
  union
  select order_id from orders where user_id = $2 and status = any ($3)`;
