import { refuse, type Refusal } from "../../mixins/contract/refusal";

/** The last post of a page: lists go by the time of publishing (of writing, for drafts), then by id. */
export interface PostCursor {
  /** Milliseconds since the epoch. */
  readonly at_ms: number;
  readonly post_id: string;
}

const SHAPE = /^(\d{1,14})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** The opaque form in which a cursor goes to clients. */
export function encodeCursor({ at_ms, post_id }: PostCursor): string {
  return Buffer.from(`${String(at_ms)}.${post_id}`, "latin1").toString("base64url");
}

/** Reads a cursor back. Refusal: `input.cursor_malformed`. */
export function decodeCursor(text: string): PostCursor | Refusal {
  const [, at, post_id] = SHAPE.exec(Buffer.from(text, "base64url").toString("latin1")) ?? [];
  if (at !== undefined && post_id !== undefined) return { at_ms: Number(at), post_id };
  return refuse(
    "invalid",
    "input.cursor_malformed",
    "Take cursor from next_cursor of the page before, unchanged.",
  );
}
