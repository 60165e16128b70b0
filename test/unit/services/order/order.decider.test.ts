import fc from "fast-check";
import { GUEST, SYSTEM, type Caller } from "../../../../mixins/contract/caller";
import { isRefusal } from "../../../../mixins/contract/refusal";
import { orderDecider, type OrderCommand, type OrderState } from "../../../../services/order/order.decider";
import type { OrderEvent } from "../../../../services/order/order.events";
import { nextStep, type OrderStep } from "../../../../services/order/order.states";
import {
  OTHER_BRANCH,
  cancelled,
  cook,
  courier,
  customer,
  manager,
  placed,
  refOf,
  stepped,
  stepsTo,
  uuidOf,
} from "../../../support/orders";

const AT = "2026-03-10T10:00:00.000Z";
const delivery = placed(1);
const pickup = placed(2, { fulfilment: "pickup", address: null });

const given = (...events: OrderEvent[]): OrderState =>
  events.reduce((state, event) => orderDecider.evolve(state, event), orderDecider.initialState());
const when = (state: OrderState, command: OrderCommand) => orderDecider.decide(command, state, undefined);
/** The state that a command leads to. */
const after = (state: OrderState, command: OrderCommand): OrderState => {
  const decided = when(state, command);
  if (isRefusal(decided)) throw new Error(decided.code);
  return decided.events.reduce((before, event) => orderDecider.evolve(before, event), state);
};
const codeOf = (outcome: unknown): string => (isRefusal(outcome) ? outcome.code : "not refused");
const advance = (to: OrderStep, by: Caller = manager): OrderCommand => ({
  type: "order.advance",
  to,
  by,
  at: AT,
});
const cancel = (by: Caller = manager, track_token?: string): OrderCommand => ({
  type: "order.cancel",
  reason: "передумали",
  by,
  at: AT,
  ...(track_token === undefined ? {} : { track_token }),
});
const refund = (amount_minor?: number, by: Caller = manager): OrderCommand => ({
  type: "order.refund",
  reason: "холодная",
  by,
  at: AT,
  ...(amount_minor === undefined ? {} : { amount_minor }),
});
const process: OrderCommand = { type: "order.process", by: manager, at: AT };

describe("an order's steps", () => {
  const road = ["preparing", "cooking", "ready", "delivery", "delivered"] as const;

  it.each(road)("a delivery goes to %s by its one legal step", (to) => {
    const before = stepsTo(delivery, to).slice(0, -1);
    const state = given(delivery, ...before);
    expect(when(state, advance(to))).toMatchObject({
      events: [
        { type: "order.status_changed", data: { ...refOf(delivery), from: state?.status, to, at: AT } },
      ],
      answer: { order_id: delivery.data.order_id, display_id: "K-001", status: to, at: AT },
    });
  });

  it("a pickup goes from ready straight to delivered", () => {
    const state = given(pickup, ...stepsTo(pickup, "ready"));
    expect(when(state, advance("delivery"))).toMatchObject({
      code: "order.illegal_step",
      data: { allowed: ["delivered", "cancelled"] },
    });
    expect(when(state, advance("delivered"))).toMatchObject({ answer: { status: "delivered" } });
  });

  it("an illegal step is refused and says what is allowed", () => {
    expect(when(given(delivery), advance("ready"))).toMatchObject({
      refused: "conflict",
      code: "order.illegal_step",
      detail: "An order cannot go from pending to ready; from here: preparing or cancelled.",
      data: { from: "pending", to: "ready", allowed: ["preparing", "cancelled"] },
    });
  });

  it("a step that was taken already is no step", () => {
    expect(codeOf(when(given(delivery, ...stepsTo(delivery, "cooking")), advance("cooking")))).toBe(
      "order.illegal_step",
    );
  });

  it.each(["delivered", "cancelled"] as const)("a %s order takes no step", (end) => {
    const state =
      end === "cancelled" ? given(delivery, cancelled(delivery)) : given(delivery, ...stepsTo(delivery, end));
    expect(when(state, advance("preparing"))).toMatchObject({
      code: "order.already_closed",
      data: { status: end },
    });
  });

  it("a cook cooks and a courier carries, and neither does the other's work", () => {
    const table = road.map((to) => {
      const state = given(delivery, ...stepsTo(delivery, to).slice(0, -1));
      return [to, codeOf(when(state, advance(to, cook))), codeOf(when(state, advance(to, courier)))];
    });
    expect(table).toEqual([
      ["preparing", "not refused", "order.step_not_yours"],
      ["cooking", "not refused", "order.step_not_yours"],
      ["ready", "not refused", "order.step_not_yours"],
      ["delivery", "order.step_not_yours", "not refused"],
      ["delivered", "order.step_not_yours", "not refused"],
    ]);
  });

  it("a delivery remembers the courier who carries it, the last one; the desk's steps name nobody", () => {
    const other: Caller = { ...courier, user_id: uuidOf(8, "a") };
    const ready = given(delivery, ...stepsTo(delivery, "ready"));
    const taken = after(ready, advance("delivery", courier));
    expect(taken?.courier_id).toBe(courier.user_id);
    expect(after(taken, advance("delivered", other))?.courier_id).toBe(other.user_id);
    expect(after(taken, advance("delivered", manager))?.courier_id).toBe(courier.user_id);
    expect(after(ready, advance("delivery", manager))?.courier_id).toBeNull();
    expect(after(ready, advance("delivery", { ...courier, user_id: null }))?.courier_id).toBeNull();
  });

  it("a pickup is handed over by the desk", () => {
    const state = given(pickup, ...stepsTo(pickup, "ready"));
    expect([cook, courier, manager].map((by) => codeOf(when(state, advance("delivered", by))))).toEqual([
      "order.step_not_yours",
      "order.step_not_yours",
      "not refused",
    ]);
  });

  it("staff of another branch are refused", () => {
    const stranger: Caller = { ...manager, branch_ids: [OTHER_BRANCH] };
    for (const command of [
      advance("preparing", stranger),
      cancel(stranger),
      refund(1, stranger),
      { ...process, by: stranger } as OrderCommand,
    ]) {
      expect(when(given(delivery), command)).toMatchObject({ refused: "forbidden", code: "order.not_yours" });
    }
  });
});

describe("cancelling", () => {
  it.each(["pending", "preparing", "cooking", "ready"] as const)(
    "a %s order is cancelled with what it holds",
    (status) => {
      const outcome = when(given(delivery, ...stepsTo(delivery, status)), cancel());
      expect(outcome).toMatchObject({
        events: [
          {
            type: "order.cancelled",
            data: { from: status, reason: "передумали", shares: delivery.data.shares },
          },
        ],
        answer: { status: "cancelled" },
      });
    },
  );

  it("an order says what it had of limited offers, where it had something", () => {
    const holds = [{ quota_id: uuidOf(1, "f"), hold_id: uuidOf(2, "f"), units: 2 }];
    const limited = placed(1, { holds });
    expect(when(given(limited), cancel())).toMatchObject({ events: [{ data: { holds } }] });
    const outcome = when(given(delivery), cancel());
    expect(isRefusal(outcome) ? outcome : outcome.events[0]?.data).not.toHaveProperty("holds");
  });

  it("an order on its way is cancelled no more", () => {
    expect(when(given(delivery, ...stepsTo(delivery, "delivery")), cancel())).toMatchObject({
      code: "order.illegal_step",
      data: { allowed: ["delivered"] },
    });
  });

  it("a second cancellation is refused", () => {
    expect(codeOf(when(given(delivery, cancelled(delivery)), cancel()))).toBe("order.already_closed");
  });

  it("customers cancel their own orders only", () => {
    expect(codeOf(when(given(delivery), cancel(customer)))).toBe("not refused");
    expect(codeOf(when(given(delivery), cancel({ ...customer, user_id: uuidOf(9, "c") })))).toBe(
      "order.not_yours",
    );
  });

  it("an order without an account belongs to no customer, not even to one without an id", () => {
    const ofGuest = placed(3, { customer: { user_id: null, name: null, phone: null } });
    expect(codeOf(when(given(ofGuest), cancel({ ...customer, user_id: null })))).toBe("order.not_yours");
  });

  it("a guest needs the token of this order", () => {
    expect(codeOf(when(given(delivery), cancel(GUEST)))).toBe("order.not_yours");
    expect(codeOf(when(given(delivery), cancel(GUEST, pickup.data.track_token)))).toBe("order.not_yours");
    expect(codeOf(when(given(delivery), cancel(GUEST, delivery.data.track_token)))).toBe("not refused");
  });
});

describe("processing", () => {
  it("says who did it", () => {
    expect(when(given(delivery), process)).toMatchObject({
      events: [{ type: "order.processed", data: { by: manager.user_id, at: AT } }],
      answer: { status: "pending" },
    });
  });

  it("a second person learns that it was done", () => {
    const state = given(delivery, {
      type: "order.processed",
      data: { ...refOf(delivery), by: null, at: AT },
    });
    expect(when(state, process)).toMatchObject({
      code: "order.already_processed",
      data: { processed_at: AT },
    });
  });

  it("a closed order is not processed", () => {
    expect(codeOf(when(given(delivery, cancelled(delivery)), process))).toBe("order.already_closed");
  });
});

describe("refunding", () => {
  const refunded = (amount_minor: number): OrderEvent => ({
    type: "order.refunded",
    data: { ...refOf(delivery), amount_minor, refunded_total_minor: amount_minor, reason: "", at: AT },
  });

  it("without an amount gives back all that is left", () => {
    expect(when(given(delivery, refunded(9_100)), refund())).toMatchObject({
      events: [{ type: "order.refunded", data: { amount_minor: 300_000, refunded_total_minor: 309_100 } }],
      answer: { amount_minor: 300_000, refunded_total_minor: 309_100 },
    });
  });

  it("more than the rest is refused and says how much would do", () => {
    expect(when(given(delivery, refunded(9_100)), refund(300_001))).toMatchObject({
      refused: "unprocessable",
      code: "order.refund_too_large",
      data: { refundable_minor: 300_000 },
    });
  });

  it("nothing is left after everything was given back", () => {
    expect(codeOf(when(given(delivery, refunded(309_100)), refund(1)))).toBe("order.nothing_to_refund");
    expect(codeOf(when(given(placed(4, { total_minor: 0 })), refund()))).toBe("order.nothing_paid");
    expect(codeOf(when(given(placed(4, { total_minor: 0 })), refund(1)))).toBe("order.nothing_paid");
  });

  it("a cancelled order can be refunded", () => {
    expect(codeOf(when(given(delivery, cancelled(delivery)), refund(5)))).toBe("not refused");
  });
});

describe("archiving", () => {
  const closed = given(delivery, cancelled(delivery, "2026-03-10T09:20:00.000Z"));
  const archived: OrderEvent = {
    type: "order.archived",
    data: { ...refOf(delivery), from: "cancelled", at: AT },
  };

  it("happens a year after the end", () => {
    expect(when(closed, { type: "order.archive", at: "2027-03-10T09:20:00.000Z" })).toMatchObject({
      events: [{ type: "order.archived", data: { from: "cancelled" } }],
      answer: { status: "archived" },
    });
  });

  it("does not happen a millisecond before, nor to an open order", () => {
    expect(when(closed, { type: "order.archive", at: "2027-03-10T09:19:59.999Z" })).toMatchObject({
      ...{ code: "order.illegal_step", data: { allowed: [] } },
      detail: expect.stringContaining("from here: no further step.") as string,
    });
    expect(codeOf(when(given(delivery), { type: "order.archive", at: "2030-01-01T00:00:00.000Z" }))).toBe(
      "order.illegal_step",
    );
  });

  it("ends everything", () => {
    const state = given(delivery, cancelled(delivery), archived);
    for (const command of [
      advance("preparing"),
      cancel(),
      refund(),
      process,
      { type: "order.archive", at: AT } as const,
    ])
      expect(codeOf(when(state, command))).toBe("order.already_closed");
  });
});

it("an order that nobody placed is unknown", () => {
  for (const command of [
    advance("preparing"),
    cancel(),
    refund(),
    process,
    { type: "order.archive", at: AT } as const,
  ])
    expect(when(null, command)).toMatchObject({ refused: "not_found", code: "order.unknown" });
});

it("no event comes before order.placed", () => {
  expect(() => given(stepped(delivery, "pending", "preparing"))).toThrow("comes before order.placed");
});

it("whatever is asked in whatever order: each accepted command leads one legal step on, refunds stay within the total", () => {
  const steps = fc.constantFrom("preparing", "cooking", "ready", "delivery", "delivered" as const);
  const command: fc.Arbitrary<OrderCommand> = fc.oneof(
    steps.map((to) => advance(to, SYSTEM)),
    fc.constant(cancel(SYSTEM)),
    fc.constant(process),
    fc.option(fc.integer({ min: 1, max: 200_000 }), { nil: undefined }).map((amount) => refund(amount)),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(delivery, pickup),
      fc.array(command, { maxLength: 30 }),
      (order, commands) => {
        let state = given(order);
        const history: OrderEvent[] = [order];
        for (const each of commands) {
          const outcome = when(state, each);
          if (isRefusal(outcome)) continue;
          for (const event of outcome.events) {
            if (event.type === "order.status_changed")
              expect(event.data.to).toBe(nextStep(event.data.from, order.data.fulfilment));
            history.push(event);
            state = orderDecider.evolve(state, event);
          }
        }
        expect(state?.refunded_total_minor).toBeLessThanOrEqual(order.data.total_minor);
        expect(history.filter(({ type }) => type === "order.cancelled").length).toBeLessThanOrEqual(1);
        expect(given(...history)).toEqual(state);
      },
    ),
  );
});
