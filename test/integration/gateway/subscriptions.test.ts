import { randomUUID } from "node:crypto";
import type { Role } from "../../../mixins/contract/caller";
import { channelsOf } from "../../../mixins/messaging/channels";
import { metricsOf } from "../../../mixins/metrics/metrics";
import { eventually } from "../../support/eventually";
import { MemoryLog } from "../../support/memory-log";
import { BRANCH_A, BRANCH_B } from "../../support/order-events";
import { startSocketNode, type SocketNode } from "../../support/socket-node";
import { Subscriber } from "../../support/subscriber";

const [CAMERA_1, CAMERA_2, CAMERA_3] = [randomUUID(), randomUUID(), randomUUID()];
const [COMPLEX_X, COMPLEX_Y] = [randomUUID(), randomUUID()];

const cameraEvent = (change: object = {}) => ({
  event_id: randomUUID(),
  event_type: "motion_detected",
  camera_id: CAMERA_1,
  mac_address: "AA:BB:CC:DD:EE:01",
  model: "Hikvision DS-2CD",
  branch_id: BRANCH_A,
  complex_id: COMPLEX_X,
  timestamp: "2026-03-02T12:00:00.000Z",
  data: { zone: 3 },
  ...change,
});

describe("subscriptions to camera events", () => {
  let node: SocketNode;
  const open: Subscriber[] = [];

  const start = async (limits: Parameters<typeof startSocketNode>[1] = {}): Promise<void> => {
    node = await startSocketNode(new MemoryLog(), limits);
    published = 0;
  };
  let published = 0;
  const publish = (message: object): Promise<void> => {
    published++;
    return channelsOf(node.runtime).publish("camera.events", message);
  };
  const count = async (name: string): Promise<number> => {
    const metrics = await metricsOf(node.runtime.broker).render();
    return Number(new RegExp(`^forno_socket_${name} (\\d+)$`, "m").exec(metrics)?.[1]);
  };

  afterEach(async () => {
    for (const each of open.splice(0)) each.close();
    await node.stop();
  });

  describe.each(["plain", "socket.io"] as const)("by %s", (way) => {
    const join = async (role: Role = "manager", who = {}, ttl_ms = Infinity): Promise<Subscriber> => {
      const subscriber = Subscriber.to(way, node.port, node.verifier.issue(role, who, ttl_ms));
      open.push(subscriber);
      return subscriber.joined();
    };
    /** Everything that was published has reached whom it is for: frames of one connection keep their order. */
    const last = async (...subscribers: Subscriber[]): Promise<void> => {
      await eventually(async () => {
        expect(await count("channel_messages_total")).toBe(published);
      });
      await Promise.all(subscribers.map((each) => each.ask({ type: "ping" }, "pong")));
    };
    const heard = (subscriber: Subscriber, id?: string) =>
      subscriber.frames
        .filter((frame) => "CameraEvents" in frame && (id === undefined || frame["id"] === id))
        .map((frame) => frame["CameraEvents"] as Record<string, unknown>);

    it("greets, confirms, and tells in the frames that clients of one subscription have always known", async () => {
      await start();
      const client = await join();
      expect(client.frames).toEqual([
        { type: "connection_ack", connection_id: expect.any(String) as string },
      ]);
      const filters = { camera_id__in: [CAMERA_1, CAMERA_2], complex_id__eq: COMPLEX_X };
      expect(await client.subscribe({ filters, fields: ["event_type", "timestamp"] })).toEqual({
        type: "subscribed",
        id: "CameraEvents",
        entity: "CameraEvents",
        channel: "camera.events",
        filters: [
          { field: "camera_id", op: "in", value: [CAMERA_1, CAMERA_2] },
          { field: "complex_id", op: "eq", value: COMPLEX_X },
        ],
        fields: ["event_type", "timestamp"],
      });
      await publish(cameraEvent({ camera_id: CAMERA_3 }));
      await publish(cameraEvent({ complex_id: COMPLEX_Y }));
      await publish(cameraEvent({ secret: "stays inside" }));
      await last(client);
      const data = client.frames.filter((frame) => "CameraEvents" in frame && !("id" in frame));
      expect(data).toEqual([
        { CameraEvents: { event_type: "motion_detected", timestamp: "2026-03-02T12:00:00.000Z" } },
      ]);
    });

    it("shows all declared fields where none is named, and nothing else of the message", async () => {
      await start();
      const client = await join();
      await client.subscribe();
      const event = cameraEvent();
      await publish({ ...event, secret: "stays inside" });
      await eventually(() => {
        expect(client.heard()).toEqual([event]);
      });
    });

    it("keeps several subscriptions apart by their ids, and tells each of an event that fits both", async () => {
      await start();
      const client = await join();
      await client.subscribe({ filters: { camera_id: CAMERA_1 }, fields: ["camera_id"] }, { id: "one" });
      await client.subscribe(
        { filters: { event_type__icontains: "MOTION", mac_address: "aabb.ccdd.ee01" } },
        { id: "motion" },
      );
      await publish(cameraEvent());
      await publish(cameraEvent({ camera_id: CAMERA_2 }));
      await publish(cameraEvent({ event_type: "tamper" }));
      await last(client);
      expect(heard(client, "one")).toEqual([{ camera_id: CAMERA_1 }, { camera_id: CAMERA_1 }]);
      expect(heard(client, "motion").map(({ camera_id }) => camera_id)).toEqual([CAMERA_1, CAMERA_2]);
    });

    it("replaces a subscription whose id comes again, and ends one by its id or its entity", async () => {
      await start();
      const client = await join();
      await client.subscribe({ filters: { camera_id: CAMERA_1 } }, { id: "one" });
      await client.subscribe({ filters: { camera_id: CAMERA_2 } }, { id: "one" });
      await client.subscribe({ filters: { camera_id: CAMERA_3 } });
      await publish(cameraEvent());
      await publish(cameraEvent({ camera_id: CAMERA_2 }));
      await eventually(() => {
        expect(heard(client).map(({ camera_id }) => camera_id)).toEqual([CAMERA_2]);
      });
      expect(await client.ask({ type: "unsubscribe", id: "one" }, "unsubscribed")).toEqual({
        ...{ type: "unsubscribed", id: "one", entity: "CameraEvents" },
      });
      const byEntity = { type: "unsubscribe", payload: { entities: ["CameraEvents"] } };
      expect(await client.ask(byEntity, "unsubscribed")).toMatchObject({ id: "CameraEvents" });
      expect(await count("subscriptions")).toBe(0);
      await publish(cameraEvent({ camera_id: CAMERA_2 }));
      await publish(cameraEvent({ camera_id: CAMERA_3 }));
      await last(client);
      expect(heard(client)).toHaveLength(1);
      expect(await client.ask({ type: "unsubscribe", id: "one" }, "error")).toMatchObject({
        ...{ id: "one", code: "subscription.unknown" },
      });
    });

    it.each<[string, string, object]>([
      ["an unknown entity", "subscription.unknown_entity", { payload: { Orders: {} } }],
      ["an entity of every object", "subscription.unknown_entity", { payload: { constructor: {} } }],
      [
        "an unknown filter",
        "subscription.unknown_filter",
        { payload: { CameraEvents: { filters: { data__eq: 1 } } } },
      ],
      [
        "an unknown operator",
        "subscription.unknown_operator",
        { payload: { CameraEvents: { filters: { camera_id__regex: ".*" } } } },
      ],
      [
        "a value that is none",
        "subscription.bad_value",
        { payload: { CameraEvents: { filters: { camera_id__in: 7 } } } },
      ],
      [
        "a filter by an object",
        "input.invalid",
        { payload: { CameraEvents: { filters: { camera_id: { eq: CAMERA_1 } } } } },
      ],
      [
        "a filter by lists of lists",
        "input.invalid",
        { payload: { CameraEvents: { filters: { camera_id__in: [[CAMERA_1]] } } } },
      ],
      [
        "an unknown field",
        "subscription.unknown_field",
        { payload: { CameraEvents: { fields: ["password"] } } },
      ],
      [
        "a branch of others",
        "subscription.not_yours",
        { payload: { CameraEvents: { filters: { branch_id: BRANCH_B } } } },
      ],
      ["an id for two", "subscription.one_entity", { id: "x", payload: { CameraEvents: {}, Orders: {} } }],
      ["no payload", "input.invalid", {}],
      ["an empty payload", "input.invalid", { payload: {} }],
      ["a payload that is none", "input.invalid", { payload: [1] }],
    ])("refuses %s by name, subscribes to nothing, and stays open", async (_what, code, frame) => {
      await start();
      const client = await join();
      const answer = await client.ask({ type: "subscribe", ...frame }, "error");
      expect(answer).toMatchObject({ code, detail: expect.any(String) as string, message: answer["detail"] });
      expect(answer["id"]).toBe("id" in frame ? frame.id : undefined);
      expect(await count("subscriptions")).toBe(0);
      expect(await client.ask({ type: "ping" }, "pong")).toEqual({ type: "pong" });
      expect(await client.ask({ type: "track", token: "x" }, "error")).toMatchObject({
        code: "frame.unknown_type",
      });
    });

    it("bounds subscriptions and the values of their filters", async () => {
      await start({ subscriptions_max: 3, filter_values_max: 5 });
      const client = await join();
      const ask = (id: string, cameras: number) => {
        const camera_id__in = Array.from({ length: cameras }, () => randomUUID());
        return { type: "subscribe", id, payload: { CameraEvents: { filters: { camera_id__in } } } };
      };
      await client.ask(ask("a", 4), "subscribed");
      expect(await client.ask(ask("b", 2), "error")).toMatchObject({ code: "subscription.too_many_values" });
      // What it replaces does not count.
      await client.ask(ask("a", 3), "subscribed");
      await client.ask(ask("b", 1), "subscribed");
      await client.ask(ask("c", 1), "subscribed");
      expect(await client.ask(ask("d", 0), "error")).toMatchObject({ code: "subscription.too_many" });
      expect(await count("subscriptions")).toBe(3);
      client.close();
      await eventually(async () => {
        expect(await count("subscriptions")).toBe(0);
      });
    });

    it("tells nobody of a complex or branch that the token does not allow, whatever it asks for", async () => {
      await start();
      const here = await join("manager", { branch_ids: [BRANCH_A] });
      const asking = await join("manager", { branch_ids: [BRANCH_A] });
      const head = await join("super_admin", { branch_ids: null });
      await Promise.all([here.subscribe(), head.subscribe()]);
      await asking.subscribe({ filters: { complex_id__eq: COMPLEX_Y } });
      await asking.subscribe({ filters: { branch_id__in: [BRANCH_A, BRANCH_B] } }, { id: "branches" });
      await publish(cameraEvent());
      await publish(cameraEvent({ branch_id: BRANCH_B, complex_id: COMPLEX_Y }));
      await publish(cameraEvent({ branch_id: BRANCH_B, complex_id: COMPLEX_X }));
      await publish(cameraEvent({ branch_id: null, complex_id: COMPLEX_X }));
      await publish(cameraEvent({ branch_id: BRANCH_A, complex_id: COMPLEX_Y }));
      await last(here, asking, head);
      const seen = (client: Subscriber, id?: string) =>
        heard(client, id).map(({ branch_id, complex_id }) => [branch_id, complex_id]);
      expect(seen(here)).toEqual([
        [BRANCH_A, COMPLEX_X],
        [BRANCH_A, COMPLEX_Y],
      ]);
      expect(seen(asking, "branches")).toEqual(seen(here));
      // A complex that has a camera at one's own branch shows that camera.
      expect(asking.frames.filter((frame) => "CameraEvents" in frame && !("id" in frame))).toHaveLength(1);
      expect(seen(head)).toHaveLength(5);
    });

    it.each<[Role, object]>([
      ["cook", {}],
      ["courier", {}],
      ["technologist", { branch_ids: null }],
      ["customer", {}],
    ])("lets no %s in", async (role, who) => {
      await start();
      const client = Subscriber.to(way, node.port, node.verifier.issue(role, who));
      open.push(client);
      expect((await client.hasEnded()).reason).toBe("auth.forbidden");
      expect(client.of("connection_ack")).toEqual([]);
    });

    it("goes by a fresh token's rights from the next message on", async () => {
      await start();
      const user_id = randomUUID();
      const client = await join("manager", { user_id, branch_ids: [BRANCH_A] });
      await client.subscribe();
      await client.subscribe({ filters: { branch_id: BRANCH_A } }, { id: "a" });
      const token = node.verifier.issue("manager", { user_id, branch_ids: [BRANCH_B] });
      await client.ask({ type: "auth", token }, "authenticated");
      expect(await client.answer("error")).toMatchObject({ id: "a", code: "subscription.not_yours" });
      await publish(cameraEvent({ branch_id: BRANCH_A }));
      await publish(cameraEvent({ branch_id: BRANCH_B }));
      await last(client);
      expect(heard(client).map(({ branch_id }) => branch_id)).toEqual([BRANCH_B]);
    });

    it("keeps every filter when rights change, also two that say the same field's", async () => {
      await start();
      const user_id = randomUUID();
      const client = await join("manager", { user_id, branch_ids: [BRANCH_A] });
      await client.subscribe({ filters: { camera_id: CAMERA_1, camera_id__eq: CAMERA_2 } });
      const token = node.verifier.issue("manager", { user_id, branch_ids: [BRANCH_A, BRANCH_B] });
      await client.ask({ type: "auth", token }, "authenticated");
      await publish(cameraEvent({ camera_id: CAMERA_1 }));
      await publish(cameraEvent({ camera_id: CAMERA_2 }));
      await last(client);
      expect(heard(client)).toEqual([]);
    });

    it("ends when the token expires, and hears nothing after", async () => {
      await start();
      const client = await join("manager", {}, 60_000);
      await client.subscribe();
      node.clock.advance(60_001);
      expect(await client.hasEnded()).toEqual({ code: 4401, reason: "auth.token_expired" });
      expect(await count("subscriptions")).toBe(0);
    });

    it("drops a client that does not read, and costs the others nothing", async () => {
      await start({ subscriber_waiting_bytes_max: 128 * 1024, pong_ms_max: 50 });
      const others = await Promise.all([join(), join(), join()]);
      const slow = await join();
      await Promise.all([...others, slow].map((each) => each.subscribe()));
      slow.pause();
      const note = "x".repeat(30_000);
      while ((await count("dropped_slow_total")) === 0) {
        for (let n = 0; n < 4; n++) await publish(cameraEvent({ data: { note } }));
        await eventually(() => {
          for (const each of others) expect(each.heard()).toHaveLength(published);
        });
        expect(published).toBeLessThan(4_000);
      }
      await publish(cameraEvent());
      await eventually(() => {
        for (const each of others) expect(each.heard()).toHaveLength(published);
      });
      await eventually(async () => {
        expect(await count("subscriptions")).toBe(3);
      });
      expect(await count("dropped_slow_total")).toBe(1);
    });

    it("closes who talks too much", async () => {
      await start({ frames_burst: 5, frames_per_s: 1 });
      const client = await join();
      for (let n = 0; n < 7; n++) client.send({ type: "ping" });
      expect((await client.hasEnded()).reason).toBe("socket.too_many_frames");
    });
  });

  const plain = (token?: string): Subscriber => {
    const subscriber = Subscriber.to("plain", node.port, token);
    open.push(subscriber);
    return subscriber;
  };

  it("takes the token as the first frame, and subscribes nobody before it", async () => {
    await start();
    const client = plain();
    const early = await client.ask({ type: "subscribe", payload: { CameraEvents: {} } }, "error");
    expect(early).toMatchObject({ code: "auth.required" });
    client.send({ type: "auth", token: node.verifier.issue("manager") });
    await client.joined();
    await client.subscribe();
    await publish(cameraEvent());
    await eventually(() => {
      expect(client.heard()).toHaveLength(1);
    });
  });

  it("closes a plain client that never brings a token, or a bad one", async () => {
    await start();
    const [silent, forged] = [plain(), plain("forged")];
    expect(await forged.hasEnded()).toEqual({ code: 4401, reason: "auth.token_invalid" });
    silent.send({ type: "ping" });
    await silent.answer("pong");
    node.clock.advance(5_001);
    expect(await silent.hasEnded()).toEqual({ code: 4408, reason: "auth.timeout" });
  });

  it("refuses a socket.io client without a token in the handshake", async () => {
    await start();
    const guest = Subscriber.to("socket.io", node.port);
    open.push(guest);
    expect((await guest.hasEnded()).reason).toBe("auth.required");
  });

  it("closes a frame that is too large", async () => {
    await start();
    const client = await plain(node.verifier.issue("manager")).joined();
    client.send({ type: "subscribe", id: "x".repeat(20_000) });
    expect((await client.hasEnded()).code).toBe(1009);
  });

  it("goes on after a filter or a message that throws", async () => {
    await start();
    const [careful, plainOne] = [
      plain(node.verifier.issue("manager")),
      plain(node.verifier.issue("manager")),
    ];
    await Promise.all([careful.joined(), plainOne.joined()]);
    await careful.subscribe({ fields: ["event_type", "data"] });
    await plainOne.subscribe({ fields: ["event_type"] });
    const brittle = (field: string, event_type: string) =>
      Object.defineProperty(cameraEvent({ event_type }), field, {
        enumerable: false,
        get: () => {
          throw new Error("broken");
        },
      });
    await publish(brittle("data", "seen by one"));
    await publish(brittle("timestamp", "seen by nobody"));
    await publish(cameraEvent({ event_type: 7, camera_id: {}, branch_id: [BRANCH_A] }));
    await publish(cameraEvent({ event_type: "whole" }));
    await eventually(() => {
      expect(plainOne.heard().map(({ event_type }) => event_type)).toEqual(["seen by one", "whole"]);
      expect(careful.heard().map(({ event_type }) => event_type)).toEqual(["whole"]);
    });
    expect(await count("defects_total")).toBe(1);
    expect(node.logged.length).toBeGreaterThan(0);
  });

  it("asks only those whom an event may concern, and serialises it once for all who see the same", async () => {
    await start();
    const cameras = Array.from({ length: 10 }, () => randomUUID());
    const clients = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const client = await plain(node.verifier.issue("manager")).joined();
        await client.subscribe({ filters: { camera_id: cameras[n % 10] } });
        return client;
      }),
    );
    await publish(cameraEvent({ camera_id: cameras[3] }));
    await eventually(() => {
      expect(clients.filter((client) => client.heard().length === 1)).toHaveLength(5);
    });
    expect(await count("subscriptions_asked_total")).toBe(5);
    expect(await count("messages_serialised_total")).toBe(1);
  });

  it("serialises it once also for those who named their subscriptions, each as it likes", async () => {
    await start();
    const client = await plain(node.verifier.issue("manager")).joined();
    const ids = ["one", 'with "quotes" and \\', "три", "CameraEvents"];
    for (const id of ids) await client.subscribe({ fields: ["event_type"] }, { id });
    await client.subscribe({ fields: ["event_type"] }, { id: undefined });
    await client.subscribe({ fields: ["model"] }, { id: "other" });
    await publish(cameraEvent());
    const shown = { event_type: "motion_detected" };
    await eventually(() => {
      const data = client.frames.filter((frame) => "CameraEvents" in frame);
      expect(data).toEqual([
        ...ids.slice(0, 3).map((id) => ({ CameraEvents: shown, id })),
        { CameraEvents: shown },
        { CameraEvents: { model: "Hikvision DS-2CD" }, id: "other" },
      ]);
    });
    expect(await count("messages_serialised_total")).toBe(2);
  });
});
