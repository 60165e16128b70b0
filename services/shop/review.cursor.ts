import type { Refusal } from "../../mixins/contract/refusal";
import { cursorMalformed, isRealTime, keyBehind } from "../../mixins/crud/cursor";
import type { ReviewSort } from "./review.contract";

/** What the last review of a page is ordered by: its votes (where they count), its time, its id. */
export type ReviewCursor = readonly (string | number)[];

const SHAPE =
  /^(?:(\d{1,9})\/)?([12]\d{3}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Where a page may end, as the key of its cursor. */
export function cursorKey(
  sort: ReviewSort,
  last: { readonly helpful_count: number; readonly written_at: string; readonly review_id: string },
): string {
  const rank = sort === "helpful" ? [String(last.helpful_count)] : [];
  return [...rank, last.written_at, last.review_id].join("/");
}

/** Reads a cursor back, null for the first page. Refusal: `input.cursor_malformed`. */
export function decodeCursor(sort: ReviewSort, text: string | undefined): ReviewCursor | null | Refusal {
  if (text === undefined) return null;
  const [, rank, at, id] = SHAPE.exec(keyBehind(text)) ?? [];
  if (at !== undefined && id !== undefined && isRealTime(at)) {
    if (sort === "newest" && rank === undefined) return [at, id];
    if (sort === "helpful" && rank !== undefined) return [Number(rank), at, id];
  }
  return cursorMalformed();
}
