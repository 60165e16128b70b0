import { hash } from "node:crypto";

/** JSON with the members of every object in one order: the same for the same data, however it was written; none of nothing. */
export function canonical(data: unknown): string | undefined {
  const text: string | undefined = JSON.stringify(data, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return text;
}

/** A short print of a message's data: the same for the same data. */
export function digestOf(data: unknown): string {
  return hash("sha1", canonical(data) ?? "", "base64url").slice(0, 12);
}

/** Where two values differ, as `path: is … instead of …`; empty: nowhere. */
export function differences(found: unknown, wanted: unknown, path = ""): string[] {
  if (isObject(found) && isObject(wanted)) {
    const names = new Set([...Object.keys(found), ...Object.keys(wanted)]);
    return [...names].flatMap((name) =>
      differences(found[name], wanted[name], path === "" ? name : `${path}.${name}`),
    );
  }
  if (canonical(found) === canonical(wanted)) return [];
  return [`${path === "" ? "it" : path} is ${shown(found)} instead of ${shown(wanted)}`];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

const SHOWN_CHARS = 160;
const shown = (value: unknown): string => canonical(value)?.slice(0, SHOWN_CHARS) ?? "missing";
