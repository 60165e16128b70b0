import { randomUUID } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { EventLog } from "../../../mixins/event-log/event-log";
import { createEventLog } from "../../../mixins/event-log/postgres-event-log";
import { metricsOf } from "../../../mixins/metrics/metrics";
import { eventually } from "../../support/eventually";
import { heardOf, IoListener, PlainListener, positions, type Listener } from "../../support/listener";
import { LogWriter } from "../../support/log-writer";
import { MemoryLog } from "../../support/memory-log";
import { menuPublished, placed, sampleOrder, slotBooked, stepped } from "../../support/order-events";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { startSocketNode, type SocketNode } from "../../support/socket-node";

/** How long the writers may take to write what a client is to have missed: they share the machine with others. */
const PATIENCE_MS = 60_000;

const closeAll = (listeners: readonly Listener[]): void => {
  for (const listener of listeners) listener.close();
};
/** So many positions that end with the given one. */
const upTo = (last: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => last - count + 1 + i);
const countOf = async (node: SocketNode, name: string): Promise<number> => {
  const metrics = await metricsOf(node.runtime.broker).render();
  return Number(new RegExp(`^forno_socket_${name} (\\d+)$`, "m").exec(metrics)?.[1]);
};

describe("two nodes on one log", () => {
  let db: TestDatabase;
  let logs: [EventLog, EventLog];
  let nodes: [SocketNode, SocketNode];
  let writers: [LogWriter, LogWriter];

  beforeAll(async () => {
    db = await startTestDatabase();
    logs = [
      await createEventLog({ connection: db.connection }),
      await createEventLog({ connection: db.connection }),
    ];
    // Small figures, so that resuming goes through the backlog and the log alike.
    const limits = { backlog_messages: 40, catching_up_max: 2 };
    const first = await startSocketNode(logs[0], limits);
    nodes = [first, await startSocketNode(logs[1], limits, first)];
    writers = [new LogWriter(logs[0]), new LogWriter(logs[1])];
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await Promise.all(logs.map((log) => log.close()));
    await db.stop();
  });

  const plain = (node: SocketNode, token: string, after: number): Listener =>
    new PlainListener(node.port, `/api/v1/erp/ws?access_token=${token}&after=${after}`);
  const byIo = (node: SocketNode, token: string, after: number): Listener =>
    new IoListener(node.port, "/erp", { token, after });

  it("both tell everything that either has written", async () => {
    const token = nodes[0].verifier.issue("manager");
    const before = await logs[0].head();
    const desks = nodes.flatMap((node) => [plain(node, token, before), byIo(node, token, before)]);
    await Promise.all(desks.map((desk) => heardOf(desk, "ready")));
    const written = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        (i % 2 === 0 ? writers[0] : writers[1]).write(placed(sampleOrder())),
      ),
    );
    const expected = written.sort((a, b) => a - b);
    await eventually(() => {
      for (const desk of desks) expect(positions(desk)).toEqual(expected);
    });
    closeAll(desks);
  });

  it("lets clients come and go at any moment and change nodes, without a gap, a double or a disorder", async () => {
    const token = nodes[0].verifier.issue("super_admin", { branch_ids: null });
    const before = await logs[0].head();
    let writing = true;
    const writers_ = writers.map(async (writer) => {
      let last = 0;
      while (writing) {
        const order = sampleOrder();
        last = await writer.write(
          placed(order),
          slotBooked(randomUUID()),
          stepped(order, "pending", "preparing"),
        );
      }
      return last;
    });
    const restless = Array.from({ length: 6 }, async (_, seed) => {
      const heard: number[] = [];
      for (let visit = 0; visit < 25; visit++) {
        // Now and then long enough that it missed more than a page, and more than the backlog holds.
        if (visit % 6 === 5) {
          const away = (heard.at(-1) ?? before) + 700;
          await eventually(async () => {
            expect(await logs[0].head()).toBeGreaterThan(away);
          }, PATIENCE_MS);
        }
        const node = nodes[(visit + seed) % 2] ?? nodes[0];
        const listener = (visit % 3 === 0 ? byIo : plain)(node, token, heard.at(-1) ?? before);
        const wanted = heard.length + 1 + ((visit * 7 + seed * 13) % 60);
        await eventually(() => {
          expect(heard.length + positions(listener).length).toBeGreaterThanOrEqual(wanted);
        }, PATIENCE_MS);
        listener.close();
        heard.push(...positions(listener));
        await turn();
      }
      return heard;
    });
    const journeys = await Promise.all(restless).finally(() => (writing = false));
    const last = Math.max(...(await Promise.all(writers_)));
    for (const heard of journeys) {
      expect(heard).toEqual(Array.from(heard, (_, i) => before + 1 + i));
      expect(heard.length).toBeGreaterThan(100);
      expect(heard.at(-1)).toBeLessThanOrEqual(last);
    }
  }, 240_000);

  it("tells a client that was away too long to reload, and goes on from there", async () => {
    const node = await startSocketNode(logs[0], { resume_events_max: 50 }, nodes[0]);
    const head = await logs[0].head();
    const desk = plain(node, node.verifier.issue("super_admin", { branch_ids: null }), head - 51);
    const resync = await heardOf(desk, "resync_required");
    expect(resync).toMatchObject({ position: head, data: { reason: "position.out_of_reach" } });
    const last = await writers[0].write(menuPublished(1));
    await eventually(() => {
      expect(positions(desk)).toEqual([last]);
    });
    const other = plain(node, node.verifier.issue("super_admin", { branch_ids: null }), last - 50);
    await heardOf(other, "ready");
    expect(positions(other)).toHaveLength(50);
    closeAll([desk, other]);
    await node.stop();
  });
});

describe("one node", () => {
  let log: MemoryLog;
  let node: SocketNode;
  const start = async (
    limits: Parameters<typeof startSocketNode>[1] = {},
    env: Parameters<typeof startSocketNode>[3] = {},
  ): Promise<void> => {
    log = new MemoryLog();
    node = await startSocketNode(log, limits, {}, env);
  };
  afterEach(() => node.stop());

  const desk = (): PlainListener =>
    new PlainListener(node.port, `/api/v1/erp/ws?access_token=${node.verifier.issue("manager")}`);

  it("drops a client that does not read, and costs the fifty others nothing", async () => {
    await start({ waiting_bytes_max: 256 * 1024, pong_ms_max: 50 });
    const others = Array.from({ length: 25 }, () => [
      desk(),
      new IoListener(node.port, "/erp", { token: node.verifier.issue("manager") }),
    ]).flat();
    const slow = desk();
    await Promise.all([...others, slow].map((listener) => heardOf(listener, "ready")));
    slow.ws.pause();
    const notes = "x".repeat(20_000);
    let steps = 0;
    for (; (await countOf(node, "dropped_slow_total")) === 0; steps++) {
      const last = log.write(...Array.from({ length: 8 }, () => placed(sampleOrder({ notes }))));
      await eventually(() => {
        for (const listener of others) expect(positions(listener)).toEqual(upTo(last, 8));
      });
      for (const listener of others) listener.heard.length = 0;
      expect(steps).toBeLessThan(500);
    }
    const last = log.write(menuPublished(1));
    await eventually(() => {
      for (const listener of others) expect(positions(listener)).toEqual([last]);
    });
    slow.ws.resume();
    expect(await slow.ended()).toEqual({ code: 4413, reason: "socket.slow_consumer" });
    const heard = positions(slow);
    expect(heard).toEqual(upTo(heard.length, heard.length));
    expect(await countOf(node, "dropped_slow_total")).toBe(1);
    closeAll(others);
  }, 60_000);

  it("drops a slow socket.io client too", async () => {
    await start({ waiting_messages_max: 100, pong_ms_max: 50 });
    const slow = new IoListener(node.port, "/erp", { token: node.verifier.issue("manager") });
    await heardOf(slow, "ready");
    const { ws } = slow.socket.io.engine.transport as unknown as { ws: { pause(): void; resume(): void } };
    ws.pause();
    const notes = "x".repeat(100_000);
    while ((await countOf(node, "dropped_slow_total")) === 0) {
      log.write(placed(sampleOrder({ notes })));
      await turn();
    }
    await eventually(async () => {
      expect(await metricsOf(node.runtime.broker).render()).toContain(
        'forno_socket_clients{audience="erp"} 0',
      );
    });
    ws.resume();
    closeAll([slow]);
  }, 60_000);

  it("gives a client that comes back no more at once than its queue holds", async () => {
    await start({ waiting_bytes_max: 64 * 1024, waiting_messages_max: 20 });
    const last = log.write(
      ...Array.from({ length: 300 }, () => placed(sampleOrder({ notes: "x".repeat(8_000) }))),
    );
    await eventually(async () => {
      expect(await countOf(node, "position")).toBe(last);
    });
    const back = new PlainListener(
      node.port,
      `/api/v1/erp/ws?after=0&access_token=${node.verifier.issue("manager")}`,
    );
    await heardOf(back, "ready");
    expect(positions(back)).toEqual(upTo(last, 300));
    expect(await countOf(node, "dropped_slow_total")).toBe(0);
    closeAll([back]);
  });

  it("serialises a message once for each class of clients", async () => {
    await start();
    const cooks = Array.from(
      { length: 10 },
      () => new PlainListener(node.port, `/api/v1/ws?access_token=${node.verifier.issue("cook")}`),
    );
    const cookByIo = new IoListener(node.port, "/kitchen", { token: node.verifier.issue("cook") });
    const desks = [desk(), desk()];
    const all = [...cooks, cookByIo, ...desks];
    await Promise.all(all.map((listener) => heardOf(listener, "ready")));
    log.write(placed(sampleOrder()));
    await Promise.all(all.map((listener) => heardOf(listener, "order:created")));
    expect(await countOf(node, "messages_serialised_total")).toBe(2);
    closeAll(all);
  });

  it("goes on after an event that no message can be made of, and logs it", async () => {
    await start();
    const one = desk();
    await heardOf(one, "ready");
    const whole = placed(sampleOrder());
    // The first breaks when it is sorted, the second when somebody wants to see it.
    const rotten = { type: "order.placed", data: { order_id: "broken" } };
    const brittle = { ...whole, data: { ...whole.data, shares: [] } };
    const first = log.write(whole);
    log.write(rotten, brittle, { type: "slot.booked", data: {} }, { type: "order.cancelled", data: {} });
    const last = log.write(placed(sampleOrder()));
    await eventually(() => {
      expect(positions(one)).toEqual([first, last]);
    });
    expect(await countOf(node, "defects_total")).toBe(2);
    expect(node.logged).toHaveLength(2);
    closeAll([one]);
  });

  it("says goodbye with 1001 behind everything that was on its way", async () => {
    await start();
    const one = desk();
    const byIo = new IoListener(node.port, "/kitchen", { token: node.verifier.issue("cook") });
    await Promise.all([one, byIo].map((listener) => heardOf(listener, "ready")));
    const last = log.write(...Array.from({ length: 200 }, () => placed(sampleOrder())));
    await eventually(() => {
      expect(positions(one).length).toBeGreaterThan(0);
    });
    await node.runtime.broker.stop();
    expect(await one.ended()).toEqual({ code: 1001, reason: "server.stopping" });
    await eventually(() => {
      expect(byIo.disconnected).toBeDefined();
    });
    expect(byIo.heard.at(-1)).toMatchObject({ type: "closing", data: { code: 1001 } });
    const heard = positions(one);
    expect(heard).toEqual(Array.from(heard, (_, i) => i + 1));
    expect(heard.length).toBeLessThanOrEqual(last);
    const late = desk();
    await eventually(() => {
      expect(late.status).toBe(503);
    });
  });

  it("cuts a client that answers no ping", async () => {
    await start({ ping_interval_ms: 1_000, pong_ms_max: 500 });
    const [alive, dead] = [desk(), new PlainListener(node.port, "/ws", { autoPong: false })];
    await Promise.all([alive, dead].map((listener) => heardOf(listener, "ready")));
    let pings = 0;
    alive.ws.on("ping", () => pings++);
    const pinged = new Promise((resolve) => dead.ws.once("ping", resolve));
    node.clock.advance(1_001);
    await pinged;
    await eventually(() => {
      expect(pings).toBe(1);
    });
    // The living one's pong has come back before time goes on.
    alive.send({ type: "ping" });
    await heardOf(alive, "pong");
    node.clock.advance(501);
    expect((await dead.ended()).code).toBe(1006);
    expect(alive.closed).toBeUndefined();
    closeAll([alive]);
  });

  it("counts the clients of a trusted proxy each on its own, by either way in", async () => {
    await start({}, { SOCKET_ADDRESS_MAX: "1", TRUSTED_PROXIES: "127.0.0.1" });
    const from = (address: string) => ({ headers: { "x-forwarded-for": address } });
    const plain = (address: string) => new PlainListener(node.port, "/ws", from(address));
    const byIo = (address: string) =>
      new IoListener(node.port, "/shop", {}, { extraHeaders: from(address).headers });
    const welcome = [plain("203.0.113.1"), plain("203.0.113.2"), byIo("203.0.113.3")];
    await Promise.all(welcome.map((listener) => heardOf(listener, "ready")));
    const [again, made_up] = [plain("203.0.113.3"), plain("203.0.113.9, 203.0.113.1")];
    await eventually(() => {
      expect([again.status, made_up.status]).toEqual([429, 429]);
    });
    byIo("203.0.113.2");
    await eventually(async () => {
      expect(await countOf(node, "refused_total")).toBe(3);
    });
    closeAll(welcome);
  });

  it("refuses pages of strange origins where origins are listed, and lets its own in", async () => {
    await start();
    Object.assign(node.runtime.settings, { CORS_ORIGINS: ["https://pizza.example"] });
    const from = (origin: string) => new PlainListener(node.port, "/ws", { headers: { origin } });
    const strange = from("https://evil.example");
    await eventually(() => {
      expect(strange.status).toBe(403);
    });
    const friends = [from("https://pizza.example"), from(`http://127.0.0.1:${node.port}`)];
    await Promise.all(friends.map((listener) => heardOf(listener, "ready")));
    const strangeByIo = new IoListener(
      node.port,
      "/shop",
      {},
      { extraHeaders: { origin: "https://evil.example" } },
    );
    await eventually(() => {
      expect(strangeByIo.failed).toBe(true);
    });
    closeAll([...friends, strangeByIo]);
  });
});
