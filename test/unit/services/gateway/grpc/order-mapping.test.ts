import fc from "fast-check";
import { refusalOf } from "../../../../../mixins/contract/refusal";
import {
  fromTimestamp,
  placementOf,
  toOrder,
  toStatus,
  toTimestamp,
} from "../../../../../services/gateway/grpc/order-mapping";
import type { CreateOrderRequest } from "../../../../../services/gateway/grpc/order-messages";
import { orderViewFor } from "../../../../../services/order/order.view";
import { placed, sampleOrder } from "../../../../support/order-events";

describe("timestamps", () => {
  it("come back as they went, to the millisecond, also before 1970", () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date("0001-01-02T00:00:00Z"),
          max: new Date("9999-12-30T00:00:00Z"),
          noInvalidDate: true,
        }),
        (date) => {
          const text = date.toISOString();
          const time = toTimestamp(text);
          expect(time.nanos).toBeGreaterThanOrEqual(0);
          expect(fromTimestamp("t", time)).toBe(text);
        },
      ),
    );
  });

  it("keep the microseconds of the log", () => {
    expect(toTimestamp("2026-01-01T10:00:00.123456Z")).toEqual({
      seconds: 1_767_261_600,
      nanos: 123_456_000,
    });
  });

  it.each([
    { seconds: 9e15, nanos: 0 },
    { seconds: -9e15, nanos: 0 },
    { seconds: 253_402_300_800, nanos: 0 },
    { seconds: 0, nanos: -1 },
    { seconds: 0, nanos: 1_000_000_000 },
  ])("are refused by field where no calendar has them: %p", (time) => {
    expect.assertions(1);
    try {
      fromTimestamp("preferred_time", time);
    } catch (error) {
      expect(refusalOf(error)?.data).toMatchObject({ errors: [{ path: "/preferred_time" }] });
    }
  });
});

describe("a placement", () => {
  const request: CreateOrderRequest = {
    ...{ fulfilment: "FULFILMENT_PICKUP", payment_method: "PAYMENT_METHOD_CARD_ONLINE", customer: null },
    ...{
      preferred_time: null,
      items: [{ name: "Pepperoni", quantity: 1, extras: [], exclude_ingredients: [] }],
    },
  };

  it("leaves out what is not set", () => {
    expect(placementOf(request)).toEqual({
      ...{ channel: "grpc", fulfilment: "pickup", payment_method: "card_online" },
      items: [{ name: "Pepperoni", quantity: 1, extras: [], exclude_ingredients: [] }],
    });
  });

  it("passes on what the customer expects to pay, nothing included", () => {
    expect(placementOf(request)).not.toHaveProperty("expected_total_minor");
    for (const expected_total_minor of [0, 54_900])
      expect(placementOf({ ...request, expected_total_minor })).toMatchObject({ expected_total_minor });
  });

  it("leaves out words that it does not know, so that the contract says what is missing", () => {
    for (const fulfilment of ["FULFILMENT_UNSPECIFIED", 17, "PAYMENT_METHOD_CASH"])
      expect(placementOf({ ...request, fulfilment })).not.toHaveProperty("fulfilment");
  });
});

describe("an order", () => {
  it("has no field that its view has not", () => {
    const { data } = placed(sampleOrder());
    const cook = toOrder(orderViewFor("cook", data));
    for (const hidden of ["customer", "address", "total_minor", "payment_method", "currency", "track_url"])
      expect(cook).not.toHaveProperty(hidden);
    expect(JSON.stringify(cook)).not.toContain("undefined");
    expect(toOrder(orderViewFor("manager", data))).toMatchObject({
      discount_minor: 0,
      payment_method: "PAYMENT_METHOD_CASH",
    });
  });

  it("has a name for every status", () => {
    expect(toStatus("delivered")).toBe("ORDER_STATUS_DELIVERED");
  });
});
