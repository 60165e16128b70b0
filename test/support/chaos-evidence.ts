import type { Evidence, SocketRecord } from "../../chaos/checks/evidence";
import { expectedBy } from "../../chaos/checks/sockets";
import type { Operation, OperationName } from "../../chaos/history";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import { everyDay } from "../../services/branch/new-branch";
import { branchStream } from "../../services/branch/branch.events";
import { orderStream } from "../../services/order/order.events";
import { kitchenDayStream } from "../../services/slot/slot.events";
import { BRANCH, cancelled, cook, placed, refOf, stepped, uuidOf } from "./orders";

export const CAPACITY = 600_000;
/** What its lines cost by the menu. */
export const AMOUNT = 279_400;

/** Writes events as the log would. */
export class ShortLog {
  readonly events: RecordedEvent[] = [];
  readonly #versions = new Map<string, number>();

  add(stream_id: string, type: string, data: object): number {
    const version = (this.#versions.get(stream_id) ?? 0) + 1;
    this.#versions.set(stream_id, version);
    const position = this.events.length + 1;
    this.events.push({
      ...{ position, stream_id, version, type, data },
      ...{ partition: 0, stream_type: "", schema_v: 1, meta: {}, event_id: uuidOf(position) },
      recorded_at: "2026-03-10T09:00:00.000000Z",
    });
    return position;
  }

  get versions(): ReadonlyMap<string, number> {
    return this.#versions;
  }
}

export const order = (number: number) => {
  const { data } = placed(number, { notes: `key-${String(number)}` });
  const shares = data.shares.map((share) => ({ ...share, amount_minor: AMOUNT }));
  return placed(number, { notes: `key-${String(number)}`, shares });
};

export const SLOT_ID = order(1).data.shares[0]?.slot_id ?? "";
const DAY = kitchenDayStream(BRANCH, "2026-03-10");

/** The slot as an event says it is. */
export const slotView = (load_minor: number, capacity_minor = CAPACITY) => ({
  ...{ slot_id: SLOT_ID, branch_id: BRANCH, load_minor, capacity_minor },
  ...{
    start: "2026-03-10T09:30:00.000Z",
    end: "2026-03-10T09:45:00.000Z",
    orders_count: 0,
    delivery_count: 0,
  },
  ...{ pickup_count: 0, delivery_plan: null, pickup_plan: null, disabled: false },
});

export function book(log: ShortLog, number: number, load_minor: number): number {
  const { data } = order(number);
  const { order_id, shares } = data;
  const slots = [slotView(load_minor)];
  log.add(DAY, "slot.booked", {
    branch_id: BRANCH,
    business_date: "2026-03-10",
    slots,
    order_id,
    shares,
    number,
  });
  return log.add(orderStream(order_id), "order.placed", data);
}

export function release(log: ShortLog, number: number, load_minor: number): number {
  const { order_id, shares } = order(number).data;
  const slots = [slotView(load_minor)];
  return log.add(DAY, "slot.released", {
    branch_id: BRANCH,
    business_date: "2026-03-10",
    slots,
    order_id,
    shares,
  });
}

export function openBranch(log: ShortLog): number {
  const slot_rules = { capacity_minor: CAPACITY, hours: everyDay({ open: "00:00", close: "24:00" }) };
  return log.add(branchStream(BRANCH), "branch.opened", { branch_id: BRANCH, details: {}, slot_rules });
}

/** An operation that was answered with success at once. */
export function acked<Name extends OperationName>(
  op: Name,
  key: string,
  asked: Extract<Operation, { op: Name }>["asked"],
  answer: Extract<Operation, { op: Name }>["answer"],
): Operation {
  const done = { start_ms: 0, end_ms: 1, attempts: 1, outcome: "acked", status: 200, code: null };
  return { op, key, asked, answer, client: "test", ...done } as unknown as Operation;
}

/** A cook's tablet that heard everything it should have. */
export function kitchenSocket(events: readonly RecordedEvent[]): SocketRecord {
  const record: SocketRecord = {
    ...{ name: "tablet", audience: "kitchen", caller: cook, tracked: [], after: 0, heard: [], resyncs: [] },
  };
  return { ...record, heard: expectedBy(record, events) };
}

/**
 * A small history without a fault: two orders; the first is taken up, the second cancelled, its slot given back, and 100
 * refunded; the capacity is raised; a menu is published; an order is read; an answer is given again.
 */
export function goodEvidence(): Evidence {
  const log = new ShortLog();
  const began_at = openBranch(log);
  const [first, second] = [order(1), order(2)];
  const placedAt = [book(log, 1, AMOUNT), book(log, 2, 2 * AMOUNT)];
  const add = ({ type, data }: { type: string; data: { order_id: string } }): number =>
    log.add(orderStream(data.order_id), type, data);
  const steppedAt = add(stepped(first, "pending", "preparing"));
  const cancellation = cancelled(second);
  const named = { ...cancellation.data, reason: "key-cancel" };
  const cancelledAt = add({ type: "order.cancelled", data: named });
  release(log, 2, AMOUNT);
  const amounts = { amount_minor: 100, refunded_total_minor: 100 };
  const refund = { ...refOf(second), ...amounts, reason: "key-refund", at: "2026-03-10T09:21:00.000Z" };
  const refundedAt = add({ type: "order.refunded", data: refund });
  const raised = { branch_id: BRANCH, slot_rules: { capacity_minor: 700_000 } };
  const raisedAt = log.add(branchStream(BRANCH), "branch.slots_configured", raised);
  const published = {
    version: 2,
    note: "key-publish",
    published_at: "2026-03-10T09:22:00.000Z",
    changed: [],
  };
  const publishedAt = log.add("menu", "menu.published", published);
  const ids = [first.data.order_id, second.data.order_id] as const;
  const answers = placedAt.map((position, at) => ({
    ...{ order_id: ids[at] ?? "", position, slot: { slot_id: SLOT_ID } },
  }));
  const told = { status: "preparing", refunded_total_minor: 0 };
  return {
    began_at,
    events: log.events,
    head: log.events.length,
    stream_versions: log.versions,
    operations: [
      ...answers.map((answer, at) => acked("place", `key-${String(at + 1)}`, { branch_id: BRANCH }, answer)),
      acked("repeat", "key-1", { first: answers[0] }, answers[0]),
      acked(
        "advance",
        "key-step",
        { order_id: ids[0], to: "preparing" },
        { status: "preparing", position: steppedAt },
      ),
      acked("cancel", "key-cancel", { order_id: ids[1] }, { status: "cancelled", position: cancelledAt }),
      acked(
        "refund",
        "key-refund",
        { order_id: ids[1], amount_minor: 100 },
        { amount_minor: 100, position: refundedAt },
      ),
      acked(
        "configure",
        "key-rules",
        { branch_id: BRANCH, capacity_minor: 700_000 },
        { capacity_minor: 700_000, position: raisedAt },
      ),
      acked("publish", "key-publish", {}, { version: 2, position: publishedAt }),
      acked("read", "key-read", { order_id: ids[0], after: steppedAt, told }, told),
    ],
    orders: [
      { order_id: ids[0], status: "preparing" },
      { order_id: ids[1], status: "cancelled" },
    ],
    slots: [{ slot_id: SLOT_ID, load_minor: AMOUNT }],
    tables: [{ table: "orders", rows: 2, only_live: [], only_rebuilt: [] }],
    sockets: [kitchenSocket(log.events)],
    mirrors: [],
  };
}
