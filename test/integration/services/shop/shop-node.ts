import { randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import { OrderEntity } from "../../../../entities/order.entity";
import { OrderItemEntity } from "../../../../entities/order-item.entity";
import { followEvents } from "../../../../mixins/cache-tags/follow-events";
import type { TagCache } from "../../../../mixins/cache-tags/tag-cache";
import { SYSTEM, type Caller } from "../../../../mixins/contract/caller";
import type { ActionContract, ParamsOf, ResultOf } from "../../../../mixins/contract/contract";
import { act } from "../../../../mixins/contract/implement";
import { getMenu } from "../../../../services/menu/menu.contract";
import type { MenuDocument } from "../../../../services/menu/menu.events";
import { createOpsService } from "../../../../services/ops/ops.service";
import { advanceOrder, cancelOrder, placeOrder } from "../../../../services/order/order.contract";
import { createShopService } from "../../../../services/shop/shop.service";
import { OrderNode } from "../../../support/order-room";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

export const shopDatabase = (): Promise<TestDatabase> =>
  startTestDatabase({ entities: [OrderEntity, OrderItemEntity] });

/** A customer of the test's own, with an account's row so that the name shows. */
export async function newCustomer({ pool }: TestDatabase, name = "Анна Смирнова"): Promise<Caller> {
  const user_id = randomUUID();
  await pool.query(
    `insert into users (user_id, role, status, name, version, rights_version, created_at, changed_at)
     values ($1, 'customer', 'active', $2, 1, 1, now(), now())`,
    [user_id, name],
  );
  return { role: "customer", user_id, branch_ids: null };
}

/** What the gateway would put into headers of an answer. */
interface Headers {
  readonly "X-Cache"?: string;
  readonly "X-Cache-Strategy"?: string;
}

/** A node with the rooms of an order and the shop, with the demo menu, and what follows the cache's events. */
export class ShopNode {
  private constructor(
    readonly orders: OrderNode,
    readonly menu: MenuDocument,
    private readonly unfollow: () => Promise<void>,
  ) {}

  static async start(database: TestDatabase, cache?: TagCache): Promise<ShopNode> {
    const rooms = [createShopService, createOpsService];
    // Several nodes of one process must not share a name.
    const broker = new ServiceBroker({
      ...{ nodeID: randomUUID(), logger: false, validator: false, skipProcessEventRegistration: true },
    });
    const orders = await OrderNode.start(database, broker, {
      rooms,
      ...(cache === undefined ? {} : { cache }),
    });
    const { rowCount } = await database.pool.query("select 1 from branches limit 1");
    if (rowCount === 0) await orders.furnish();
    const unfollow = await followEvents(orders.runtime);
    return new ShopNode(orders, await orders.call(getMenu, {}), unfollow);
  }

  pizza(at: number): string {
    const found = this.menu.pizzas[at];
    if (found === undefined) throw new Error(`no pizza ${String(at)}`);
    return found.id;
  }

  /** Somebody orders these pizzas, one of each; resolves with the order's id. */
  async order(pizzas: readonly number[], who: Caller = SYSTEM, branch_id?: string): Promise<string> {
    const { order_id } = await this.orders.call(
      placeOrder,
      {
        ...{ channel: "shop", fulfilment: "pickup", payment_method: "cash" },
        ...(branch_id === undefined ? {} : { branch_id }),
        items: pizzas.map((at) => ({ menu_item_id: this.pizza(at), quantity: 1 })),
      },
      who,
    );
    return order_id;
  }

  async deliver(order_id: string): Promise<void> {
    for (const status of ["preparing", "cooking", "ready", "delivered"] as const)
      await this.orders.call(advanceOrder, { order_id, status });
  }

  async cancel(order_id: string): Promise<void> {
    await this.orders.call(cancelOrder, { order_id, reason: "передумали" });
  }

  call<C extends ActionContract>(contract: C, params: ParamsOf<C>, who?: Caller, key?: string) {
    return this.orders.call(contract, params, who, key);
  }

  refusal(contract: ActionContract, params: object, who?: Caller, key?: string): Promise<string> {
    return this.orders.refusal(contract, params, who, key);
  }

  /** With the headers that the answer would have. */
  async answer<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    caller: Caller = SYSTEM,
  ): Promise<{ result: ResultOf<C>; headers: Headers }> {
    const called = act(this.orders.runtime.broker, contract, params, { meta: { caller } });
    const result = await called;
    const { ctx } = called as { ctx?: { meta: { $responseHeaders?: Headers } } };
    return { result, headers: ctx?.meta.$responseHeaders ?? {} };
  }

  async stop(): Promise<void> {
    await this.unfollow();
    await this.orders.stop();
  }
}
