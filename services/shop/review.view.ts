import type { LocalizedName } from "../menu/menu.events";
import type { NamedReview } from "./review.store";

/** A review as the shop shows it, but for the name of the dish, which is the menu's. */
export interface ShownReview {
  readonly review_id: string;
  readonly menu_item_id: string;
  readonly author: string | null;
  readonly verified: boolean;
  readonly rating: number;
  readonly text: string;
  readonly helpful_count: number;
  readonly written_at: string;
  readonly edited_at: string | null;
}

export function shownOf(row: NamedReview): ShownReview {
  const { review_id, menu_item_id, order_id, rating, text, helpful_count, written_at, edited_at } = row;
  return {
    ...{ review_id, menu_item_id, author: shortName(row.author_name), verified: order_id !== null },
    ...{ rating, text, helpful_count, written_at: written_at.toISOString() },
    edited_at: edited_at?.toISOString() ?? null,
  };
}

/** Beside that, what its author is told when the desk keeps it from the shop. */
export function hidingOf({ hidden_at, hidden_reason }: NamedReview) {
  return { hidden_at: hidden_at?.toISOString() ?? null, hidden_reason };
}

/** With the dish's name of today; null where it is no longer on the menu. */
export function withDish<R extends ShownReview>(review: R, names: ReadonlyMap<string, LocalizedName>) {
  return { ...review, item_name: names.get(review.menu_item_id) ?? null };
}

/** First name and initial: enough to tell people apart, too little to find them. */
export function shortName(name: string | null): string | null {
  const [first, second] = name?.trim().split(/\s+/) ?? [];
  if (first === undefined || first === "") return null;
  const [initial] = second ?? "";
  return initial === undefined ? first : `${first} ${initial}.`;
}
