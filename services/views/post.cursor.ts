import type { Refusal } from "../../mixins/contract/refusal";
import { cursorMalformed, cursorOf, keyBehind } from "../../mixins/crud/cursor";

/** The last post of a page: lists go by the time of publishing (of writing, for drafts), then by id. */
export interface PostCursor {
  /** Milliseconds since the epoch. */
  readonly at_ms: number;
  readonly post_id: string;
}

const SHAPE = /^(\d{1,14})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** The opaque form in which a cursor goes to clients. */
export function encodeCursor({ at_ms, post_id }: PostCursor): string {
  return cursorOf(`${String(at_ms)}.${post_id}`);
}

/** Reads a cursor back. Refusal: `input.cursor_malformed`. */
export function decodeCursor(text: string): PostCursor | Refusal {
  const [, at, post_id] = SHAPE.exec(keyBehind(text)) ?? [];
  if (at !== undefined && post_id !== undefined) return { at_ms: Number(at), post_id };
  return cursorMalformed();
}
