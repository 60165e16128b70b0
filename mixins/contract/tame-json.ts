import { refuse, type Refusal } from "./refusal";

/** No contract nests deeper; recursive code behind the edge may rely on it. */
export const DEPTH_MAX = 32;

/**
 * Refuses parsed JSON that is a trap for who works with it: `input.forbidden_key`, `input.too_deep`. JSON.parse makes `__proto__`
 * an own property, which the first `Object.assign` behind us would turn into a prototype; and it happily nests a hundred
 * thousand levels, which the first recursion would not survive. Hence level by level.
 */
export function untameIn(value: unknown): Refusal | undefined {
  let level = [value].filter(isParent);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > DEPTH_MAX)
      return refuse("invalid", "input.too_deep", `This nests deeper than ${String(DEPTH_MAX)} levels.`);
    const below: object[] = [];
    for (const parent of level) {
      if (Array.isArray(parent)) {
        for (const item of parent as unknown[]) if (isParent(item)) below.push(item);
        continue;
      }
      for (const key in parent) {
        if (key === "__proto__")
          return refuse("invalid", "input.forbidden_key", "There is a field named __proto__.");
        const item = (parent as Record<string, unknown>)[key];
        if (isParent(item)) below.push(item);
      }
    }
    level = below;
  }
  return undefined;
}

/** Bytes, as socket.io brings them, hold nothing. */
const isParent = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
