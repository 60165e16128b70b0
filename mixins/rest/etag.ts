import { hash } from "node:crypto";

/** A strong entity tag of these bytes, with its quotes. */
export function etagOf(body: string | Buffer): string {
  return `"${hash("sha1", body, "base64url")}"`;
}

/** Whether an If-None-Match header names this tag (weak comparison, as RFC 9110 says for GET). */
export function matchesEtag(if_none_match: string | undefined, etag: string): boolean {
  if (if_none_match === undefined) return false;
  if (if_none_match === etag || if_none_match === "*") return true;
  return if_none_match.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
