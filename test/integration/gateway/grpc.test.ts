import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import path from "node:path";
import { status, type ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ServiceBroker, type ActionSchema } from "moleculer";
import { Root } from "protobufjs";
import type { CallMeta, Ctx } from "../../../mixins/contract/caller";
import type { ActionContract } from "../../../mixins/contract/contract";
import { implement } from "../../../mixins/contract/implement";
import { refuse, RefusedError, UnavailableError } from "../../../mixins/contract/refusal";
import { LogFeed } from "../../../mixins/event-feed/log-feed";
import { readinessOf } from "../../../mixins/health/readiness";
import { metricsOf } from "../../../mixins/metrics/metrics";
import type { Runtime } from "../../../mixins/runtime";
import { callLimitsOf, type CallLimits, type LimitedCall } from "../../../services/gateway/call-limits";
import { createGrpcService, grpcPortOf } from "../../../services/gateway/grpc/grpc.service";
import {
  cancelTrackedOrder,
  orderContracts,
  placeOrder,
  placeOrderAtDesk,
} from "../../../services/order/order.contract";
import { orderViewFor } from "../../../services/order/order.view";
import { freeSlots, listSlots } from "../../../services/slot/slot.contract";
import { loadSettings } from "../../../settings";
import { eventually } from "../../support/eventually";
import { GrpcClient, serviceOf, type Stream } from "../../support/grpc-client";
import { MemoryLog } from "../../support/memory-log";
import {
  BRANCH_A,
  cancelled,
  PHONE,
  placed,
  refunded,
  sampleOrder,
  stepped,
  type SampleOrder,
} from "../../support/order-events";
import { HeldClock, TestVerifier } from "../../support/socket-node";

type Handler = (ctx: Ctx<Record<string, unknown>>) => unknown;

/** Rooms that answer as the test says, behind the real contracts: permission and validation are as in the product. */
class Rooms {
  readonly calls: { action: string; params: Record<string, unknown>; meta: CallMeta }[] = [];
  readonly #answers = new Map<string, Handler>();

  answers(contract: ActionContract | string, handler: Handler): void {
    this.#answers.set(typeof contract === "string" ? contract : contract.name, handler);
  }

  services() {
    const room = (name: string, contracts: readonly ActionContract[]) => ({
      ...{ name, version: 1, settings: { $noVersionPrefix: true } },
      actions: Object.fromEntries(
        contracts.map((contract): [string, ActionSchema] => [
          contract.name.split(".")[1] ?? "",
          implement(contract, (ctx) => this.#answer(contract, ctx)),
        ]),
      ),
    });
    return [room("order", orderContracts), room("slot", [listSlots, freeSlots])];
  }

  #answer({ name }: ActionContract, ctx: Ctx<object>): never {
    const params = ctx.params as Record<string, unknown>;
    this.calls.push({ action: name, params: structuredClone(params), meta: structuredClone(ctx.meta) });
    const handler = this.#answers.get(name);
    if (handler === undefined) throw new Error(`${name} was not expected`);
    return handler(ctx as Ctx<Record<string, unknown>>) as never;
  }
}

const placedAnswer = (order: SampleOrder) => {
  const { data } = placed(order);
  const [slot] = data.shares;
  return {
    ...{ order_id: order.order_id, display_id: data.display_id, status: "pending", items: data.items },
    ...{ items_total_minor: 109_800, delivery_fee_minor: 500, discount_minor: 300, total_minor: 110_000 },
    ...{ currency: "RUB", slot: { slot_id: slot?.slot_id, start: slot?.start, end: slot?.end } },
    ...{
      ready_at: data.ready_at,
      visible_at: data.visible_at,
      track_url: "/track/abc",
      position: 42,
      preorder: false,
    },
  };
};

const WISH = {
  ...{
    fulfilment: "FULFILMENT_DELIVERY",
    address: "Lenin street 5",
    payment_method: "PAYMENT_METHOD_CARD_ONLINE",
  },
  customer: { name: "Anna", phone: PHONE },
  preferred_time: { seconds: 1_767_261_600, nanos: 250_000_000 },
  items: [
    { name: "Pepperoni", quantity: 2, exclude_ingredients: ["basil"] },
    { menu_item_id: "01990000-0000-7000-8000-000000000001", quantity: 1 },
  ],
};

describe("gRPC", () => {
  const clock = new HeldClock();
  const verifier = new TestVerifier(clock);
  let broker: ServiceBroker;
  let log: MemoryLog;
  let rooms: Rooms;
  let client: GrpcClient;
  let limits: CallLimits;
  const logged: unknown[][] = [];
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const as = (role: "customer" | "manager" | "cook", user_id = randomUUID()) =>
    bearer(verifier.issue(role, { user_id }));

  beforeEach(async () => {
    log = new MemoryLog();
    rooms = new Rooms();
    broker = new ServiceBroker({ nodeID: `grpc-${randomUUID()}`, logger: false, validator: false });
    logged.length = 0;
    broker.logger.error = (...args: unknown[]) => void logged.push(args);
    const settings = loadSettings({ GRPC_PORT: "0", HOST: "127.0.0.1", SOCKET_ADDRESS_MAX: "3" });
    const ids = { uuid: randomUUID, token: () => randomBytes(16).toString("base64url") };
    const feed = new LogFeed({ log, logger: broker.logger });
    const runtime = { settings, broker, log, feed, clock, ids } as unknown as Runtime;
    limits = callLimitsOf(runtime);
    for (const service of rooms.services()) broker.createService(service);
    broker.createService(createGrpcService(runtime, verifier));
    await broker.start();
    client = GrpcClient.orders(grpcPortOf(broker));
  });
  afterEach(async () => {
    client.close();
    await broker.stop();
  });

  describe("CreateOrder", () => {
    it("places many items and answers with ids, slot, times and totals", async () => {
      const order = sampleOrder();
      rooms.answers("order.place", () => placedAnswer(order));
      const { answer, error, headers } = await client.call("CreateOrder", WISH, as("customer"));
      expect(error).toBeNull();
      expect(answer).toMatchObject({
        ...{ order_id: order.order_id, display_id: "K-1", status: "ORDER_STATUS_PENDING", position: 42 },
        ...{ items_total_minor: 109_800, delivery_fee_minor: 500, discount_minor: 300, total_minor: 110_000 },
        ...{ currency: "RUB", track_url: "/track/abc", preorder: false },
        slot: { slot_id: `${BRANCH_A}_20260101T1030Z`, start: { seconds: 1_767_263_400, nanos: 0 } },
        ready_at: { seconds: 1_767_264_300, nanos: 0 },
      });
      expect(answer["items"]).toMatchObject([
        {
          kind: "pizza",
          name: { en: "Pepperoni" },
          quantity: 2,
          unit_price_minor: 54_900,
          line_total_minor: 109_800,
        },
      ]);
      expect(headers.get("request-id")).toHaveLength(1);
      expect(rooms.calls[0]?.params).toEqual({
        ...{
          channel: "grpc",
          fulfilment: "delivery",
          address: "Lenin street 5",
          payment_method: "card_online",
        },
        ...{ customer: { name: "Anna", phone: PHONE }, preferred_time: "2026-01-01T10:00:00.250Z" },
        items: [
          { name: "Pepperoni", quantity: 2, extras: [], exclude_ingredients: ["basil"] },
          {
            menu_item_id: "01990000-0000-7000-8000-000000000001",
            quantity: 1,
            extras: [],
            exclude_ingredients: [],
          },
        ],
      });
    });

    it("takes guests, and the desk orders for others", async () => {
      rooms.answers("order.place", () => placedAnswer(sampleOrder()));
      rooms.answers("order.place_at_desk", () => placedAnswer(sampleOrder()));
      await client.call("CreateOrder", WISH);
      await client.call("CreateOrder", WISH, as("manager"));
      expect(rooms.calls.map(({ action, meta }) => [action, meta.caller?.role])).toEqual([
        ["order.place", "guest"],
        ["order.place_at_desk", "manager"],
      ]);
    });

    it("gives the same key the same command, and says when the answer was given before", async () => {
      const seen = new Map<string, object>();
      rooms.answers("order.place", (ctx) => {
        const id = ctx.meta.command?.id ?? "";
        const first = seen.get(id);
        if (first !== undefined) ctx.meta.replayed = true;
        const answer = first ?? placedAnswer(sampleOrder());
        seen.set(id, answer);
        return answer;
      });
      const headers = { ...as("customer"), "idempotency-key": "once" };
      const first = await client.call("CreateOrder", WISH, headers);
      const second = await client.call("CreateOrder", WISH, headers);
      expect(second.answer).toEqual(first.answer);
      expect(first.headers.get("idempotent-replay")).toEqual([]);
      expect(second.headers.get("idempotent-replay")).toEqual(["true"]);
      const [one, two] = rooms.calls.map(({ meta }) => meta.command);
      expect(one).toEqual(two);
      await client.call("CreateOrder", { ...WISH, notes: "more basil" }, headers);
      expect(rooms.calls[2]?.meta.command).toMatchObject({ id: one?.id });
      expect(rooms.calls[2]?.meta.command?.fingerprint).not.toBe(one?.fingerprint);
      const bad = await client.call("CreateOrder", WISH, { "idempotency-key": "with space" });
      expect(codes(bad.error)).toEqual([status.INVALID_ARGUMENT, "idempotency.bad_key"]);
    });

    it("names the wrong fields as google.rpc.BadRequest", async () => {
      const { error } = await client.call("CreateOrder", {
        ...{ fulfilment: "FULFILMENT_PICKUP", items: [{ name: "Pepperoni", quantity: 0 }] },
      });
      expect(codes(error)).toEqual([status.INVALID_ARGUMENT, "input.invalid"]);
      const details = detailsOf(error);
      expect(details.violations.map(({ field }) => field).sort()).toEqual([
        "items[0].quantity",
        "payment_method",
      ]);
      expect(details).toMatchObject({ reason: "input.invalid", code: status.INVALID_ARGUMENT });
    });

    it("refuses times outside the calendar and quantities outside the contract", async () => {
      const tooLate = { ...WISH, preferred_time: { seconds: 9e15, nanos: 0 } };
      const negative = { ...WISH, items: [{ name: "Pepperoni", quantity: -1 }] };
      const unstorable = { ...WISH, notes: "a\0b" };
      for (const wish of [tooLate, negative, unstorable, { ...WISH, items: [] }]) {
        const { error } = await client.call("CreateOrder", wish);
        expect(codes(error)).toEqual([status.INVALID_ARGUMENT, "input.invalid"]);
      }
      expect(rooms.calls).toEqual([]);
    });

    it("shares the limits of REST, by address for guests, by account for others, the desk's too", async () => {
      rooms.answers("order.place", () => placedAnswer(sampleOrder()));
      rooms.answers("order.place_at_desk", () => placedAnswer(sampleOrder()));
      rooms.answers("order.cancel_tracked", () => refuse("conflict", "order.already_closed", "Closed."));
      const [customer_id, manager_id] = [randomUUID(), randomUUID()];
      const used = async (call: LimitedCall, times: number): Promise<void> => {
        for (let n = 0; n < times; n += 1) await limits.count(call);
      };
      const [guest, address] = [{ role: "guest", user_id: null } as const, "127.0.0.1"];
      const other = { address: "203.0.113.7" };
      await used({ contract: placeOrder, caller: guest, address }, 30);
      await used({ contract: placeOrder, caller: { role: "customer", user_id: customer_id }, ...other }, 30);
      await used(
        { contract: placeOrderAtDesk, caller: { role: "manager", user_id: manager_id }, ...other },
        1_200,
      );
      await used({ contract: cancelTrackedOrder, caller: guest, address }, 30);
      const limited = [status.RESOURCE_EXHAUSTED, "rate.limited"];
      for (const headers of [{}, as("customer", customer_id), as("manager", manager_id)])
        expect(codes((await client.call("CreateOrder", WISH, headers)).error)).toEqual(limited);
      const cancel = { track_token: "t".repeat(22) };
      expect(codes((await client.call("CancelOrder", cancel)).error)).toEqual(limited);
      expect((await client.call("CreateOrder", WISH, as("customer"))).error).toBeNull();
      expect((await client.call("CreateOrder", WISH, as("manager"))).error).toBeNull();
    });

    it("limits the orders of one address", async () => {
      rooms.answers("order.place", () => placedAnswer(sampleOrder()));
      const outcomes = await Promise.all(Array.from({ length: 40 }, () => client.call("CreateOrder", WISH)));
      const refused = outcomes.filter(({ error }) => error !== null);
      expect(refused.length).toBeGreaterThan(0);
      expect(codes(refused[0]?.error ?? null)).toEqual([status.RESOURCE_EXHAUSTED, "rate.limited"]);
      expect(Number(refused[0]?.error?.metadata.get("retry-after")[0])).toBeGreaterThan(0);
    });

    it("gives the action the address of the client, not of a proxy that nobody trusts", async () => {
      rooms.answers("order.place", () => placedAnswer(sampleOrder()));
      await client.call("CreateOrder", WISH, { "x-forwarded-for": "203.0.113.7" });
      expect(rooms.calls[0]?.meta.client_address).toBe("127.0.0.1");
    });

    it("refuses a message over the size limit", async () => {
      const { error } = await client.call("CreateOrder", { ...WISH, notes: "x".repeat(300_000) });
      expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    });
  });

  describe("every method", () => {
    it.each([
      ["invalid", status.INVALID_ARGUMENT],
      ["unauthorized", status.UNAUTHENTICATED],
      ["forbidden", status.PERMISSION_DENIED],
      ["not_found", status.NOT_FOUND],
      ["conflict", status.FAILED_PRECONDITION],
      ["unprocessable", status.FAILED_PRECONDITION],
      ["rate_limited", status.RESOURCE_EXHAUSTED],
    ] as const)("turns a refusal of kind %s into its status", async (kind, code) => {
      rooms.answers("order.get", () => {
        throw new RefusedError(refuse(kind, "some.reason", "No.", { next_free: ["soon"] }));
      });
      const { error } = await client.call("GetOrder", { order_id: randomUUID() }, as("manager"));
      expect(codes(error)).toEqual([code, "some.reason"]);
      expect(error?.details).toBe("No.");
      expect(detailsOf(error).metadata).toEqual({ next_free: '["soon"]' });
    });

    it("turns a fault into UNAVAILABLE with a time to come back", async () => {
      rooms.answers("order.get", () => {
        throw new UnavailableError("log.unavailable", "The log does not answer.", { retry_after_s: 3 });
      });
      const { error } = await client.call("GetOrder", { order_id: randomUUID() }, as("manager"));
      expect(codes(error)).toEqual([status.UNAVAILABLE, "log.unavailable"]);
      expect(error?.metadata.get("retry-after")).toEqual(["3"]);
    });

    it("hides a defect behind INTERNAL and logs it under the request's id", async () => {
      rooms.answers("order.get", () => {
        throw new Error("secret table users");
      });
      const { error } = await client.call("GetOrder", { order_id: randomUUID() }, as("manager"));
      expect(codes(error)).toEqual([status.INTERNAL, "internal"]);
      expect(error?.details).not.toContain("secret");
      expect(String(logged[0]?.[0])).toContain(String(error?.metadata.get("request-id")[0]));
    });

    it("refuses a token that is no good, also where guests may go", async () => {
      for (const authorization of ["Bearer forged", "Basic abc", "Bearer"]) {
        const { error } = await client.call("CreateOrder", WISH, { authorization });
        expect(error?.code).toBe(status.UNAUTHENTICATED);
      }
      const short = bearer(verifier.issue("manager", {}, 1_000));
      clock.advance(1_001);
      const { error } = await client.call("GetOrder", { order_id: randomUUID() }, short);
      expect(codes(error)).toEqual([status.UNAUTHENTICATED, "auth.token_expired"]);
    });

    it("honours the deadline, whoever of the two notices first that it has passed", async () => {
      rooms.answers("order.get", () => new Promise(() => undefined));
      const ask = () => client.call("GetOrder", { order_id: randomUUID() }, as("manager"), Date.now() + 100);
      const answers = await Promise.all(Array.from({ length: 100 }, ask));
      expect(new Set(answers.map(({ error }) => error?.code))).toEqual(new Set([status.DEADLINE_EXCEEDED]));
    });

    it("answers UNIMPLEMENTED to a method that is none", async () => {
      const proto = loadSync("stranger.proto", { includeDirs: [path.resolve(__dirname, "fixtures")] });
      const stranger = new GrpcClient(grpcPortOf(broker), serviceOf(proto, "forno.order.v1.OrderService"));
      expect((await stranger.call("DropTables", {})).error?.code).toBe(status.UNIMPLEMENTED);
      stranger.close();
    });
  });

  describe("GetOrder", () => {
    const order = sampleOrder();
    const view = (role: "manager" | "customer" | "cook" | "guest") => () =>
      orderViewFor(role, placed(order).data);

    it("reads as staff, as the one who ordered, or by the tracking token", async () => {
      rooms.answers("order.get", view("cook"));
      rooms.answers("order.get_mine", view("customer"));
      rooms.answers("order.track", view("guest"));
      const cook = await client.call("GetOrder", { order_id: order.order_id, after_position: 7 }, as("cook"));
      const customer = await client.call("GetOrder", { order_id: order.order_id }, as("customer"));
      const guest = await client.call("GetOrder", { track_token: "a-tracking-token" });
      expect(rooms.calls.map(({ action, params }) => [action, params])).toEqual([
        ["order.get", { order_id: order.order_id, after: 7 }],
        ["order.get_mine", { order_id: order.order_id }],
        ["order.track", { token: "a-tracking-token" }],
      ]);
      expect(cook.answer["order"]).toMatchObject({
        status: "ORDER_STATUS_PENDING",
        fulfilment: "FULFILMENT_DELIVERY",
      });
      expect(cook.answer["order"]).not.toHaveProperty("total_minor");
      expect(cook.answer["order"]).toMatchObject({ customer: null });
      expect(customer.answer["order"]).toMatchObject({
        ...{ total_minor: 109_800, payment_method: "PAYMENT_METHOD_CASH", discount_minor: 0 },
        customer: { phone: PHONE },
      });
      expect(guest.answer["order"]).toMatchObject({ order_id: order.order_id, display_id: "K-1" });
    });

    it("wants to know which order", async () => {
      const { error } = await client.call("GetOrder", {}, as("manager"));
      expect(codes(error)).toEqual([status.INVALID_ARGUMENT, "input.invalid"]);
      expect(detailsOf(error).violations[0]?.field).toBe("order_id");
    });

    it("lets no guest read by id", async () => {
      const { error } = await client.call("GetOrder", { order_id: order.order_id });
      expect(codes(error)).toEqual([status.UNAUTHENTICATED, "auth.required"]);
    });
  });

  describe("CancelOrder", () => {
    it("cancels as staff with a reason, as the one who ordered, or by the tracking token", async () => {
      const order_id = randomUUID();
      const change = {
        order_id,
        display_id: "K-1",
        status: "cancelled",
        at: "2026-01-01T10:00:00.000Z",
        position: 9,
      };
      for (const name of ["order.cancel", "order.cancel_mine", "order.cancel_tracked"])
        rooms.answers(name, () => change);
      const { answer } = await client.call("CancelOrder", { order_id, reason: "sold out" }, as("manager"));
      expect(answer).toMatchObject({
        order_id,
        status: "ORDER_STATUS_CANCELLED",
        position: 9,
        at: { seconds: 1_767_261_600 },
      });
      await client.call("CancelOrder", { order_id }, as("customer"));
      await client.call("CancelOrder", { track_token: "a-tracking-token" });
      expect(rooms.calls.map(({ action }) => action)).toEqual([
        "order.cancel",
        "order.cancel_mine",
        "order.cancel_tracked",
      ]);
      expect(rooms.calls.every(({ meta }) => meta.command !== undefined)).toBe(true);
      const silent = await client.call("CancelOrder", { order_id }, as("manager"));
      expect(codes(silent.error)).toEqual([status.INVALID_ARGUMENT, "input.invalid"]);
    });
  });

  describe("ListSlots", () => {
    const slot = { slot_id: "s1", start: "2026-01-01T10:30:00.000Z", end: "2026-01-01T10:45:00.000Z" };

    it("shows staff the board, zeros and unset plans told apart", async () => {
      const full = {
        ...{ ...slot, branch_id: BRANCH_A, capacity_minor: 1_000_000, load_minor: 0, orders_count: 0 },
        ...{ delivery_count: 0, pickup_count: 0, delivery_plan: null, pickup_plan: 0, disabled: false },
      };
      rooms.answers(listSlots, () => ({ items: [full], next_cursor: null }));
      const { answer } = await client.call(
        "ListSlots",
        {
          branch_id: BRANCH_A,
          from: { seconds: 1_767_261_600, nanos: 0 },
          to: { seconds: 1_767_265_200, nanos: 0 },
        },
        as("cook"),
      );
      expect(answer["slots"]).toMatchObject([
        { slot_id: "s1", load_minor: 0, pickup_plan: 0, disabled: false },
      ]);
      expect((answer["slots"] as object[])[0]).not.toHaveProperty("delivery_plan");
      expect(rooms.calls[0]?.params).toEqual({
        ...{ branch_id: BRANCH_A, from: "2026-01-01T10:00:00.000Z", to: "2026-01-01T11:00:00.000Z" },
      });
    });

    it("shows everybody else the free times", async () => {
      rooms.answers(freeSlots, () => ({ branch_id: BRANCH_A, items: [slot] }));
      const { answer } = await client.call("ListSlots", {});
      expect(answer["slots"]).toMatchObject([{ slot_id: "s1", start: { seconds: 1_767_263_400, nanos: 0 } }]);
      expect((answer["slots"] as object[])[0]).not.toHaveProperty("capacity_minor");
    });
  });

  describe("WatchOrder", () => {
    let order: SampleOrder;
    beforeEach(() => {
      order = sampleOrder();
      const view = (role: "manager" | "guest") => () => orderViewFor(role, placed(order).data);
      rooms.answers("order.get", view("manager"));
      rooms.answers("order.track", view("guest"));
    });
    const watch = (request: object, headers: Record<string, string> = as("manager")) =>
      watched(client.stream("WatchOrder", { order_id: order.order_id, ...request }, headers));

    it("tells what happened, then what happens, and ends when the order is closed", async () => {
      log.write(placed(order), placed(sampleOrder()), stepped(order, "pending", "preparing"));
      const seen = watch({});
      await seen.count(2);
      log.write(stepped(sampleOrder(), "pending", "cooking"), stepped(order, "preparing", "cooking"));
      await seen.count(3);
      log.write(refunded(order), cancelled(order));
      expect(await seen.end()).toBeUndefined();
      expect(seen.updates.map(({ position, type, status: now }) => [position, type, now])).toEqual([
        [1, "order.placed", "ORDER_STATUS_PENDING"],
        [3, "order.status_changed", "ORDER_STATUS_PREPARING"],
        [5, "order.status_changed", "ORDER_STATUS_COOKING"],
        [6, "order.refunded", "ORDER_STATUS_COOKING"],
        [7, "order.cancelled", "ORDER_STATUS_CANCELLED"],
      ]);
      expect(seen.updates[0]?.["order"]).toMatchObject({ total_minor: 109_800 });
      expect(seen.updates[3]).toMatchObject({ refunded_total_minor: 100, reason: "cold pizza" });
    });

    it("resumes after a position without a gap or a double", async () => {
      log.write(
        placed(order),
        stepped(order, "pending", "preparing"),
        stepped(order, "preparing", "cooking"),
      );
      const seen = watch({ after_position: 2 });
      await seen.count(1);
      log.write(stepped(order, "cooking", "delivered"));
      await seen.end();
      expect(seen.updates.map(({ position, status: now }) => [position, now])).toEqual([
        [3, "ORDER_STATUS_COOKING"],
        [4, "ORDER_STATUS_DELIVERED"],
      ]);
    });

    it("misses nothing while the order changes as fast as it is read", async () => {
      log.write(placed(order));
      const all = Array.from({ length: 5 }, () => watch({}));
      for (let i = 0; i < 200; i++) {
        log.write(stepped(order, "pending", "preparing"));
        if (i % 7 === 0) await new Promise(setImmediate);
      }
      log.write(cancelled(order));
      await Promise.all(all.map((seen) => seen.end()));
      for (const { updates } of all)
        expect(updates.map(({ position }) => position)).toEqual(Array.from({ length: 202 }, (_, i) => i + 1));
    });

    it("shows whoever holds the tracking token no personal data", async () => {
      log.write(placed(order), cancelled(order));
      const seen = watched(client.stream("WatchOrder", { track_token: "a-tracking-token" }));
      await seen.end();
      expect(seen.updates).toHaveLength(2);
      expect(JSON.stringify(seen.updates)).not.toContain(PHONE);
      expect(JSON.stringify(seen.updates)).not.toContain("changed their mind");
    });

    it("refuses as GetOrder does", async () => {
      rooms.answers("order.get", () => {
        throw new RefusedError(refuse("not_found", "order.unknown", "No such order."));
      });
      expect(codes((await watch({}).end()) ?? null)).toEqual([status.NOT_FOUND, "order.unknown"]);
    });

    it("lets go of a watch that its client has cancelled", async () => {
      log.write(placed(order));
      const seen = watch({});
      await seen.count(1);
      expect(await watches()).toBe(1);
      seen.stream.cancel();
      await eventually(async () => {
        expect(await watches()).toBe(0);
      });
    });

    it("ends with UNAUTHENTICATED when the token has expired", async () => {
      log.write(placed(order));
      const seen = watch({}, bearer(verifier.issue("manager", {}, 1_000)));
      await seen.count(1);
      clock.advance(1_001);
      log.write(stepped(order, "pending", "preparing"));
      expect(codes((await seen.end()) ?? null)).toEqual([status.UNAUTHENTICATED, "auth.token_expired"]);
      expect(seen.updates).toHaveLength(1);
    });

    it("lets no more guests of an address watch than there are places, however many come at once", async () => {
      log.write(placed(order));
      rooms.answers("order.track", async () => {
        for (let turns = 0; turns < 50; turns++) await new Promise(setImmediate);
        return orderViewFor("guest", placed(order).data);
      });
      const guests = Array.from({ length: 12 }, () =>
        watched(client.stream("WatchOrder", { track_token: "a-tracking-token" })),
      );
      await eventually(() => {
        expect(guests.filter(({ updates }) => updates.length > 0)).toHaveLength(3);
      });
      const refused = guests.filter(({ updates }) => updates.length === 0);
      for (const seen of refused)
        expect(codes((await seen.end()) ?? null)).toEqual([status.RESOURCE_EXHAUSTED, "watch.too_many"]);
      const staff = Array.from({ length: 5 }, () => watch({}));
      await Promise.all(staff.map((seen) => seen.count(1)));
      expect(await places("guests")).toBe(3);
      expect(await places("staff")).toBe(5);
      for (const { stream } of [...guests, ...staff]) stream.cancel();
      await eventually(async () => {
        expect(await Promise.all(["guests", "staff", "waiting"].map(places))).toEqual([0, 0, 0]);
      });
      const late = watched(client.stream("WatchOrder", { track_token: "a-tracking-token" }));
      await late.count(1);
    });

    it("gives back the place of a watch that is refused", async () => {
      rooms.answers("order.track", () => {
        throw new RefusedError(refuse("not_found", "order.unknown", "No such order."));
      });
      for (let no = 0; no < 8; no++) {
        const seen = watched(client.stream("WatchOrder", { track_token: "nobodys-tracking-token" }));
        expect(codes((await seen.end()) ?? null)).toEqual([status.NOT_FOUND, "order.unknown"]);
      }
      expect(await places("guests")).toBe(0);
    });

    it("is told to resume elsewhere when the node stops", async () => {
      log.write(placed(order));
      const seen = watch({});
      await seen.count(1);
      await broker.stop();
      expect(codes((await seen.end()) ?? null)).toEqual([status.UNAVAILABLE, "server.stopping"]);
    });

    const places = async (who: string): Promise<number> =>
      Number(
        new RegExp(`^forno_grpc_places\\{who="${who}"\\} (\\d+)$`, "m").exec(
          await metricsOf(broker).render(),
        )?.[1],
      );
    const watches = async (): Promise<number> =>
      Number(/^forno_grpc_watches (\d+)$/m.exec(await metricsOf(broker).render())?.[1]);
  });

  describe("beside the orders", () => {
    it("shows the node's readiness by the standard health service", async () => {
      const health = GrpcClient.health(grpcPortOf(broker));
      const check = async (service: string) => (await health.call("Check", { service })).answer["status"];
      expect(await check("forno.order.v1.OrderService")).toBe("NOT_SERVING");
      readinessOf(broker).ready();
      await eventually(async () => {
        expect([await check(""), await check("forno.order.v1.OrderService")]).toEqual(["SERVING", "SERVING"]);
      });
      const unknown = await health.call("Check", { service: "nobody" });
      expect(unknown.error?.code).toBe(status.NOT_FOUND);
      health.close();
    });

    it("lists and describes its services by server reflection", async () => {
      const proto = path.resolve(
        "node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto",
      );
      const reflection = loadSync(proto, { keepCase: true });
      const asker = new GrpcClient(
        grpcPortOf(broker),
        serviceOf(reflection, "grpc.reflection.v1.ServerReflection"),
      );
      const dialogue = asker.stream("ServerReflectionInfo", {}) as Stream & {
        write(request: object): void;
        end(): void;
      };
      const ask = async (request: object) => {
        dialogue.write(request);
        const [answer] = (await once(dialogue, "data")) as [Record<string, Record<string, unknown>>];
        return answer;
      };
      const listed = await ask({ list_services: "*" });
      const names = (listed["list_services_response"]?.["service"] as { name: string }[]).map(
        ({ name }) => name,
      );
      expect(names).toEqual(expect.arrayContaining(["forno.order.v1.OrderService", "grpc.health.v1.Health"]));
      const described = await ask({ file_containing_symbol: "forno.order.v1.OrderService" });
      const files = described["file_descriptor_response"]?.["file_descriptor_proto"] as Buffer[];
      expect(Buffer.concat(files).toString("latin1")).toContain("WatchOrder");
      dialogue.end();
      asker.close();
    });
  });
});

interface Update {
  readonly position: number;
  readonly type: string;
  readonly status: string;
  readonly [field: string]: unknown;
}

/** A stream, as far as it has come. */
function watched(stream: Stream) {
  const updates: Update[] = [];
  let ended: { error?: ServiceError } | undefined;
  stream.on("data", (update: Update) => updates.push(update));
  stream.on("error", (error: ServiceError) => (ended ??= { error }));
  stream.on("end", () => (ended ??= {}));
  return {
    stream,
    updates,
    count: (wanted: number) => eventually(() => expect(updates.length).toBeGreaterThanOrEqual(wanted)),
    end: () =>
      eventually(() => {
        if (ended === undefined) throw new Error(`still open after ${updates.length}`);
        return ended.error;
      }),
  };
}

const codes = (error: ServiceError | null) => [error?.code, error?.metadata.get("forno-code")[0]];

/** google.rpc.Status, read by a schema of its own. */
function detailsOf(error: ServiceError | null) {
  const root = Root.fromJSON({
    nested: {
      Any: { fields: { type_url: { type: "string", id: 1 }, value: { type: "bytes", id: 2 } } },
      Status: {
        fields: {
          code: { type: "int32", id: 1 },
          message: { type: "string", id: 2 },
          details: { rule: "repeated", type: "Any", id: 3 },
        },
      },
      Violation: { fields: { field: { type: "string", id: 1 }, description: { type: "string", id: 2 } } },
      BadRequest: { fields: { violations: { rule: "repeated", type: "Violation", id: 1 } } },
      Pair: { fields: { key: { type: "string", id: 1 }, value: { type: "string", id: 2 } } },
      ErrorInfo: {
        fields: {
          reason: { type: "string", id: 1 },
          domain: { type: "string", id: 2 },
          metadata: { rule: "repeated", type: "Pair", id: 3 },
        },
      },
    },
  });
  const decode = (type: string, bytes: Uint8Array) => root.lookupType(type).decode(bytes).toJSON() as unknown;
  const bytes = error?.metadata.get("grpc-status-details-bin")[0] as Buffer;
  const read = root.lookupType("Status").decode(bytes) as unknown as {
    code: number;
    details: { type_url: string; value: Uint8Array }[];
  };
  const part = (type: string) =>
    read.details.find(({ type_url }) => type_url === `type.googleapis.com/google.rpc.${type}`);
  const info = part("ErrorInfo");
  const bad = part("BadRequest");
  const errorInfo =
    info &&
    (decode("ErrorInfo", info.value) as { reason: string; metadata?: { key: string; value: string }[] });
  const violations =
    bad && (decode("BadRequest", bad.value) as { violations: { field: string }[] }).violations;
  return {
    code: read.code,
    reason: errorInfo?.reason,
    metadata: Object.fromEntries((errorInfo?.metadata ?? []).map(({ key, value }) => [key, value])),
    violations: violations ?? [],
  };
}
