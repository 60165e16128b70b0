import type { PoolClient } from "pg";
import type { CommandIdentity } from "../../mixins/contract/caller";
import { isRefusal } from "../../mixins/contract/refusal";
import { changeRows } from "../../mixins/crud/row-change";
import { derivedUuid } from "../../mixins/derived-id";
import type { Runtime } from "../../mixins/runtime";
import { foundingOf } from "./review.changes";
import { insertReview } from "./review.store";

/** A review of a first start. */
export interface FirstReview {
  readonly user_id: string;
  /** Russian name of a dish on the menu. */
  readonly dish: string;
  readonly rating: number;
  readonly text: string;
  readonly days_ago: number;
}

const DAY_MS = 86_400_000;

/** Takes reviews over as they are, of people and dishes that the chain has. They name no order, so nobody calls them verified. */
export async function seedReviews(
  runtime: Pick<Runtime, "pool" | "log" | "clock">,
  identity: CommandIdentity,
  reviews: readonly FirstReview[],
): Promise<void> {
  const now_ms = runtime.clock.now();
  const outcome = await changeRows(runtime, identity, async (tx) => {
    const known = await knownDishes(tx, reviews);
    const rows = reviews.flatMap(({ user_id, dish, rating, text, days_ago }) => {
      const menu_item_id = known.get(`${user_id} ${dish}`);
      if (menu_item_id === undefined) return [];
      const review_id = derivedUuid(`review ${user_id} ${dish}`);
      const written_at = new Date(now_ms - days_ago * DAY_MS);
      return [{ review_id, menu_item_id, user_id, order_id: null, rating, text, written_at }];
    });
    const streams = [];
    for (const row of rows)
      if ((await insertReview(tx, row)) === undefined) streams.push(...foundingOf(row).streams);
    return { streams, answer: {}, meta: { actor: "system:seed" } };
  });
  if (isRefusal(outcome))
    throw new Error(`The first reviews were refused: ${outcome.code} ${outcome.detail}`);
}

/** Ids of the dishes that are on the menu, by the person that reviews them, where there is such a person. */
async function knownDishes(
  tx: PoolClient,
  reviews: readonly FirstReview[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await tx.query<{ user_id: string; dish: string; item_id: string }>(
    `select u.user_id, m.name_ru as dish, m.item_id
     from users u, menu_items m where u.user_id = any($1::uuid[]) and m.name_ru = any($2)`,
    [reviews.map(({ user_id }) => user_id), reviews.map(({ dish }) => dish)],
  );
  return new Map(rows.map(({ user_id, dish, item_id }) => [`${user_id} ${dish}`, item_id]));
}
