import { randomUUID } from "node:crypto";
import { GUEST, type CallMeta, type Caller } from "../../../../mixins/contract/caller";
import type { ActionContract, ParamsOf, ResultOf } from "../../../../mixins/contract/contract";
import { act } from "../../../../mixins/contract/implement";
import { refusalOf } from "../../../../mixins/contract/refusal";
import type { JobHandle } from "../../../../mixins/process/start-job";
import { startExpiry, startSettling } from "../../../../services/cart/cart.jobs";
import { createCartService } from "../../../../services/cart/cart.service";
import { OrderNode } from "../../../support/order-room";
import { uuidOf } from "../../../support/orders";
import type { TestDatabase } from "../../../support/postgres";

let customers = 0x1000;
/** Somebody whom no other test has met. */
export const aCustomer = (): Caller & { readonly user_id: string } => ({
  ...{ role: "customer", user_id: uuidOf(customers++, "c"), branch_ids: null },
});

/** Somebody in front of the shop: a browser tab, or several of one person. */
export class Visitor {
  constructor(
    private readonly node: ShopNode,
    public caller: Caller = GUEST,
    public token?: string,
  ) {}

  async ask<C extends ActionContract>(contract: C, params: ParamsOf<C>, key?: string): Promise<ResultOf<C>> {
    return (await this.asked(contract, params, key)).result;
  }

  /** With what travels beside the answer. */
  async asked<C extends ActionContract>(
    contract: C,
    params: ParamsOf<C>,
    key?: string,
  ): Promise<{ result: ResultOf<C>; meta: CallMeta }> {
    const fresh = { id: randomUUID(), fingerprint: "", fresh: true } as const;
    const meta: CallMeta = {
      caller: this.caller,
      command: key === undefined ? fresh : { id: key, fingerprint: JSON.stringify(params) },
      ...(this.token === undefined ? {} : { cart_token: this.token }),
    };
    const called = act(this.node.orders.runtime.broker, contract, structuredClone(params), { meta });
    const result = await called;
    const { ctx } = called as unknown as { ctx: { meta: CallMeta } };
    const { new_cart_token } = ctx.meta;
    if (new_cart_token === null) delete this.token;
    else if (new_cart_token !== undefined) this.token = new_cart_token;
    return { result, meta: ctx.meta };
  }

  /** Code of the refusal that a call comes to. */
  async refused<C extends ActionContract>(contract: C, params: ParamsOf<C>, key?: string): Promise<string> {
    try {
      await this.ask(contract, params, key);
      return "not refused";
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return refusal.code;
    }
  }
}

/** A node with the rooms that a cart goes through. */
export class ShopNode {
  private constructor(readonly orders: OrderNode) {}

  static async start(database: TestDatabase): Promise<ShopNode> {
    const orders = await OrderNode.start(database, undefined, { rooms: [createCartService] });
    return new ShopNode(orders);
  }

  visitor(caller?: Caller, token?: string): Visitor {
    return new Visitor(this, caller, token);
  }

  /** The jobs' work, at once. */
  expireCarts = (): Promise<void> => ran(startExpiry(this.orders.runtime));
  settleCarts = (): Promise<void> => ran(startSettling(this.orders.runtime));

  stop(): Promise<void> {
    return this.orders.stop();
  }
}

async function ran(job: JobHandle): Promise<void> {
  expect(await job.runNow()).toBe(true);
  await job.stop();
}
