import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FlashSaleRow } from "../../../../entities/flash-sale.entity";
import { MenuDraftRow } from "../../../../entities/menu-draft.entity";
import { MenuHeadRow } from "../../../../entities/menu-head.entity";
import { MenuItemRow } from "../../../../entities/menu-item.entity";
import { MenuVersionRow } from "../../../../entities/menu-version.entity";
import { OrderItemEntity } from "../../../../entities/order-item.entity";
import { OrderEntity } from "../../../../entities/order.entity";
import { PromoCodeRow } from "../../../../entities/promo-code.entity";
import { SlotEntity } from "../../../../entities/slot.entity";
import { redisServer, type RedisServer } from "../../../../fleet/servers/redis-server";
import { GUEST, SYSTEM, type Caller } from "../../../../mixins/contract/caller";
import type { ParamsOf } from "../../../../mixins/contract/contract";
import { refusalOf, type Refusal } from "../../../../mixins/contract/refusal";
import { RedisLink } from "../../../../mixins/redis/redis-link";
import { openBranch } from "../../../../services/branch/branch.contract";
import {
  advanceOrder,
  cancelMyOrder,
  listActiveOrders,
  placeOrder,
  placeOrderAtDesk,
  processOrder,
} from "../../../../services/order/order.contract";
import { eventually } from "../../../support/eventually";
import { OrderNode } from "../../../support/order-room";
import { BRANCH, OTHER_BRANCH, manager } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { QuietLogger } from "../../../support/quiet-logger";

const tables = [
  ...[OrderEntity, OrderItemEntity, SlotEntity, MenuDraftRow, MenuHeadRow, MenuItemRow, MenuVersionRow],
  ...[FlashSaleRow, PromoCodeRow],
];
/** Маргарита costs 44 900. */
const LIMITS = {
  ...{ RATE_LIMIT: "on", ORDER_OPEN_MAX: "3", ORDER_OPEN_MINOR_MAX: "400000" },
  ...{ ORDER_ADDRESS_OPEN_MAX: "6", ORDER_ADDRESS_PER_MINUTE: "8", ORDER_NETWORK_PER_MINUTE: "12" },
  ...{ ORDER_BRANCH_OPEN_MAX: "0", ORDER_CONFIRM_ABOVE_MINOR: "900000" },
};
type Wish = ParamsOf<typeof placeOrder>;
const wish: Wish = {
  ...{ channel: "shop", fulfilment: "pickup", payment_method: "cash" },
  items: [{ name: "Маргарита", quantity: 1 }],
};

let database: TestDatabase;
let node: OrderNode;
let n = 0;
/** Nobody has ordered from there, or as them, before. */
const fresh = () => {
  n += 1;
  return {
    address: `10.${String(n >> 8)}.${String(n & 255)}.1`,
    phone: `+7923${String(n).padStart(7, "0")}`,
    customer: { role: "customer", user_id: randomUUID(), branch_ids: null } as const satisfies Caller,
  };
};

beforeAll(async () => {
  database = await startTestDatabase({ entities: tables });
  node = await OrderNode.start(database, undefined, { env: LIMITS });
  await node.furnish();
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});

interface From {
  readonly caller?: Caller;
  readonly address?: string;
  readonly phone?: string;
  readonly on?: OrderNode;
  readonly key?: string;
}
/** The order's id, or the refusal. */
async function order(changes: Partial<Wish>, from: From = {}): Promise<{ order_id: string } | Refusal> {
  const { caller = GUEST, address = fresh().address, phone, on = node, key } = from;
  const customer = phone === undefined ? {} : { customer: { phone } };
  try {
    return await on.call(placeOrder, { ...wish, ...customer, ...changes }, caller, key, address);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return refusal;
  }
}
const codeOf = (outcome: { order_id: string } | Refusal): string =>
  "refused" in outcome ? outcome.code : "placed";
const codes = async (times: number, from: From | ((at: number) => From)): Promise<string[]> => {
  const found: string[] = [];
  for (let at = 0; at < times; at += 1)
    found.push(codeOf(await order({}, typeof from === "function" ? from(at) : from)));
  return found;
};
const placedOf = (found: readonly string[]): number => found.filter((code) => code === "placed").length;
const MANY = "order.too_many_open";

describe("Open orders that nobody has paid", () => {
  it("of one account are so many, wherever they are ordered from, and for whichever branch", async () => {
    const { customer } = fresh();
    const found = [];
    for (let at = 0; at < 5; at += 1)
      found.push(await order({ branch_id: at % 2 === 0 ? BRANCH : OTHER_BRANCH }, { caller: customer }));
    expect(found.map(codeOf)).toEqual(["placed", "placed", "placed", MANY, MANY]);
    expect(found[3]).toMatchObject({ refused: "conflict", data: { by: "account", open: 3, limit: 3 } });
  });

  it("of one phone are so many, however it is typed, over guests and fresh accounts", async () => {
    const digits = fresh().phone.slice(2);
    const typed = [`8 ${digits}`, `+7 (${digits.slice(0, 3)}) ${digits.slice(3)}`, digits, `8${digits}`];
    expect(
      await codes(4, (at) => ({ phone: typed[at] ?? "", caller: at % 2 === 0 ? GUEST : fresh().customer })),
    ).toEqual(["placed", "placed", "placed", MANY]);
  });

  it("from one address are so many, over fresh accounts", async () => {
    const { address } = fresh();
    expect(await codes(7, () => ({ address, caller: fresh().customer }))).toEqual([
      ...[...Array<string>(6).fill("placed"), MANY],
    ]);
  });

  it("come to so much money", async () => {
    const { customer } = fresh();
    const eight = [{ name: "Маргарита", quantity: 8 }];
    expect(codeOf(await order({ items: eight }, { caller: customer }))).toBe("placed");
    expect(await order({}, { caller: customer })).toMatchObject({
      code: "order.too_much_unpaid",
      data: { by: "account", open_minor: 359_200, total_minor: 44_900, limit_minor: 400_000 },
    });
  });

  it.each<[string, (order_id: string, customer: Caller) => Promise<unknown>]>([
    ["is cancelled", (order_id, customer) => node.call(cancelMyOrder, { order_id }, customer)],
    ["is dealt with by the desk", (order_id) => node.call(processOrder, { order_id }, manager)],
    [
      "is delivered",
      async (order_id) => {
        for (const status of ["preparing", "cooking", "ready", "delivered"] as const)
          await node.call(advanceOrder, { order_id, status }, manager);
      },
    ],
  ])("are one fewer when one of them %s", async (_what, end) => {
    const { customer } = fresh();
    const first = await order({}, { caller: customer });
    expect(await codes(3, { caller: customer })).toEqual(["placed", "placed", MANY]);
    await end((first as { order_id: string }).order_id, customer);
    await eventually(async () => {
      expect(await codes(1, { caller: customer })).toEqual(["placed"]);
    });
  });

  it("are not those that the kitchen has refused", async () => {
    const hours = Object.fromEntries(
      ["1", "2", "3", "4", "5", "6", "7"].map((day) => [day, { open: "00:00", close: "24:00" }]),
    );
    const named = { name: { ru: "Ларёк", en: "Stall" }, address: { ru: "Ларёк", en: "Stall" } };
    const { branch } = await node.call(openBranch, {
      ...{ code: "S", ...named, time_zone: "UTC", delivery_fee_minor: 0, free_delivery_from_minor: null },
      slots: { hours, capacity_minor: 1 },
    });
    const { customer, address } = fresh();
    for (let at = 0; at < 7; at += 1)
      expect(await order({ branch_id: branch.branch_id }, { caller: customer, address })).toMatchObject({
        code: "slot.order_too_large",
      });
    expect(placedOf(await codes(4, { caller: customer, address }))).toBe(3);
  });

  it("are one order under one key, however often it is asked for", async () => {
    const { customer } = fresh();
    const key = randomUUID();
    const again = [];
    for (let at = 0; at < 6; at += 1) again.push(await order({}, { caller: customer, key }));
    expect(new Set(again.map((found) => JSON.stringify(found))).size).toBe(1);
    expect(placedOf(await codes(3, { caller: customer }))).toBe(2);
    // At the limit, the key that has its answer still gives it.
    expect(await order({}, { caller: customer, key })).toEqual(again[0]);
  });

  it("are known after a restart", async () => {
    const { customer, phone } = fresh();
    await codes(3, { caller: customer });
    await codes(3, { phone });
    await node.call(listActiveOrders, { after: await node.runtime.log.head(), limit: 1 });
    const later = await OrderNode.start(database, undefined, { env: LIMITS });
    try {
      expect(await codes(1, { caller: customer, on: later })).toEqual([MANY]);
      expect(await codes(1, { phone, on: later })).toEqual([MANY]);
    } finally {
      await later.stop();
    }
  });
});

describe("Orders at the same moment", () => {
  const flood = async (from: (at: number) => From, times = 20): Promise<number> => {
    const found = await Promise.all(Array.from({ length: times }, (_, at) => order({}, from(at))));
    return placedOf(found.map(codeOf));
  };

  it("of one account, one phone, one address are never more than they may be", async () => {
    const { customer, phone, address } = fresh();
    expect(await flood(() => ({ caller: customer }))).toBe(3);
    expect(await flood(() => ({ phone }))).toBe(3);
    expect(await flood(() => ({ address, caller: fresh().customer }))).toBe(6);
  });

  describe("on two nodes that share a Redis", () => {
    let folder: string;
    let redis: RedisServer;
    let nodes: OrderNode[];
    let links: RedisLink[];
    beforeAll(async () => {
      folder = mkdtempSync(path.join(tmpdir(), "forno-redis-"));
      redis = await redisServer(folder);
      await redis.process.start();
      links = [1, 2].map(() => new RedisLink(redis.url, new QuietLogger()));
      await eventually(() => {
        for (const link of links) expect(link.isUp).toBe(true);
      });
      nodes = [];
      for (const link of links)
        nodes.push(await OrderNode.start(database, undefined, { env: LIMITS, redis: link }));
    });
    afterAll(async () => {
      for (const one of nodes) await one.stop();
      for (const link of links) await link.close();
      await redis.process.kill();
      rmSync(folder, { recursive: true, force: true });
    });
    const either = (at: number): { on: OrderNode } => ({ on: nodes[at % 2] ?? node });

    it("are never more than they may be either", async () => {
      const { customer, phone, address } = fresh();
      expect(await flood((at) => ({ ...either(at), caller: customer }))).toBe(3);
      expect(await flood((at) => ({ ...either(at), phone }))).toBe(3);
      expect(await flood((at) => ({ ...either(at), address, caller: fresh().customer }))).toBe(6);
    });

    it("name nobody in Redis", async () => {
      const { customer, phone, address } = fresh();
      await order({}, { ...either(0), caller: customer, phone, address });
      const keys = (await links[0]?.client.keys("forno:orders:*")) ?? [];
      expect(keys.length).toBeGreaterThan(0);
      for (const key of keys) {
        expect(await links[0]?.client.pttl(key)).toBeGreaterThan(0);
        const kept = `${key} ${String(await links[0]?.client.zrange(key, 0, -1))}`;
        for (const secret of [customer.user_id, phone.slice(2), address]) expect(kept).not.toContain(secret);
      }
    });

    it("are held to the limits of their node while Redis is away", async () => {
      redis.process.suspend();
      try {
        const { customer } = fresh();
        expect(await flood((at) => ({ ...either(at), caller: customer }))).toBeLessThanOrEqual(6);
        await eventually(async () => {
          expect(await codes(1, { ...either(1), caller: customer })).toEqual([MANY]);
        });
      } finally {
        redis.process.resume();
      }
    });
  });
});

describe("A kitchen", () => {
  it("is not blocked by fresh accounts behind one address, nor within one network", async () => {
    const { address } = fresh();
    const people = Array.from({ length: 4 }, () => fresh().customer);
    const found = await Promise.all(
      Array.from({ length: 120 }, (_, at) => order({}, { address, caller: people[at % 4] ?? GUEST })),
    );
    expect(placedOf(found.map(codeOf))).toBe(6);
    const network = (at: number): From => ({ address: `172.16.5.${String(at)}`, caller: fresh().customer });
    const spread = await codes(14, network);
    expect(spread.slice(0, 12)).toEqual(Array(12).fill("placed"));
    expect(spread.slice(12)).toEqual(["order.too_fast", "order.too_fast"]);
    node.now += 60_000;
    expect(await codes(1, network)).toEqual(["placed"]);
  });

  it("goes on taking its own customers, whoever crowds their address, network and phone", async () => {
    const { customer, phone, address } = fresh();
    const first = (await order({}, { caller: customer })) as { order_id: string };
    for (const status of ["preparing", "cooking", "ready", "delivered"] as const)
      await node.call(advanceOrder, { order_id: first.order_id, status }, manager);
    await node.call(listActiveOrders, { after: await node.runtime.log.head(), limit: 1 });
    await codes(4, { phone });
    await codes(12, (at) => ({ address: address.replace(/1$/, String(at + 2)), caller: fresh().customer }));
    await codes(8, { address });
    expect(await codes(1, { phone, address })).toEqual([MANY]);
    expect(await codes(4, { caller: customer, phone, address })).toEqual([
      "placed",
      "placed",
      "placed",
      MANY,
    ]);
  });

  it("hears large orders from the desk, which has talked to who wants them", async () => {
    const items = [{ name: "Маргарита", quantity: 21 }];
    const { customer, phone } = fresh();
    expect(await order({ items }, { caller: customer })).toMatchObject({
      refused: "unprocessable",
      code: "order.confirmation_needed",
      data: { total_minor: 942_900, limit_minor: 900_000 },
    });
    const at_desk = { ...wish, items, customer: { phone }, channel: "till" as const };
    for (let at = 0; at < 5; at += 1)
      expect(await node.call(placeOrderAtDesk, at_desk, manager)).toMatchObject({ total_minor: 942_900 });
    expect(placedOf(await codes(4, { phone }))).toBe(3);
    expect(await node.call(placeOrderAtDesk, at_desk, manager)).toMatchObject({ status: "pending" });
  });

  it("may have as many as it likes of what Forno itself places", async () => {
    const { phone } = fresh();
    for (let at = 0; at < 5; at += 1)
      expect(codeOf(await order({}, { caller: SYSTEM, phone }))).toBe("placed");
  });
});

it("a branch that has its fill takes only those it knows", async () => {
  const full = await OrderNode.start(database, undefined, {
    env: { ...LIMITS, ORDER_BRANCH_OPEN_MAX: "1" },
  });
  try {
    expect(await order({}, { on: full, caller: fresh().customer })).toMatchObject({
      code: MANY,
      data: { by: "branch", limit: 1 },
    });
  } finally {
    await full.stop();
  }
});
