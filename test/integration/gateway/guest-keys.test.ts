import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { entities } from "../../../entities/entities";
import { httpServerOf } from "../../../mixins/rest/http-server";
import { createGrpcService, grpcPortOf } from "../../../services/gateway/grpc/grpc.service";
import { createHttpService } from "../../../services/gateway/http/http.service";
import { createSocketService } from "../../../services/gateway/socket/socket.service";
import { orderContracts } from "../../../services/order/order.contract";
import { eventually } from "../../support/eventually";
import { GrpcClient } from "../../support/grpc-client";
import { heardOf, news, PlainListener } from "../../support/listener";
import { OrderNode } from "../../support/order-room";
import { BRANCH } from "../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { TestVerifier } from "../../support/socket-node";

/** As in the README: two people have typed it. */
const KEY = "my-first-order";
const CART = "a-cart-token-of-somebody";

interface Placed {
  readonly order_id: string;
  readonly track_url: string;
  readonly code?: string;
}
interface Answer<T = Placed> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

const tokenOf = (url: string): string => url.split("/").at(-1) ?? "";
const cookieOf = ({ headers }: Answer): string => headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
const isReplay = ({ headers }: { headers: Headers }): boolean => headers.get("idempotent-replay") === "true";

describe("guests who use the same Idempotency-Key", () => {
  let db: TestDatabase;
  let node: OrderNode;
  let grpc: GrpcClient;
  let port: number;
  let pizza: string;

  beforeAll(async () => {
    db = await startTestDatabase({ entities: [...entities] });
    node = await OrderNode.start(db, undefined, {
      env: { PORT: "0", GRPC_PORT: "0", HOST: "127.0.0.1", RATE_LIMIT: "off" },
      rooms: [
        (runtime) => createHttpService(runtime, orderContracts, new TestVerifier(runtime.clock)),
        (runtime) => createSocketService(runtime, new TestVerifier(runtime.clock)),
        (runtime) => createGrpcService(runtime, new TestVerifier(runtime.clock)),
      ],
    });
    await node.furnish();
    ({ port } = httpServerOf(node.runtime.broker).address() as AddressInfo);
    grpc = GrpcClient.orders(grpcPortOf(node.runtime.broker));
    const menu = (await (await fetch(`http://127.0.0.1:${port}/api/v1/menu`)).json()) as {
      pizzas: { id: string }[];
    };
    pizza = menu.pizzas[0]?.id ?? "";
  });
  afterAll(async () => {
    grpc.close();
    await node.stop();
    await db.stop();
  });

  async function post<T = Placed>(
    path: string,
    body: object,
    headers: Record<string, string>,
  ): Promise<Answer<T>> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as T };
  }
  const wish = (more: object = {}) => ({
    ...{ branch_id: BRANCH, fulfilment: "pickup", payment_method: "cash" },
    ...{ items: [{ menu_item_id: pizza, quantity: 1 }], ...more },
  });
  const place = (headers: Record<string, string> = {}, more: object = {}): Promise<Answer> =>
    post("/api/v1/order", wish(more), { "idempotency-key": KEY, ...headers });
  const cancel = ({ body }: Answer, headers: Record<string, string>) =>
    post(`/api/v1/track/${tokenOf(body.track_url)}/cancel`, {}, headers);

  describe("over REST", () => {
    it("have an order each, a link each, and only that one to cancel", async () => {
      const [one, two] = [await place(), await place()];
      expect([one.status, two.status, isReplay(one), isReplay(two)]).toEqual([201, 201, false, false]);
      expect(two.body.order_id).not.toBe(one.body.order_id);
      expect(two.body.track_url).not.toBe(one.body.track_url);
      const cancelled = await cancel(two, { "idempotency-key": "no-more" });
      expect(cancelled).toMatchObject({ status: 200, body: { order_id: two.body.order_id } });
      const other = await cancel(one, { "idempotency-key": "no-more" });
      expect(other).toMatchObject({ status: 200, body: { order_id: one.body.order_id } });
    });

    it("are not refused because somebody else has used the key", async () => {
      expect((await place({}, { notes: "without onions" })).status).toBe(201);
      expect((await place({}, { notes: "with onions" })).status).toBe(201);
    });

    it.each<[string, (first: Answer) => Record<string, string>]>([
      ["the cookie", (first) => ({ cookie: cookieOf(first) })],
      ["the header", (first) => ({ "x-guest-token": first.headers.get("x-guest-token") ?? "" })],
    ])("are known again by %s that the first answer brought", async (_, carried) => {
      const first = await place();
      const headers = carried(first);
      const again = await place(headers);
      expect(again.body).toEqual(first.body);
      expect(isReplay(again)).toBe(true);
      expect(await place(headers, { notes: "another" })).toMatchObject({
        status: 409,
        body: { code: "idempotency.key_reused" },
      });
      expect(cookieOf(again)).toBe("");
    });

    it.each<[string, Record<string, string>]>([
      ["by a token of their own", { "x-guest-token": randomUUID() }],
      ["by the cart in a browser", { cookie: `forno_cart=${CART}` }],
      ["by a key that is a random UUID", { "idempotency-key": randomUUID() }],
    ])("have one order although the first answer was lost, %s", async (_, headers) => {
      const lost = await place(headers);
      expect(lost.status).toBe(201);
      const again = await place(headers);
      expect(again.body).toEqual(lost.body);
      expect(isReplay(again)).toBe(true);
    });

    it("keep a token also where the first answer was a refusal", async () => {
      const many = { items: [{ menu_item_id: pizza, quantity: 0 }] };
      const unknown = { items: [{ menu_item_id: randomUUID(), quantity: 1 }] };
      expect((await place({}, many)).status).toBe(400);
      const refused = await place({}, unknown);
      expect(refused.status).toBe(422);
      const headers = { cookie: cookieOf(refused) };
      expect(headers.cookie).toMatch(/^forno_guest=/);
      expect((await place(headers)).body.code).toBe("idempotency.key_reused");
    });

    it("are told what a token is", async () => {
      expect(await place({ "x-guest-token": "anna" })).toMatchObject({
        status: 400,
        body: { code: "guest.bad_token" },
      });
    });
  });

  describe("over gRPC", () => {
    const create = (headers: Record<string, string> = {}, more: object = {}) =>
      grpc.call(
        "CreateOrder",
        {
          ...{ branch_id: BRANCH, fulfilment: "FULFILMENT_PICKUP", payment_method: "PAYMENT_METHOD_CASH" },
          ...{ items: [{ menu_item_id: pizza, quantity: 1 }], ...more },
        },
        { "idempotency-key": KEY, ...headers },
      );

    it("have an order each, and are known again by the token that came with it", async () => {
      const [one, two] = [await create(), await create()];
      expect([one.error, two.error]).toEqual([null, null]);
      expect(two.answer["order_id"]).not.toBe(one.answer["order_id"]);
      const carried = { "guest-token": String(one.headers.get("guest-token")[0]) };
      const again = await create(carried);
      expect(again.answer).toEqual(one.answer);
      expect(again.headers.get("idempotent-replay")).toEqual(["true"]);
      const other = await create(carried, { notes: "another" });
      expect(other.error?.metadata.get("forno-code")).toEqual(["idempotency.key_reused"]);
      expect((await create({}, { notes: "another" })).error).toBeNull();
    });

    it("have one order although the first answer was lost, by what they send themselves", async () => {
      for (const headers of [{ "guest-token": randomUUID() }, { "idempotency-key": randomUUID() }])
        expect((await create(headers)).answer).toEqual((await create(headers)).answer);
    });

    it("keep a token also where the first answer was a refusal, and are told what one is", async () => {
      const refused = await create({}, { items: [{ menu_item_id: randomUUID(), quantity: 1 }] });
      expect(refused.error?.metadata.get("guest-token")[0]).toMatch(/^[\w-]{36}$/);
      const bad = await create({ "guest-token": "anna" });
      expect(bad.error?.metadata.get("forno-code")).toEqual(["guest.bad_token"]);
    });
  });

  it("hear of their own order alone at sockets", async () => {
    const [one, two] = [await place(), await place()];
    const listeners = [one, two].map(
      ({ body }) => new PlainListener(port, `/ws?track=${tokenOf(body.track_url)}`),
    );
    try {
      await Promise.all(listeners.map((listener) => heardOf(listener, "ready")));
      for (const answer of [one, two]) await cancel(answer, { "idempotency-key": "not-hungry" });
      await eventually(() => {
        expect(listeners.map((listener) => news(listener).map(({ data }) => data["order_id"]))).toEqual([
          [one.body.order_id],
          [two.body.order_id],
        ]);
      });
    } finally {
      for (const listener of listeners) listener.close();
    }
  });
});
