import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import { positionAsOf } from "../../../../mixins/event-log/position-as-of";
import type { BranchEvent } from "../../../../services/branch/branch.events";
import { rulesOf } from "../../../../services/mirror/mirror.branches";
import { messageOf } from "../../../../services/mirror/mirror.documents";
import { MirrorLag } from "../../../../services/mirror/mirror.health";
import { factsAfter, OrderMemory } from "../../../../services/mirror/mirror.orders";
import type { Marker } from "../../../../services/mirror/mirror.store";
import type { OrderEvent } from "../../../../services/order/order.events";
import { cancelled, placed, refOf, stepped } from "../../../support/orders";

const AT = "2026-03-10T09:30:00.000Z";
const order = placed(1);
const start = factsAfter(undefined, order);

function recorded(
  event: { readonly type: string; readonly data: object },
  position: number,
  version = position,
): RecordedEvent {
  const { order_id = "" } = event.data as { order_id?: string };
  return {
    ...{ position, version, partition: 0, stream_id: `order-${order_id}`, stream_type: "order" },
    ...{ event_id: `event-${position}`, schema_v: 1, meta: {}, recorded_at: AT, ...event },
  };
}

describe("an order after", () => {
  test("a step", () => {
    expect(factsAfter(start, stepped(order, "pending", "preparing", AT))).toEqual({
      ...order.data,
      status: "preparing",
      updated_at: AT,
    });
  });
  test("its delivery, which closes it", () => {
    expect(factsAfter(start, stepped(order, "delivery", "delivered", AT))).toMatchObject({
      status: "delivered",
      closed_at: AT,
    });
  });
  test("a cancellation", () => {
    expect(factsAfter(start, cancelled(order, AT))).toMatchObject({
      ...{ status: "cancelled", cancel_reason: "передумали", closed_at: AT, updated_at: AT },
    });
  });
  test("the desk took note of it", () => {
    const event = { type: "order.processed", data: { ...refOf(order), by: "anna", at: AT } } as const;
    expect(factsAfter(start, event)).toMatchObject({ processed_by: "anna", processed_at: AT });
  });
  test("a refund", () => {
    const data = { ...refOf(order), amount_minor: 5, refunded_total_minor: 7, reason: "остыла", at: AT };
    expect(factsAfter(start, { type: "order.refunded", data })).toMatchObject({ refunded_total_minor: 7 });
  });
  test("the archive", () => {
    const data = { ...refOf(order), from: "delivered" as const, at: AT };
    expect(factsAfter(start, { type: "order.archived", data })).toMatchObject({ status: "archived" });
  });
  test("something before its placement, which cannot be", () => {
    expect(() => factsAfter(undefined, cancelled(order))).toThrow("before it was placed");
  });
});

test("an order whose beginning was not followed is read from its stream, as far as was asked", async () => {
  const stream = [
    order,
    stepped(order, "pending", "preparing", AT),
    stepped(order, "preparing", "cooking", AT),
  ].map((event, index) => recorded(event, 10 + index, index + 1));
  let reads = 0;
  const memory = new OrderMemory({
    readStream: () => {
      reads += 1;
      return Promise.resolve(stream);
    },
  });
  const [second] = await memory.follow(stream.slice(1, 2));
  expect(second?.facts).toMatchObject({ status: "preparing", notes: "без лука" });
  const [third] = await memory.follow(stream.slice(2));
  expect(third?.facts).toMatchObject({ status: "cooking", updated_at: AT });
  expect(third?.last.position).toBe(12);
  expect(reads).toBe(1);
});

describe("what the channels are told of", () => {
  const said = (event: OrderEvent): unknown => JSON.parse(messageOf(recorded(event, 7))?.text ?? "null");

  test("an order: everything but its link", () => {
    const message = said(order);
    expect(message).toMatchObject({ type: "order:created", timestamp: AT, position: 7 });
    expect(message).toMatchObject({ data: { total_minor: 309_100, customer: { phone: "+79231234567" } } });
    expect(JSON.stringify(message)).not.toContain("token-");
  });
  test("its changes", () => {
    expect(said(cancelled(order))).toMatchObject({
      type: "order:status:changed",
      data: { status: "cancelled", from: "pending", reason: "передумали" },
    });
  });
  test("not the archive, nor what no program outside asked for", () => {
    const data = { ...refOf(order), from: "delivered" as const, at: AT };
    expect(said({ type: "order.archived", data })).toBeNull();
    expect(messageOf(recorded({ type: "constructor", data: {} }, 1))).toBeUndefined();
  });
});

test("a branch's rules are folded from its stream, with the positions of what changed them", async () => {
  const rules = { capacity_minor: 5, slot_minutes: 15, lead_time_minutes: 30 };
  const branch_id = "b";
  const events = [
    { type: "branch.opened", data: { branch_id, details: { time_zone: "UTC" }, slot_rules: rules } },
    { type: "branch.slots_configured", data: { branch_id, slot_rules: { capacity_minor: 6 } } },
    { type: "branch.slots_configured", data: { branch_id, slot_rules: { slot_minutes: 30 } } },
    { type: "branch.changed", data: { branch_id, details: { phone: "1" } } },
    { type: "branch.changed", data: { branch_id, details: { time_zone: "Asia/Omsk" } } },
  ] as unknown as BranchEvent[];
  const log = {
    readStream: () => Promise.resolve(events.map((event, at) => recorded(event, 10 * (at + 1), at + 1))),
  };
  expect(await rulesOf(log, branch_id)).toEqual({
    ...{ branch_id, rules: { ...rules, capacity_minor: 6, slot_minutes: 30 }, time_zone: "Asia/Omsk" },
    ...{ position: 50, capacity_position: 20 },
  });
  expect(await rulesOf(log, branch_id, 1)).toMatchObject({ rules, time_zone: "UTC", position: 10 });
  expect(await rulesOf(log, branch_id, 4)).toMatchObject({ time_zone: "UTC", position: 30 });
});

test.each([0, 1, 2, 5, 63, 64, 65, 200])(
  "the last position before a moment, when %i of 200 are",
  async (old) => {
    let reads = 0;
    const log = {
      readAll: (after: number) => {
        reads += 1;
        const minute = String(after < old ? 10 : 20);
        return Promise.resolve([
          { ...recorded({ type: "x", data: {} }, after + 1), recorded_at: `2026-03-10T09:${minute}:00Z` },
        ]);
      },
    };
    expect(await positionAsOf(log, Date.parse("2026-03-10T09:15:00Z"), 200)).toBe(old);
    expect(reads).toBeLessThan(20);
  },
);

describe("health", () => {
  let marker: Marker | undefined | Error;
  let head: number;
  let now: number;
  const following = (position: number): Marker => ({
    ...{ generation: "g", state: "following", position, event_id: "" },
  });
  const lag = new MirrorLag(
    {
      log: { head: () => Promise.resolve(head) },
      clock: { now: () => now },
    } as unknown as ConstructorParameters<typeof MirrorLag>[0],
    { marker: () => (marker instanceof Error ? Promise.reject(marker) : Promise.resolve(marker)) },
    () => false,
  );
  const status = async (): Promise<string> => (await lag.probe().probe()).status;
  beforeEach(() => {
    now = 0;
    head = 100;
  });

  test("is down without Redis, degraded during a rebuild or before the first", async () => {
    marker = new Error("gone");
    expect(await status()).toBe("down");
    marker = undefined;
    expect(await status()).toBe("degraded");
    marker = { ...following(0), state: "rebuilding" };
    expect(await status()).toBe("degraded");
  });
  test("is degraded when the mirror is far behind", async () => {
    head = 20_000;
    marker = following(9_999);
    expect(await status()).toBe("degraded");
    marker = following(10_000);
    expect(await status()).toBe("up");
  });
  test("is degraded when the mirror is behind and stands still, not when there is nothing to do", async () => {
    marker = following(99);
    expect(await status()).toBe("up");
    now = 6_000;
    expect(await status()).toBe("degraded");
    marker = following(100);
    expect(await status()).toBe("up");
    now = 60_000;
    head = 101;
    expect(await status()).toBe("up");
  });
});
