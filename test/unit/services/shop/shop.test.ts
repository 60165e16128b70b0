import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import { pageFrom } from "../../../../mixins/crud/page";
import { cursorKey, decodeCursor } from "../../../../services/shop/review.cursor";
import { ratingOf } from "../../../../services/shop/review.lists";
import { shortName } from "../../../../services/shop/review.view";
import { statusOf } from "../../../../services/shop/shop.cache";
import { foldBaskets } from "../../../../services/shop/shop.pairs.projection";
import { cancelled, placed, stepped } from "../../../support/orders";

describe("the name that a review shows", () => {
  it.each([
    ["Анна Смирнова", "Анна С."],
    ["  Anna   Maria Smith ", "Anna M."],
    ["Борис", "Борис"],
    ["𝒜nna 𝒮mith", "𝒜nna 𝒮."],
    ["  ", null],
    [null, null],
  ])("of %j is %j", (name, shown) => {
    expect(shortName(name)).toBe(shown);
  });
});

describe("a rating", () => {
  it("is the average to two decimals, and how many gave how many stars", () => {
    expect(
      ratingOf(
        new Map([
          [5, 2],
          [4, 1],
        ]),
      ),
    ).toEqual({ average: 4.67, count: 3, by_stars: { "1": 0, "2": 0, "3": 0, "4": 1, "5": 2 } });
  });

  it("is none without reviews", () => {
    expect(ratingOf(new Map())).toMatchObject({ average: null, count: 0 });
  });
});

describe("a cursor of reviews", () => {
  const last = {
    ...{ helpful_count: 12, written_at: "2026-03-10T09:00:00.000Z" },
    review_id: "01900000-0000-7000-8000-000000000001",
  };
  const encodeCursor = (sort: "newest" | "helpful", of = last): string =>
    pageFrom([of, of], 1, (one) => cursorKey(sort, one)).next_cursor ?? "";

  it("leads back to the last review of its page", () => {
    expect(decodeCursor("newest", encodeCursor("newest", last))).toEqual([last.written_at, last.review_id]);
    expect(decodeCursor("helpful", encodeCursor("helpful", last))).toEqual([
      12,
      last.written_at,
      last.review_id,
    ]);
    expect(decodeCursor("newest", undefined)).toBeNull();
  });

  it.each([
    ["of another order", "newest", encodeCursor("helpful", last)],
    ["of another order", "helpful", encodeCursor("newest", last)],
    [
      "of a day that is none",
      "newest",
      encodeCursor("newest", { ...last, written_at: "2026-02-31T09:00:00.000Z" }),
    ],
    ["of nothing", "newest", ""],
    ["of anything", "helpful", "~~"],
  ] as const)("%s is refused", (_, sort, text) => {
    expect(decodeCursor(sort, text)).toMatchObject({ code: "input.cursor_malformed" });
  });
});

describe("the figures of all nodes", () => {
  const action = {
    ...{ name: "shop.bestsellers", entries: 2, hits: 6, misses: 1, bypasses: 1 },
    ...{ strategy: "ttl" as const, ttl_s: 3_600, ended_at: "2026-03-10T09:00:00.000Z" },
  };
  const figures = (scope: "node" | "chain", change: object = {}) => ({
    ...{ scope, backend: scope === "node" ? ("memory" as const) : ("redis" as const), up: true },
    actions: [
      { ...action, ...change },
      { ...action, name: "menu.other", hits: 100 },
    ],
  });
  const bestsellersOf = (...nodes: ReturnType<typeof figures>[]) =>
    statusOf(nodes.map((each, n) => ({ node_id: `n${String(n)}`, figures: each }))).caches[0];

  it("are added, but for the entries that all of them see", () => {
    expect(bestsellersOf(figures("node"), figures("node"))).toMatchObject({
      entries: 4,
      hits: 12,
      hit_rate: 0.75,
    });
    expect(bestsellersOf(figures("chain"), figures("chain"))).toMatchObject({ entries: 2, hits: 12 });
  });

  it("tell the last time that anybody ended something", () => {
    const later = "2026-03-10T10:00:00.000Z";
    const at = bestsellersOf(
      figures("node"),
      figures("node", { ended_at: later }),
      figures("node", { ended_at: null }),
    );
    expect(at?.last_invalidated_at).toBe(later);
    expect(bestsellersOf(figures("node", { ended_at: null }))?.last_invalidated_at).toBeNull();
  });

  it("say what is not known: a node that was silent, a cache that nobody runs, one that nobody asked", () => {
    const status = statusOf([
      { node_id: "a", figures: { ...figures("chain", { hits: 0, misses: 0, bypasses: 0 }), up: false } },
      { node_id: "b", figures: undefined },
    ]);
    expect(status).toMatchObject({ up: false, nodes: ["a"], silent_nodes: ["b"] });
    expect(status.caches[0]).toMatchObject({ name: "bestsellers", hit_rate: null });
    expect(status.caches[3]).toMatchObject({ name: "profile", strategy: null, ttl_s: null, entries: 0 });
  });
});

describe("a batch of orders", () => {
  const fold = (...events: { type: string; data: object }[]) =>
    foldBaskets(events as unknown as readonly RecordedEvent[]);
  const order = placed(1);
  const { order_id } = order.data;

  it("that came and was cancelled never was", () => {
    expect(fold(order, cancelled(order))).toEqual({
      counted: new Map(),
      opened: [],
      cancelled: [],
      closed: [],
    });
  });

  it("of older orders names those that count no more, and those that can no longer be cancelled", () => {
    expect(fold(cancelled(order))).toMatchObject({ cancelled: [order_id], closed: [] });
    expect(fold(stepped(order, "ready", "delivery"), stepped(order, "delivery", "delivered"))).toMatchObject({
      ...{ cancelled: [], closed: [order_id] },
    });
    expect(fold(stepped(order, "pending", "preparing"))).toMatchObject({ cancelled: [], closed: [] });
  });

  it("counts what is on its way, and keeps no basket of it", () => {
    const { counted, opened, closed } = fold(order, stepped(order, "ready", "delivery"));
    expect([counted.size, opened, closed]).toEqual([1, [], []]);
  });
});
