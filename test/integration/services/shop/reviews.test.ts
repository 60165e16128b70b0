import { randomUUID } from "node:crypto";
import { GUEST, type Caller } from "../../../../mixins/contract/caller";
import * as contracts from "../../../../services/shop/review.contract";
import { cook, manager } from "../../../support/orders";
import { eventually } from "../../../support/eventually";
import type { TestDatabase } from "../../../support/postgres";
import { newCustomer, shopDatabase, ShopNode } from "./shop-node";

let database: TestDatabase;
let shop: ShopNode;
let anna: Caller;

beforeAll(async () => {
  database = await shopDatabase();
  shop = await ShopNode.start(database);
});
afterAll(async () => {
  await shop.stop();
  await database.stop();
});
beforeEach(async () => {
  await database.pool.query("truncate reviews, review_votes");
  await shop.orders.runtime.cache.invalidatePattern("*");
  anna = await newCustomer(database);
});

const { writeReview, editReview, removeReview, voteHelpful, withdrawVote, itemReviews, topComments } =
  contracts;
const words = { rating: 5, text: "Вкусно" };

/** Somebody who has received a pizza, and what they say of it. */
async function reviewed(pizza: number, change: object = {}, who?: Caller): Promise<string> {
  const author = who ?? (await newCustomer(database));
  await shop.deliver(await shop.order([pizza], author));
  const wish = { menu_item_id: shop.pizza(pizza), ...words, ...change };
  return (await shop.call(writeReview, wish, author)).review_id;
}
const listed = async (pizza: number, params: object = {}) =>
  shop.call(itemReviews, { item_id: shop.pizza(pizza), ...params });
const texts = (items: readonly { text: string }[]) => items.map(({ text }) => text);

describe("who may write a review", () => {
  const wish = () => ({ menu_item_id: shop.pizza(0), ...words });

  it("is whoever has received the dish, at once after its delivery", async () => {
    await shop.deliver(await shop.order([0, 1], anna));
    const { review_id } = await shop.call(writeReview, wish(), anna);
    const { items, rating } = await listed(0);
    expect(items).toEqual([
      {
        ...{
          review_id,
          menu_item_id: shop.pizza(0),
          item_name: shop.menu.pizzas[0]?.name,
          author: "Анна С.",
        },
        ...{ verified: true, ...words, helpful_count: 0, edited_at: null },
        written_at: new Date(shop.orders.now).toISOString(),
      },
    ]);
    expect(rating).toEqual({ average: 5, count: 1, by_stars: { "1": 0, "2": 0, "3": 0, "4": 0, "5": 1 } });
  });

  it("is not who has ordered something else, or nothing", async () => {
    expect(await shop.refusal(writeReview, wish(), anna)).toBe("review.not_bought");
    await shop.deliver(await shop.order([1], anna));
    expect(await shop.refusal(writeReview, wish(), anna)).toBe("review.not_bought");
  });

  it("is not who waits for it still, or has cancelled it", async () => {
    const order_id = await shop.order([0], anna);
    expect(await shop.refusal(writeReview, wish(), anna)).toBe("review.not_delivered");
    expect(await shop.refusal(writeReview, { ...wish(), order_id }, anna)).toBe("review.not_delivered");
    await shop.cancel(order_id);
    expect(await shop.refusal(writeReview, wish(), anna)).toBe("review.not_delivered");
  });

  it("is not who names somebody else's order, or one without that dish", async () => {
    const theirs = await shop.order([0], await newCustomer(database));
    await shop.deliver(theirs);
    for (const order_id of [theirs, randomUUID()])
      expect(await shop.refusal(writeReview, { ...wish(), order_id }, anna)).toBe("order.unknown");
    const other = await shop.order([1], anna);
    await shop.deliver(other);
    expect(await shop.refusal(writeReview, { ...wish(), order_id: other }, anna)).toBe("review.not_bought");
  });

  it("is not a guest, nor Forno itself", async () => {
    expect(await shop.refusal(writeReview, wish(), GUEST)).toBe("auth.required");
    expect(await shop.refusal(writeReview, wish())).toBe("auth.required");
  });

  it("is who has received it, also a year later when the order is archived", async () => {
    const order_id = await shop.order([0], anna);
    await shop.deliver(order_id);
    await eventually(async () => {
      const { rowCount } = await database.pool.query(
        "update orders set status = 'archived' where order_id = $1 and status = 'delivered'",
        [order_id],
      );
      expect(rowCount).toBe(1);
    });
    await shop.call(writeReview, wish(), anna);
  });

  it.each([
    ["no rating", { rating: undefined }],
    ["no star", { rating: 0 }],
    ["six stars", { rating: 6 }],
    ["half a star", { rating: 4.5 }],
    ["no text", { text: "" }],
    ["a blank text", { text: " \n " }],
    ["a text without an end", { text: "x".repeat(2_001) }],
    ["a dish that is no id", { menu_item_id: "pizza" }],
  ])("does not write one with %s", async (_, change) => {
    expect(await shop.refusal(writeReview, { ...wish(), ...change }, anna)).toBe("input.invalid");
  });
});

describe("one review a person and dish", () => {
  it("a second one is refused with the first one's id, however many come at once", async () => {
    await shop.deliver(await shop.order([0], anna));
    const wish = { menu_item_id: shop.pizza(0), ...words };
    const codes = await Promise.all(Array.from({ length: 8 }, () => shop.refusal(writeReview, wish, anna)));
    expect(codes.sort()).toEqual(
      [...Array<string>(1).fill("not refused"), ...Array<string>(7).fill("review.already_written")].sort(),
    );
    expect((await listed(0)).items).toHaveLength(1);
  });

  it("the same key has the same answer", async () => {
    await shop.deliver(await shop.order([0], anna));
    const wish = { menu_item_id: shop.pizza(0), ...words };
    const key = randomUUID();
    const first = await shop.call(writeReview, wish, anna, key);
    expect(await shop.call(writeReview, wish, anna, key)).toEqual(first);
  });

  it("can be changed by its author, and shows it", async () => {
    const review_id = await reviewed(0, {}, anna);
    expect((await listed(0)).rating.average).toBe(5);
    shop.orders.now += 60_000;
    await shop.call(editReview, { review_id, rating: 2 }, anna);
    await shop.call(editReview, { review_id, text: " Пересолено " }, anna);
    const { items, rating } = await listed(0);
    expect(items[0]).toMatchObject({
      rating: 2,
      text: "Пересолено",
      edited_at: expect.any(String) as string,
    });
    expect(rating.average).toBe(2);
    expect(await shop.refusal(editReview, { review_id }, anna)).toBe("review.nothing_named");
  });

  it("can be taken back and written anew", async () => {
    const review_id = await reviewed(0, {}, anna);
    await shop.call(removeReview, { review_id }, anna);
    expect(await listed(0)).toMatchObject({ items: [], rating: { average: null, count: 0 } });
    await shop.call(writeReview, { menu_item_id: shop.pizza(0), ...words }, anna);
    expect((await listed(0)).items).toHaveLength(1);
  });

  it("is nobody else's to change", async () => {
    const review_id = await reviewed(0);
    for (const contract of [editReview, removeReview]) {
      const params = contract === editReview ? { review_id, rating: 1 } : { review_id };
      expect(await shop.refusal(contract, params, anna)).toBe("review.not_yours");
      expect(await shop.refusal(contract, { ...params, review_id: randomUUID() }, anna)).toBe(
        "review.unknown",
      );
    }
  });
});

describe("votes", () => {
  it("count once a person, and can be taken back", async () => {
    const review_id = await reviewed(0);
    const codes = await Promise.all(
      Array.from({ length: 6 }, () => shop.refusal(voteHelpful, { review_id }, anna)),
    );
    expect(codes.filter((code) => code === "not refused")).toHaveLength(1);
    expect(codes.filter((code) => code === "review.already_voted")).toHaveLength(5);
    expect((await listed(0)).items[0]?.helpful_count).toBe(1);
    expect(await shop.call(withdrawVote, { review_id }, anna)).toMatchObject({ review_id, helpful_count: 0 });
    expect(await shop.refusal(withdrawVote, { review_id }, anna)).toBe("review.not_voted");
    expect((await listed(0)).items[0]?.helpful_count).toBe(0);
  });

  it("of many people at once are all counted", async () => {
    const review_id = await reviewed(0);
    const people = await Promise.all(Array.from({ length: 12 }, () => newCustomer(database)));
    await Promise.all(people.map((person) => shop.call(voteHelpful, { review_id }, person)));
    expect((await listed(0)).items[0]?.helpful_count).toBe(12);
  });

  it("are not for oneself, for guests, or for what is not there", async () => {
    const review_id = await reviewed(0, {}, anna);
    expect(await shop.refusal(voteHelpful, { review_id }, anna)).toBe("review.own");
    expect(await shop.refusal(voteHelpful, { review_id }, GUEST)).toBe("auth.required");
    expect(await shop.refusal(voteHelpful, { review_id })).toBe("auth.required");
    expect(await shop.refusal(voteHelpful, { review_id: randomUUID() }, anna)).toBe("review.unknown");
  });
});

describe("the desk", () => {
  const { hideReview, showReview, listReviews, myReviews } = contracts;

  it("keeps a review from the shop: its author and the desk still see it, with the reason", async () => {
    const review_id = await reviewed(0, {}, anna);
    await listed(0);
    await shop.call(topComments, {});
    await shop.call(hideReview, { review_id, reason: "реклама" }, manager);
    expect(await listed(0)).toMatchObject({ items: [], rating: { count: 0 } });
    expect((await shop.call(topComments, {})).items).toEqual([]);
    expect(await shop.refusal(voteHelpful, { review_id }, await newCustomer(database))).toBe(
      "review.unknown",
    );
    const hidden = { review_id, hidden_reason: "реклама", hidden_at: expect.any(String) as string };
    expect((await shop.call(myReviews, {}, anna)).items).toMatchObject([hidden]);
    const seen = await shop.call(listReviews, { hidden: true }, manager);
    expect(seen.items).toMatchObject([{ ...hidden, hidden_by: manager.user_id, user_id: anna.user_id }]);
    expect((await shop.call(listReviews, { hidden: false }, manager)).items).toEqual([]);
    // The log keeps that the desk did it; why stands in the row, where it can be deleted.
    for (const table of ["es.event", "es.command"]) {
      const said = `select 1 from ${table} t where t::text like '%реклама%'`;
      expect((await database.pool.query(said)).rows).toEqual([]);
    }
    expect(await shop.refusal(hideReview, { review_id, reason: "ещё раз" }, manager)).toBe(
      "review.already_hidden",
    );
    await shop.call(showReview, { review_id }, manager);
    expect((await listed(0)).items).toHaveLength(1);
    expect(await shop.refusal(showReview, { review_id }, manager)).toBe("review.not_hidden");
  });

  it("is the only one that may", async () => {
    const review_id = await reviewed(0, {}, anna);
    for (const who of [anna, cook]) {
      expect(await shop.refusal(hideReview, { review_id, reason: "нет" }, who)).toBe("auth.forbidden");
      expect(await shop.refusal(showReview, { review_id }, who)).toBe("auth.forbidden");
      expect(await shop.refusal(listReviews, {}, who)).toBe("auth.forbidden");
    }
    expect(await shop.refusal(listReviews, {}, GUEST)).toBe("auth.required");
  });

  it("tells one's own reviews from those of others", async () => {
    await reviewed(0);
    await reviewed(1, { text: "моё" }, anna);
    expect(texts((await shop.call(myReviews, {}, anna)).items)).toEqual(["моё"]);
    expect(await shop.refusal(myReviews, {}, GUEST)).toBe("auth.required");
  });
});

describe("lists", () => {
  it("show the most helpful first, or the newest", async () => {
    const ids: string[] = [];
    for (const text of ["первый", "второй", "третий"]) {
      shop.orders.now += 60_000;
      ids.push(await reviewed(0, { text }));
    }
    const [, second = ""] = ids;
    await shop.call(voteHelpful, { review_id: second }, anna);
    expect(texts((await listed(0)).items)).toEqual(["второй", "третий", "первый"]);
    expect(texts((await listed(0, { sort: "newest" })).items)).toEqual(["третий", "второй", "первый"]);
    expect(texts((await shop.call(topComments, {})).items)).toEqual(["второй", "третий", "первый"]);
    expect(texts((await shop.call(topComments, { sort: "newest", limit: 1 })).items)).toEqual(["третий"]);
  });

  it.each(["helpful", "newest"] as const)(
    "have pages that neither repeat nor hide any, by %s",
    async (sort) => {
      const written = [];
      for (let n = 0; n < 5; n += 1)
        written.push(await reviewed(0, { text: String(n), rating: (n % 5) + 1 }));
      await shop.call(voteHelpful, { review_id: written[3] ?? "" }, anna);
      const seen: string[] = [];
      let cursor: string | null | undefined;
      do {
        const page = await listed(0, { sort, limit: 2, ...(cursor == null ? {} : { cursor }) });
        seen.push(...page.items.map(({ review_id }) => review_id));
        expect(page.rating).toMatchObject({ average: 3, count: 5 });
        cursor = page.next_cursor;
      } while (cursor !== null);
      expect(seen.sort()).toEqual(written.sort());
      const other = sort === "helpful" ? "newest" : "helpful";
      const { next_cursor } = await listed(0, { sort, limit: 2 });
      for (const wrong of [next_cursor, "x", Buffer.from("2026-02-31T00:00:00.000Z/1").toString("base64url")])
        expect(await shop.refusal(itemReviews, { item_id: shop.pizza(0), sort: other, cursor: wrong })).toBe(
          "input.cursor_malformed",
        );
    },
  );

  it("are refused for a dish that the menu does not have", async () => {
    expect(await shop.refusal(itemReviews, { item_id: randomUUID() })).toBe("menu.unknown_item");
  });

  it("come from the cache, and show at once what was just written", async () => {
    const first = { "X-Cache": "MISS", "X-Cache-Strategy": "event" };
    const params = { item_id: shop.pizza(0) };
    expect((await shop.answer(itemReviews, params)).headers).toMatchObject(first);
    expect((await shop.answer(itemReviews, params)).headers).toMatchObject({ "X-Cache": "HIT" });
    expect((await shop.answer(topComments, {})).headers).toMatchObject(first);
    await reviewed(0, { text: "новый" });
    expect(texts((await listed(0)).items)).toEqual(["новый"]);
    expect(texts((await shop.call(topComments, {})).items)).toEqual(["новый"]);
  });

  it("end by the event alone, where another node has written it", async () => {
    const review_id = await reviewed(0, { text: "до" }, anna);
    await listed(0);
    const other = await ShopNode.start(database);
    try {
      await other.call(editReview, { review_id, text: "после" }, anna);
      await eventually(async () => {
        expect(texts((await listed(0)).items)).toEqual(["после"]);
        expect(texts((await shop.call(topComments, {})).items)).toEqual(["после"]);
      });
    } finally {
      await other.stop();
    }
  });
});
