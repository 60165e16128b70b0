import { violationsIn } from "../../../chaos/checks/all-checks";
import type { Evidence, SocketRecord } from "../../../chaos/checks/evidence";
import type { Operation } from "../../../chaos/history";
import type { LogEvent } from "../../../chaos/model/events";
import {
  AMOUNT,
  book,
  CAPACITY,
  evidenceOf,
  goodEvidence,
  mirrorOf,
  openBranch,
  order,
  placing,
  release,
  ShortLog,
  tablesOf,
} from "../../support/chaos-evidence";
import { OTHER_BRANCH, uuidOf } from "../../support/orders";

const promises = (evidence: Evidence): string[] => [
  ...new Set(violationsIn(evidence).map(({ promise }) => promise)),
];

/** Good evidence, doctored in one place. */
const doctored = (change: Partial<Evidence>): string[] => promises({ ...goodEvidence(), ...change });

/** A log that read models and mirrors have followed, whatever it tells. */
const told = (events: readonly LogEvent[]): Partial<Evidence> => ({
  ...{ events, head: events.length, tables: tablesOf(events), mirror: mirrorOf(events) },
});

/** Without the event at a position, the rest moved up as if it had never been. */
function withoutEvent(type: string): Partial<Evidence> {
  const { events } = goodEvidence();
  const at = events.findLastIndex((event) => event.type === type);
  return told(events.filter((_, n) => n !== at).map((event, n) => ({ ...event, position: n + 1 })));
}

/** With an event a second time, at the end. */
function withEventTwice(
  type: string,
  change: (event: LogEvent) => Partial<LogEvent> = () => ({}),
): Partial<Evidence> {
  const { events } = goodEvidence();
  const event = events.findLast((each) => each.type === type)!;
  return told([...events, { ...event, position: events.length + 1, ...change(event) }]);
}

function operations(change: (operation: Operation) => Operation | undefined): Partial<Evidence> {
  return { operations: goodEvidence().operations.flatMap((operation) => change(operation) ?? []) };
}

/** Evidence of nothing but a short log of slots. */
function ofSlots(write: (log: ShortLog) => void): string[] {
  const log = new ShortLog();
  openBranch(log);
  write(log);
  return promises(evidenceOf(log));
}

it("finds nothing in a history without a fault", () => {
  expect(violationsIn(goodEvidence())).toEqual([]);
});

describe("orders", () => {
  it("that were acknowledged and are not in the log are lost", () => {
    const evidence = goodEvidence();
    const lost = placing(order(3), 2);
    expect(promises({ ...evidence, operations: [...evidence.operations, lost] })).toEqual([
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
    const { tables } = goodEvidence();
    const rows = tables.get("orders")!;
    const having = (orders: typeof rows): string[] =>
      doctored({ tables: new Map([...tables, ["orders", orders]]) });
    expect(having(rows.slice(1))).toEqual(["order.not_listed", "read_model.missing"]);
    expect(having([...rows, ...rows])).toEqual(["order.not_listed", "read_model.not_in_log"]);
    expect(having([...rows, { order_id: uuidOf(7) }])).toEqual(["read_model.not_in_log"]);
  });

  it("that are not what was asked for, or were answered otherwise, are named", () => {
    const other = (change: (operation: Operation & { op: "place" }) => object): string[] =>
      doctored(
        operations((operation) =>
          operation.op === "place" ? { ...operation, ...change(operation) } : operation,
        ),
      );
    expect(other(({ asked }) => ({ asked: { ...asked, fulfilment: "pickup" } }))).toEqual([
      "order.not_as_asked",
    ]);
    expect(other(({ answer }) => ({ answer: { ...answer, total_minor: 1 } }))).toEqual([
      "order.other_answer",
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
    expect(doctored({ head: 99, mirror: undefined })).toEqual(["log.head"]);
    expect(doctored({ stream_versions: new Map([...goodEvidence().stream_versions, ["menu", 9]]) })).toEqual([
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
      }),
    ).toEqual([]);
  });

  it("that hold more than their capacity are oversold", () => {
    const oversold = ofSlots((log) => {
      for (const number of [1, 2, 3]) book(log, number, number * AMOUNT);
    });
    expect(3 * AMOUNT).toBeGreaterThan(CAPACITY);
    expect(oversold).toEqual(["slot.oversold"]);
  });

  it("are judged by the capacity in force at the time", () => {
    const lowered = { branch_id: order(1).data.branch_id, slot_rules: { capacity_minor: AMOUNT } };
    const lower = (log: ShortLog): void => void log.add("branch-x", "branch.slots_configured", lowered);
    expect(
      ofSlots((log) => {
        book(log, 1, AMOUNT);
        book(log, 2, 2 * AMOUNT);
        lower(log);
      }),
    ).toEqual([]);
    expect(
      ofSlots((log) => {
        book(log, 1, AMOUNT);
        lower(log);
        book(log, 2, 2 * AMOUNT);
      }),
    ).toEqual(["slot.oversold", "slot.view"]);
  });

  it("whose events say another load than their orders hold are named", () => {
    expect(ofSlots((log) => void book(log, 1, 5))).toEqual(["slot.view"]);
  });

  it("of which an order takes what a sale has lowered are named", () => {
    const [share] = order(1).data.shares;
    const cheap = order(1, { shares: [{ ...share!, amount_minor: 1 }] });
    expect(ofSlots((log) => void book(log, 1, 1, cheap))).toContain("slot.share");
  });

  it("that are promised for another time than they end, or shown after they begin, are named", () => {
    const late = order(1, { ready_at: "2026-03-10T10:00:00.000Z", visible_at: "2026-03-10T09:40:00.000Z" });
    expect(ofSlots((log) => void book(log, 1, AMOUNT, late))).toEqual(["slot.ready_at", "slot.visible_at"]);
  });

  it("given to one order twice are named", () => {
    expect(
      ofSlots((log) => {
        book(log, 1, AMOUNT);
        book(log, 1, 2 * AMOUNT);
      }),
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
      }),
    ).toEqual(["slot.released_alive"]);
    expect(ofSlots((log) => void release(log, 1, -AMOUNT))).toContain("slot.released_unbooked");
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
      "menu:updated",
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
      person: { ...socket.person, branch_ids: [OTHER_BRANCH] },
    }));
    expect(promises({ ...evidence, sockets })).toEqual(["socket.not_meant", "socket.more"]);
  });

  it("that were told to read a stretch by other ways need not hear it", () => {
    const evidence = goodEvidence();
    const [tablet] = evidence.sockets;
    const told = { ...tablet!, heard: [], resyncs: [{ from: 0, to: 2_000 }] };
    expect(promises({ ...evidence, sockets: [told] })).toEqual([]);
    const sockets = [{ ...told, heard: tablet!.heard.slice(4), resyncs: [{ from: 0, to: 5 }] }];
    expect(promises({ ...evidence, sockets })).toEqual(["socket.needless_resync"]);
  });
});
