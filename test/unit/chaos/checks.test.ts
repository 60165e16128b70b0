import { violationsIn } from "../../../chaos/checks/all-checks";
import { compareMirror } from "../../../chaos/checks/mirrors";
import type { Evidence, SocketRecord } from "../../../chaos/checks/evidence";
import type { Operation } from "../../../chaos/history";
import type { RecordedEvent } from "../../../mixins/event-log/event-log";
import {
  acked,
  AMOUNT,
  book,
  CAPACITY,
  goodEvidence,
  openBranch,
  release,
  ShortLog,
  SLOT_ID,
} from "../../support/chaos-evidence";
import { BRANCH, OTHER_BRANCH, uuidOf } from "../../support/orders";

const promises = (evidence: Evidence): string[] => [
  ...new Set(violationsIn(evidence).map(({ promise }) => promise)),
];

/** Good evidence, doctored in one place. */
const doctored = (change: Partial<Evidence>): string[] => promises({ ...goodEvidence(), ...change });

/** Without the event at a position, the rest moved up as if it had never been. */
function withoutEvent(type: string): Partial<Evidence> {
  const { events, head } = goodEvidence();
  const at = events.findIndex((event) => event.type === type);
  const rest = events.filter((_, n) => n !== at).map((event, n) => ({ ...event, position: n + 1 }));
  return { events: rest, head: head - 1 };
}

/** With an event a second time, at the end. */
function withEventTwice(
  type: string,
  change: (event: RecordedEvent) => Partial<RecordedEvent> = () => ({}),
): Partial<Evidence> {
  const { events } = goodEvidence();
  const event = events.find((each) => each.type === type)!;
  const again = { ...event, position: events.length + 1, ...change(event) };
  return { events: [...events, again], head: events.length + 1 };
}

function operations(change: (operation: Operation) => Operation | undefined): Partial<Evidence> {
  return { operations: goodEvidence().operations.flatMap((operation) => change(operation) ?? []) };
}

/** Evidence of nothing but a short log of slots. */
function ofSlots(write: (log: ShortLog) => void, load_minor: number): string[] {
  const log = new ShortLog();
  openBranch(log);
  write(log);
  return promises({
    ...goodEvidence(),
    ...{ events: log.events, head: log.events.length, stream_versions: log.versions },
    ...{ began_at: log.events.length, operations: [], sockets: [] },
    orders: log.events
      .filter(({ type }) => type === "order.placed")
      .map(({ data }) => ({ order_id: (data as { order_id: string }).order_id, status: "pending" })),
    slots: [{ slot_id: SLOT_ID, load_minor }],
  });
}

it("finds nothing in a history without a fault", () => {
  expect(violationsIn(goodEvidence())).toEqual([]);
});

describe("orders", () => {
  it("that were acknowledged and are not in the log are lost", () => {
    const operation = acked(
      "place",
      "key-3",
      { branch_id: BRANCH },
      { order_id: uuidOf(3), position: 2, slot: { slot_id: SLOT_ID } },
    );
    const evidence = goodEvidence();
    expect(promises({ ...evidence, operations: [...evidence.operations, operation] })).toEqual([
      "order.lost",
      "order.not_listed",
    ]);
  });

  it("that were acknowledged before they were in the log were acknowledged early", () => {
    const early = operations((operation) =>
      operation.op === "place" && operation.answer !== null
        ? { ...operation, answer: { ...operation.answer, position: 1 } }
        : operation,
    );
    expect(doctored(early)).toContain("order.acknowledged_early");
  });

  it("that nobody asked for are named", () => {
    expect(doctored(operations((operation) => (operation.key === "key-2" ? undefined : operation)))).toEqual([
      "order.unasked",
    ]);
  });

  it("two of one key are a double", () => {
    const twice = withEventTwice("order.placed", ({ data }) => ({
      stream_id: `order-${uuidOf(9)}`,
      data: { ...(data as object), order_id: uuidOf(9), display_id: "K-009" },
    }));
    expect(doctored(twice)).toContain("order.doubled");
  });

  it("that were refused and yet placed are named", () => {
    const refused = operations((operation) =>
      operation.op === "place" ? { ...operation, outcome: "refused", answer: null } : operation,
    );
    expect(doctored(refused)).toContain("order.refused_yet_placed");
  });

  it("without a row, with two, or a row without an order are named", () => {
    const { orders } = goodEvidence();
    expect(doctored({ orders: orders.slice(1) })).toEqual(["order.not_listed"]);
    expect(doctored({ orders: [...orders, ...orders] })).toEqual(["order.not_listed"]);
    expect(doctored({ orders: [...orders, { order_id: uuidOf(7), status: "pending" }] })).toEqual([
      "order.row_without_event",
    ]);
  });

  it("with one display id on one day are named", () => {
    const { events } = goodEvidence();
    const same = events.map((event) =>
      event.type === "order.placed"
        ? { ...event, data: { ...(event.data as object), display_id: "K-1" } }
        : event,
    );
    expect(doctored({ events: same })).toContain("order.display_id_twice");
  });
});

describe("changes", () => {
  it.each(["order.cancelled", "order.refunded", "menu.published"])(
    "%s that was acknowledged and lost is named",
    (type) => {
      expect(doctored(withoutEvent(type))).toContain(`${type}.lost`);
    },
  );

  it.each(["order.cancelled", "order.refunded", "menu.published", "order.status_changed"])(
    "%s twice under one key is a double",
    (type) => {
      expect(doctored(withEventTwice(type))).toContain(`${type}.doubled`);
    },
  );

  it.each([
    ["order.cancelled", "key-cancel"],
    ["order.refunded", "key-refund"],
    ["menu.published", "key-publish"],
    ["order.status_changed", "key-step"],
  ])("%s that nobody asked for is named", (type, key) => {
    expect(doctored(operations((operation) => (operation.key === key ? undefined : operation)))).toContain(
      `${type}.unasked`,
    );
  });

  it("a step that is acknowledged and lost, or acknowledged to two, is named", () => {
    expect(doctored(withoutEvent("order.status_changed"))).toContain("order.status_changed.lost");
    const evidence = goodEvidence();
    const step = evidence.operations.find(({ op }) => op === "advance")!;
    const other = { ...step, key: "key-other" } as Operation;
    expect(promises({ ...evidence, operations: [...evidence.operations, other] })).toEqual([
      "order.status_changed.acknowledged_twice",
    ]);
  });

  it("a change of rules that the log does not have is named", () => {
    const other = operations((operation) =>
      operation.op === "configure" && operation.answer !== null
        ? { ...operation, answer: { ...operation.answer, capacity_minor: 1 } }
        : operation,
    );
    expect(doctored(other)).toEqual(["branch.slots_configured.lost"]);
  });

  it("another answer under the same key, or a refusal after an answer, is named", () => {
    const other = operations((operation) =>
      operation.op === "repeat" ? { ...operation, answer: {} } : operation,
    );
    expect(doctored(other)).toEqual(["key.other_answer"]);
    const refused = operations((operation) =>
      operation.op === "repeat" ? { ...operation, outcome: "refused", answer: null } : operation,
    );
    expect(doctored(refused)).toEqual(["key.refused_later"]);
  });

  it("an answer that no client may get is named", () => {
    const broken = operations((operation) =>
      operation.op === "read" ? { ...operation, outcome: "broken", status: 500, answer: null } : operation,
    );
    expect(doctored(broken)).toEqual(["answer.broken"]);
  });
});

describe("the log", () => {
  it("with a gap in its positions is named", () => {
    const { events } = goodEvidence();
    expect(doctored({ events: events.filter(({ position }) => position !== 3) })).toContain("log.gap");
  });

  it("whose head or streams stand elsewhere is named", () => {
    expect(doctored({ head: 99 })).toEqual(["log.head"]);
    expect(doctored({ stream_versions: new Map([...goodEvidence().stream_versions, ["menu", 2]]) })).toEqual([
      "stream.version",
    ]);
  });

  it("with a gap in a stream is named", () => {
    const { events } = goodEvidence();
    const skipped = events.map((event) => (event.stream_id === "menu" ? { ...event, version: 2 } : event));
    expect(doctored({ events: skipped })).toContain("stream.gap");
  });
});

describe("slots", () => {
  it("that are filled to the brim are fine", () => {
    expect(
      ofSlots((log) => {
        book(log, 1, AMOUNT);
        book(log, 2, 2 * AMOUNT);
      }, 2 * AMOUNT),
    ).toEqual([]);
  });

  it("that hold more than their capacity are oversold", () => {
    const oversold = ofSlots((log) => {
      for (const number of [1, 2, 3]) book(log, number, number * AMOUNT);
    }, 3 * AMOUNT);
    expect(3 * AMOUNT).toBeGreaterThan(CAPACITY);
    expect(oversold).toEqual(["slot.oversold"]);
  });

  it("are judged by the capacity in force at the time", () => {
    const lowered = { branch_id: BRANCH, slot_rules: { capacity_minor: AMOUNT } };
    const lower = (log: ShortLog): void => void log.add("branch-x", "branch.slots_configured", lowered);
    expect(
      ofSlots((log) => {
        book(log, 1, AMOUNT);
        book(log, 2, 2 * AMOUNT);
        lower(log);
      }, 2 * AMOUNT),
    ).toEqual([]);
    expect(
      ofSlots((log) => {
        book(log, 1, AMOUNT);
        lower(log);
        book(log, 2, 2 * AMOUNT);
      }, 2 * AMOUNT),
    ).toEqual(["slot.oversold", "slot.capacity"]);
  });

  it("whose events or rows say another load than their orders hold are named", () => {
    expect(ofSlots((log) => void book(log, 1, 5), AMOUNT)).toEqual(["slot.view"]);
    expect(ofSlots((log) => void book(log, 1, AMOUNT), 5)).toEqual(["slot.load"]);
  });

  it("given to one order twice are named", () => {
    expect(
      ofSlots((log) => {
        book(log, 1, AMOUNT);
        book(log, 1, 2 * AMOUNT);
      }, 2 * AMOUNT),
    ).toContain("slot.booked_twice");
  });

  it("that are not given back after a cancellation are named", () => {
    expect(doctored(withoutEvent("slot.released"))).toContain("slot.not_released");
  });

  it("that are given back twice, without a cancellation, or without a booking are named", () => {
    expect(doctored(withEventTwice("slot.released"))).toContain("slot.released_twice");
    expect(
      ofSlots((log) => {
        book(log, 1, AMOUNT);
        release(log, 1, 0);
      }, 0),
    ).toEqual(["slot.released_alive"]);
    expect(ofSlots((log) => void release(log, 1, -AMOUNT), -AMOUNT)).toContain("slot.released_unbooked");
  });
});

describe("sockets", () => {
  const heard = (change: (heard: SocketRecord["heard"]) => SocketRecord["heard"]): string[] => {
    const evidence = goodEvidence();
    return promises({
      ...evidence,
      sockets: evidence.sockets.map((socket) => ({ ...socket, heard: change(socket.heard) })),
    });
  };

  it("hear of their branch and of the menu", () => {
    const [tablet] = goodEvidence().sockets;
    expect(tablet?.heard.map(({ type }) => type)).toEqual([
      ...["slot:changed", "order:created", "slot:changed", "order:created", "order:status:changed"],
      ...["order:status:changed", "slot:changed", "slot:changed", "menu:updated"],
    ]);
  });

  it("that missed a message, heard it twice, or otherwise than it was are named", () => {
    expect(heard((all) => all.slice(1))).toEqual(["socket.missed"]);
    expect(heard((all) => [...all, ...all.slice(-1)])).toEqual(["socket.twice"]);
    expect(heard((all) => all.with(2, { ...all[2]!, digest: "other" }))).toEqual(["socket.other_content"]);
  });

  it("that heard messages out of order are named", () => {
    expect(heard((all) => [all[1]!, all[0]!, ...all.slice(2)])).toEqual(["socket.out_of_order"]);
  });

  it("that heard what was not meant for them are named", () => {
    const evidence = goodEvidence();
    const sockets = evidence.sockets.map((socket) => ({
      ...socket,
      caller: { ...socket.caller, branch_ids: [OTHER_BRANCH] },
    }));
    expect(promises({ ...evidence, sockets })).toEqual(["socket.not_meant", "socket.more"]);
  });

  it("that were told to read a stretch by other ways need not hear it", () => {
    const evidence = goodEvidence();
    const [tablet] = evidence.sockets;
    const sockets = [{ ...tablet!, heard: tablet!.heard.slice(3), resyncs: [{ from: 0, to: 4 }] }];
    expect(promises({ ...evidence, sockets })).toEqual([]);
  });
});

describe("read models", () => {
  it("that differ from a rebuild are named", () => {
    const table = { table: "orders", rows: 1, only_live: [{}], only_rebuilt: [{}] };
    expect(doctored({ tables: [table] })).toEqual(["read_model.not_in_log", "read_model.missing"]);
  });

  it("and their mirrors are compared key by key", () => {
    const [order_id, status] = [uuidOf(1), "ready"];
    const read_model = { orders: [{ order_id, status }], slots: [{ slot_id: SLOT_ID, load_minor: 5 }] };
    const mirror = new Map([
      [`order:${order_id}`, JSON.stringify({ order_id, status, position: 3 })],
      [`order:${order_id}:status`, status],
      [`slot:${SLOT_ID}`, JSON.stringify({ slot_id: SLOT_ID, load_minor: 5 })],
    ]);
    expect(compareMirror(read_model, mirror)).toEqual([]);
    mirror.set(`order:${order_id}:status`, "cooking").delete(`slot:${SLOT_ID}`);
    const mirrors = compareMirror(read_model, mirror);
    expect(mirrors.map(({ key }) => key)).toEqual([`order:${order_id}:status`, `slot:${SLOT_ID}`]);
    expect(doctored({ mirrors })).toEqual(["mirror.differs"]);
  });
});

describe("reads", () => {
  it("with ?after= that show less, or are refused, are named", () => {
    const stale = operations((operation) =>
      operation.op === "read"
        ? { ...operation, answer: { status: "pending", refunded_total_minor: 0 } }
        : operation,
    );
    expect(doctored(stale)).toEqual(["read.stale"]);
    const refused = operations((operation) =>
      operation.op === "read"
        ? { ...operation, outcome: "refused", code: "input.position_unknown", answer: null }
        : operation,
    );
    expect(doctored(refused)).toEqual(["read.refused"]);
  });

  const SALE = "a flash sale";
  const renamed = (x_cache: string | null, start_ms: number): string[] => {
    const evidence = goodEvidence();
    const log = new ShortLog();
    for (const name of ["old", "new"])
      log.add("flash-sale-x", "menu.sale_changed", { sale_id: SALE, sale: { name: { ru: name, en: name } } });
    const rename = acked("rename", "k", { sale_id: SALE, name: "new" }, { position: 2 });
    const items = [{ sale_id: SALE, name: { en: "old" } }];
    const list = { ...acked("sales", "l", {}, { items, x_cache }), start_ms } as Operation;
    return promises({
      ...evidence,
      ...{ events: log.events, head: 2, stream_versions: log.versions, began_at: 2 },
      ...{ operations: [rename, list], orders: [], slots: [], sockets: [] },
    });
  };

  it("from a cache that are older than a change of long ago are named", () => {
    expect(renamed("HIT", 60_000)).toEqual(["cache.stale"]);
    expect(renamed("HIT", 100)).toEqual([]);
    expect(renamed(null, 60_000)).toEqual([]);
  });
});
