import type { Random } from "../random";
import type { SharedOrders } from "./customer";
import type { Recorder } from "./recorder";
import type { World } from "./world";

/** Publishes a menu with another price. */
export async function menuStory(world: World, random: Random, recorder: Recorder): Promise<void> {
  const { id } = random.pick(world.pizzas);
  const price_minor = random.between(300, 900) * 100;
  const key = random.word(16);
  const { token } = world.admin;
  await recorder.do(
    "draft",
    { item_id: id, price_minor },
    { method: "PUT", route: `/api/v1/menu/items/${id}`, key: `${key}-draft`, token, body: { price_minor } },
  );
  const request = { method: "POST", route: "/api/v1/menu/publish", key, token, body: { note: key } } as const;
  const published = await recorder.do("publish", {}, request);
  if (published !== undefined && random.chance(0.3))
    await recorder.do("repeat", { first: published }, request);
}

/** Moves the capacity of a branch's slots, or gives the branch another name. */
export async function rulesStory(world: World, random: Random, recorder: Recorder): Promise<void> {
  const { branch_id, capacities } = random.pick(world.branches);
  const key = random.word(16);
  const { token } = world.admin;
  if (random.chance(0.5)) {
    const capacity_minor = random.pick(capacities);
    const body = { branch_id, capacity_minor };
    await recorder.do(
      "configure",
      { branch_id, capacity_minor },
      { method: "PUT", route: "/api/v1/erp/slots/config", key, token, body },
      ({ capacity_minor: now, position }) => ({ capacity_minor: now, position }),
    );
  } else {
    const body = { name: { ru: key, en: key } };
    const route = `/api/v1/erp/branches/${branch_id}`;
    await recorder.do("rename", { branch_id, name: key }, { method: "PUT", route, key, token, body });
  }
  const list = { method: "GET", route: "/api/v1/branches", key: `${key}-list` } as const;
  await recorder.do("branches", {}, list, ({ items }, headers) => ({
    items: items.map(({ branch_id: id, name }) => ({ branch_id: id, name: { en: name.en } })),
    x_cache: headers.get("x-cache"),
  }));
}

/** Several people at once want something of one order: one of them may get it. */
export async function quarrelStory(
  world: World,
  random: Random,
  recorder: Recorder,
  shared: SharedOrders,
): Promise<void> {
  const which = random.next();
  const keys = Array.from({ length: 3 }, () => random.word(16));
  const step = random.chance(0.5);
  const order_id = shared[Math.floor(which * shared.length)];
  if (order_id === undefined) return;
  const { token } = world.admin;
  const route = `/api/v1/erp/orders/${order_id}`;
  await Promise.all(
    keys.map((key) =>
      step
        ? recorder.do(
            "advance",
            { order_id, to: "preparing" },
            { method: "POST", route: `${route}/status`, key, token, body: { status: "preparing" } },
          )
        : recorder.do(
            "cancel",
            { order_id },
            { method: "POST", route: `${route}/cancel`, key, token, body: { reason: key } },
          ),
    ),
  );
}
