import { hash } from "node:crypto";

/** A short print of a message's data: the same for the same JSON. */
export function digestOf(data: unknown): string {
  return hash("sha1", JSON.stringify(data), "base64url").slice(0, 12);
}
