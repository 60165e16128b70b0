import fc from "fast-check";

/** The parts of a JSON Schema that Forno's contracts use. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
  readonly pattern?: string;
}

/** One operation of an OpenAPI document. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly id: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: JsonSchema;
  }[];
  readonly body?: JsonSchema;
}

/** Stands for a value that an earlier answer gave under a name; chosen when the request is sent. */
export class Known {
  constructor(
    readonly name: string,
    readonly pick: number,
    /** Sent while nothing of that name has been seen. */
    readonly otherwise: unknown,
  ) {}
}

/** Stands for a time not far from the moment when the request is sent. */
export class Around {
  constructor(
    readonly minutes: number,
    readonly is_date: boolean,
  ) {}
}

/** A request before its placeholders are filled in. */
export interface Draft {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: readonly (readonly [string, unknown])[];
  readonly body: unknown;
  /** Sent instead of the body, byte by byte. */
  readonly raw: string | undefined;
  readonly key: string | undefined;
}

/** What clients send who mean harm, or no better. */
const NASTY: unknown[] = [
  ...[null, true, false, 0, -1, 1, 0.5, -0.5, 99, 100, 255, 32_768, 65_536],
  ...[2_147_483_647, 2_147_483_648, -2_147_483_649, 9_007_199_254_740_991, 9_007_199_254_740_992],
  ...[9_223_372_036_854_775_807, 1e21, 1e308, -1e308, 5e-324],
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
const nasty = fc.constantFrom(...NASTY);
/** Bodies that are no JSON objects. */
const RAW = [
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
  `${"[".repeat(5_000)}`,
];

const KEYS = ["one key", "another", "", "x".repeat(300), "\u0001"];

/** Of the accounts that requests may sign in to. */
export const PASSWORD = "a password of the tests";
export const EMAIL = "asking@customers.test";

/** Values that a schema cannot say and that only they lead further inside. */
const EXAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  items: [[{ name: "Маргарита", quantity: 1 }], [{ name: "Пепперони", quantity: 2 }]],
  time_zone: ["Asia/Krasnoyarsk", "UTC", "Europe/Berlin", "Etc/GMT+12", "Africa/Casablanca", "Nowhere/Land"],
  inn: ["7707083893", "500100732259", "7707083894"],
  open: ["09:00", "00:00", "23:59", "23:45"],
  close: ["23:00", "00:00", "02:00", "24:00", "09:15"],
  phone: ["+79231234567", "8 (905) 000-11-22", "112233"],
  email: [EMAIL],
  name: ["Маргарита", "Пепперони", "Anna", "Семейный"],
  password: [PASSWORD, "12345678"],
  current_password: [PASSWORD],
  new_password: [PASSWORD],
};
/** Under which other names answers show what a request wants. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  menu_item_id: ["pizzas.id", "sets.id"],
  item_id: ["item_id", "pizzas.id"],
  item_ids: ["pizzas.id", "sets.id"],
  pizza_id: ["pizzas.id"],
  extras: ["extras.id"],
  branch_ids: ["branch_id"],
  cursor: ["next_cursor"],
  after: ["position"],
  from: ["version", "start", "published_at", "business_date"],
  to: ["version", "end", "business_date"],
  preferred_time: ["start"],
  exclude_ingredients: ["name.ru"],
  date: ["business_date"],
  promo_code: ["code"],
};

/** A value that fits a schema, or nearly; `name` is the property's. */
export function fitting(schema: JsonSchema, name: string): fc.Arbitrary<unknown> {
  const own = byType(schema, name);
  const isChosen = schema.const !== undefined || schema.enum !== undefined;
  const hasKnown = !isChosen && !["object", "array", "null", "boolean"].includes(schema.type ?? "");
  const examples = schema.type === "null" ? [] : (EXAMPLES[name] ?? []);
  return fc.oneof(
    { weight: 3, arbitrary: own },
    ...(hasKnown ? [{ weight: 5, arbitrary: knownAs(name, own) }] : []),
    ...(examples.length === 0 ? [] : [{ weight: 5, arbitrary: fc.constantFrom(...examples) }]),
  );
}

const knownAs = (name: string, otherwise: fc.Arbitrary<unknown>): fc.Arbitrary<Known> =>
  fc
    .tuple(fc.constantFrom(...(ALIASES[name] ?? [name])), fc.nat(1_000), otherwise)
    .map(([known, pick, other]) => new Known(known, pick, other));

function byType(schema: JsonSchema, name: string): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => fitting(one, name)));
  switch (schema.type) {
    case "string":
      return textFor(schema);
    case "integer":
    case "number":
      return numberFor(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array": {
      const minLength = schema.minItems ?? 0;
      const maxLength = Math.min(schema.maxItems ?? 4, Math.max(minLength, 4));
      return fc.array(fitting(schema.items ?? {}, name), { minLength, maxLength });
    }
    case "object":
      return objectFor(schema);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

/** Of ten optional fields a client sends a few. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 3, arbitrary });

function objectFor({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<object> {
  const names = Object.keys(properties);
  const fields = Object.entries(properties).map(([name, one]) =>
    required.includes(name) ? fitting(one, name) : seldom(fitting(one, name)),
  );
  return fc.tuple(...fields).map((values) => {
    const all = values.map((value, i) => [names[i] ?? "", value] as const);
    return Object.fromEntries(all.filter(([, value]) => value !== undefined));
  });
}

function textFor({ format, pattern, minLength = 0, maxLength = 40 }: JsonSchema): fc.Arbitrary<unknown> {
  if (format === "uuid") return fc.uuid();
  if (format === "email") return fc.emailAddress();
  if (format === "date-time" || format === "date") {
    const minutes = fc.integer({ min: -1_500, max: 1_500 });
    return minutes.map((far) => new Around(far, format === "date"));
  }
  if (pattern !== undefined && !/\(\?=|\\p\{C/.test(pattern))
    return fc.stringMatching(new RegExp(pattern, "u"));
  const most = Math.max(minLength, Math.min(maxLength, 40));
  return fc.string({ minLength, maxLength: most, unit: "grapheme" });
}

function numberFor({ minimum = -1_000, maximum = 1_000_000, type }: JsonSchema): fc.Arbitrary<number> {
  const small = { min: minimum, max: Math.max(minimum, Math.min(maximum, minimum + 100)) };
  return fc.oneof(
    type === "integer" ? fc.integer(small) : fc.double({ ...small, noNaN: true }),
    fc.constantFrom(minimum, maximum),
    fc.integer({ min: minimum, max: maximum }),
  );
}

/** A request for an operation: fitting its contract, or damaged in one or two places. */
export function requestFor(operation: Operation): fc.Arbitrary<Draft> {
  const inPath = operation.parameters.filter((one) => one.in === "path");
  const inQuery = operation.parameters.filter((one) => one.in === "query");
  const sane = fc.record({
    path: fc.record(Object.fromEntries(inPath.map(({ name, schema }) => [name, fitting(schema, name)]))),
    query: queryFor(inQuery),
    body: operation.body === undefined ? fc.constant(undefined) : fitting(operation.body, "body"),
    raw: fc.constant(undefined),
    key: fc.oneof({ weight: 19, arbitrary: fc.constant(undefined) }, fc.constantFrom(...KEYS)),
  });
  const hurt = fc.tuple(sane, fc.array(fc.tuple(fc.nat(), nasty, fc.nat(3)), { minLength: 1, maxLength: 2 }));
  const damaged = hurt.map(([draft, wounds]): Draft => {
    let hurt: Draft = draft;
    for (const [where, what, how] of wounds) hurt = damage(hurt, where, what, how);
    return hurt;
  });
  const raw =
    operation.body === undefined
      ? []
      : [
          {
            weight: 1,
            arbitrary: fc
              .tuple(sane, fc.constantFrom(...RAW))
              .map(([draft, text]) => ({ ...draft, raw: text })),
          },
        ];
  return fc.oneof({ weight: 12, arbitrary: sane }, { weight: 7, arbitrary: damaged }, ...raw);
}

function queryFor(parameters: Operation["parameters"]): fc.Arbitrary<(readonly [string, unknown])[]> {
  const pairs = parameters.map(({ name, schema, required }) => {
    const pair = fitting(schema, name).map((value) => [name, value] as const);
    return required ? pair : seldom(pair);
  });
  return fc.tuple(...pairs).map((all) => all.filter((pair) => pair !== undefined));
}

/** Hurts a request in one place: replaces a value, drops it, or adds one that nobody asked for. */
function damage(draft: Draft, where: number, what: unknown, how: number): Draft {
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
  const { [name]: _dropped, ...rest } = tree as Record<string, unknown>;
  return how === 3 && !goDeeper ? rest : { ...rest, [name]: damaged };
}
