import { FlashSaleRow } from "../../../../entities/flash-sale.entity";
import { MenuDraftRow } from "../../../../entities/menu-draft.entity";
import { MenuHeadRow } from "../../../../entities/menu-head.entity";
import { MenuItemRow } from "../../../../entities/menu-item.entity";
import { MenuVersionRow } from "../../../../entities/menu-version.entity";
import { OrderItemEntity } from "../../../../entities/order-item.entity";
import { OrderEntity } from "../../../../entities/order.entity";
import { PromoCodeRow } from "../../../../entities/promo-code.entity";
import { SlotEntity } from "../../../../entities/slot.entity";
import type { Caller } from "../../../../mixins/contract/caller";
import type { ParamsOf } from "../../../../mixins/contract/contract";
import {
  advanceOrder,
  getOrder,
  getOrderHistory,
  listActiveOrders,
  listOrderBatches,
  listPendingOrders,
  placeOrder,
} from "../../../../services/order/order.contract";
import { COURIER_SEES_MS } from "../../../../services/order/order.reach";
import type { OrderStep } from "../../../../services/order/order.states";
import { OrderNode } from "../../../support/order-room";
import { BRANCH, OTHER_BRANCH, cook, courier, customer, manager, uuidOf } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";

const tables = [
  ...[OrderEntity, OrderItemEntity, SlotEntity, MenuDraftRow, MenuHeadRow, MenuItemRow, MenuVersionRow],
  ...[FlashSaleRow, PromoCodeRow],
];
const other: Caller = { ...courier, user_id: uuidOf(8, "a") };
const head_office: Caller = { role: "super_admin", user_id: uuidOf(9, "a"), branch_ids: null };

const ROAD: readonly OrderStep[] = ["preparing", "cooking", "ready", "delivery", "delivered"];
/** Every order there is: how far it got, and by whom it was carried. */
const ORDERS = {
  pending: { to: null },
  cooking: { to: "cooking" },
  ready: { to: "ready" },
  "on its way": { to: "delivery", carrier: courier },
  "on another's way": { to: "delivery", carrier: other },
  "delivered by me": { to: "delivered", carrier: courier },
  "delivered by another": { to: "delivered", carrier: other },
  "delivered by the desk": { to: "delivered", carrier: manager },
  "delivered by me long ago": { to: "delivered", carrier: courier, long_ago: true },
  "a pickup that is ready": { to: "ready", fulfilment: "pickup" },
  "a pickup that was fetched": { to: "delivered", fulfilment: "pickup" },
  "ready elsewhere": { to: "ready", branch_id: OTHER_BRANCH },
} as const satisfies Record<string, object>;
type Name = keyof typeof ORDERS;
interface Plan {
  readonly to: OrderStep | null;
  readonly carrier?: Caller;
  readonly long_ago?: true;
  readonly fulfilment?: "pickup";
  readonly branch_id?: string;
}

const MINE: readonly Name[] = ["ready", "on its way", "on another's way", "delivered by me"];
const HERE = Object.keys(ORDERS).filter((name) => name !== "ready elsewhere") as Name[];
const OPEN: readonly Name[] = HERE.filter((name) => ORDERS[name].to !== "delivered");

let database: TestDatabase;
let node: OrderNode;
const ids = new Map<string, Name>();
let head = 0;

beforeAll(async () => {
  database = await startTestDatabase({ entities: tables });
  node = await OrderNode.start(database);
  await node.furnish();
  const { now } = node;
  for (const [name, plan] of Object.entries<Plan>(ORDERS)) {
    node.now = plan.long_ago === true ? now - COURIER_SEES_MS - 1 : now;
    ids.set(await bring(plan), name as Name);
  }
  node.now = now;
  head = await node.runtime.log.head();
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});

async function bring({ to, carrier = manager, fulfilment, branch_id = BRANCH }: Plan): Promise<string> {
  const wish: ParamsOf<typeof placeOrder> = {
    ...{ channel: "shop", payment_method: "cash", items: [{ name: "Маргарита", quantity: 1 }], branch_id },
    ...(fulfilment === "pickup" ? { fulfilment } : { fulfilment: "delivery", address: "ул. Мира, 7" }),
    ...{ customer: { phone: "8 923 123-45-67" }, notes: "домофон 1234" },
  };
  const { order_id } = await node.call(placeOrder, wish, customer);
  const steps = ROAD.filter((step) => fulfilment !== "pickup" || step !== "delivery");
  for (const status of to === null ? [] : steps.slice(0, steps.indexOf(to) + 1)) {
    const by = status === "delivery" || status === "delivered" ? carrier : head_office;
    await node.call(advanceOrder, { order_id, status }, branch_id === BRANCH ? by : head_office);
  }
  return order_id;
}

const namesOf = (items: readonly { readonly order_id: string }[]): Name[] =>
  items.map(({ order_id }) => ids.get(order_id) ?? ("unknown" as Name)).sort();
const inOrder = (names: readonly Name[]): Name[] => [...names].sort();

/** Every way of reading orders, and which it shows to a caller. */
const WAYS: Readonly<Record<string, (caller: Caller) => Promise<Name[]>>> = {
  "the active orders": async (caller) =>
    namesOf((await node.call(listActiveOrders, { after: head }, caller)).items),
  "the pending orders": async (caller) =>
    namesOf((await node.call(listPendingOrders, { after: head }, caller)).items),
  "all orders": async (caller) => namesOf((await node.call(listOrderBatches, { after: head }, caller)).items),
  "one by one": (caller) => oneByOne((order_id) => node.refusal(getOrder, { order_id, after: head }, caller)),
  "their histories": (caller) => oneByOne((order_id) => node.refusal(getOrderHistory, { order_id }, caller)),
};

async function oneByOne(ask: (order_id: string) => Promise<string>): Promise<Name[]> {
  const seen: Name[] = [];
  for (const [order_id, name] of ids) {
    const code = await ask(order_id);
    if (code === "not refused") seen.push(name);
    else expect(code).toBe("order.not_yours");
  }
  return seen.sort();
}

describe("which orders a role sees, whichever way it reads", () => {
  const open = (names: readonly Name[]): Name[] => names.filter((name) => OPEN.includes(name));

  it.each<[string, Caller, Readonly<Record<string, readonly Name[]>>]>([
    [
      "a courier: deliveries that are ready or on their way, and their own of this shift",
      courier,
      {
        "the active orders": open(MINE),
        "the pending orders": [],
        "all orders": MINE,
        "one by one": MINE,
        "their histories": MINE,
      },
    ],
    [
      "another courier: not the first one's past",
      other,
      {
        "all orders": ["ready", "on its way", "on another's way", "delivered by another"],
        "one by one": ["ready", "on its way", "on another's way", "delivered by another"],
      },
    ],
    [
      "a courier of another branch: of that one",
      { ...courier, branch_ids: [OTHER_BRANCH] },
      {
        "the active orders": ["ready elsewhere"],
        "all orders": ["ready elsewhere"],
        "one by one": ["ready elsewhere"],
        "their histories": ["ready elsewhere"],
      },
    ],
    ["a cook: all of the branch", cook, { "all orders": HERE, "one by one": HERE, "their histories": HERE }],
    [
      "a manager: all of the branch",
      manager,
      { "the active orders": OPEN, "all orders": HERE, "one by one": HERE, "their histories": HERE },
    ],
  ])("%s", async (_who, caller, expected) => {
    for (const [way, names] of Object.entries(expected))
      expect([way, await WAYS[way]?.(caller)]).toEqual([way, inOrder(names)]);
  });

  it("a cook reads no door code anywhere, a courier does", async () => {
    const everything = async (caller: Caller): Promise<string> => {
      const batch = await node.call(listOrderBatches, { after: head }, caller);
      const seen = batch.items.filter(({ fulfilment }) => fulfilment === "delivery");
      const histories = await Promise.all(
        seen.map(({ order_id }) => node.call(getOrderHistory, { order_id }, caller)),
      );
      return JSON.stringify([seen, histories]);
    };
    expect(await everything(cook)).not.toContain("1234");
    expect(await everything(courier)).toContain("домофон 1234");
  });
});
