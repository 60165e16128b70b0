import { once } from "node:events";
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { createEventLog } from "../../../mixins/event-log/postgres-event-log";
import type { EventLog } from "../../../mixins/event-log/event-log";
import { eventually } from "../../support/eventually";
import { heardOf, IoListener, news, PlainListener, positions, type Listener } from "../../support/listener";
import { LogWriter } from "../../support/log-writer";
import {
  ADDRESS,
  BRANCH_A,
  BRANCH_B,
  cancelled,
  menuPublished,
  PHONE,
  placed,
  refunded,
  sampleOrder,
  slotBooked,
  stepped,
} from "../../support/order-events";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { startSocketNode, type SocketNode } from "../../support/socket-node";

/** Both ways in, told alike. */
const WAYS = {
  "a plain WebSocket": (node: SocketNode, door: "kitchen" | "erp" | "shop", token?: string, query = "") => {
    const path = { kitchen: "/api/v1/ws", erp: "/api/v1/erp/ws", shop: "/ws" }[door];
    const auth = token === undefined ? "" : `access_token=${token}`;
    return new PlainListener(node.port, `${path}?${auth}&${query}`);
  },
  "socket.io": (node: SocketNode, door: "kitchen" | "erp" | "shop", token?: string, query = "") => {
    const params = new URLSearchParams(query);
    const auth = {
      ...(token === undefined ? {} : { token }),
      ...(params.has("after") ? { after: Number(params.get("after")) } : {}),
      ...(params.has("track") ? { track: params.getAll("track") } : {}),
    };
    return new IoListener(node.port, `/${door}`, auth);
  },
} as const;

describe("the sockets on a log", () => {
  let db: TestDatabase;
  let log: EventLog;
  let writer: LogWriter;
  let node: SocketNode;
  const open: Listener[] = [];
  const opened = <T extends Listener>(listener: T): T => {
    open.push(listener);
    return listener;
  };

  beforeAll(async () => {
    db = await startTestDatabase();
    log = await createEventLog({ connection: db.connection });
    writer = new LogWriter(log);
    node = await startSocketNode(log, { frame_bytes_max: 4096, auth_ms_max: 5_000 });
  });
  afterEach(() => {
    for (const listener of open.splice(0)) listener.close();
  });
  afterAll(async () => {
    await node.stop();
    await log.close();
    await db.stop();
  });

  describe.each(Object.entries(WAYS))("by %s", (_name, wayIn) => {
    const join = async (door: "kitchen" | "erp" | "shop", token?: string, query?: string) => {
      const listener = opened(wayIn(node, door, token, query));
      await heardOf(listener, "ready");
      return listener;
    };

    it("tells an order's life in order, each message with its position", async () => {
      const desk = await join("erp", node.verifier.issue("manager"));
      const order = sampleOrder();
      const last = await writer.write(placed(order), stepped(order, "pending", "preparing"), refunded(order));
      await eventually(() => {
        expect(positions(desk)).toEqual([last - 2, last - 1, last]);
      });
      expect(news(desk).map(({ type }) => type)).toEqual([
        "order:created",
        "order:status:changed",
        "order:status:changed",
      ]);
      expect(news(desk)[0]?.data).toMatchObject({
        order_id: order.order_id,
        status: "pending",
        total_minor: 109_800,
      });
      expect(news(desk)[1]?.data).toMatchObject({ from: "pending", status: "preparing" });
      expect(news(desk)[2]?.data).toMatchObject({ amount_minor: 100, reason: "cold pizza" });
      expect(Date.parse(news(desk)[0]?.timestamp ?? "")).not.toBeNaN();
    });

    it("greets with the position from which the client hears everything", async () => {
      const head = await log.head();
      await eventually(async () => {
        const desk = await join("erp", node.verifier.issue("manager"));
        expect((await heardOf(desk, "ready")).position).toBe(head);
      });
    });

    it("never lets a byte of phone, address or price reach a cook", async () => {
      const cook = await join("kitchen", node.verifier.issue("cook"));
      const desk = await join("erp", node.verifier.issue("manager"));
      const order = sampleOrder();
      await writer.write(
        placed(order),
        cancelled(order),
        refunded(order),
        slotBooked(BRANCH_A),
        menuPublished(2),
      );
      await Promise.all([heardOf(cook, "menu:updated"), heardOf(desk, "menu:updated")]);
      const [cookBytes, deskBytes] = [cook.raw.join(""), desk.raw.join("")];
      for (const secret of [PHONE, ADDRESS, "54900", '109800",', "Anna", "cold pizza", "boss"]) {
        expect(cookBytes).not.toContain(secret);
      }
      for (const shown of [PHONE, ADDRESS, "54900", "cold pizza"]) expect(deskBytes).toContain(shown);
      expect(news(cook).map(({ type }) => type)).toEqual([
        "order:created",
        "order:status:changed",
        "slot:changed",
        "menu:updated",
      ]);
      expect(news(cook)[0]?.data).toHaveProperty("visible_at");
    });

    it("tells staff of their own branches only, and a super admin of all", async () => {
      const here = await join("kitchen", node.verifier.issue("cook", { branch_ids: [BRANCH_A] }));
      const there = await join("erp", node.verifier.issue("manager", { branch_ids: [BRANCH_B] }));
      const nowhere = await join("erp", node.verifier.issue("manager", { branch_ids: [] }));
      const everywhere = await join("erp", node.verifier.issue("super_admin", { branch_ids: null }));
      const last = await writer.write(
        placed(sampleOrder({ branch_id: BRANCH_A })),
        slotBooked(BRANCH_B),
        placed(sampleOrder({ branch_id: BRANCH_B })),
        menuPublished(3),
      );
      await eventually(() => {
        expect(positions(here)).toEqual([last - 3, last]);
        expect(positions(there)).toEqual([last - 2, last - 1, last]);
        expect(positions(nowhere)).toEqual([last]);
        expect(positions(everywhere)).toEqual([last - 3, last - 2, last - 1, last]);
      });
    });

    it("tells customers of their own orders only, with their prices", async () => {
      const user_id = randomUUID();
      const anna = await join("shop", node.verifier.issue("customer", { user_id }));
      const other = await join("shop", node.verifier.issue("customer"));
      const guest = await join("shop");
      const last = await writer.write(
        placed(sampleOrder({ user_id })),
        placed(sampleOrder()),
        slotBooked(BRANCH_A),
        menuPublished(4),
      );
      await eventually(() => {
        expect(positions(anna)).toEqual([last - 3, last]);
        expect(positions(other)).toEqual([last]);
        expect(positions(guest)).toEqual([last]);
      });
      expect(news(anna)[0]?.data).toMatchObject({ total_minor: 109_800, customer: { phone: PHONE } });
    });

    it("shows staff in the shop no more than a customer sees", async () => {
      const manager = await join("shop", node.verifier.issue("manager"));
      const last = await writer.write(placed(sampleOrder()), menuPublished(5));
      await eventually(() => {
        expect(positions(manager)).toEqual([last]);
      });
    });

    it("tells a guest of the orders whose tracking token it shows, without personal data", async () => {
      const [mine, notMine] = [sampleOrder(), sampleOrder()];
      node.tracked.set("my-tracking-token", mine.order_id);
      const guest = await join("shop");
      guest.send({ type: "track", token: "my-tracking-token" });
      const tracked = await heardOf(guest, "tracked");
      expect(tracked.data).toEqual({ order_id: mine.order_id });
      const last = await writer.write(placed(mine), placed(notMine), cancelled(mine), refunded(mine));
      await writer.write(menuPublished(6));
      await heardOf(guest, "menu:updated");
      expect(positions(guest)).toEqual([last - 3, last - 2, last + 1]);
      expect(guest.raw.join("")).not.toContain(PHONE);
      expect(tracked.position).toBeLessThan(last - 3);
    });

    it("takes tracking tokens in the handshake, and resumes their orders too", async () => {
      const mine = sampleOrder();
      node.tracked.set("early-tracking-token", mine.order_id);
      const first = await writer.write(placed(mine));
      await writer.write(placed(sampleOrder()));
      const guest = await join("shop", undefined, `after=${first - 1}&track=early-tracking-token`);
      const last = await writer.write(stepped(mine, "pending", "preparing"));
      await eventually(() => {
        expect(positions(guest)).toEqual([first, last]);
      });
    });

    it("tells once what two of a client's reasons are for", async () => {
      const user_id = randomUUID();
      const order = sampleOrder({ user_id });
      node.tracked.set("own-tracking-token", order.order_id);
      const anna = await join(
        "shop",
        node.verifier.issue("customer", { user_id }),
        "track=own-tracking-token",
      );
      const last = await writer.write(placed(order), menuPublished(7));
      await eventually(() => {
        expect(positions(anna)).toEqual([last - 1, last]);
      });
    });

    it("says so when a tracking token is unknown, and goes on", async () => {
      const guest = await join("shop");
      guest.send({ type: "track", token: "nobodys-tracking-token" });
      expect((await heardOf(guest, "error")).data).toMatchObject({ code: "order.unknown" });
      const last = await writer.write(menuPublished(8));
      await eventually(() => {
        expect(positions(guest)).toEqual([last]);
      });
    });

    it("gives first what was missed, then ready, then what comes", async () => {
      const before = await log.head();
      const first = await writer.write(placed(sampleOrder()), slotBooked(BRANCH_B), menuPublished(9));
      const desk = await join("erp", node.verifier.issue("manager"), `after=${before}`);
      const last = await writer.write(placed(sampleOrder()));
      await eventually(() => {
        expect(positions(desk)).toEqual([first - 2, first, last]);
      });
      expect(desk.heard.map(({ type }) => type).indexOf("ready")).toBe(2);
    });

    it("answers a position that the log has not reached with resync_required", async () => {
      const desk = await join("erp", node.verifier.issue("manager"), "after=99999999");
      const resync = await heardOf(desk, "resync_required");
      expect(resync.position).toBe(await log.head());
      const last = await writer.write(menuPublished(10));
      await eventually(() => {
        expect(positions(desk)).toEqual([last]);
      });
    });

    it("answers a rotten frame with an error frame and goes on", async () => {
      const cook = await join("kitchen", node.verifier.issue("cook"));
      cook.send({ type: "order:created" });
      cook.send({ type: "track", token: 17 });
      cook.send({ type: "__proto__" });
      cook.send({ type: "ping", extra: true });
      cook.send({ type: "track", token: "my-tracking-token" });
      cook.send({ type: "ping" });
      await heardOf(cook, "pong");
      const errors = cook.heard.filter(({ type }) => type === "error").map(({ data }) => data["code"]);
      expect(errors).toEqual([
        "frame.unknown_type",
        "input.invalid",
        "frame.unknown_type",
        "input.invalid",
        "track.shop_only",
      ]);
    });

    it("closes a session when its token expires, unless it brought another", async () => {
      const user_id = randomUUID();
      const short = node.verifier.issue("cook", { user_id }, 60_000);
      const leaving = await join("kitchen", short);
      const staying = await join("kitchen", short);
      staying.send({ type: "auth", token: node.verifier.issue("cook", { user_id }, 3_600_000) });
      await heardOf(staying, "authenticated");
      node.clock.advance(61_000);
      const reason = await eventually(() => {
        if (leaving instanceof PlainListener) return expectClosed(leaving);
        return leaving.heard.find(({ type }) => type === "closing")?.data ?? fail("still open");
      });
      expect(reason).toEqual({ code: 4401, reason: "auth.token_expired" });
      const last = await writer.write(menuPublished(11));
      await eventually(() => {
        expect(positions(staying)).toEqual([last]);
      });
    });

    it("shows a guest who signs in their own order as theirs from then on, and what the link did not show", async () => {
      const user_id = randomUUID();
      const order = sampleOrder({ user_id });
      const token = `link-to-${order.order_id}`;
      node.tracked.set(token, order.order_id);
      const before = await log.head();
      const guest = await join("shop", undefined, `after=${before}&track=${token}`);
      const early = await writer.write(placed(order), refunded(order));
      await eventually(() => {
        expect(positions(guest)).toEqual([early - 1]);
      });
      guest.send({ type: "auth", token: node.verifier.issue("customer", { user_id }) });
      await heardOf(guest, "authenticated");
      await eventually(() => {
        expect(positions(guest)).toEqual([early - 1, early]);
      });
      const late = await writer.write(cancelled(order));
      await eventually(() => {
        expect(positions(guest)).toEqual([early - 1, early, late]);
      });
      const [asLink, asOwner, last] = news(guest).map(({ data }) => data);
      expect(asLink).not.toHaveProperty("customer");
      // What the desk has noted about a refund stays at the desk.
      expect(asOwner).toMatchObject({ amount_minor: 100 });
      expect(asOwner).not.toHaveProperty("reason");
      expect(last).toMatchObject({ reason: "changed their mind" });
    });

    it("shows somebody else who signs in on a guest's connection its tracked order as before", async () => {
      const order = sampleOrder({ user_id: randomUUID() });
      const token = `link-to-${order.order_id}`;
      node.tracked.set(token, order.order_id);
      const before = await log.head();
      const guest = await join("shop", undefined, `after=${before}&track=${token}`);
      guest.send({ type: "auth", token: node.verifier.issue("manager") });
      await heardOf(guest, "authenticated");
      await writer.write(placed(order), refunded(order), cancelled(order), menuPublished(16));
      await heardOf(guest, "menu:updated");
      expect(news(guest).map(({ type }) => type)).toEqual([
        ...["order:created", "order:status:changed", "menu:updated"],
      ]);
      for (const secret of [PHONE, ADDRESS, "54900", "cold pizza", "changed their mind"])
        expect(guest.raw.join("")).not.toContain(secret);
    });

    it("goes by the rights of the newest token, from the next message on", async () => {
      const user_id = randomUUID();
      const first = node.verifier.issue("manager", { user_id, branch_ids: [BRANCH_A] });
      const desk = await join("erp", first);
      const here = await writer.write(placed(sampleOrder({ branch_id: BRANCH_A })));
      await eventually(() => {
        expect(positions(desk)).toEqual([here]);
      });
      desk.send({
        type: "auth",
        token: node.verifier.issue("technologist", { user_id, branch_ids: [BRANCH_B] }),
      });
      await heardOf(desk, "authenticated");
      const there = await writer.write(
        placed(sampleOrder({ branch_id: BRANCH_A })),
        placed(sampleOrder({ branch_id: BRANCH_B })),
      );
      await eventually(() => {
        expect(positions(desk)).toEqual([here, there]);
      });
      expect(news(desk)[1]?.data).not.toHaveProperty("customer");
    });

    it("closes a session whose token was revoked, whatever it was entitled to", async () => {
      const token = node.verifier.issue("manager");
      const desk = await join("erp", token);
      node.verifier.revoke(token);
      const reason = await eventually(() => {
        if (desk instanceof PlainListener) return expectClosed(desk);
        return desk.heard.find(({ type }) => type === "closing")?.data ?? fail("still open");
      });
      expect(reason).toEqual({ code: 4401, reason: "auth.token_revoked" });
    });

    it("does not let one connection become another person", async () => {
      const cook = await join("kitchen", node.verifier.issue("cook"));
      cook.send({ type: "auth", token: node.verifier.issue("manager") });
      expect((await heardOf(cook, "error")).data).toMatchObject({ code: "auth.other_user" });
    });

    it("sends a client away that talks too much", async () => {
      const cook = await join("kitchen", node.verifier.issue("cook"));
      for (let i = 0; i < 30; i++) cook.send({ type: "ping" });
      await eventually(() => {
        const reason =
          cook instanceof PlainListener
            ? cook.closed?.reason
            : cook.heard.find(({ type }) => type === "closing")?.data["reason"];
        expect(reason).toBe("socket.too_many_frames");
      });
    });
  });

  const fail = (message: string): never => {
    throw new Error(message);
  };
  const expectClosed = (listener: PlainListener) => listener.closed ?? fail("still open");

  describe("at the door of plain WebSockets", () => {
    const join = (path: string, options = {}) => opened(new PlainListener(node.port, path, options));

    it.each([
      ["a forged token", "/api/v1/ws?access_token=forged", 4401, "auth.token_invalid"],
      ["an empty token", "/ws?access_token=", 4401, "auth.token_invalid"],
      ["a position that is none", "/ws?after=-1", 4400, "input.invalid"],
      ["too many tracking tokens", `/ws?track=${"t,".repeat(30)}`, 4400, "input.invalid"],
    ])("closes %s by name", async (_what, path, code, reason) => {
      expect(await join(path).ended()).toEqual({ code, reason });
    });

    it("lets no customer into the kitchen and no cook to the desk", async () => {
      const customer = join(`/api/v1/ws?access_token=${node.verifier.issue("customer")}`);
      const cook = join(`/api/v1/erp/ws?access_token=${node.verifier.issue("cook")}`);
      expect(await customer.ended()).toEqual({ code: 4403, reason: "auth.forbidden" });
      expect(await cook.ended()).toEqual({ code: 4403, reason: "auth.forbidden" });
    });

    it("takes the token as the first frame, and tells nothing before it", async () => {
      const desk = join("/api/v1/erp/ws");
      await desk.opened();
      await writer.write(menuPublished(12));
      desk.send({ type: "track", token: "my-tracking-token" });
      expect((await heardOf(desk, "error")).data).toMatchObject({ code: "auth.required" });
      expect(news(desk)).toEqual([]);
      desk.send({ type: "auth", token: node.verifier.issue("manager") });
      await heardOf(desk, "ready");
      const last = await writer.write(placed(sampleOrder()));
      await eventually(() => {
        expect(positions(desk)).toEqual([last]);
      });
    });

    it("resumes also when the token is the first frame", async () => {
      const before = await log.head();
      const last = await writer.write(placed(sampleOrder()));
      const desk = join(`/api/v1/erp/ws?after=${before}`);
      await desk.opened();
      desk.send({ type: "auth", token: node.verifier.issue("manager") });
      await heardOf(desk, "ready");
      expect(positions(desk)).toEqual([last]);
    });

    it("closes staff that does not sign in within the time", async () => {
      const desk = join("/api/v1/erp/ws");
      await desk.opened();
      node.clock.advance(5_001);
      expect(await desk.ended()).toEqual({ code: 4408, reason: "auth.timeout" });
    });

    it("gives a guest that signs in what it missed as a customer, and nothing twice", async () => {
      const user_id = randomUUID();
      const before = await log.head();
      const first = await writer.write(placed(sampleOrder({ user_id })), menuPublished(13));
      const guest = join(`/ws?after=${before}`);
      await heardOf(guest, "ready");
      expect(positions(guest)).toEqual([first]);
      guest.send({ type: "auth", token: node.verifier.issue("customer", { user_id }) });
      await heardOf(guest, "authenticated");
      const last = await writer.write(
        stepped(sampleOrder({ user_id }), "pending", "preparing"),
        menuPublished(14),
      );
      await eventually(() => {
        expect(positions(guest)).toEqual([first, first - 1, last - 1, last]);
      });
    });

    it("answers text that is no JSON, JSON that is no object, and binary, each with an error frame", async () => {
      const guest = join("/ws");
      await heardOf(guest, "ready");
      for (const rotten of ["{", "null", "[]", '"auth"', Buffer.from([0, 1, 2])]) guest.ws.send(rotten);
      guest.send({ type: "ping" });
      await heardOf(guest, "pong");
      const codes = guest.heard.filter(({ type }) => type === "error").map(({ data }) => data["code"]);
      expect(codes).toEqual([
        "frame.not_json",
        "frame.not_an_object",
        "frame.not_an_object",
        "frame.not_an_object",
        "frame.binary",
      ]);
    });

    it("closes a frame that is too large with 1009", async () => {
      const guest = join("/ws");
      await heardOf(guest, "ready");
      guest.ws.send("x".repeat(5000));
      expect((await guest.ended()).code).toBe(1009);
    });

    it("survives a client that breaks the protocol", async () => {
      const guest = join("/ws");
      await heardOf(guest, "ready");
      const { _socket: tcp } = guest.ws as unknown as { _socket: { write(bytes: Buffer): void } };
      tcp.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
      expect((await guest.ended()).code).toBe(1002);
    });

    it("answers an upgrade to an unknown path with 404", async () => {
      const lost = join("/nowhere");
      await eventually(() => {
        expect(lost.status).toBe(404);
      });
    });

    it("answers garbage in place of a path without dying", async () => {
      const socket = connect(node.port, "127.0.0.1");
      socket.write("GET //[ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      const [bytes] = (await once(socket, "data")) as [Buffer];
      expect(bytes.toString()).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
      socket.destroy();
    });
  });

  describe("at the door of socket.io", () => {
    const join = (namespace: string, auth = {}, options = {}) =>
      opened(new IoListener(node.port, namespace, auth, options));

    it.each([
      ["no token", "/kitchen", {}, "auth.required"],
      ["a forged token", "/shop", { token: "forged" }, "auth.token_invalid"],
      ["a token that is no text", "/shop", { token: { role: "admin" } }, "auth.token_invalid"],
      ["a position that is none", "/shop", { after: 1.5 }, "input.invalid"],
      ["the main namespace", "/", {}, "socket.unknown_namespace"],
    ])("refuses %s by name", async (_what, namespace, auth, code) => {
      const listener = join(namespace, auth);
      await eventually(() => {
        expect(listener.refusal?.code).toBe(code);
      });
    });

    it("carries the same messages by long polling", async () => {
      const desk = join("/erp", { token: node.verifier.issue("manager") }, { transports: ["polling"] });
      await heardOf(desk, "ready");
      const last = await writer.write(placed(sampleOrder()), menuPublished(15));
      await eventually(() => {
        expect(positions(desk)).toEqual([last - 1, last]);
      });
    });

    it("carries messages longer than a short frame holds", async () => {
      const desk = join("/erp", { token: node.verifier.issue("manager") });
      await heardOf(desk, "ready");
      const notes = "ж".repeat(40_000);
      await writer.write(placed(sampleOrder({ notes })));
      await eventually(() => {
        expect(news(desk)[0]?.data["notes"]).toBe(notes);
      });
    });
  });
});
