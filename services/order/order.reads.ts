import { Brackets, type DataSource, type SelectQueryBuilder } from "typeorm";
import { OrderEntity } from "../../entities/order.entity";
import { OrderItemEntity } from "../../entities/order-item.entity";
import type { SoughtPhone } from "../../mixins/text/phone";
import { decodeCursor, encodeCursor } from "./order.cursor";
import type { Channel, Fulfilment, OrderLine, OrderStatus, PaymentMethod } from "./order.events";
import { OPEN_STATUSES } from "./order.states";
import type { OrderFacts } from "./order.view";
import { isRefusal, type Refusal } from "../../mixins/contract/refusal";

/** Which orders a list shows; every criterion that is given must fit. */
export interface OrderFilter {
  /** Null: all branches. */
  readonly branch_ids: readonly string[] | null;
  readonly open?: true;
  readonly status?: OrderStatus;
  /** Visible to the kitchen at this moment (true) or not yet (false). */
  readonly visible?: { readonly at: Date; readonly is: boolean };
  readonly user_id?: string;
  /** Deliveries that are ready or on their way, and those that this courier has delivered since. */
  readonly courier?: { readonly courier_id: string | null; readonly since: Date };
  /** With the branch's letters, or its digits alone. */
  readonly display_id?: string;
  readonly phone?: SoughtPhone;
  readonly business_date?: string;
  readonly placed_from?: Date;
}

export interface PageRequest {
  readonly oldest_first: boolean;
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface FactsPage {
  readonly orders: OrderFacts[];
  readonly next_cursor: string | null;
}

/** Reads of the read model. What a role may see of the facts is decided afterwards, by `order.view.ts`. */
export class OrderReads {
  constructor(private readonly db: DataSource) {}

  async byId(order_id: string): Promise<OrderFacts | undefined> {
    return this.#first(this.#orders().where("o.order_id = :order_id", { order_id }));
  }

  async byTrackToken(track_token: string): Promise<OrderFacts | undefined> {
    return this.#first(this.#orders().where("o.track_token = :track_token", { track_token }));
  }

  /** Whether a customer has an order that is not cancelled. */
  async hasOrdered(user_id: string): Promise<boolean> {
    return this.#orders()
      .where("o.user_id = :user_id", { user_id })
      .andWhere("o.status <> 'cancelled'")
      .getExists();
  }

  /** Whether a customer has had an order delivered. */
  async hasReceived(user_id: string): Promise<boolean> {
    return this.#orders()
      .where("o.user_id = :user_id", { user_id })
      .andWhere("(o.status = 'delivered' or (o.status = 'archived' and o.cancel_reason is null))")
      .getExists();
  }

  /** One page. Orders that are placed meanwhile neither repeat nor hide any. Refusal: `input.cursor_malformed`. */
  async page(
    filter: OrderFilter,
    { oldest_first, limit, cursor }: PageRequest,
  ): Promise<FactsPage | Refusal> {
    const query = this.#orders().where(criteriaOf(filter));
    if (cursor !== undefined) {
      const last = decodeCursor(cursor);
      if (isRefusal(last)) return last;
      query.andWhere(`(o.placed_at, o.order_id) ${oldest_first ? ">" : "<"} (:last_at, :last_id)`, {
        last_at: new Date(last.placed_at),
        last_id: last.order_id,
      });
    }
    const direction = oldest_first ? "ASC" : "DESC";
    query.orderBy("o.placed_at", direction).addOrderBy("o.order_id", direction);
    // One more than wanted tells whether there is a next page.
    const rows = await query.limit(limit + 1).getMany();
    const orders = await this.#withItems(rows.slice(0, limit));
    const last = orders.at(-1);
    return { orders, next_cursor: rows.length > limit && last !== undefined ? encodeCursor(last) : null };
  }

  #orders(): SelectQueryBuilder<OrderEntity> {
    return this.db.getRepository(OrderEntity).createQueryBuilder("o");
  }

  async #first(query: SelectQueryBuilder<OrderEntity>): Promise<OrderFacts | undefined> {
    const [facts] = await this.#withItems(await query.limit(1).getMany());
    return facts;
  }

  async #withItems(orders: readonly OrderEntity[]): Promise<OrderFacts[]> {
    if (orders.length === 0) return [];
    const times = orders.map(({ placed_at }) => placed_at.getTime());
    const items = await this.db
      .getRepository(OrderItemEntity)
      .createQueryBuilder("i")
      .where("i.order_id = any(:ids)", { ids: orders.map(({ order_id }) => order_id) })
      // Spares the partitions that cannot hold them.
      .andWhere("i.placed_at between :first and :last", {
        first: new Date(Math.min(...times)),
        last: new Date(Math.max(...times)),
      })
      .orderBy("i.line_no")
      .getMany();
    const lines = Map.groupBy(items, ({ order_id }) => order_id);
    return orders.map((order) => factsOf(order, lines.get(order.order_id) ?? []));
  }
}

function criteriaOf(filter: OrderFilter): Brackets {
  return new Brackets((where) => {
    where.where("true");
    if (filter.branch_ids !== null)
      where.andWhere("o.branch_id = any(:branches)", { branches: filter.branch_ids });
    // Spelled out, not bound: a plan for a parameter could not use the partial index.
    if (filter.open)
      where.andWhere(`o.status in (${OPEN_STATUSES.map((status) => `'${status}'`).join(", ")})`);
    if (filter.status !== undefined) where.andWhere("o.status = :status", { status: filter.status });
    if (filter.visible !== undefined) {
      where.andWhere(`o.visible_at ${filter.visible.is ? "<=" : ">"} :seen_at`, {
        seen_at: filter.visible.at,
      });
    }
    if (filter.user_id !== undefined) where.andWhere("o.user_id = :user_id", { user_id: filter.user_id });
    if (filter.courier !== undefined) {
      where.andWhere("o.fulfilment = 'delivery'");
      where.andWhere(
        "(o.status in ('ready', 'delivery') or (o.courier_id = :courier_id and o.closed_at >= :since))",
        filter.courier,
      );
    }
    if (filter.display_id !== undefined) where.andWhere(...displayIdCriterion(filter.display_id));
    if (filter.phone !== undefined) where.andWhere(phoneCriterion(filter.phone));
    if (filter.business_date !== undefined) {
      where.andWhere("o.business_date = :business_date", { business_date: filter.business_date });
    }
    if (filter.placed_from !== undefined)
      where.andWhere("o.placed_at >= :from", { from: filter.placed_from });
  });
}

/** The index is of the reversed ids, because people know the digits and not always the branch's letters. */
function displayIdCriterion(display_id: string): [string, object] {
  const reversed = reverse(display_id);
  return display_id.includes("-")
    ? ["reverse(o.display_id) = :display_id", { display_id: reversed }]
    : ["reverse(o.display_id) like :display_id", { display_id: `${reversed}-%` }];
}

const reverse = (text: string): string => Array.from(text).reverse().join("");

/** Spelled one by one: with `like any (…)` neither of the two indexes is used. */
function phoneCriterion({ ends, begins }: SoughtPhone): Brackets {
  return new Brackets((where) => {
    where.where("reverse(o.customer_phone) like :ends", { ends: `${reverse(ends)}%` });
    for (const [i, begin] of begins.entries()) {
      const name = `begins_${String(i)}`;
      where.orWhere(`o.customer_phone like :${name}`, { [name]: `${begin}%` });
    }
  });
}

/** The columns of a row were written from typed events by this room's projection; the words in them are ours. */
function factsOf(row: OrderEntity, items: readonly OrderItemEntity[]): OrderFacts {
  return {
    order_id: row.order_id,
    placed_at: row.placed_at.toISOString(),
    branch_id: row.branch_id,
    display_id: row.display_id,
    business_date: row.business_date,
    channel: row.channel as Channel,
    fulfilment: row.fulfilment as Fulfilment,
    status: row.status as OrderStatus,
    customer: { user_id: row.user_id, name: row.customer_name, phone: row.customer_phone },
    address: row.address,
    payment_method: row.payment_method as PaymentMethod,
    notes: row.notes,
    currency: row.currency,
    menu_version: row.menu_version,
    items: items.map(lineOf),
    items_total_minor: row.items_total_minor,
    delivery_fee_minor: row.delivery_fee_minor,
    discount_minor: row.discount_minor,
    total_minor: row.total_minor,
    promo_code: row.promo_code,
    preferred_time: isoOrNull(row.preferred_time),
    track_token: row.track_token,
    shares: row.shares,
    ready_at: row.ready_at.toISOString(),
    visible_at: row.visible_at.toISOString(),
    preorder: row.preorder,
    refunded_total_minor: row.refunded_total_minor,
    processed_at: isoOrNull(row.processed_at),
    processed_by: row.processed_by,
    cancel_reason: row.cancel_reason,
    closed_at: isoOrNull(row.closed_at),
    courier_id: row.courier_id,
    updated_at: row.updated_at.toISOString(),
  };
}

function lineOf(row: OrderItemEntity): OrderLine {
  return {
    kind: row.kind as OrderLine["kind"],
    menu_item_id: row.menu_item_id,
    name: { ru: row.name_ru, en: row.name_en },
    quantity: row.quantity,
    unit_price_minor: row.unit_price_minor,
    list_price_minor: row.list_price_minor,
    flash_sale_id: row.flash_sale_id,
    extras: row.extras,
    exclude_ingredients: row.exclude_ingredients,
    line_total_minor: row.line_total_minor,
  };
}

const isoOrNull = (time: Date | null): string | null => time?.toISOString() ?? null;
