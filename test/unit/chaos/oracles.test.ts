import { violationsIn } from "../../../chaos/checks/all-checks";
import type { CheckpointMove, Evidence, Mirror } from "../../../chaos/checks/evidence";
import { lifecycle } from "../../../chaos/checks/lifecycle";
import { prices } from "../../../chaos/checks/prices";
import type { Operation } from "../../../chaos/history";
import { changeSeen, orderSeen } from "../../../chaos/model/sight";
import { ordersOf } from "../../../chaos/model/order";
import { orderStream, type OrderEvent, type OrderPlaced } from "../../../services/order/order.events";
import { seedSale } from "../../../services/menu/menu.seed-data";
import {
  acked,
  AMOUNT,
  BEGAN_MS,
  book,
  evidenceOf,
  goodEvidence,
  MENU,
  MENU_VERSION,
  openBranch,
  order,
  placing,
  publish,
  ShortLog,
} from "../../support/chaos-evidence";
import { EVENTS, ORDER, pathsOf, sorted } from "../../support/order-sight";
import { cancelled, CUSTOMER, refOf, stepped, stepsTo, uuidOf } from "../../support/orders";

const promises = (evidence: Evidence): string[] => [
  ...new Set(violationsIn(evidence).map(({ promise }) => promise)),
];
const doctored = (change: Partial<Evidence>): string[] => promises({ ...goodEvidence(), ...change });

describe("prices", () => {
  /** What is said of one order, that was asked for some time after menu 3 was published and menu 4 after it. */
  function of(
    placed: OrderPlaced,
    {
      asked_ms = 0,
      newer_at = "2026-03-10T09:00:00.000Z",
      disturbances = [],
      offers = () => undefined,
    }: {
      asked_ms?: number;
      newer_at?: string;
      disturbances?: Evidence["disturbances"];
      offers?: (log: ShortLog) => void;
    } = {},
  ): string[] {
    const log = new ShortLog();
    openBranch(log);
    publish(log, MENU_VERSION, "before");
    const newer = publish(log, MENU_VERSION + 1, "newer");
    log.events[newer - 1] = { ...log.events[newer - 1]!, recorded_at: newer_at };
    offers(log);
    const at = book(log, 1, AMOUNT, placed);
    const recorded_at = new Date(BEGAN_MS + asked_ms + 50).toISOString();
    log.events[at - 1] = { ...log.events[at - 1]!, recorded_at };
    const asking = { ...placing(placed, at), start_ms: asked_ms } as Operation;
    const evidence = evidenceOf(log, { operations: [asking], disturbances });
    const menus = [MENU, { ...MENU, version: MENU_VERSION + 1 }];
    return prices({ ...evidence, menus }).map(({ promise }) => promise);
  }

  const at = (asked_ms: number): Partial<OrderPlaced["data"]> => ({
    placed_at: new Date(BEGAN_MS + asked_ms).toISOString(),
  });

  it("of a menu that was in force when the order was asked for, or within the last three seconds, are right", () => {
    expect(of(order(1))).toEqual([]);
    expect(of(order(1, at(2_000)), { asked_ms: 2_000 })).toEqual([]);
    expect(of(order(1, { menu_version: MENU_VERSION + 1 }))).toEqual([]);
  });

  it("of a menu that had long been replaced, or did not exist, are old", () => {
    expect(of(order(1, at(10_000)), { asked_ms: 10_000 })).toEqual(["price.old_menu"]);
    expect(of(order(1, { menu_version: 9 }))).toContain("price.old_menu");
  });

  it("of a menu from before a fault may still be asked right after it", () => {
    const disturbances = [{ began_ms: BEGAN_MS - 1, ended_ms: BEGAN_MS + 9_000 }];
    expect(of(order(1, at(10_000)), { asked_ms: 10_000, disturbances })).toEqual([]);
  });

  const lines = order(1).data.items;
  const withLine = (change: object): OrderPlaced =>
    order(1, { items: [{ ...lines[0]!, ...change }, lines[1]!] });

  it("that the menu does not say are named", () => {
    expect(of(withLine({ list_price_minor: 1 }))).toContain("price.unlike_menu");
    expect(of(withLine({ name: { ru: "?", en: "?" } }))).toEqual(["price.unlike_menu"]);
    expect(of(withLine({ unit_price_minor: 1 }))).toContain("price.without_sale");
  });

  it("that do not add up are named", () => {
    expect(of(order(1, { total_minor: 1 }))).toEqual(["price.sum"]);
    expect(of(order(1, { delivery_fee_minor: 0, total_minor: AMOUNT }))).toEqual(["price.sum"]);
    expect(of(withLine({ line_total_minor: 1 }))).toEqual(["price.sum"]);
    expect(of(order(1, { discount_minor: 100, total_minor: AMOUNT + 19_800 }))).toEqual(["price.discount"]);
  });

  it("at a time that is not that of the order are named", () => {
    expect(of(order(1, at(-60_000)))).toEqual(["order.placed_at"]);
  });

  const SALE = uuidOf(1, "f");
  const onSale = (limit_quantity: number | null) => ({
    offers: (log: ShortLog): void => {
      const sale = { ...seedSale(0), sale_id: SALE, item_ids: [lines[0]!.menu_item_id], limit_quantity };
      const terms = { percent: 10, price_minor: null };
      const time = { starts_at: "2026-03-10T08:00:00.000Z", ends_at: "2026-03-10T10:00:00.000Z" };
      const at = log.add("sale", "menu.sale_changed", {
        sale_id: SALE,
        sale: { ...sale, ...terms, ...time },
      });
      log.events[at - 1] = { ...log.events[at - 1]!, recorded_at: "2026-03-10T08:30:00.000Z" };
    },
  });
  const sold = (unit_price_minor: number): OrderPlaced => {
    const less = 2 * (59_900 - unit_price_minor);
    const items = [
      { ...lines[0]!, unit_price_minor, flash_sale_id: SALE, line_total_minor: 159_600 - less },
      { ...lines[1]!, menu_item_id: lines[0]!.menu_item_id },
    ];
    return order(1, {
      items: items.slice(0, 1),
      ...{ items_total_minor: 159_600 - less, total_minor: 159_600 - less + 19_900 },
    });
  };

  it("in a sale are what its terms say", () => {
    expect(of(sold(53_910), onSale(null))).toEqual([]);
    expect(of(sold(50_000), onSale(null))).toEqual(["price.sale"]);
    expect(of(sold(53_910))).toEqual(["price.sale"]);
  });

  it("by the menu are wrong while an unlimited sale is on, and right where a limited one may be sold out", () => {
    expect(of(order(1), onSale(null))).toContain("price.sale_missed");
    expect(of(order(1), onSale(5))).toEqual([]);
  });
});

describe("an order's course", () => {
  const pickup = order(1, { fulfilment: "pickup" });
  const delivery = order(1);
  const of = (...events: OrderEvent[]): string[] => {
    const log = new ShortLog();
    for (const { type, data } of events) log.add(orderStream(data.order_id), type, data);
    return [...new Set(lifecycle({ events: log.events }).map(({ promise }) => promise))];
  };
  const refunded = (amount_minor: number, refunded_total_minor: number): OrderEvent => {
    const amounts = { amount_minor, refunded_total_minor, reason: "?", at: "2026-03-10T09:30:00.000Z" };
    return { type: "order.refunded", data: { ...refOf(delivery), ...amounts } };
  };

  it("to its end, or to its cancellation before it is on its way, is right", () => {
    expect(of(pickup, ...stepsTo(pickup, "delivered"))).toEqual([]);
    expect(of(delivery, ...stepsTo(delivery, "delivered"), refunded(5, 5), refunded(5, 10))).toEqual([]);
    expect(of(pickup, cancelled(pickup))).toEqual([]);
  });

  it.each<[string, OrderEvent[], string]>([
    [
      "back",
      [delivery, ...stepsTo(delivery, "ready"), stepped(delivery, "ready", "cooking")],
      "order.illegal_step",
    ],
    ["past a step", [delivery, stepped(delivery, "pending", "cooking")], "order.illegal_step"],
    [
      "on after its end",
      [delivery, cancelled(delivery), stepped(delivery, "pending", "preparing")],
      "order.illegal_step",
    ],
    [
      "into a cancellation on its way",
      [delivery, ...stepsTo(delivery, "delivery"), cancelled(delivery)],
      "order.illegal_step",
    ],
    ["without a beginning", [stepped(delivery, "pending", "preparing")], "order.never_placed"],
    ["from its beginning twice", [delivery, delivery], "order.placed_twice"],
    ["with refunds above its total", [delivery, refunded(400_000, 400_000)], "order.refunded_too_much"],
    ["with a wrong sum of refunds", [delivery, refunded(5, 5), refunded(5, 5)], "order.refund_sum"],
  ])("%s is named", (_, events, promise) => {
    expect(of(...events)).toEqual([promise]);
  });
});

describe("read models and mirrors", () => {
  it.each([
    ["orders", "total_minor"],
    ["orders", "status"],
    ["orders", "refunded_total_minor"],
    ["order_items", "unit_price_minor"],
    ["slots", "load_minor"],
    ["branches", "slot_rules"],
    ["open_baskets", "item_ids"],
  ])("%s with another %s are named", (table, column) => {
    const { tables } = goodEvidence();
    const [first, ...rest] = tables.get(table) ?? [];
    const wrong = new Map([...tables, [table, [{ ...first, [column]: 1 }, ...rest]]]);
    expect(doctored({ tables: wrong })).toEqual(["read_model.differs"]);
  });

  const mirrored = (change: (mirror: Mirror) => Partial<Mirror>): string[] => {
    const mirror = goodEvidence().mirror!;
    return doctored({ mirror: { ...mirror, ...change(mirror) } });
  };
  const key = `order:${uuidOf(1)}`;

  it("keys with a field that is not so are named", () => {
    expect(
      mirrored(({ texts }) => {
        const value = { ...(JSON.parse(texts.get(key)!) as object), total_minor: 1 };
        return { texts: new Map([...texts, [key, JSON.stringify(value)]]) };
      }),
    ).toEqual(["mirror.differs"]);
  });

  it.each<[string, (mirror: Mirror) => Partial<Mirror>, string]>([
    [
      "a missing key",
      ({ texts }) => ({ texts: new Map([...texts].filter(([name]) => name !== key)) }),
      "mirror.differs",
    ],
    [
      "another status",
      ({ texts }) => ({ texts: new Map([...texts, [`${key}:status`, "ready"]]) }),
      "mirror.differs",
    ],
    ["missing rules", () => ({ config: new Map() }), "mirror.differs"],
    ["an old menu", () => ({ menu: '{"version":4}' }), "mirror.differs"],
    [
      "a marker that stands behind",
      () => ({ marker: { state: "following", position: "1" } }),
      "mirror.differs",
    ],
    ["a key that ends too soon", () => ({ ends_ms: new Map([[key, BEGAN_MS]]) }), "mirror.kept_otherwise"],
  ])("%s is named", (_, change, promise) => {
    expect(mirrored(change)).toEqual([promise]);
  });
});

describe("reads", () => {
  const read = (
    answer: (good: Readonly<Record<string, unknown>>) => object | null,
    code?: string,
  ): string[] =>
    doctored({
      operations: goodEvidence().operations.map((operation) =>
        operation.op === "read"
          ? ({
              ...{ ...operation, answer: answer(operation.answer!) },
              ...(code === undefined ? {} : { code, outcome: "refused" }),
            } as Operation)
          : operation,
      ),
    });

  it("that show what was before, or what never was, or are refused, are named", () => {
    const { events } = goodEvidence();
    const before = ordersOf(events).get(uuidOf(1))![0]!;
    expect(read(() => orderSeen("desk", before))).toEqual(["read.stale"]);
    expect(read((good) => ({ ...good, total_minor: 1 }))).toEqual(["read.wrong"]);
    expect(read(() => null, "input.position_unknown")).toEqual(["read.refused"]);
  });

  it("of the menu that show an older version, or other prices, are named", () => {
    const { operations, events } = goodEvidence();
    const prices = { [MENU.pizzas[0]!.id]: MENU.pizzas[0]!.price_minor };
    const having = (version: number, shown = prices): string[] =>
      doctored({
        operations: [...operations, acked("menu", "m", { after: events.length }, { version, prices: shown })],
      });
    expect(having(MENU_VERSION + 1)).toEqual([]);
    expect(having(MENU_VERSION)).toEqual(["menu.stale"]);
    expect(having(MENU_VERSION + 1, {})).toEqual(["menu.wrong"]);
  });
});

describe("caches", () => {
  const SALE = "a flash sale";
  const renamed = (x_cache: string | null, start_ms: number, ended_ms?: number): string[] => {
    const log = new ShortLog();
    for (const name of ["old", "new"])
      log.add("flash-sale-x", "menu.sale_changed", { sale_id: SALE, sale: { name: { ru: name, en: name } } });
    const rename = acked("rename", "k", { sale_id: SALE, name: "new" }, { position: 2 });
    const items = [{ sale_id: SALE, name: { en: "old" } }];
    const list = { ...acked("sales", "l", {}, { items, x_cache }), start_ms } as Operation;
    const end = { ...acked("invalidate", "e", {}, { position: 2 }), start_ms: 2, end_ms: ended_ms ?? 0 };
    const ends = ended_ms === undefined ? [] : [end as Operation];
    return promises(evidenceOf(log, { operations: [rename, ...ends, list] }));
  };

  it("that are older than a change of long ago are named", () => {
    expect(renamed("HIT", 60_000)).toEqual(["cache.stale"]);
    expect(renamed("HIT", 100)).toEqual([]);
    expect(renamed(null, 60_000)).toEqual([]);
  });

  it("that are older than what somebody ended by hand are named", () => {
    expect(renamed("HIT", 100, 50)).toEqual(["cache.stale"]);
    expect(renamed("HIT", 40, 50)).toEqual([]);
  });

  it("that do not count an order of long ago are named", () => {
    const [one, other] = [uuidOf(1, "d"), uuidOf(2, "d")];
    const log = new ShortLog();
    openBranch(log);
    const before = publish(log, MENU_VERSION, "before");
    const [line, second] = order(1).data.items;
    const items = [line!, { ...second!, menu_item_id: other }];
    const at = book(log, 1, AMOUNT, order(1, { items }));
    const sets = [{ ...MENU.sets[0]!, id: other }];
    const look = (counts: Record<string, number>, start_ms: number): string[] => {
      const answer = { counts, x_cache: "HIT" };
      const looking = { ...acked("company", "c", { item_id: one }, answer), start_ms } as Operation;
      const operations = [placing(order(1, { items }), at), looking];
      return promises(evidenceOf(log, { operations, began_at: before, menus: [{ ...MENU, sets }] }));
    };
    expect(look({ [other]: 1 }, 60_000)).toEqual([]);
    expect(look({}, 1_000)).toEqual([]);
    expect(look({}, 60_000)).toEqual(["cache.stale"]);
    expect(look({ [other]: 2 }, 60_000)).toEqual(["cache.stale"]);
  });
});

describe("checkpoints", () => {
  const move = (from: number, to: number, xid: string): CheckpointMove => ({ name: "slots", from, to, xid });
  const contests = [{ name: "slots", from: 5, to: 9, waiting: ["77"] }];

  it("that go on, and give way to another host, are right", () => {
    expect(doctored({ moves: [move(0, 5, "75"), move(5, 9, "76"), move(9, 12, "78")], contests })).toEqual(
      [],
    );
  });

  it("that are moved by who did not see another host's move, or back, are named", () => {
    expect(doctored({ moves: [move(5, 9, "76"), move(9, 12, "77")], contests })).toEqual([
      "checkpoint.not_fenced",
    ]);
    expect(doctored({ moves: [move(5, 9, "76"), move(9, 7, "78")] })).toEqual(["checkpoint.went_back"]);
  });
});

describe("what is seen of an order", () => {
  const log = new ShortLog();
  const placed = order(1);
  log.add("order", "order.placed", placed.data);
  const [now] = ordersOf(log.events).get(placed.data.order_id)!;

  it.each(["public", "kitchen", "customer", "desk"] as const)(
    "by the %s is what the documents say",
    (sight) => {
      expect(pathsOf(orderSeen(sight, now!))).toEqual(sorted(ORDER[sight]));
      const step = stepped(placed, "pending", "preparing").data as never;
      expect(pathsOf(changeSeen(sight, "order.status_changed", step, 0))).toEqual(
        sorted(EVENTS[sight]["order.status_changed"] ?? []),
      );
      const refund = { ...refOf(placed), amount_minor: 1, refunded_total_minor: 1, reason: "?", at: "" };
      const seen = changeSeen(sight, "order.refunded", refund, 1);
      expect(seen === null ? undefined : pathsOf(seen)).toEqual(
        EVENTS[sight]["order.refunded"] && sorted(EVENTS[sight]["order.refunded"]),
      );
      expect(refund.user_id).toBe(CUSTOMER);
    },
  );
});
