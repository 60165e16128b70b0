import { createHash } from "node:crypto";

/** A day. Tags are remembered longer than any value may live. */
export const TTL_MAX_MS = 86_400_000;
const NAME_CHARS_MAX = 300;
/** Separates names in messages and scripts. */
const FORBIDDEN = /[\n\r\0]/;

/** The family that a key belongs to in figures. */
export function familyOf(key: string): string {
  const colon = key.indexOf(":");
  return colon === -1 ? key : key.slice(0, colon);
}

/** A key or tag as it is stored: itself, or its digest (after the family) where it is too long or holds line breaks. */
export function storedName(name: string): string {
  if (name.length <= NAME_CHARS_MAX && !FORBIDDEN.test(name)) return name;
  const family = familyOf(name)
    .slice(0, 60)
    .replaceAll(/[\n\r\0]/g, "");
  return `${family}:#${createHash("sha256").update(name).digest("base64url")}`;
}

/** What a pattern of `*` and `?` matches. */
export function globExpression(glob: string): RegExp {
  const source = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s");
}

/** The same for Redis, to whom brackets and backslashes mean something too. */
export function redisGlob(glob: string): string {
  return glob.replaceAll(/[[\]\\^]/g, "\\$&");
}
