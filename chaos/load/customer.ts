import type { Answers, OrderSeen } from "../history";
import type { Random } from "../random";
import type { Recorder } from "./recorder";
import type { RestRequest } from "./rest-client";
import type { ChaosBranch, World } from "./world";

/** Steps of an order that is picked up. */
const ROAD = ["preparing", "cooking", "ready", "delivered"] as const;

/** Orders that anybody may change. */
export type SharedOrders = string[];

/** Beyond it the oldest are forgotten. */
const SHARED_MAX = 200;

/** A customer's order and what its client was told of it last. */
interface Mine {
  readonly order_id: string;
  position: number;
  told: OrderSeen;
}

/**
 * A customer, and the staff that serve them: places an order, then takes it along a road of its own, and now and then asks
 * twice, reads, or lets others have it. One story draws the same numbers whatever is answered.
 */
export async function customerStory(
  world: World,
  random: Random,
  recorder: Recorder,
  shared: SharedOrders,
  onPlaced: (placed: Answers["place"] & { readonly track_url: string }) => void,
): Promise<void> {
  const branch = random.pick(world.branches);
  const request = placement(world, branch, random);
  const plan = {
    twice: random.chance(0.15),
    share: random.chance(0.15),
    steps: random.pick([0, 0, 1, 2, 4]),
    cancel: random.chance(0.35),
    refund: random.chance(0.15),
    read: random.chance(0.3),
    limit: random.chance(0.03),
    key: random.word(12),
  };
  const placed = await recorder.do("place", { branch_id: branch.branch_id }, request, (answer) => ({
    order_id: answer.order_id,
    position: answer.position,
    slot: { slot_id: answer.slot.slot_id },
  }));
  if (placed === undefined) return;
  onPlaced(placed as Answers["place"] & { track_url: string });
  if (plan.twice) await recorder.do("repeat", { first: placed }, request);
  const { order_id, position } = placed;
  if (plan.limit) await limit(world, branch, random, recorder, placed.slot.slot_id, plan.key);
  if (plan.share) {
    shared.push(order_id);
    if (shared.length > SHARED_MAX) shared.shift();
    return;
  }
  const mine: Mine = { order_id, position, told: { status: "pending", refunded_total_minor: 0 } };
  for (const to of ROAD.slice(0, plan.steps)) await advance(world, recorder, mine, to, `${plan.key}-${to}`);
  if (plan.cancel && plan.steps < ROAD.length)
    await cancel(world, recorder, mine, `${plan.key}-cancel`, plan.twice);
  if (plan.refund) await refund(world, recorder, mine, `${plan.key}-refund`);
  if (plan.read) await read(world, recorder, mine, `${plan.key}-read`);
}

function placement(world: World, branch: ChaosBranch, random: Random): RestRequest & { key: string } {
  const key = random.word(16);
  const [min, max] = branch.quantity;
  const items = [{ menu_item_id: random.pick(world.pizzas).id, quantity: random.between(min, max) }];
  const promo = random.chance(0.15) ? { promo_code: world.promo_code } : {};
  return {
    method: "POST",
    route: "/api/v1/order",
    key,
    // The notes tell the checks under which key the order was asked for.
    body: {
      ...{ branch_id: branch.branch_id, fulfilment: "pickup", payment_method: "cash", items, notes: key },
      ...promo,
    },
  };
}

async function advance(
  world: World,
  recorder: Recorder,
  mine: Mine,
  to: (typeof ROAD)[number],
  key: string,
): Promise<void> {
  const { order_id } = mine;
  const route = `/api/v1/erp/orders/${order_id}/status`;
  const token = world.admin.token;
  const request = { method: "POST", route, key, token, body: { status: to } } as const;
  const done = await recorder.do("advance", { order_id, to }, request);
  if (done !== undefined) note(mine, done.position, { status: done.status });
}

async function cancel(
  world: World,
  recorder: Recorder,
  mine: Mine,
  key: string,
  twice: boolean,
): Promise<void> {
  const { order_id } = mine;
  const route = `/api/v1/erp/orders/${order_id}/cancel`;
  const request = { method: "POST", route, key, token: world.admin.token, body: { reason: key } } as const;
  const done = await recorder.do("cancel", { order_id }, request);
  if (done === undefined) return;
  note(mine, done.position, { status: done.status });
  if (twice) await recorder.do("repeat", { first: done }, request);
}

async function refund(world: World, recorder: Recorder, mine: Mine, key: string): Promise<void> {
  const { order_id } = mine;
  const amount_minor = 100;
  const done = await recorder.do(
    "refund",
    { order_id, amount_minor },
    {
      method: "POST",
      route: `/api/v1/erp/orders/${order_id}/refund`,
      key,
      token: world.admin.token,
      body: { amount_minor, reason: key },
    },
  );
  if (done !== undefined) note(mine, done.position, { refunded_total_minor: done.amount_minor });
}

async function read(
  world: World,
  recorder: Recorder,
  { order_id, position, told }: Mine,
  key: string,
): Promise<void> {
  const route = `/api/v1/erp/orders/${order_id}?after=${position}`;
  const request = { method: "GET", route, key, token: world.admin.token } as const;
  await recorder.do(
    "read",
    { order_id, after: position, told },
    request,
    ({ status, refunded_total_minor }) => ({
      status,
      refunded_total_minor,
    }),
  );
}

/** A slot that is in use gets a capacity of its own. */
async function limit(
  world: World,
  branch: ChaosBranch,
  random: Random,
  recorder: Recorder,
  slot_id: string,
  key: string,
): Promise<void> {
  const capacity_minor = random.pick(branch.capacities);
  await recorder.do(
    "limit",
    { slot_id, capacity_minor },
    {
      method: "PUT",
      route: `/api/v1/erp/slots/${slot_id}/capacity`,
      key: `${key}-limit`,
      token: world.admin.token,
      body: { capacity_minor },
    },
  );
}

function note(mine: Mine, position: number, change: Partial<OrderSeen>): void {
  mine.position = Math.max(mine.position, position);
  mine.told = { ...mine.told, ...change };
}
