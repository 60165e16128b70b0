import fc from "fast-check";
import { damage, nasty, RAW_BODIES } from "./api-damage";
import { Around, Known, type Draft, type JsonSchema, type Operation } from "./api-draft";

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
              .tuple(sane, fc.constantFrom(...RAW_BODIES))
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
