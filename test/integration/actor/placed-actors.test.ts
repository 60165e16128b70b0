import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../../../fleet/servers/free-port";
import { natsServer, type NatsServer } from "../../../fleet/servers/nats-server";
import { actorHostsOf } from "../../../mixins/actor/actor-registry";
import { placementsOf } from "../../../mixins/actor/placements";
import type { ParamsOf, ResultOf } from "../../../mixins/contract/contract";
import { faultOf } from "../../../mixins/contract/fault";
import { UnavailableError } from "../../../mixins/contract/refusal";
import { fleetNodesOf } from "../../../mixins/transport/fleet-nodes";
import { entities } from "../../../entities/entities";
import { operatorCommands } from "../../../services/ops/operator-commands";
import { configureSlots, getSlotConfig } from "../../../services/branch/branch.contract";
import { advanceOrder, getOrder, placeOrder } from "../../../services/order/order.contract";
import { orderStream } from "../../../services/order/order.events";
import { listSlots } from "../../../services/slot/slot.contract";
import { kitchenDayStream } from "../../../services/slot/slot.events";
import { eventually } from "../../support/eventually";
import { fleetBroker, fleetSettings } from "../../support/fleet-broker";
import { OrderNode } from "../../support/order-room";
import { BRANCH, customer, manager } from "../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

type Wish = ParamsOf<typeof placeOrder>;
type Placed = ResultOf<typeof placeOrder>;

const wish: Wish = {
  channel: "shop",
  fulfilment: "pickup",
  payment_method: "cash",
  items: [{ name: "Маргарита", quantity: 1 }],
};
/** Noon of 10 March in Krasnoyarsk is this business day. */
const DAY = kitchenDayStream(BRANCH, "2026-03-10");

jest.setTimeout(240_000);

describe("actors of two nodes over NATS", () => {
  let folder: string;
  let nats: NatsServer;
  let database: TestDatabase;
  let nodes: OrderNode[];
  const space = `t-${randomUUID()}`;

  const broker = ({ runtime }: OrderNode) => runtime.broker;
  const start = (): Promise<OrderNode> =>
    OrderNode.start(database, fleetBroker(fleetSettings(nats.url, space)));
  const place = (node: OrderNode, key?: string): Promise<Placed> =>
    node.call(placeOrder, wish, customer, key);
  const tally = (node: OrderNode) => placementsOf(broker(node)).tally;
  const liveHere = (node: OrderNode, kind: string): readonly string[] =>
    actorHostsOf(node.runtime.log).flatMap((host) =>
      host.kind === kind ? host.list().map(({ stream_id }) => stream_id) : [],
    );
  /** The node that has the day, and one that has not. */
  const ownerAndOther = (): [owner: OrderNode, other: OrderNode] => {
    const [owner] = placementsOf(broker(nodes[0]!)).where(DAY) ?? [];
    const found = nodes.find((node) => broker(node).nodeID === owner);
    const other = nodes.find((node) => node !== found);
    if (found === undefined || other === undefined) throw new Error("nobody has the day");
    return [found, other];
  };
  const allSeeEachOther = (): Promise<void> =>
    eventually(() => {
      for (const node of nodes) expect(fleetNodesOf(broker(node)).suspects).toEqual([]);
      for (const node of nodes)
        for (const action of ["slot.tell_day", "order.tell_order"])
          expect([...fleetNodesOf(broker(node)).hosts(action)].sort()).toEqual(
            nodes.map((each) => broker(each).nodeID).sort(),
          );
    }, 20_000);
  const ordersInLog = async (): Promise<number> => {
    const { rows } = await database.pool.query<{ count: number }>(
      "select count(*)::int as count from es.event where type = 'order.placed'",
    );
    return rows[0]?.count ?? 0;
  };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-placed-"));
    nats = await natsServer(folder, await freePort());
    await nats.process.start();
    database = await startTestDatabase({ entities: [...entities] });
    nodes = [await start()];
    await nodes[0]!.furnish();
    nodes.push(await start());
    await allSeeEachOther();
  });

  afterAll(async () => {
    nats.process.resume();
    for (const node of nodes) await node.stop();
    await nats.process.kill();
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("live on one node each, whoever is asked", async () => {
    const [owner, other] = ownerAndOther();
    expect(placementsOf(broker(other)).where(DAY)).toEqual(placementsOf(broker(owner)).where(DAY));
    const before = tally(other).remotely;
    const placed = await Promise.all(nodes.flatMap((node) => Array.from({ length: 10 }, () => place(node))));
    expect(new Set(placed.map(({ display_id }) => display_id)).size).toBe(20);
    expect(liveHere(owner, "kitchen-day")).toContain(DAY);
    expect(liveHere(other, "kitchen-day")).toEqual([]);
    expect(tally(other).remotely - before).toBe(10);
  });

  it("are found by operators: the order in which their nodes are asked", async () => {
    const shown: unknown[] = [];
    const commands = operatorCommands(nodes[0]!.runtime, undefined, (rows) => void shown.push(rows));
    const actor = commands.find(({ command }) => command.startsWith("actor"));
    await actor?.action(broker(nodes[0]!), { options: {}, what: "where", stream: DAY } as never);
    const [owner, other] = ownerAndOther();
    const here = (node: OrderNode): boolean => node === nodes[0];
    expect(shown).toEqual([
      [
        { order: 1, node_id: broker(owner).nodeID, here: here(owner), suspect: false },
        { order: 2, node_id: broker(other).nodeID, here: here(other), suspect: false },
      ],
    ]);
  });

  it("take an order's commands on the order's node, and give a first answer again through any", async () => {
    const { order_id, position } = await place(nodes[0]!);
    const [owner] = placementsOf(broker(nodes[0]!)).where(orderStream(order_id)) ?? [];
    const step = { order_id, status: "preparing" as const };
    const key = randomUUID();
    const first = await nodes[0]!.call(advanceOrder, step, manager, key);
    expect(await nodes[1]!.call(advanceOrder, step, manager, key)).toEqual(first);
    for (const node of nodes)
      expect(liveHere(node, "order").includes(orderStream(order_id))).toBe(broker(node).nodeID === owner);
    for (const node of nodes) {
      const seen = await node.call(getOrder, { order_id, after: first.position }, manager);
      expect(seen.status).toBe("preparing");
    }
    expect(first.position).toBeGreaterThan(position);
  });

  it("are decided by the next node when the owner falls silent, after one short wait", async () => {
    const [owner, other] = ownerAndOther();
    const unmute = mute(owner);
    try {
      const before = await ordersInLog();
      const placed = await Promise.all(Array.from({ length: 10 }, () => place(other)));
      // The owner did what it was told and could not say so: each order is there once, under the first answer.
      expect(new Set(placed.map(({ order_id }) => order_id)).size).toBe(10);
      expect(await ordersInLog()).toBe(before + 10);
      // Those who come later do not wait: the owner is passed over, as silent or, on a slow machine, as gone.
      const { remotely, failed_over } = { ...tally(other) };
      for (let i = 0; i < 5; i++) await place(other);
      expect(tally(other)).toMatchObject({ remotely, failed_over });
      const { live, suspects } = fleetNodesOf(broker(other));
      expect(live.filter((node_id) => !suspects.includes(node_id))).not.toContain(broker(owner).nodeID);
    } finally {
      unmute();
    }
    await allSeeEachOther();
    const before = tally(other).remotely;
    await place(other);
    expect(tally(other).remotely).toBe(before + 1);
  });

  it("are decided here when the owner has lost the way to the log, and only if this node has one", async () => {
    const [owner, other] = ownerAndOther();
    const lost = () => Promise.reject(new UnavailableError("log.unavailable", "The log does not answer."));
    const cut = (node: OrderNode): (() => void) => {
      const { log } = node.runtime;
      const known = { append: log.append.bind(log), head: log.head.bind(log) };
      Object.assign(log, { append: lost, head: lost });
      return () => Object.assign(log, known);
    };
    const mend = cut(owner);
    const failed_over = tally(other).failed_over;
    try {
      const placed = await Promise.all(Array.from({ length: 5 }, () => place(other)));
      expect(new Set(placed.map(({ order_id }) => order_id)).size).toBe(5);
      expect(fleetNodesOf(broker(other)).suspects).toEqual([broker(owner).nodeID]);
      await place(other);
      expect(tally(other).failed_over).toBe(failed_over + 5);
    } finally {
      mend();
    }
    await allSeeEachOther();
    const mends = nodes.map(cut);
    try {
      expect(faultOf(await place(other).catch((error: unknown) => error))?.code).toBe("log.unavailable");
      expect(fleetNodesOf(broker(other)).suspects).toEqual([]);
    } finally {
      for (const each of mends) each();
    }
  });

  it("answer a repetition of an order whose answer was lost, without a key too", async () => {
    const [owner, other] = ownerAndOther();
    const unmute = mute(owner);
    try {
      const { order_id } = await place(other);
      const { rows } = await database.pool.query<{ count: number }>(
        "select count(*)::int as count from es.event where stream_id = $1",
        [orderStream(order_id)],
      );
      expect(rows[0]?.count).toBe(1);
    } finally {
      unmute();
    }
    await allSeeEachOther();
  });

  it("never do what somebody was refused meanwhile, however late a slow node comes to it", async () => {
    const [owner, other] = ownerAndOther();
    const order = (node: OrderNode, key: string) => node.refusal(placeOrder, wish, customer, key);
    const setCapacity = (capacity_minor: number) =>
      other.call(configureSlots, { branch_id: BRANCH, capacity_minor }, manager);
    const before = await ordersInLog();
    const key = randomUUID();
    await setCapacity(1);
    const hold = heldBack(owner, "slot.tell_day");
    const unmute = mute(owner);
    try {
      expect(await order(other, key)).toBe("slot.order_too_large");
      expect(hold.waiting()).toBe(1);
      await setCapacity(1_000_000);
    } finally {
      unmute();
    }
    await eventually(async () => {
      const config = await owner.call(getSlotConfig, { branch_id: BRANCH }, manager);
      expect(config.capacity_minor).toBe(1_000_000);
    });
    await hold.release();
    await allSeeEachOther();
    // The owner would place it now, had the refusal not become the command's answer.
    expect(await ordersInLog()).toBe(before);
    for (const node of nodes) expect(await order(node, key)).toBe("slot.order_too_large");
    expect(await order(owner, randomUUID())).toBe("not refused");
    expect(await ordersInLog()).toBe(before + 1);
  });

  it("lose and double nothing while NATS is killed, comes back, is frozen and thaws under load", async () => {
    const before = await ordersInLog();
    const wishes: { key: string; placed?: Placed }[] = [];
    const answered = [0, 0];
    let running = true;
    const customers = Array.from({ length: 6 }, async (_, i) => {
      while (running) {
        const mine: (typeof wishes)[number] = { key: randomUUID() };
        wishes.push(mine);
        for (let tries = 0; mine.placed === undefined && tries < 50; tries++) {
          const at = (i + tries) % 2;
          const placed = await place(nodes[at]!, mine.key).catch(async (error: unknown) => {
            if (faultOf(error) === undefined) throw error;
            await pause(20);
          });
          if (placed === undefined) continue;
          mine.placed = placed;
          answered[at]! += 1;
        }
        await pause(5);
      }
    });
    const acknowledged = (): number => wishes.filter(({ placed }) => placed !== undefined).length;
    /** Through each of the two. */
    const goesOn = async (by: number): Promise<void> => {
      const from = [...answered];
      await eventually(() => {
        for (const at of [0, 1]) expect(answered[at]).toBeGreaterThan(from[at]! + by);
      }, 60_000);
    };
    try {
      await goesOn(30);
      await nats.process.kill();
      await goesOn(30);
      await nats.process.start();
      await allSeeEachOther();
      await goesOn(30);
      nats.process.suspend();
      await goesOn(30);
      nats.process.resume();
      await allSeeEachOther();
      await goesOn(30);
    } finally {
      running = false;
      await Promise.all(customers);
    }
    expect(acknowledged()).toBe(wishes.length);
    expect(new Set(wishes.map(({ placed }) => placed?.order_id)).size).toBe(wishes.length);
    expect(await ordersInLog()).toBe(before + wishes.length);
    for (const { key, placed } of wishes.slice(0, 10)) expect(await place(nodes[1]!, key)).toEqual(placed);
    await slotsHoldWhatTheyShould();
  });

  it("move to those that stay when their node leaves in the middle of the work", async () => {
    const [owner, other] = ownerAndOther();
    const before = await ordersInLog();
    const work = Array.from({ length: 100 }, async (_, i) => {
      await pause(i * 5);
      return place(other);
    });
    await pause(150);
    await owner.stop();
    nodes = [other];
    const placed = await Promise.all(work);
    expect(new Set(placed.map(({ order_id }) => order_id)).size).toBe(100);
    expect(await ordersInLog()).toBe(before + 100);
    expect(placementsOf(broker(other)).where(DAY)).toEqual([broker(other).nodeID]);
    nodes.push(await start());
    await allSeeEachOther();
    await slotsHoldWhatTheyShould();
  });

  /** No slot holds more than its capacity, and all of them together what the orders are worth. */
  async function slotsHoldWhatTheyShould(): Promise<void> {
    const node = nodes[0]!;
    const after = await node.runtime.log.head();
    const { items } = await node.call(listSlots, {
      branch_id: BRANCH,
      from: "2026-03-10",
      to: "2026-03-11",
      after,
    });
    for (const slot of items) expect(slot.load_minor).toBeLessThanOrEqual(slot.capacity_minor);
    const orders = items.reduce((sum, slot) => sum + slot.orders_count, 0);
    expect(orders).toBe(await ordersInLog());
  }
});

/** A node that hears everything and can say nothing, as one that freezes right after its work. */
function mute({ runtime }: OrderNode): () => void {
  const { transit } = runtime.broker;
  if (transit === undefined) throw new Error("no transit");
  const publish = transit.publish.bind(transit);
  transit.publish = () => Promise.resolve();
  return () => {
    transit.publish = publish;
  };
}

/** Requests for an action that a node has received, and does not begin before it is let go. */
function heldBack({ runtime }: OrderNode, action: string): { waiting(): number; release(): Promise<void> } {
  const { transit } = runtime.broker;
  if (transit === undefined) throw new Error("no transit");
  const handle = transit.requestHandler.bind(transit);
  const held: (() => Promise<unknown>)[] = [];
  transit.requestHandler = (payload) => {
    if (payload.action !== action) return handle(payload);
    held.push(() => handle(payload));
    return Promise.resolve();
  };
  return {
    waiting: () => held.length,
    async release() {
      transit.requestHandler = handle;
      await Promise.all(held.map((begin) => begin()));
    },
  };
}
