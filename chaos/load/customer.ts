import type { Answers, Wish } from "../history";
import type { Random } from "../random";
import type { Person } from "./people";
import type { Recorder } from "./recorder";
import type { RestRequest } from "./rest-client";
import { wishIn } from "./wish";
import type { ChaosBranch, World } from "./world";

/** Steps of an order, by how it reaches its customer. */
const ROADS = {
  pickup: ["preparing", "cooking", "ready", "delivered"],
  delivery: ["preparing", "cooking", "ready", "delivery", "delivered"],
} as const;
/** So many steps may be taken before a cancellation comes too late. */
const CANCELLABLE_STEPS = 3;

/** Orders that anybody may change. */
export type SharedOrders = string[];

/** Beyond it the oldest are forgotten. */
const SHARED_MAX = 200;

/** A customer's order, and the place in the log of what its client was told of it last. */
interface Mine {
  readonly order_id: string;
  position: number;
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
  onPlaced: (placed: Answers["place"]) => void,
): Promise<void> {
  const branch = random.pick(world.branches);
  const person = random.chance(0.4) ? random.pick(world.customers) : undefined;
  const wish = wishIn(world, branch, person?.who.user_id ?? null, random);
  const request = placement(wish, person, random.word(16));
  const plan = {
    twice: random.chance(0.15),
    share: random.chance(0.15),
    steps: random.pick([0, 0, 1, 2, 5]),
    process: random.chance(0.1),
    cancel: random.chance(0.35),
    refund: random.chance(0.15),
    read: random.chance(0.3),
    limit: random.chance(0.03),
    company: random.chance(0.2),
    key: random.word(12),
  };
  if (plan.company) await lookAtCompany(recorder, wish, `${plan.key}-company`);
  const { channel } = wish;
  const asker = channel === "grpc" ? recorder.grpc : undefined;
  const placed = await recorder.do("place", wish, request, undefined, asker);
  if (placed === undefined) return;
  onPlaced(placed);
  if (plan.twice) await recorder.do("repeat", { first: placed }, request, undefined, asker);
  const { order_id, position } = placed;
  if (plan.limit) await limit(world, branch, random, recorder, placed.slot.slot_id, plan.key);
  if (plan.share) {
    shared.push(order_id);
    if (shared.length > SHARED_MAX) shared.shift();
    return;
  }
  const mine: Mine = { order_id, position };
  const road = ROADS[wish.fulfilment].slice(0, plan.steps);
  if (plan.process) await process(world, recorder, mine, `${plan.key}-process`);
  for (const to of road) await advance(world, recorder, mine, to, `${plan.key}-${to}`);
  if (plan.cancel && road.length <= CANCELLABLE_STEPS)
    await cancel(world, recorder, mine, `${plan.key}-cancel`, plan.twice);
  if (plan.refund) await refund(world, recorder, mine, `${plan.key}-refund`);
  if (plan.read) await read(world, recorder, mine, `${plan.key}-read`);
}

function placement(wish: Wish, person: Person | undefined, key: string): RestRequest & { key: string } {
  const { promo_code, fulfilment, branch_id, items } = wish;
  return {
    method: "POST",
    route: "/api/v1/order",
    key,
    ...(person === undefined ? {} : { token: person.token }),
    // The notes tell the checks under which key the order was asked for.
    body: {
      ...{ branch_id, items, fulfilment, payment_method: "cash", notes: key },
      ...(promo_code === null ? {} : { promo_code }),
      ...(fulfilment === "delivery" ? { address: `${key} street` } : {}),
    },
  };
}

/** What goes with the first dish. */
async function lookAtCompany(recorder: Recorder, { items }: Wish, key: string): Promise<void> {
  const item_id = items[0]?.menu_item_id ?? "";
  const route = `/api/recommendations?item_id=${item_id}&limit=50`;
  await recorder.do("company", { item_id }, { method: "GET", route, key }, (answer, headers) => {
    const { items: also } = answer as unknown as {
      items: { item_id: string; reason: string; orders_count: number }[];
    };
    const together = also.filter(({ reason }) => reason === "ordered_together");
    return {
      counts: Object.fromEntries(together.map((one) => [one.item_id, one.orders_count])),
      x_cache: headers.get("x-cache"),
    };
  });
}

async function advance(world: World, recorder: Recorder, mine: Mine, to: string, key: string): Promise<void> {
  const { order_id } = mine;
  const route = `/api/v1/erp/orders/${order_id}/status`;
  const token = world.admin.token;
  const request = { method: "POST", route, key, token, body: { status: to } } as const;
  const done = await recorder.do("advance", { order_id, to }, request);
  note(mine, done);
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
  note(mine, done);
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
  note(mine, done);
}

async function process(world: World, recorder: Recorder, mine: Mine, key: string): Promise<void> {
  const { order_id } = mine;
  const route = `/api/v1/erp/orders/${order_id}/processed`;
  const token = world.admin.token;
  note(mine, await recorder.do("process", { order_id }, { method: "POST", route, key, token, body: {} }));
}

async function read(
  world: World,
  recorder: Recorder,
  { order_id, position }: Mine,
  key: string,
): Promise<void> {
  const route = `/api/v1/erp/orders/${order_id}?after=${position}`;
  const request = { method: "GET", route, key, token: world.admin.token } as const;
  await recorder.do("read", { order_id, after: position }, request);
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

function note(mine: Mine, done: { readonly position: number } | undefined): void {
  mine.position = Math.max(mine.position, done?.position ?? 0);
}
