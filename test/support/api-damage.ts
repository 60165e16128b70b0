import fc from "fast-check";
import { Around, Known, type Draft } from "./api-draft";

/** What clients send who mean harm, or no better. */
const NASTY: unknown[] = [
  ...[null, true, false, 0, -1, 1, 0.5, -0.5, 99, 100, 255, 32_768, 65_536],
  ...[2_147_483_647, 2_147_483_648, -2_147_483_649, 9_007_199_254_740_991, 9_007_199_254_740_992],
  ...[2 ** 63, 1e21, 1e308, -1e308, 5e-324],
  ...["", " ", "\t\n", "0", "-1", "1.5", "NaN", "Infinity", "null", "true", "undefined", "[object Object]"],
  ...[
    "\0",
    "a\0b",
    "\ud800",
    "a\udfff",
    "\ufeff",
    "\u202e",
    "\u0001\u001f\u007f",
    "🍕",
    "е\u0301",
    "ﷺ",
    "Ω".repeat(300),
  ],
  ...[
    "x".repeat(65),
    "x".repeat(5_000),
    "' or 1=1 --",
    "{{7*7}}",
    "../../etc/passwd",
    "%00",
    "%",
    "a/b",
    "?&#",
  ],
  ...["2026-02-30", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2026-1-1", "24:00", "23:60"],
  ...["2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+15:59"],
  ...[
    "9999-12-31T23:59:59.999Z",
    "1970-01-01T00:00:00Z",
    "2026-01-01T00:00:00+15:59",
    "2026-01-01T00:00:00",
    "now",
  ],
  ...[
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "urn:uuid:01990000-0000-7000-8000-000000000001",
  ],
  ...[
    [],
    [[]],
    [null],
    {},
    { a: 1 },
    { length: 1 },
    { toString: "x" },
    Array.from({ length: 300 }, () => "x"),
  ],
];
export const nasty = fc.constantFrom(...NASTY);
/** Bodies that are no JSON objects. */
export const RAW_BODIES = [
  "",
  "{",
  "[]",
  "null",
  "1",
  '"x"',
  '{"a":1e999}',
  '{"a":1,}',
  '{"__proto__":{}}',
  "\ufeff{}",
  "{}{}",
  "[".repeat(5_000),
];

/** Hurts a request in one place: replaces a value, drops it, or adds one that nobody asked for. */
export function damage(draft: Draft, where: number, what: unknown, how: number): Draft {
  const names = Object.keys(draft.path);
  const places = names.length + draft.query.length + 1 + (draft.body === undefined ? 0 : 6);
  const place = where % places;
  if (place < names.length) return { ...draft, path: { ...draft.path, [names[place] ?? ""]: what } };
  if (place < names.length + draft.query.length) {
    const at = place - names.length;
    const name = draft.query[at]?.[0] ?? "";
    return {
      ...draft,
      query: how === 0 ? [...draft.query, [name, what]] : draft.query.with(at, [name, what]),
    };
  }
  if (place === names.length + draft.query.length)
    return { ...draft, query: [...draft.query, ["surprise", what]] };
  return { ...draft, body: damageTree(draft.body, Math.floor(where / places), what, how) };
}

function damageTree(tree: unknown, where: number, what: unknown, how: number): unknown {
  if (typeof tree !== "object" || tree === null || tree instanceof Known || tree instanceof Around)
    return what;
  const names = Object.keys(tree);
  const name = names[where % (names.length + 1)];
  if (name === undefined)
    return Array.isArray(tree) ? [...(tree as unknown[]), what] : { ...tree, surprise: what };
  const value = (tree as Record<string, unknown>)[name];
  const goDeeper = typeof value === "object" && value !== null && how > 0;
  const damaged = goDeeper ? damageTree(value, Math.floor(where / (names.length + 1)), what, how) : what;
  if (Array.isArray(tree)) return (tree as unknown[]).with(Number(name), damaged);
  if (how !== 3 || goDeeper) return { ...tree, [name]: damaged };
  return Object.fromEntries(Object.entries(tree).filter(([each]) => each !== name));
}
