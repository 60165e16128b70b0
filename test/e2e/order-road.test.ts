import { Chain, GUEST_ADDRESS, GUEST_NAME, GUEST_PHONE, trackTokenOf, type Placed } from "../support/chain";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { GrpcClient } from "../support/grpc-client";
import { heardOf, IoListener, news, PlainListener, type Listener } from "../support/listener";

const STEPS = ["preparing", "cooking", "ready", "delivery", "delivered"] as const;
const BY_PHONE = { "idempotency-key": "by-phone", "guest-token": "somebody-at-the-telephone" };
const PRIVATE = [GUEST_PHONE, GUEST_PHONE.slice(-7), GUEST_ADDRESS, GUEST_NAME];

interface Change {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

describe("the road of an order", () => {
  let forno: FornoUnderTest;
  let chain: Chain;
  let branch_id: string;
  let cook: string;
  let courier: string;
  let grpc: GrpcClient;
  const listeners: Record<string, Listener> = {};
  /** One from the shop (a delivery, brought to its end), one from the desk, one over gRPC. */
  let shop: Placed;
  let desk: Placed;
  let phone: Placed;
  const watched: { type: string; status: string }[] = [];
  let watchEnded: Promise<unknown>;

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    chain = await Chain.of(forno);
    branch_id = await chain.openBranch();
    [cook, courier] = [await chain.account("cook", [branch_id]), await chain.account("courier", [branch_id])];
    const elsewhere = await chain.account("cook", [await chain.openBranch()]);
    grpc = GrpcClient.orders(forno.grpcPort);
    Object.assign(listeners, {
      "cook's WebSocket": plain("/api/v1/ws", cook),
      "cook's socket.io": new IoListener(forno.port, "/kitchen", { token: cook }),
      "courier's WebSocket": plain("/api/v1/ws", courier),
      "desk's WebSocket": plain("/api/v1/erp/ws", chain.admin),
      "desk's socket.io": new IoListener(forno.port, "/erp", { token: chain.admin }),
      "other kitchen's WebSocket": plain("/api/v1/ws", elsewhere),
    });
    await Promise.all(Object.values(listeners).map((listener) => heardOf(listener, "ready")));
    await placeThree();
    listeners["guest's WebSocket"] = new PlainListener(
      forno.port,
      `/ws?track=${trackTokenOf(shop)}&after=${String(shop.position)}`,
    );
    await heardOf(listeners["guest's WebSocket"], "ready");
    watchTheShopsOrder();
    for (const status of STEPS) {
      const { body } = await chain.step(
        shop.order_id,
        status,
        ["delivery", "delivered"].includes(status) ? courier : cook,
      );
      expect(body).toMatchObject({ status });
    }
    await watchEnded;
  });

  afterAll(async () => {
    for (const listener of Object.values(listeners)) listener.close();
    grpc.close();
    await forno.remove();
  });

  const plain = (door: string, token: string): Listener =>
    new PlainListener(forno.port, `${door}?access_token=${token}`);

  async function placeThree(): Promise<void> {
    shop = await chain.placed(chain.delivery({ branch_id }));
    desk = (
      await chain.desk<Placed>("POST", "/api/v1/erp/orders", chain.delivery({ branch_id, channel: "till" }))
    ).body;
    const { answer, error } = await grpc.call("CreateOrder", grpcWish(), BY_PHONE);
    expect(error).toBeNull();
    phone = answer as unknown as Placed;
  }

  const grpcWish = (): object => ({
    ...{
      branch_id,
      fulfilment: "FULFILMENT_DELIVERY",
      payment_method: "PAYMENT_METHOD_CARD",
      address: GUEST_ADDRESS,
    },
    ...{ customer: { name: GUEST_NAME, phone: GUEST_PHONE }, items: [{ name: "Pepperoni", quantity: 2 }] },
  });

  function watchTheShopsOrder(): void {
    const stream = grpc.stream("WatchOrder", { track_token: trackTokenOf(shop) });
    stream.on("data", (update: { type: string; status: string }) => watched.push(update));
    watchEnded = new Promise((resolve, reject) =>
      stream.on("end", resolve as never).on("error", reject as never),
    );
  }

  const listener = (name: string): Listener => {
    const found = listeners[name];
    if (found === undefined) throw new Error(`nobody listens as ${name}`);
    return found;
  };
  /** What a listener has heard of an order. */
  const changes = (name: string, { order_id }: Placed): Change[] =>
    news(listener(name)).filter(({ data }) => data["order_id"] === order_id);
  const bytes = (name: string): string => listener(name).raw.join("\n");

  it.each(["cook's WebSocket", "cook's socket.io", "desk's WebSocket", "desk's socket.io"])(
    "leads each order, whichever way it came in, to the %s, and the steps behind it",
    async (name) => {
      await eventually(() => {
        for (const order of [shop, desk, phone]) expect(changes(name, order)[0]?.type).toBe("order:created");
        expect(
          changes(name, shop)
            .slice(1)
            .map(({ type, data }) => [type, data["status"]]),
        ).toEqual(STEPS.map((status) => ["order:status:changed", status]));
      });
      const positions = news(listener(name)).map(({ position }) => position);
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
    },
  );

  it("shows kitchens no byte of phone, address, name or price, and another branch's nothing at all", () => {
    for (const name of ["cook's WebSocket", "cook's socket.io"])
      for (const secret of [
        ...PRIVATE,
        "total_minor",
        "price_minor",
        "payment_method",
        "track_url",
        "discount",
      ])
        expect(bytes(name)).not.toContain(secret);
    for (const order of [shop, desk, phone]) expect(changes("other kitchen's WebSocket", order)).toEqual([]);
  });

  it("is the courier's from when it is ready: where to and what to collect, no discount or price by line", async () => {
    await eventually(() => {
      expect(changes("courier's WebSocket", shop).map(({ data }) => data["status"])).toEqual([
        ...["ready", "delivery", "delivered"],
      ]);
    });
    for (const order of [desk, phone]) expect(changes("courier's WebSocket", order)).toEqual([]);
    for (const secret of PRIVATE) expect(bytes("courier's WebSocket")).not.toContain(secret);
    const { body } = await forno.ask("GET", `/api/v1/erp/orders/${shop.order_id}`, { token: courier });
    expect(body).toMatchObject({
      address: GUEST_ADDRESS,
      customer: { phone: GUEST_PHONE },
      total_minor: shop.total_minor,
    });
    for (const secret of ["discount", "promo_code", "unit_price_minor", "track_url"])
      expect(JSON.stringify(body)).not.toContain(secret);
    const way = { authorization: `Bearer ${courier}` };
    const unready = await grpc.call(
      "GetOrder",
      { order_id: desk.order_id, after_position: desk.position },
      way,
    );
    expect(unready.error?.metadata.get("forno-code")).toEqual(["order.not_yours"]);
    expect((await grpc.call("GetOrder", { order_id: shop.order_id }, way)).error).toBeNull();
  });

  it("comes to a courier who has been away as it would have come live", async () => {
    const back = new PlainListener(
      forno.port,
      `/api/v1/ws?access_token=${courier}&after=${String(shop.position - 1)}`,
    );
    try {
      await heardOf(back, "ready");
      expect(news(back).map(({ position }) => position)).toEqual(
        news(listener("courier's WebSocket"))
          .map(({ position }) => position)
          .filter((position) => position >= shop.position),
      );
      for (const secret of PRIVATE) expect(back.raw.join()).not.toContain(secret);
    } finally {
      back.close();
    }
  });

  it("is followed by the guest who holds its link, step by step, without personal data and without others' orders", async () => {
    await eventually(() => {
      expect(changes("guest's WebSocket", shop).map(({ data }) => data["status"])).toEqual(STEPS);
    });
    for (const secret of PRIVATE) expect(bytes("guest's WebSocket")).not.toContain(secret);
    expect(news(listener("guest's WebSocket")).every(({ data }) => data["order_id"] === shop.order_id)).toBe(
      true,
    );
  });

  it("has a tracking page and an answer behind it; a guessed link has none", async () => {
    const page = await forno.ask<{ text: string }>("GET", shop.track_url);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toContain("text/html");
    const track = await forno.ask("GET", `/api/v1/track/${trackTokenOf(shop)}`);
    expect(track.body).toMatchObject({
      order_id: shop.order_id,
      display_id: shop.display_id,
      status: "delivered",
    });
    for (const secret of PRIVATE) expect(JSON.stringify(track.body)).not.toContain(secret);
    expect((await forno.ask("GET", `/api/v1/track/${"A".repeat(22)}`)).status).toBe(404);
  });

  it("is its history, as far as each role may see it", async () => {
    const history = async (token: string) =>
      (
        await forno.ask<{ items: { type: string; data: Record<string, unknown>; actor?: string }[] }>(
          "GET",
          `/api/v1/erp/orders/${shop.order_id}/history`,
          { token },
        )
      ).body.items;
    const seen = await history(chain.admin);
    expect(seen.map(({ type, data }) => data["status"] ?? type)).toEqual(["pending", ...STEPS]);
    expect(seen[0]?.data).toMatchObject({ address: GUEST_ADDRESS, customer: { phone: GUEST_PHONE } });
    const seenByCook = await history(cook);
    expect(seenByCook).toHaveLength(seen.length);
    for (const secret of [...PRIVATE, "total_minor"])
      expect(JSON.stringify(seenByCook)).not.toContain(secret);
  });

  it("streams over gRPC from its beginning to its end", () => {
    expect(watched.map(({ status }) => status)).toEqual(
      ["pending", ...STEPS].map((status) => `ORDER_STATUS_${status.toUpperCase()}`),
    );
    expect(watched[0]?.type).toBe("order.placed");
    for (const secret of PRIVATE) expect(JSON.stringify(watched)).not.toContain(secret);
  });

  it("is the first answer again for who asks twice with one key, over gRPC too", async () => {
    const again = await grpc.call("CreateOrder", grpcWish(), BY_PHONE);
    expect(again.answer).toEqual(phone);
    expect(again.headers.get("idempotent-replay")).toEqual(["true"]);
    const other = await grpc.call("CreateOrder", { ...grpcWish(), notes: "another" }, BY_PHONE);
    expect(other.error?.metadata.get("forno-code")).toEqual(["idempotency.key_reused"]);
  });

  it("reads the same over gRPC as over REST, to who may read it", async () => {
    const seen = await grpc.call(
      "GetOrder",
      { order_id: desk.order_id, after_position: desk.position },
      { authorization: `Bearer ${cook}` },
    );
    expect(seen.answer["order"]).toMatchObject({
      order_id: desk.order_id,
      display_id: desk.display_id,
      status: "ORDER_STATUS_PENDING",
    });
    for (const secret of PRIVATE) expect(JSON.stringify(seen.answer)).not.toContain(secret);
    expect((await grpc.call("GetOrder", { order_id: desk.order_id })).error?.code).toBe(16);
    const { answer } = await grpc.call(
      "ListSlots",
      { branch_id, after_position: phone.position },
      { authorization: `Bearer ${chain.admin}` },
    );
    expect(
      (answer["slots"] as { load_minor: string }[]).some(({ load_minor }) => Number(load_minor) > 0),
    ).toBe(true);
  });

  it("is walked by each role within its own part", async () => {
    const order = await chain.placed(chain.delivery({ branch_id }));
    const elsewhere = await chain.account("courier", [await chain.openBranch()]);
    const refused = async (status: string, token: string): Promise<string> =>
      (await chain.step(order.order_id, status, token)).body.code;
    expect(await refused("preparing", courier)).toBe("order.step_not_yours");
    expect(await refused("preparing", elsewhere)).toBe("order.not_yours");
    expect(await refused("cooking", cook)).toBe("order.illegal_step");
    for (const status of ["preparing", "cooking", "ready"])
      expect((await chain.step(order.order_id, status, cook)).status).toBe(200);
    expect(await refused("delivery", cook)).toBe("order.step_not_yours");
    const search = await forno.ask("GET", `/api/v1/erp/orders/search?display_id=${order.display_id}`, {
      token: cook,
    });
    expect(search.status).toBe(403);
  });
});
