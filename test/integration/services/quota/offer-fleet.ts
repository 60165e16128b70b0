import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { entities } from "../../../../entities/entities";
import { freePort } from "../../../../fleet/servers/free-port";
import { natsServer, type NatsServer } from "../../../../fleet/servers/nats-server";
import type { Caller } from "../../../../mixins/contract/caller";
import type { ParamsOf, ResultOf } from "../../../../mixins/contract/contract";
import { act } from "../../../../mixins/contract/implement";
import { faultOf } from "../../../../mixins/contract/fault";
import { UnavailableError } from "../../../../mixins/contract/refusal";
import { fleetNodesOf } from "../../../../mixins/transport/fleet-nodes";
import {
  createPromo,
  createSale,
  getPromo,
  getSale,
  shopSales,
} from "../../../../services/menu/menu-offer.contract";
import type { FlashSale } from "../../../../services/menu/menu.events";
import { SEED_ITEMS } from "../../../../services/menu/menu.seed-data";
import type { placeOrder } from "../../../../services/order/order.contract";
import { confirmHold, returnHold } from "../../../../services/quota/quota.contract";
import { LEFT_AFTER_MS, sweepHolds, type SweepReport } from "../../../../services/quota/quota.sweep";
import { eventually } from "../../../support/eventually";
import { fleetBroker, fleetSettings } from "../../../support/fleet-broker";
import { OrderNode } from "../../../support/order-room";
import { uuidOf } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { QuietLogger } from "../../../support/quiet-logger";

export type Wish = ParamsOf<typeof placeOrder>;
export type Placed = ResultOf<typeof placeOrder>;

const HOUR_MS = 3_600_000;
const item = (ru: string): string => SEED_ITEMS.find(({ name }) => name.ru === ru)?.item_id ?? "";

/** A customer with an account of their own. */
export const customerNo = (number: number): Caller => ({
  ...{ role: "customer", user_id: uuidOf(number, "c"), branch_ids: null },
});

/** Two nodes with the rooms of an order, over NATS, on one database, and their clock. */
export class OfferFleet {
  readonly logger = new QuietLogger();

  private constructor(
    readonly database: TestDatabase,
    readonly nodes: readonly [OrderNode, OrderNode],
    private readonly nats: NatsServer,
    private readonly folder: string,
  ) {}

  static async start(): Promise<OfferFleet> {
    const folder = mkdtempSync(path.join(tmpdir(), "forno-quota-"));
    const nats = await natsServer(folder, await freePort());
    await nats.process.start();
    const database = await startTestDatabase({ entities: [...entities] });
    const space = `t-${randomUUID()}`;
    const start = () => OrderNode.start(database, fleetBroker(fleetSettings(nats.url, space)));
    const first = await start();
    await first.furnish();
    const fleet = new OfferFleet(database, [first, await start()], nats, folder);
    const names = fleet.nodes.map(({ runtime }) => runtime.broker.nodeID).sort();
    await eventually(() => {
      for (const { runtime } of fleet.nodes)
        expect([...fleetNodesOf(runtime.broker).hosts("quota.tell_quota")].sort()).toEqual(names);
    }, 20_000);
    return fleet;
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop();
    await this.nats.process.kill();
    await this.database.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get now(): number {
    return this.nodes[0].now;
  }

  /** Of all nodes. */
  set now(now_ms: number) {
    for (const node of this.nodes) node.now = now_ms;
  }

  /** A sale of a pizza for an hour from now on, by half; every node knows of it. */
  async sale(
    ru: string,
    terms: Partial<Pick<FlashSale, "limit_quantity" | "starts_at" | "ends_at">>,
  ): Promise<FlashSale> {
    const { sale, position } = await this.nodes[0].call(createSale, {
      ...{ name: { ru, en: ru }, item_ids: [item(ru)], percent: 50 },
      ...{ starts_at: this.at(0), ends_at: this.at(HOUR_MS), ...terms },
    });
    await this.know(position);
    return sale;
  }

  /** A promo code of a tenth; every node knows of it. */
  async promo(code: string, terms: Partial<ParamsOf<typeof createPromo>>): Promise<string> {
    const { promo, position } = await this.nodes[0].call(createPromo, { code, percent: 10, ...terms });
    await this.know(position);
    return promo.promo_id;
  }

  at(offset_ms: number): string {
    return new Date(this.now + offset_ms).toISOString();
  }

  wish(ru: string, change: Partial<Wish> = {}): Wish {
    return {
      ...{ channel: "shop", fulfilment: "pickup", payment_method: "cash" },
      items: [{ name: ru, quantity: 1 }],
      ...change,
    };
  }

  /** What is left of a sale, as a node sees it. */
  async left(sale_id: string, node = this.nodes[0]): Promise<number | null> {
    await this.settled();
    return (await node.call(getSale, { sale_id })).remaining;
  }

  async used(promo_id: string, node = this.nodes[0]): Promise<number> {
    await this.settled();
    return (await node.call(getPromo, { promo_id })).used;
  }

  /** Until every node's menu has heard everything that is in the log by now. */
  async settled(): Promise<void> {
    await this.know(await this.nodes[0].runtime.log.head());
  }

  /** Types and data of the events of a stream. */
  async events(stream_id: string): Promise<{ type: string; data: Record<string, unknown> }[]> {
    const events = await this.nodes[0].runtime.log.readStream(stream_id);
    return events.map(({ type, data }) => ({ type, data: data as Record<string, unknown> }));
  }

  async ordersInLog(): Promise<number> {
    const { rows } = await this.database.pool.query<{ count: number }>(
      "select count(*)::int as count from es.event where type = 'order.placed'",
    );
    return rows[0]?.count ?? 0;
  }

  /** Looks into all holds that are old enough, on the second node. */
  async sweep(): Promise<SweepReport> {
    const { broker, log, pool, clock } = this.nodes[1].runtime;
    const as = () => ({ meta: { command: { id: randomUUID(), fingerprint: "sweep" } } });
    return sweepHolds({
      ...{ pool, log, clock, logger: this.logger },
      confirm: (quota_id, hold_id, order_id) =>
        act(broker, confirmHold, { quota_id, hold_id, order_id }, as()),
      giveBack: (quota_id, hold_id) =>
        act(broker, returnHold, { quota_id, hold_id, reason: "not_placed" }, as()),
    });
  }

  /** Sweeps once the holds' table shows so many that are open, and they are old enough. */
  async sweepAfter(open: number): Promise<SweepReport> {
    await eventually(async () => {
      const { rows } = await this.database.pool.query<{ count: number }>(
        "select count(*)::int as count from quota_holds where order_id is null",
      );
      expect(rows[0]?.count).toBe(open);
    });
    this.now += LEFT_AFTER_MS + 1;
    return this.sweep();
  }

  private async know(position: number): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.call(shopSales, { after: position })));
  }
}

/** To an order, a node is dead where it would ask for a slot. */
export function diesBeforePlacing({ runtime }: OrderNode): { come_back(): void } {
  const { broker } = runtime;
  const call = broker.call.bind(broker);
  broker.call = ((name: string, ...rest: [object, object]) =>
    name === "slot.place"
      ? Promise.reject(new UnavailableError("node.dead", "The node has died."))
      : call(name, ...rest)) as typeof broker.call;
  return {
    come_back() {
      broker.call = call;
    },
  };
}

/** What a node asks of an action, or the answer that it got, waits until it is let go. */
export function holdsBack(
  { runtime }: OrderNode,
  action: string,
  what: "question" | "answer" = "question",
): { waiting(): number; let_one_go(): void; let_go(): void } {
  const { broker } = runtime;
  const call = broker.call.bind(broker);
  const held: (() => void)[] = [];
  const wait = (): Promise<void> => new Promise((resolve) => held.push(resolve));
  broker.call = (async (name: string, ...rest: [object, object]) => {
    if (name === action && what === "question") await wait();
    const answer: unknown = await call(name, ...rest);
    if (name === action && what === "answer") await wait();
    return answer;
  }) as typeof broker.call;
  return {
    waiting: () => held.length,
    let_one_go() {
      held.shift()?.();
    },
    let_go() {
      broker.call = call;
      for (const go of held.splice(0)) go();
    },
  };
}

/** Each call of an action takes so long, by the node's clock. */
export function slowBy(node: OrderNode, action: string, taken_ms: number): { calls(): number; end(): void } {
  const { broker } = node.runtime;
  const call = broker.call.bind(broker);
  let calls = 0;
  broker.call = (async (name: string, ...rest: [object, object]) => {
    const answer: unknown = await call(name, ...rest);
    if (name === action) {
      calls += 1;
      node.now += taken_ms;
    }
    return answer;
  }) as typeof broker.call;
  return {
    calls: () => calls,
    end() {
      broker.call = call;
    },
  };
}

/** The code of the fault that a call ends with. */
export const faultCode = (error: unknown): string | undefined => faultOf(error)?.code;
