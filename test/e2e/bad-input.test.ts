import { randomUUID } from "node:crypto";
import { FornoUnderTest, type Answer } from "../support/forno";

interface Problem extends Record<string, unknown> {
  readonly code: string;
  readonly status: number;
  readonly errors?: readonly { readonly path: string }[];
}

describe("what a client may get wrong", () => {
  let forno: FornoUnderTest;
  let admin: string;
  let pizza: string;

  beforeAll(async () => {
    forno = await FornoUnderTest.started();
    admin = await forno.adminToken();
    pizza = (await forno.ask<{ pizzas: { id: string }[] }>("GET", "/api/v1/menu")).body.pizzas[0]?.id ?? "";
  });

  afterAll(() => forno.remove());

  const order = (change: object = {}): object => ({
    fulfilment: "pickup",
    payment_method: "cash",
    items: [{ menu_item_id: pizza, quantity: 1 }],
    ...change,
  });
  const place = (body: unknown, headers: Record<string, string> = {}) =>
    forno.ask<Problem>("POST", "/api/v1/order", { body, headers });

  function expectProblem(answer: Answer<Problem>, status: number, code: string): void {
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.body.status).toBe(status);
    for (const member of ["type", "title", "detail", "request_id"])
      expect(typeof answer.body[member]).toBe("string");
  }

  it.each([
    ["a price", { items_total_minor: 1 }],
    ["a discount", { discount_minor: 100_000 }],
    ["a delivery fee", { delivery_fee_minor: 0 }],
    ["a channel", { channel: "erp" }],
    ["a negative quantity", { items: [{ menu_item_id: "x", quantity: -1 }] }],
    ["a quantity of zero", { items: [{ name: "Маргарита", quantity: 0 }] }],
    ["a fractional quantity", { items: [{ name: "Маргарита", quantity: 1.5 }] }],
    ["a hundred pieces", { items: [{ name: "Маргарита", quantity: 100 }] }],
    ["a quantity in quotes", { items: [{ name: "Маргарита", quantity: "2" }] }],
    ["no items", { items: [] }],
    ["items that are no list", { items: "pizza" }],
    ["an unknown way to pay", { payment_method: "barter" }],
    ["a time that is none", { preferred_time: "soon" }],
    ["a branch that is no UUID", { branch_id: "main" }],
  ])("refuses %s sent by the client as malformed", async (_, change) => {
    const answer = await place(order(change));
    expectProblem(answer, 400, "input.invalid");
    expect(answer.body.errors?.length).toBeGreaterThan(0);
  });

  it.each([
    ["an unknown pizza", { items: [{ name: "Пицца Мечты", quantity: 1 }] }, 422, "menu.unknown_item"],
    ["an unknown branch", { branch_id: "018f0000-0000-7000-8000-000000000000" }, 404, "branch.unknown"],
    ["an unknown promo code", { promo_code: "FREE" }, 422, "promo.unknown"],
    ["a time in the past", { preferred_time: "2020-01-01T12:00:00Z" }, 422, "order.time_in_past"],
    ["a delivery to nowhere", { fulfilment: "delivery" }, 422, "order.address_required"],
  ])("refuses %s by name", async (_, change, status, code) => {
    expectProblem(await place(order(change)), status, code);
  });

  it("refuses an unknown extra instead of giving it away", async () => {
    const items = [{ menu_item_id: pizza, quantity: 1, extras: ["018f0000-0000-7000-8000-000000000000"] }];
    expectProblem(await place(order({ items })), 422, "menu.unknown_extra");
  });

  it.each([
    ["broken JSON", "{", 400],
    ["an empty body", "", 400],
    ["a list", "[]", 400],
    ["null", "null", 400],
    ["a very large body", JSON.stringify({ notes: "x".repeat(2_000_000) }), 413],
  ])("answers %s with its own status, never 500", async (_, raw, status) => {
    const answer = await forno.ask<Problem>("POST", "/api/v1/order", {
      raw,
      headers: { "content-type": "application/json" },
    });
    expect(answer.status).toBe(status);
    expect(answer.body.code).toEqual(expect.any(String));
  });

  it("refuses a reused idempotency key with another body, and replays it with the same", async () => {
    const headers = { "idempotency-key": "one-order-please", "x-guest-token": randomUUID() };
    const first = await place(order(), headers);
    expect(first.status).toBe(201);
    const again = await place(order(), headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotent-replay")).toBe("true");
    expectProblem(await place(order({ notes: "another" }), headers), 409, "idempotency.key_reused");
  });

  it("keeps staff's doors shut to guests and forged or ill-signed tokens, whatever the query says", async () => {
    expectProblem(await forno.ask<Problem>("GET", "/api/v1/erp/orders"), 401, "auth.required");
    expectProblem(await forno.ask<Problem>("GET", "/api/v1/erp/orders?role=admin"), 401, "auth.required");
    const forged = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from('{"role":"super_admin"}').toString("base64url")}.`;
    expectProblem(
      await forno.ask<Problem>("GET", "/api/v1/erp/orders", { token: forged }),
      401,
      "auth.token_invalid",
    );
    expectProblem(
      await forno.ask<Problem>("GET", "/api/v1/erp/orders", { token: `${admin}x` }),
      401,
      "auth.token_invalid",
    );
  });

  it("does not show one customer another one's order", async () => {
    const register = async (email: string): Promise<string> => {
      const body = { name: "Anna", email, password: "long enough for anybody" };
      return (await forno.ask<{ token: string }>("POST", "/api/v1/auth/register", { body })).body.token;
    };
    const [anna, boris] = [await register("anna@customers.test"), await register("boris@customers.test")];
    const placed = await forno.ask<{ order_id: string; position: number }>("POST", "/api/v1/order", {
      body: order(),
      token: anna,
    });
    const route = `/api/v1/orders/${placed.body.order_id}?after=${String(placed.body.position)}`;
    expect((await forno.ask("GET", route, { token: anna })).status).toBe(200);
    const foreign = await forno.ask<Problem>("GET", route, { token: boris });
    expect([403, 404]).toContain(foreign.status);
    const cancel = await forno.ask<Problem>("POST", `/api/v1/orders/${placed.body.order_id}/cancel`, {
      body: {},
      token: boris,
    });
    expect([403, 404]).toContain(cancel.status);
  });

  it("says what steps are legal when an illegal one is asked for", async () => {
    const placed = await place(order());
    const step = (status: string) =>
      forno.ask<Problem>("POST", `/api/v1/erp/orders/${String(placed.body["order_id"])}/status`, {
        body: { status },
        token: admin,
      });
    expectProblem(await step("delivered"), 409, "order.illegal_step");
    expect((await step("preparing")).status).toBe(200);
    expectProblem(await step("preparing"), 409, "order.illegal_step");
  });

  it("answers an unknown path, a wrong method and a bad cursor as what they are", async () => {
    expect((await forno.ask("GET", "/api/v1/nothing/here")).status).toBe(404);
    expect((await forno.ask("DELETE", "/api/v1/menu", { token: admin })).status).toBe(405);
    expect((await forno.ask("GET", "/api/v1/erp/orders?cursor=rubbish", { token: admin })).status).toBe(400);
    expect((await forno.ask("GET", "/api/v1/erp/orders?limit=0", { token: admin })).status).toBe(400);
    expect((await forno.ask("GET", "/api/v1/erp/orders/not-a-uuid", { token: admin })).status).toBe(400);
    expect(
      (await forno.ask("GET", "/api/v1/erp/orders/018f0000-0000-7000-8000-000000000000", { token: admin }))
        .status,
    ).toBe(404);
  });
});
