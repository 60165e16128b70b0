import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../random";
import type { SharedOrders } from "./customer";
import type { Recorder } from "./recorder";
import type { World } from "./world";

/** Each of them at a node of its own choice, so that all caches and all menus are asked. */
const LOOKS = 4;

/** Some menus last so long that who has not heard of them sells by an old one. */
const LASTS_MS = 4_500;

/** Publishes a menu with another price, and looks whether it is in force. */
export async function menuStory(world: World, random: Random, recorder: Recorder): Promise<void> {
  const { id } = random.pick(world.pizzas);
  const price_minor = random.between(300, 900) * 100;
  const key = random.word(16);
  const lasts = random.chance(0.4);
  const { token } = world.admin;
  await recorder.do(
    "draft",
    { item_id: id, price_minor },
    { method: "PUT", route: `/api/v1/menu/items/${id}`, key: `${key}-draft`, token, body: { price_minor } },
  );
  const request = { method: "POST", route: "/api/v1/menu/publish", key, token, body: { note: key } } as const;
  const published = await recorder.do("publish", {}, request);
  if (published === undefined) return;
  if (random.chance(0.3)) await recorder.do("repeat", { first: published }, request);
  const { position: after } = published;
  for (let n = 0; n < LOOKS; n += 1) {
    const look = { method: "GET", route: `/api/v1/menu?after=${after}`, key: `${key}-menu-${n}` } as const;
    await recorder.do("menu", { after }, look, (menu) => {
      const { version, pizzas } = menu as unknown as { version: number; pizzas: World["pizzas"] };
      return { version, prices: Object.fromEntries(pizzas.map(({ id, price_minor }) => [id, price_minor])) };
    });
  }
  if (lasts) await pause(LASTS_MS);
}

/** Moves the capacity of a branch's slots, or gives the flash sale another name, and may end by hand what is kept of the sales; then looks at them. */
export async function rulesStory(world: World, random: Random, recorder: Recorder): Promise<void> {
  const { branch_id, capacities } = random.pick(world.branches);
  const key = random.word(16);
  const { token } = world.admin;
  const endsByHand = random.chance(0.3);
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
    const { sale_id } = world;
    const body = { name: { ru: key, en: key } };
    const route = `/api/v1/menu/flash-sales/${sale_id}`;
    const request = { method: "PUT", route, key, token, body } as const;
    await recorder.do("rename", { sale_id, name: key }, request, ({ position }) => ({ position }));
    if (endsByHand) {
      const end = { method: "POST", route: "/api/cache/invalidate/flash-sales", token, body: {} } as const;
      await recorder.do("invalidate", {}, { ...end, key: `${key}-end` }, ({ position }) => ({ position }));
    }
  }
  for (let n = 0; n < LOOKS; n += 1) {
    const list = { method: "GET", route: "/api/v1/menu/flash-sales/active", key: `${key}-${n}` } as const;
    await recorder.do("sales", {}, list, ({ items }, headers) => ({
      items: items.map(({ sale_id, name }) => ({ sale_id, name: { en: name.en } })),
      x_cache: headers.get("x-cache"),
    }));
  }
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
