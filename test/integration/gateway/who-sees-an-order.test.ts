import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import type { ServiceError } from "@grpc/grpc-js";
import { entities } from "../../../entities/entities";
import type { Caller, Role } from "../../../mixins/contract/caller";
import type { ParamsOf } from "../../../mixins/contract/contract";
import { metricsOf } from "../../../mixins/metrics/metrics";
import { httpServerOf } from "../../../mixins/rest/http-server";
import { createGrpcService, grpcPortOf } from "../../../services/gateway/grpc/grpc.service";
import { createHttpService } from "../../../services/gateway/http/http.service";
import { createSocketService } from "../../../services/gateway/socket/socket.service";
import {
  advanceOrder,
  cancelOrder,
  orderContracts,
  placeOrder,
  processOrder,
  refundOrder,
} from "../../../services/order/order.contract";
import { orderStream } from "../../../services/order/order.events";
import { eventually } from "../../support/eventually";
import { GrpcClient } from "../../support/grpc-client";
import { heardOf, IoListener, PlainListener, type Listener } from "../../support/listener";
import { OrderNode } from "../../support/order-room";
import {
  EVENTS,
  ORDER,
  pathsOf,
  sorted,
  WIRE_EVENTS,
  WIRE_ORDER,
  type Sight,
  wirePathsOf,
} from "../../support/order-sight";
import { BRANCH, OTHER_BRANCH } from "../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { startSocketNode, TestVerifier, type SocketNode } from "../../support/socket-node";

const OWNER = "01990000-0000-7000-8000-0000000000aa";

/** Everybody who may come by, and as what they see the order where their role and branch count. */
const CALLERS: readonly { name: string; role: Role; who?: Partial<Caller>; atWork?: Sight }[] = [
  { name: "the guest", role: "guest" },
  { name: "the owner", role: "customer", who: { user_id: OWNER } },
  { name: "a stranger", role: "customer" },
  { name: "a super admin", role: "super_admin", who: { branch_ids: null }, atWork: "desk" },
  { name: "the manager", role: "manager", who: { branch_ids: [BRANCH] }, atWork: "desk" },
  { name: "a foreign manager", role: "manager", who: { branch_ids: [OTHER_BRANCH] } },
  { name: "a manager who owns it", role: "manager", who: { user_id: OWNER, branch_ids: [OTHER_BRANCH] } },
  { name: "the cook", role: "cook", who: { branch_ids: [BRANCH] }, atWork: "kitchen" },
  { name: "a foreign cook", role: "cook", who: { branch_ids: [OTHER_BRANCH] } },
  { name: "the technologist", role: "technologist", who: { branch_ids: [BRANCH] }, atWork: "kitchen" },
  // A delivery is theirs from when it is ready, and this one is cancelled before.
  { name: "the courier", role: "courier", who: { branch_ids: [BRANCH] } },
  { name: "a foreign courier", role: "courier", who: { branch_ids: [OTHER_BRANCH] } },
];
const NAMES = CALLERS.map(({ name }) => name);
const WAYS = ["plain", "socket.io"] as const;
const WHENS = ["live", "resumed from memory", "resumed from the log"] as const;
/** Who may come in at the desk's door. */
const AT_DESK: readonly Role[] = ["super_admin", "manager", "technologist"];

type Room = "shop" | "kitchen" | "erp";
type When = (typeof WHENS)[number];
const PATHS: Readonly<Record<Room, string>> = { shop: "/ws", kitchen: "/api/v1/ws", erp: "/api/v1/erp/ws" };

describe("who sees what of an order", () => {
  let db: TestDatabase;
  let node: OrderNode;
  let other: SocketNode;
  let verifier: TestVerifier;
  let grpc: GrpcClient;
  let port: number;
  let order_id: string;
  let track_token: string;
  let before: number;
  /** Positions of the order's events, and what each is. */
  let story: ReadonlyMap<number, string>;
  /** Before anything happened to the order. */
  const young = { rest: new Map<string, Seen>(), grpc: new Map<string, Seen>() };
  const tokens = new Map<string, string | undefined>();
  const live = new Map<string, Listener>();
  const open: Listener[] = [];

  const callerOf = (name: string) => CALLERS.find((caller) => caller.name === name) ?? fail(name);
  const entrance = (when: When): number => (when === "resumed from the log" ? other.port : port);
  const key = (...parts: readonly unknown[]): string => parts.join("/");

  function join(way: string, room: Room, when: When, name: string, track: boolean): Listener {
    const token = tokens.get(name);
    const after = when === "live" ? undefined : before;
    const tracked = track && when !== "live" ? [track_token] : [];
    const listener =
      way === "plain"
        ? new PlainListener(entrance(when), `${PATHS[room]}?${query(token, after, tracked)}`)
        : new IoListener(entrance(when), `/${room}`, { token, after, track: tracked });
    open.push(listener);
    return listener;
  }
  const query = (token: string | undefined, after: number | undefined, track: readonly string[]): string =>
    new URLSearchParams([
      ...(token === undefined ? [] : [["access_token", token]]),
      ...(after === undefined ? [] : [["after", String(after)]]),
      ...track.map((each) => ["track", each]),
    ] as [string, string][]).toString();

  beforeAll(async () => {
    db = await startTestDatabase({ entities: [...entities] });
    node = await OrderNode.start(db, undefined, {
      env: { PORT: "0", GRPC_PORT: "0", HOST: "127.0.0.1", RATE_LIMIT: "off" },
      rooms: [
        (runtime) => {
          verifier = new TestVerifier(runtime.clock);
          return createHttpService(runtime, orderContracts, verifier);
        },
        (runtime) => createSocketService(runtime, verifier, { limits: { review_ms: 20 } }),
        (runtime) => createGrpcService(runtime, verifier),
      ],
    });
    await node.furnish();
    ({ port } = httpServerOf(node.runtime.broker).address() as AddressInfo);
    grpc = GrpcClient.orders(grpcPortOf(node.runtime.broker));
    // A node that remembers next to nothing: who resumes there is given what the log says.
    other = await startSocketNode(node.runtime.log, { backlog_messages: 1 }, { verifier });
    for (const { name, role, who } of CALLERS)
      tokens.set(name, role === "guest" ? undefined : verifier.issue(role, who));
    await listenLive();
    await liveTheOrder();
  });
  afterAll(async () => {
    for (const listener of open) listener.close();
    grpc.close();
    await other.stop();
    await node.stop();
    await db.stop();
  });

  async function listenLive(): Promise<void> {
    for (const name of NAMES)
      for (const way of WAYS) {
        for (const track of [false, true])
          live.set(key("shop", way, name, track), join(way, "shop", "live", name, track));
        for (const room of roomsOf(name))
          live.set(key(room, way, name), join(way, room, "live", name, false));
      }
    await Promise.all([...live.values()].map((listener) => heardOf(listener, "ready")));
  }

  const roomsOf = (name: string): Room[] => {
    const { role } = callerOf(name);
    if (role === "guest" || role === "customer") return [];
    return AT_DESK.includes(role) ? ["kitchen", "erp"] : ["kitchen"];
  };

  /** One order with everything in it, from its placement to its cancellation, followed by whoever holds its link. */
  async function liveTheOrder(): Promise<void> {
    before = await node.runtime.log.head();
    const owner: Caller = { role: "customer", user_id: OWNER, branch_ids: null };
    const desk: Caller = { role: "manager", user_id: randomUUID(), branch_ids: [BRANCH] };
    const placed = await node.call(placeOrder, await wish(), owner);
    order_id = placed.order_id;
    track_token = placed.track_url.split("/").at(-1) ?? "";
    other.tracked.set(track_token, order_id);
    for (const name of NAMES) {
      for (const path of [`orders/${order_id}`, `erp/orders/${order_id}`, `track/${track_token}`])
        young.rest.set(
          key(name, path.split("/")[0]),
          await ask(name, `/api/v1/${path}?after=${String(placed.position)}`),
        );
      for (const choice of [{ order_id }, { track_token }]) {
        const request = { ...choice, after_position: placed.position };
        young.grpc.set(key(name, ...Object.keys(choice)), await getOver(name, request));
      }
    }
    for (const [name, listener] of live)
      if (name.endsWith("/true")) {
        listener.send({ type: "track", token: track_token, after: placed.position });
        await heardOf(listener, "tracked");
      }
    await node.call(advanceOrder, { order_id, status: "preparing" }, desk);
    await node.call(processOrder, { order_id }, desk);
    await node.call(refundOrder, { order_id, amount_minor: 100, reason: "cold pizza" }, desk);
    await node.call(cancelOrder, { order_id, reason: "changed their mind" }, desk);
    const events = await node.runtime.log.readStream(orderStream(order_id));
    story = new Map(events.map(({ position, type }) => [position, type]));
    const last = events.at(-1)?.position ?? 0;
    for (const { broker } of [node.runtime, other.runtime])
      await eventually(async () => {
        const metrics = await metricsOf(broker).render();
        expect(Number(/^forno_socket_position (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(last);
      });
  }

  async function wish(): Promise<ParamsOf<typeof placeOrder>> {
    const [pizza] = ((await (await fetch(`http://127.0.0.1:${port}/api/v1/menu`)).json()) as Menu).pizzas;
    if (pizza === undefined) throw new Error("an empty menu");
    return {
      ...{ fulfilment: "delivery", address: "Lenin street 5", payment_method: "cash", channel: "shop" },
      ...{ branch_id: BRANCH, customer: { name: "Anna", phone: "+79135550123" }, notes: "door code 4711" },
      items: [
        {
          ...{ menu_item_id: pizza.id, quantity: 2, extras: pizza.extras.slice(0, 1) },
          exclude_ingredients: pizza.ingredients.slice(0, 1).map(({ name }) => name.ru),
        },
      ],
    };
  }

  const bearer = (name: string): Record<string, string> => {
    const token = tokens.get(name);
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  };

  async function ask(name: string, path: string): Promise<Seen> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: bearer(name) });
    const body = (await answer.json()) as { code?: string };
    return answer.ok ? { paths: pathsOf(body) } : { refused: body.code };
  }

  async function getOver(name: string, choice: object): Promise<Seen> {
    const { error, answer } = await grpc.call("GetOrder", choice, bearer(name));
    return error === null
      ? { paths: wirePathsOf(answer["order"]) }
      : { refused: String(error.metadata.get("forno-code")[0]) };
  }

  /** What a listener was told of the order, by the type of event. */
  function told(listener: Listener): Record<string, string[]> {
    const ours = listener.heard.filter((one) => one.type.includes(":") && one.data["order_id"] === order_id);
    expect(ours.map(({ position }) => position)).toEqual([...new Set(ours.map(({ position }) => position))]);
    return Object.fromEntries(
      ours.map(({ position, data }) => [story.get(position) ?? "no event", pathsOf(data)]),
    );
  }

  /** What comes behind everything that was for a listener so far: `ready` for who resumes, else the answer to a ping. */
  async function heardAll(listener: Listener, when: When): Promise<Listener> {
    if (when === "live") listener.send({ type: "ping" });
    await heardOf(listener, when === "live" ? "pong" : "ready");
    return listener;
  }

  const shown = (sight: Sight | undefined, table = EVENTS): Record<string, string[]> =>
    Object.fromEntries(
      Object.entries(sight === undefined ? {} : table[sight]).map(([type, paths]) => [type, sorted(paths)]),
    );

  describe.each(WHENS)("at a socket, %s", (when) => {
    describe.each(WAYS)("by %s", (way) => {
      it.each(
        CALLERS.map(({ name, who }) => [name, who?.user_id === OWNER ? "customer" : undefined] as const),
      )(
        "in the shop %s sees what is their own, and by a tracking link what the public does",
        async (name, own) => {
          const without = live.get(key("shop", way, name, false));
          const withLink = live.get(key("shop", way, name, true));
          const alone = when === "live" ? without : join(way, "shop", when, name, false);
          const holding = when === "live" ? withLink : join(way, "shop", when, name, true);
          expect(told(await heardAll(alone ?? fail(name), when))).toEqual(shown(own));
          const byLink = told(await heardAll(holding ?? fail(name), when));
          const afterPlacing = own === undefined && when === "live" ? "order.placed" : "";
          expect(byLink).toEqual(allBut(shown(own ?? "public"), afterPlacing));
        },
      );

      it.each(CALLERS.filter(({ role }) => role !== "guest" && role !== "customer"))(
        "at work $name sees the orders of their branch, as their role does",
        async ({ name, atWork }) => {
          for (const room of roomsOf(name)) {
            const listener =
              when === "live" ? live.get(key(room, way, name)) : join(way, room, when, name, false);
            expect(told(await heardAll(listener ?? fail(name), when))).toEqual(shown(atWork));
          }
        },
      );
    });
  });

  describe("over REST", () => {
    it.each(CALLERS)("$name follows a tracking link as the public does", async ({ name }) => {
      expect(young.rest.get(key(name, "track"))).toEqual({ paths: sorted(ORDER.public) });
      expect(await ask(name, `/api/v1/track/${track_token}`)).toEqual({ paths: sorted(ORDER.public) });
    });

    it.each(CALLERS)("$name reads their own order, and nobody else's", ({ name, role, who }) => {
      const own = who?.user_id === OWNER;
      const refused = role === "guest" ? "auth.required" : "order.not_yours";
      expect(young.rest.get(key(name, "orders"))).toEqual(
        own ? { paths: sorted(ORDER.customer) } : { refused },
      );
    });

    it.each(CALLERS)("$name reads orders of their branch at work, as their role does", async (caller) => {
      const { name, role, atWork } = caller;
      const refused =
        role === "guest" ? "auth.required" : role === "customer" ? "auth.forbidden" : "order.not_yours";
      const seen = atWork === undefined ? { refused } : { paths: sorted(ORDER[atWork]) };
      expect(young.rest.get(key(name, "erp"))).toEqual(seen);
      expect(await history(name)).toEqual(atWork === undefined ? { refused } : { events: shown(atWork) });
    });
  });

  describe("over gRPC", () => {
    it.each(CALLERS)("$name is shown by a tracking token what the public is", async ({ name }) => {
      expect(young.grpc.get(key(name, "track_token"))).toEqual({ paths: sorted(WIRE_ORDER.public) });
      expect(await watched(name, { track_token })).toEqual({ events: shown("public", WIRE_EVENTS) });
    });

    it.each(CALLERS)(
      "$name is shown by an order's id what they are to it",
      async ({ name, role, who, atWork }) => {
        const sight = atWork ?? (who?.user_id === OWNER ? "customer" : undefined);
        const refused = role === "guest" ? "auth.required" : "order.not_yours";
        expect(young.grpc.get(key(name, "order_id"))).toEqual(
          sight === undefined ? { refused } : { paths: sorted(WIRE_ORDER[sight]) },
        );
        expect(await watched(name, { order_id })).toEqual(
          sight === undefined ? { refused } : { events: shown(sight, WIRE_EVENTS) },
        );
        if (sight === undefined) return;
        // Resumed after the placement.
        const [first] = story.keys();
        expect(await watched(name, { order_id, after_position: first })).toEqual({
          events: allBut(shown(sight, WIRE_EVENTS), "order.placed"),
        });
      },
    );
  });

  async function history(name: string): Promise<Seen> {
    const path = `/api/v1/erp/orders/${order_id}/history`;
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: bearer(name) });
    const body = (await answer.json()) as { code?: string; items: { type: string; data: object }[] };
    if (!answer.ok) return { refused: body.code };
    return { events: Object.fromEntries(body.items.map(({ type, data }) => [type, pathsOf(data)])) };
  }

  /** The order is over, so a watch of it ends by itself. */
  function watched(name: string, request: object): Promise<Seen> {
    const stream = grpc.stream("WatchOrder", request, bearer(name));
    const events: Record<string, string[]> = {};
    return new Promise((resolve) => {
      stream.on("data", (update: Update) => {
        const { order, reason, refunded_total_minor } = update;
        expect(Object.keys(update).filter((member) => !UPDATE.includes(member))).toEqual([]);
        events[update.type] = wirePathsOf({
          ...(order == null ? {} : { order }),
          ...(reason === undefined ? {} : { reason }),
          ...(refunded_total_minor === undefined ? {} : { refunded_total_minor }),
        });
      });
      stream.on("error", (error: ServiceError) =>
        resolve({ refused: String(error.metadata.get("forno-code")[0]) }),
      );
      stream.on("end", () => resolve({ events }));
    });
  }
});

/** What somebody was shown, or the refusal that they got. */
interface Seen {
  readonly paths?: string[];
  readonly events?: Record<string, string[]>;
  readonly refused?: string | undefined;
}
interface Update {
  readonly type: string;
  readonly order?: object | null;
  readonly reason?: string;
  readonly refunded_total_minor?: number;
}
/** Members of an update, those that it always has among them. */
const UPDATE = ["position", "type", "at", "status", "order", "reason", "refunded_total_minor"];
interface Menu {
  readonly pizzas: readonly {
    readonly id: string;
    readonly extras: readonly string[];
    readonly ingredients: readonly { readonly name: { readonly ru: string } }[];
  }[];
}

const fail = (what: string): never => {
  throw new Error(`nothing of ${what}`);
};
const allBut = (events: Record<string, string[]>, type: string): Record<string, string[]> =>
  Object.fromEntries(Object.entries(events).filter(([each]) => each !== type));
