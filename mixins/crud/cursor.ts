import { refuse, type Refusal } from "../contract/refusal";

/** The opaque form in which the key of a page's last row goes to clients. */
export function cursorOf(key: string): string {
  return Buffer.from(key, "latin1").toString("base64url");
}

/** The key behind a cursor, or whatever somebody sent in its place. */
export function keyBehind(cursor: string): string {
  return Buffer.from(cursor, "base64url").toString("latin1");
}

/** Whoever reads no key of its own behind a cursor says so. */
export function cursorMalformed(): Refusal {
  return refuse(
    "invalid",
    "input.cursor_malformed",
    "Take cursor from next_cursor of the page before, unchanged.",
  );
}

/** Whether a text in the shape of RFC 3339 names a time: the 31st of February fits every pattern, and PostgreSQL would choke on it. */
export function isRealTime(iso: string): boolean {
  const ms = Date.parse(iso);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === iso;
}
