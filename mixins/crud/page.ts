import type { Refusal } from "../contract/refusal";
import { cursorMalformed, cursorOf, keyBehind } from "./cursor";

/** Pages of lists of rows go by one key: a version number, or an id. */
const SHAPE = {
  version: /^[1-9]\d{0,9}$/,
  id: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
} as const;

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** The key behind a cursor, null for the first page. Refusal: `input.cursor_malformed`. */
export function keyOf(cursor: string | undefined, shape: keyof typeof SHAPE): string | null | Refusal {
  if (cursor === undefined) return null;
  const key = keyBehind(cursor);
  return SHAPE[shape].test(key) ? key : cursorMalformed();
}

/** Makes a page of `limit` rows out of one more than that. */
export function pageFrom<T>(rows: readonly T[], limit: number, key: (row: T) => string | number): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, next_cursor: more ? cursorOf(String(key(last))) : null };
}
