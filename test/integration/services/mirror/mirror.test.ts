import { randomUUID } from "node:crypto";
import { SYSTEM } from "../../../../mixins/contract/caller";
import type { CommandOutcome } from "../../../../mixins/contract/implement";
import { isRefusal, type Refusal } from "../../../../mixins/contract/refusal";
import type { PostgresEventLog } from "../../../../mixins/event-log/postgres-event-log";
import { configureSlots, listBranches } from "../../../../services/branch/branch.contract";
import type { Camera } from "../../../../services/camera/camera.events";
import { CameraRegistry } from "../../../../services/camera/camera.registry";
import { eraseCustomer } from "../../../../services/customer/customer.contract";
import { createSale, deleteSale } from "../../../../services/menu/menu-offer.contract";
import { menuDocuments, reloadMenu } from "../../../../services/menu/menu.contract";
import { MARKER_KEY } from "../../../../services/mirror/mirror.keys";
import { Translation } from "../../../../services/mirror/mirror.translation";
import {
  advanceOrder,
  cancelOrder,
  getOrder,
  processOrder,
  refundOrder,
} from "../../../../services/order/order.contract";
import {
  listSlots,
  setSlotCapacity,
  setSlotDisabled,
  setSlotPlan,
} from "../../../../services/slot/slot.contract";
import { eventually } from "../../../support/eventually";
import { BRANCH, OTHER_BRANCH, manager } from "../../../support/orders";
import { MirrorNode } from "./mirror-node";

jest.setTimeout(120_000);

const HOUR_MS = 3_600_000;

let node: MirrorNode;

beforeAll(async () => {
  node = await MirrorNode.start();
});
afterAll(async () => {
  await node.stop();
});
beforeEach(async () => {
  await node.reader.flushall();
  await node.startMirror();
  await node.level();
  node.messages.length = 0;
});
afterEach(async () => {
  await node.stopMirror();
});

const call = (...args: Parameters<MirrorNode["rooms"]["call"]>) => node.rooms.call(...args);
const expiry = async (key: string): Promise<number> => Number(await node.reader.call("PEXPIRETIME", key));

/** The slot as the board shows it. */
async function onBoard(slot_id: string): Promise<object | undefined> {
  const from = new Date(node.rooms.now - HOUR_MS).toISOString();
  const to = new Date(node.rooms.now + 5 * 24 * HOUR_MS).toISOString();
  const after = await node.rooms.runtime.log.head();
  const { items } = await node.rooms.call(listSlots, { branch_id: BRANCH, from, to, after });
  return items.find((slot) => slot.slot_id === slot_id);
}

describe("an order whose customer was erased", () => {
  const phone = "+79007654321";
  const erase = () =>
    node.rooms.call(
      eraseCustomer,
      { phone },
      { role: "super_admin", user_id: randomUUID(), branch_ids: null },
    );
  const closed = async (): Promise<string> => {
    const { order_id } = await node.place({ fulfilment: "pickup", customer: { name: "Zyxwana", phone } });
    for (const status of ["preparing", "cooking", "ready", "delivered"] as const)
      await call(advanceOrder, { order_id, status }, manager);
    return order_id;
  };
  const ERASED = { customer: { name: "erased", phone: "erased" }, status: "delivered" };

  test("is shown without them from then on, and a rebuild makes the same", async () => {
    const [refunded, order_id] = [await closed(), await closed()];
    await node.level();
    expect(JSON.stringify(await node.everything())).toContain("Zyxwana");
    const { position } = await erase();
    await call(refundOrder, { order_id: refunded, amount_minor: 100, reason: "Zyxwcold" }, manager);
    await node.level();
    const everything = await node.everything();
    expect(JSON.stringify(everything)).not.toMatch(/Zyxw|9007654321/);
    expect(await node.json(`order:${order_id}`)).toMatchObject({ ...ERASED, position });
    expect(await node.json(`order:${refunded}`)).toMatchObject({ ...ERASED, refunded_total_minor: 100 });
    expect(await node.rebuilt()).toEqual(everything);
  });

  test("is written without them also where the events in hand still have them", async () => {
    const { log } = node.rooms.runtime;
    const before = await log.head();
    const order_id = await closed();
    const plain = await log.readAll(before, 100);
    expect(JSON.stringify(plain)).toContain("Zyxwana");
    const { position } = await erase();
    await call(refundOrder, { order_id, amount_minor: 100, reason: "Zyxwcold" }, manager);
    const later = (await log.readAll(before, 200)).filter((event) => event.position >= position);
    const translation = new Translation(node.rooms.runtime);
    const { writes } = await translation.of([...plain, ...later]);
    expect(JSON.stringify(writes)).not.toMatch(/Zyxw|9007654321/);
    const own = writes.find(({ key }) => key === `order:${order_id}`);
    expect(JSON.parse(own?.value ?? "{}")).toMatchObject({ ...ERASED, refunded_total_minor: 100 });
  });
});

describe("what readers find", () => {
  test("an order as the desk sees it, but for the tracking link, and its status, for 24 h after the last change", async () => {
    const { order_id, position } = await node.place();
    await node.level();
    const { track_url, ...view } = await node.rooms.call(getOrder, { order_id, after: position }, manager);
    expect(track_url).toMatch(/^\/track\//);
    expect(await node.json(`order:${order_id}`)).toEqual({ ...view, position });
    expect(await node.reader.get(`order:${order_id}`)).not.toContain("track");
    expect(await node.reader.get(`order:${order_id}:status`)).toBe("pending");
    expect(await expiry(`order:${order_id}`)).toBe(Date.parse(view.updated_at) + 24 * HOUR_MS);
    expect(await expiry(`order:${order_id}:status`)).toBe(Date.parse(view.updated_at) + 24 * HOUR_MS);
  });

  test.each([
    ["behind", -1],
    ["ahead of", 1],
  ])("an order for 24 h, also where Redis' clock is a day %s ours", async (_, days) => {
    const shift_ms = -days * 24 * HOUR_MS;
    const clock = { now: () => Date.now() + shift_ms };
    const rooms_now = node.rooms.now;
    await node.stopMirror();
    node.rooms.now = clock.now();
    try {
      await node.startMirror(clock);
      const { order_id } = await node.place();
      await node.level();
      for (const key of [`order:${order_id}`, `order:${order_id}:status`]) {
        const left_ms = (await expiry(key)) - Date.now();
        expect(left_ms).toBeGreaterThan(23 * HOUR_MS);
        expect(left_ms).toBeLessThanOrEqual(24 * HOUR_MS);
      }
    } finally {
      node.rooms.now = rooms_now;
    }
  });

  test("an order after everything that can happen to one", async () => {
    const { order_id } = await node.place({ fulfilment: "pickup" });
    await call(processOrder, { order_id }, manager);
    for (const status of ["preparing", "cooking", "ready", "delivered"] as const)
      await call(advanceOrder, { order_id, status }, manager);
    await call(refundOrder, { order_id, amount_minor: 100, reason: "остыла" }, manager);
    const position = await node.level();
    const view: { track_url?: string; closed_at?: string | null } = await node.rooms.call(
      getOrder,
      { order_id, after: position },
      manager,
    );
    delete view.track_url;
    expect(view).toMatchObject({ status: "delivered", refunded_total_minor: 100 });
    expect(view.closed_at).not.toBeNull();
    expect(await node.json(`order:${order_id}`)).toEqual({ ...view, position });
    expect(await node.reader.get(`order:${order_id}:status`)).toBe("delivered");
  });

  test("nothing of what would be forgotten at once: days of history that are written at one go", async () => {
    node.rooms.now -= 3 * 24 * HOUR_MS;
    const { order_id, slot_id } = await node.place();
    node.rooms.now += 3 * 24 * HOUR_MS;
    await node.level();
    expect(await node.reader.exists(`order:${order_id}`, `slot:${slot_id}`)).toBe(0);
  });

  test("a slot as the board shows it, until six hours after its end", async () => {
    const { slot_id } = await node.place();
    await node.level();
    const slot = (await onBoard(slot_id)) as { end: string };
    expect(await node.json(`slot:${slot_id}`)).toEqual({ ...slot, position: expect.any(Number) as number });
    expect(await expiry(`slot:${slot_id}`)).toBe(Date.parse(slot.end) + 6 * HOUR_MS);
    await call(setSlotPlan, { slot_id, delivery_plan: 7 }, manager);
    await node.level();
    expect(await node.json(`slot:${slot_id}`)).toMatchObject({ delivery_plan: 7 });
  });

  test("the rules of each branch, and their hours' time zone", async () => {
    await call(configureSlots, { branch_id: BRANCH, lead_time_minutes: 45 }, manager);
    const position = await node.level();
    const config = await node.reader.hgetall("slot:config");
    expect(Object.keys(config).sort()).toEqual([BRANCH, OTHER_BRANCH]);
    expect(JSON.parse(config[BRANCH] ?? "")).toMatchObject({
      ...{ branch_id: BRANCH, time_zone: "Asia/Krasnoyarsk", lead_time_minutes: 45, slot_minutes: 15 },
      ...{ capacity_minor: 1_000_000, hours: { "1": { open: "00:00", close: "24:00" } }, position },
    });
    expect(await expiry("slot:config")).toBe(-1);
    await call(configureSlots, { branch_id: BRANCH, lead_time_minutes: 30 }, manager);
  });

  test("a new capacity of the branch in every slot that has none of its own", async () => {
    const first = await node.place();
    const second = await node.place({
      preferred_time: new Date(node.rooms.now + 5 * HOUR_MS).toISOString(),
    });
    await call(setSlotCapacity, { slot_id: second.slot_id, capacity_minor: 777_700 }, manager);
    await call(configureSlots, { branch_id: BRANCH, capacity_minor: 900_000 }, manager);
    await node.level();
    for (const { slot_id } of [first, second])
      expect(await node.json(`slot:${slot_id}`)).toMatchObject((await onBoard(slot_id)) ?? {});
    expect(await node.json(`slot:${first.slot_id}`)).toMatchObject({ capacity_minor: 900_000 });
    expect(await node.json(`slot:${second.slot_id}`)).toMatchObject({ capacity_minor: 777_700 });
    await call(configureSlots, { branch_id: BRANCH, capacity_minor: 1_000_000 }, manager);
  });

  test("the menu byte for byte as GET /api/v1/menu gives it", async () => {
    const { body } = await node.rooms.call(menuDocuments.menu, {});
    expect(await node.reader.get("menu:full")).toBe(body.toString());
  });

  test("the same while a flash sale begins and ends, within one version of the menu", async () => {
    const menu = async () => (await node.rooms.call(menuDocuments.menu, {})).body.toString();
    const chain = { role: "super_admin", user_id: randomUUID(), branch_ids: null } as const;
    const before = await menu();
    const { pizzas } = JSON.parse(before) as { pizzas: { id: string }[] };
    const hour = (hours: number): string => new Date(node.rooms.now + hours * HOUR_MS).toISOString();
    const terms = { name: { ru: "Час", en: "Hour" }, percent: 50, starts_at: hour(-1), ends_at: hour(1) };
    const item_ids = [pizzas[0]!.id];
    const { sale } = await node.rooms.call(createSale, { ...terms, item_ids }, chain);
    await node.level();
    expect(await menu()).toContain(`"flash_sale_id":"${sale.sale_id}"`);
    expect(await node.reader.get("menu:full")).toBe(await menu());
    await call(deleteSale, { sale_id: sale.sale_id }, chain);
    await node.level();
    expect(await menu()).toBe(before);
    expect(await node.reader.get("menu:full")).toBe(before);
  });
});

describe("what is published", () => {
  test("orders, their changes and menus, in the log's order, each once, with keys that are there already", async () => {
    const seen: (string | null)[] = [];
    const peek = (): void => {
      const last = node.messages.at(-1)?.message.data as { order_id: string };
      void node.reader.get(`order:${last.order_id}:status`).then((status) => seen.push(status));
    };
    const { order_id } = await node.place();
    await eventually(() => expect(node.messages).toHaveLength(1));
    peek();
    await call(cancelOrder, { order_id, reason: "передумали" }, manager);
    await node.database.pool.query("update menu_items set price_minor = price_minor + 100");
    await call(reloadMenu, {});
    await node.settled();
    await eventually(() => expect(node.messages).toHaveLength(3));
    expect(node.messages.map(({ channel }) => channel)).toEqual([
      "order:created",
      "order:status:changed",
      "menu:updated",
    ]);
    const [created, changed, menu] = node.messages.map(({ message }) => message);
    expect(created).toMatchObject({
      type: "order:created",
      data: { order_id, status: "pending" },
      timestamp: expect.any(String) as string,
      position: expect.any(Number) as number,
    });
    expect(created?.data).not.toHaveProperty("track_url");
    expect(changed).toMatchObject({ data: { order_id, status: "cancelled", reason: "передумали" } });
    const { version } = (await node.json("menu:full")) as { version: number };
    expect(menu).toMatchObject({ type: "menu:updated", data: { version } });
    expect(seen).toEqual(["pending"]);
  });

  test("nothing is repeated, and nothing left out, while two nodes write for an instant", async () => {
    const over = new AbortController();
    const leading = node.anotherLeader().lead(over.signal);
    await node.work(60);
    await node.settled();
    over.abort();
    await leading;
    const { rows } = await node.database.pool.query<{ pos: number }>(
      "select pos from es.event where type like 'order.%' and pos > $1 order by pos",
      [(node.messages[0]?.message.position ?? 1) - 1],
    );
    await eventually(() =>
      expect(node.messages.map(({ message }) => message.position)).toEqual(rows.map(({ pos }) => pos)),
    );
    expect(await node.everything()).toEqual(await node.rebuilt());
  });
});

describe("what is published of the registry of cameras", () => {
  const asked = () => ({ command: { id: randomUUID(), fingerprint: "", fresh: true as const }, meta: {} });
  const camera = () => ({
    mac_address: `02:00:00:${randomUUID()
      .slice(0, 6)
      .replaceAll(/(..)(?=.)/g, "$1:")}`,
    ...{ model: "Axis", branch_id: BRANCH, settings: { zoom: 1 } },
  });
  const cameraOf = (outcome: CommandOutcome | Refusal): Camera => {
    if (isRefusal(outcome)) throw new Error(outcome.code);
    return outcome.answer as Camera;
  };

  test("each committed change, in the log's order, and nothing of what was refused or rolled back", async () => {
    const registry = new CameraRegistry(node.rooms.runtime);
    const wish = camera();
    const { camera_id, mac_address } = cameraOf(await registry.create(wish, SYSTEM, asked()));
    expect(await registry.create(wish, SYSTEM, asked())).toMatchObject({ code: "camera.mac_address_taken" });
    const log = Object.assign(Object.create(node.rooms.runtime.log) as PostgresEventLog, {
      appendIn: () => Promise.reject(new Error("cut off before the commit")),
    });
    const broken = new CameraRegistry({ ...node.rooms.runtime, log });
    await expect(broken.change(camera_id, { enabled: false }, SYSTEM, asked())).rejects.toThrow(/cut off/);
    const other = camera().mac_address.toUpperCase();
    await registry.change(camera_id, { mac_address: other, settings: { zoom: 2 } }, SYSTEM, asked());
    await registry.delete(camera_id, SYSTEM, asked());
    await node.level();
    // They come by another connection than that on which the mirror was seen to be level.
    const told = await eventually(() => {
      const heard = node.messages.filter(
        ({ message }) => (message.data as Partial<Camera>).camera_id === camera_id,
      );
      expect(heard.map(({ channel }) => channel)).toEqual([
        ...["camera.created", "camera.updated", "camera.settings.updated", "camera.deleted"],
      ]);
      return heard;
    });
    expect(told.map(({ message }) => message)).toMatchObject([
      { type: "camera.created", data: { mac_address, model: "Axis" } },
      { data: { mac_address: other, previous: { mac_address } } },
      { data: { settings: { zoom: 2 }, previous: { mac_address } } },
      { type: "camera.deleted", data: { mac_address: other } },
    ]);
    const positions = told.map(({ message }) => message.position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });
});

describe("when Redis forgets", () => {
  test("a flush in the middle of the load comes to what a rebuild makes, key by key", async () => {
    const { slot_id } = await node.place();
    await call(setSlotDisabled, { slot_id, disabled: true }, manager);
    await call(configureSlots, { branch_id: BRANCH, capacity_minor: 1_100_000 }, manager);
    const load = node.work(90);
    for (let flushes = 0; flushes < 5; flushes++) {
      await node.place();
      await node.reader.flushall();
    }
    await load;
    await node.settled();
    const held = await node.everything();
    expect(Object.keys(held).length).toBeGreaterThan(180);
    expect(held).toEqual(await node.rebuilt());
    await call(configureSlots, { branch_id: BRANCH, capacity_minor: 1_000_000 }, manager);
  });

  test("a flush is noticed, and mended, though nothing is written", async () => {
    const held = await node.everything();
    await node.reader.flushall();
    await eventually(async () => expect(await node.everything()).toEqual(held), 5_000);
  });

  test("what was said before the last day still stands: rules, slots to come, the menu, an order that changes today", async () => {
    const { order_id, slot_id } = await node.place();
    await call(setSlotCapacity, { slot_id, capacity_minor: 654_300 }, manager);
    await node.settled();
    await node.database.pool.query("update es.event set recorded_at = recorded_at - interval '2 days'");
    await call(advanceOrder, { order_id, status: "preparing" }, manager);
    await node.level();
    const before = await node.everything();
    const after = await node.rebuilt();
    const boards = (held: typeof before) =>
      Object.fromEntries(Object.entries(held).filter(([key]) => !key.startsWith("order:")));
    expect(boards(after)).toEqual(boards(before));
    expect(await node.json(`slot:${slot_id}`)).toMatchObject({ capacity_minor: 654_300 });
    expect(after[`order:${order_id}`]).toEqual(before[`order:${order_id}`]);
    expect(await node.reader.keys("order:*")).toHaveLength(2);
  });

  test("every message of the time around a flush goes out", async () => {
    const [before] = [await node.level()];
    const load = node.work(30);
    await node.place();
    await node.reader.flushall();
    await load;
    await node.settled();
    const { rows } = await node.database.pool.query<{ pos: number }>(
      "select pos from es.event where type like 'order.%' and pos > $1",
      [before],
    );
    await eventually(() => {
      const sent = new Set(node.messages.map(({ message }) => message.position));
      expect(rows.filter(({ pos }) => !sent.has(pos))).toEqual([]);
    });
  });

  test("killed in the middle of the load and started again, it goes on without a gap", async () => {
    await node.work(20);
    const load = node.work(60);
    await node.place();
    await node.redis.process.kill();
    await load;
    await eventually(async () => expect(await node.health()).toMatchObject({ status: "down" }));
    await node.redis.process.start();
    await node.settled();
    await eventually(async () => expect(await node.health()).toMatchObject({ status: "up" }));
    expect(await node.everything()).toEqual(await node.rebuilt());
  });

  test("come back older than it was, it gets again what it has lost", async () => {
    await node.work(10);
    const old = await node.reader.hgetall(MARKER_KEY);
    await node.stopMirror();
    const { order_id } = await node.place();
    await node.startMirror();
    await node.settled();
    await node.reader.multi().hset(MARKER_KEY, old).del(`order:${order_id}`).exec();
    await eventually(async () => expect(await node.json(`order:${order_id}`)).toMatchObject({ order_id }));
    expect(await node.everything()).toEqual(await node.rebuilt());
  });

  test("frozen, it holds nobody up, and goes on where it was", async () => {
    node.redis.process.suspend();
    try {
      await node.work(10);
      await eventually(async () => expect(await node.health()).toMatchObject({ status: "down" }));
    } finally {
      node.redis.process.resume();
    }
    await node.settled();
    expect(await node.everything()).toEqual(await node.rebuilt());
  });
});

test("a full Redis is told of once, however often it refuses, and gets what it lacks when there is room", async () => {
  await node.stopMirror();
  const over = new AbortController();
  const leading = node.anotherLeader().lead(over.signal);
  try {
    await node.place();
    await node.level();
    await node.reader.config("RESETSTAT");
    await node.reader.config("SET", "maxmemory", "1000000");
    await node.place();
    await eventually(async () => {
      const refused = /^errorstat_OOM:count=(\d+)/m.exec(await node.reader.info("errorstats"))?.[1];
      expect(Number(refused)).toBeGreaterThan(5);
    }, 20_000);
    expect(node.logger.having("will try again")).toHaveLength(1);
    expect(node.logger.having("info going on")).toEqual([]);
    await node.reader.config("SET", "maxmemory", "0");
    await node.level();
    expect(node.logger.having("info going on")).toHaveLength(1);
  } finally {
    await node.reader.config("SET", "maxmemory", "0");
    over.abort();
    await leading;
  }
});

describe("what Redis held before", () => {
  test("of the same log is taken up where it stands", async () => {
    const generation = await node.reader.hget(MARKER_KEY, "generation");
    await node.stopMirror();
    const { order_id } = await node.place();
    await node.startMirror();
    await node.level();
    expect(await node.reader.hget(MARKER_KEY, "generation")).toBe(generation);
    await eventually(() =>
      expect(node.messages.map(({ message }) => message.data)).toMatchObject([{ order_id }]),
    );
  });

  test("of another log is removed, and what is not ours is left alone", async () => {
    await node.place();
    await node.level();
    await node.stopMirror();
    await node.reader.hset(MARKER_KEY, "event_id", "0199aaaa-0000-7000-8000-000000000000");
    const ghost = "order:01900000-0000-7000-8000-0000000000ff";
    await node.reader.set(ghost, '{"position":999999999}');
    await node.reader.set("order:notes", "of somebody else");
    await node.startMirror();
    await eventually(async () => expect(await node.reader.exists(ghost)).toBe(0));
    await node.level();
    expect(await node.reader.get("order:notes")).toBe("of somebody else");
    await node.reader.del("order:notes");
    expect(await node.everything()).toEqual(await node.rebuilt());
  });

  test("of a foreign type under our names gives way", async () => {
    await node.stopMirror();
    await node.reader.flushall();
    await node.reader.set("slot:config", "of an older system");
    await node.reader.lpush("menu:full", "a", "b");
    await node.reader.set(MARKER_KEY, "?");
    await node.startMirror();
    await node.level();
    expect(await node.everything()).toEqual(await node.rebuilt());
  });
});

describe("menu:update", () => {
  test("a foreign program that has changed rows by hand publishes anything", async () => {
    const before = (await node.json("menu:full")) as { version: number };
    await node.database.pool.query("update menu_items set name_en = 'By hand' where name_en = 'Margherita'");
    await node.database.pool.query("update menu_items set price_minor = price_minor + 1");
    await eventually(async () => expect(await node.reader.publish("menu:update", "now")).toBe(1));
    await eventually(async () =>
      expect(await node.json("menu:full")).toMatchObject({ version: before.version + 1 }),
    );
    await eventually(() => expect(node.messages.at(-1)?.channel).toBe("menu:updated"));
  });

  test("a flood of a thousand makes few reloads, the last of them after the last message", async () => {
    const { broker } = node.rooms.runtime;
    const calls = jest.spyOn(broker, "call");
    const reloads = (): number => calls.mock.calls.filter(([name]) => name === reloadMenu.name).length;
    await eventually(async () => expect(await node.reader.publish("menu:update", "0")).toBe(1));
    for (let sent = 1; sent < 1_000; sent++) void node.reader.publish("menu:update", String(sent));
    await node.database.pool.query("update menu_items set price_minor = price_minor + 1");
    await node.reader.publish("menu:update", "last");
    const { rows } = await node.database.pool.query<{ price_minor: number }>(
      "select min(price_minor) as price_minor from menu_items where kind = 'extra'",
    );
    await eventually(async () => {
      const { extras } = (await node.json("menu:full")) as { extras: { price_minor: number }[] };
      expect(extras[0]?.price_minor).toBe(rows[0]?.price_minor);
    });
    expect(reloads()).toBeLessThanOrEqual(4);
    calls.mockRestore();
  });
});

test("health tells where the mirror is", async () => {
  const position = await node.level();
  expect(await node.health()).toEqual({ status: "up", position, lag_events: 0, leading: true });
});

test("branches that are opened later have their rules there too", async () => {
  const { items } = await node.rooms.call(listBranches, {});
  expect(Object.keys(await node.reader.hgetall("slot:config"))).toHaveLength(items.length);
});
