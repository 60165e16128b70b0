import { entities } from "../../entities/entities";
import { followEvents } from "../../mixins/cache-tags/follow-events";
import type { Caller } from "../../mixins/contract/caller";
import type { ParamsOf, ResultOf } from "../../mixins/contract/contract";
import { isRefusal } from "../../mixins/contract/refusal";
import type { VerifiedCaller } from "../../mixins/contract/token-verifier";
import { PERSONAL_RECORDS } from "../../personal-data";
import { openAuthRoom, type AuthRoom } from "../../services/auth/auth-room";
import { register } from "../../services/auth/auth.contract";
import { createAuthService } from "../../services/auth/auth.service";
import { createCartService } from "../../services/cart/cart.service";
import { createCustomerService } from "../../services/customer/customer.service";
import { advanceOrder, placeOrder } from "../../services/order/order.contract";
import { createProfileService } from "../../services/profile/profile.service";
import { createShopService } from "../../services/shop/shop.service";
import { createViewsService } from "../../services/views/views.service";
import { OrderNode } from "./order-room";
import { startTestDatabase, type TestDatabase } from "./postgres";

/** Passwords are hashed in a millisecond here. */
const CHEAP = { ln: 10, r: 8, p: 1 };

type Wish = ParamsOf<typeof placeOrder>;

/** Somebody with an account, as the gateway would know them by their token. */
export interface Somebody {
  readonly caller: VerifiedCaller & { readonly user_id: string };
  readonly token: string;
  readonly email: string;
}

/** A node with all rooms that know something of people, on a database of its own. */
export class PeopleNode {
  #people = 0;

  private constructor(
    readonly database: TestDatabase,
    readonly node: OrderNode,
    readonly room: AuthRoom,
    private readonly stopFollowing: () => Promise<void>,
  ) {}

  static async start(): Promise<PeopleNode> {
    const database = await startTestDatabase({ entities });
    const node = await OrderNode.start(database, undefined, {
      rooms: [
        createProfileService,
        createShopService,
        createCartService,
        createViewsService,
        (runtime) => createCustomerService(runtime, PERSONAL_RECORDS),
      ],
      env: { JWT_SECRET: "a secret of the tests, long enough" },
    });
    const { runtime } = node;
    const room = await openAuthRoom(runtime, CHEAP);
    runtime.broker.createService(createAuthService(runtime, room));
    await runtime.broker.waitForServices(["auth", "customer"]);
    await node.furnish();
    return new PeopleNode(database, node, room, await followEvents(runtime));
  }

  async stop(): Promise<void> {
    await this.stopFollowing();
    await this.node.stop();
    await this.room.close();
    await this.database.stop();
  }

  /** Opens a customer's account and signs in. */
  async somebody(said: Partial<ParamsOf<typeof register>> = {}): Promise<Somebody> {
    const email = said.email ?? `somebody-${String(++this.#people)}@forno.test`;
    const account = { name: "Zyxwana Petrova", password: "tall umbrella kiosk 41", ...said, email };
    const { token, user_id } = await this.node.call(register, account);
    const caller = await this.room.verifier.verify(token);
    if (isRefusal(caller)) throw new Error(caller.detail);
    return { caller: { ...caller, user_id }, token, email };
  }

  place(changes: Partial<Wish>, caller: Caller): Promise<ResultOf<typeof placeOrder>> {
    const wish: Wish = {
      ...({ channel: "shop", fulfilment: "delivery", payment_method: "cash" } as const),
      ...{ items: [{ name: "Маргарита", quantity: 1 }], address: "Zyxwstreet 7" },
    };
    return this.node.call(placeOrder, { ...wish, ...changes }, caller);
  }

  /** Places an order and takes it to its customer; its id. */
  async delivered(changes: Partial<Wish>, caller: Caller): Promise<string> {
    const { order_id } = await this.place(changes, caller);
    for (const status of ["preparing", "cooking", "ready", "delivery", "delivered"] as const)
      await this.node.call(advanceOrder, { order_id, status });
    return order_id;
  }

  /** Every row of every table of every schema as text, with the tables' names. */
  async everything(): Promise<string> {
    const tables = await this.database.pool.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c
       where c.relkind = 'r' and c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')`,
    );
    const texts: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await this.database.pool.query<{ text: string }>(
        `select t::text as text from ${name} t`,
      );
      texts.push(...rows.map(({ text }) => `${name} ${text}`));
    }
    return texts.join("\n");
  }
}
