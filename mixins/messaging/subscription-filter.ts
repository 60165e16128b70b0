import type { Caller } from "../contract/caller";
import { normalMac } from "../text/mac-address";
import { isRefusal, refuse, type Refusal } from "../contract/refusal";
import type { FieldKind, Operator, SubscriptionDefinition } from "./subscription";

/** What a field's value is compared as. */
export type Comparable = string | number;
/** What of a message filters ask, each as its kind compares. */
export type Row = ReadonlyMap<string, Comparable>;

/** What a client asks for: `filters` by `field__operator` (`field` alone means `eq`), and `fields`, none meaning all. */
export interface SubscriptionRequest {
  readonly filters?: Readonly<Record<string, unknown>>;
  readonly fields?: readonly string[];
}

/** A filter as the client said it. */
export interface Filter {
  readonly field: string;
  readonly op: Operator;
  readonly value: unknown;
}

/** One equality by which a subscription is found. */
export interface Lookup {
  readonly field: string;
  readonly values: ReadonlySet<Comparable>;
}

/** A request, checked and made ready to be asked for each message. */
export interface CompiledSubscription {
  readonly filters: readonly Filter[];
  /** In the order of the definition. */
  readonly fields: readonly string[];
  /** Undefined: every message must be asked about. */
  readonly lookup: Lookup | undefined;
  /** Values in all filters together. */
  readonly value_count: number;
  /** Guard included. Never throws. */
  readonly matches: (row: Row) => boolean;
}

interface Test {
  readonly field: string;
  /** Where it is an equality. */
  readonly values?: ReadonlySet<Comparable>;
  readonly holds: (value: Comparable) => boolean;
}

type Equality = Test & Required<Pick<Test, "values">>;

/** One filter's values. */
const IN_MAX = 256;
const TEXT_CHARS_MAX = 200;

const MAC = /^[0-9A-F]{2}(?::[0-9A-F]{2}){5}$/;
/** `Date.parse` alone would take "1" for a time. */
const TIME = /^\d{4}-\d{2}-\d{2}T/;

/** A value as its kind compares; undefined: it is none of this kind. */
const READ: Readonly<Record<FieldKind, (value: unknown) => Comparable | undefined>> = {
  uuid: (value) => (typeof value === "string" ? value.toLowerCase() : undefined),
  mac: (value) => {
    const mac = typeof value === "string" ? normalMac(value) : "";
    return MAC.test(mac) ? mac : undefined;
  },
  text: (value) => (typeof value === "string" ? value : undefined),
  number: (value) => (Number.isFinite(value) ? (value as number) : undefined),
  time: (value) => {
    const ms = typeof value === "string" && TIME.test(value) ? Date.parse(value) : Number.NaN;
    return Number.isNaN(ms) ? undefined : ms;
  },
  json: () => undefined,
};

/** What of a message its filters ask. */
export function rowOf({ fields, filters, guard }: SubscriptionDefinition, message: object): Row {
  const row = new Map<string, Comparable>();
  for (const field of new Set([...Object.keys(filters), guard.field])) {
    const value = READ[fields[field] ?? "json"]((message as Readonly<Record<string, unknown>>)[field]);
    if (value !== undefined) row.set(field, value);
  }
  return row;
}

/**
 * Checks a request and makes it ready. Refusals: `subscription.unknown_filter`, `subscription.unknown_operator`,
 * `subscription.bad_value`, `subscription.unknown_field`, `subscription.not_yours`.
 */
export function compileSubscription(
  definition: SubscriptionDefinition,
  { filters: wanted = {}, fields: shown = [] }: SubscriptionRequest,
  caller: Caller,
): CompiledSubscription | Refusal {
  const fields = shownFields(definition, shown);
  if (isRefusal(fields)) return fields;
  const filters: Filter[] = [];
  const tests: Test[] = [];
  for (const [name, value] of Object.entries(wanted)) {
    const filter = readFilter(definition, name, value);
    if (isRefusal(filter)) return filter;
    const test = testOf(definition, filter, name);
    if (isRefusal(test)) return test;
    filters.push(filter);
    tests.push(test);
  }
  const guard = guardTest(definition, caller);
  if (guard !== undefined && foreign(guard, tests)) return notYours(guard.field);
  const all = guard === undefined ? tests : [guard, ...tests];
  return {
    filters,
    fields,
    lookup: lookupOf(definition, all),
    value_count: tests.reduce((sum, { values }) => sum + (values?.size ?? 1), 0),
    matches: (row) =>
      all.every(({ field, holds }) => {
        const value = row.get(field);
        return value !== undefined && holds(value);
      }),
  };
}

function shownFields(
  { entity, fields }: SubscriptionDefinition,
  shown: readonly string[],
): string[] | Refusal {
  const known = Object.keys(fields);
  const unknown = shown.find((field) => !known.includes(field));
  if (unknown !== undefined)
    return refuse("invalid", "subscription.unknown_field", `${entity} has no field of this name.`, {
      ...{ field: unknown, known },
    });
  return shown.length === 0 ? known : known.filter((field) => shown.includes(field));
}

function readFilter(
  { entity, filters }: SubscriptionDefinition,
  name: string,
  value: unknown,
): Filter | Refusal {
  const at = name.lastIndexOf("__");
  const [field, op] = at === -1 ? [name, "eq"] : [name.slice(0, at), name.slice(at + 2)];
  const operators = Object.hasOwn(filters, field) ? (filters[field] ?? []) : [];
  if (operators.length === 0)
    return refuse("invalid", "subscription.unknown_filter", `${entity} is not filtered by this field.`, {
      ...{ filter: name, known: Object.keys(filters) },
    });
  const operator = operators.find((known) => known === op);
  if (operator === undefined)
    return refuse("invalid", "subscription.unknown_operator", `${entity}.${field} knows no such operator.`, {
      ...{ filter: name, known: operators },
    });
  return { field, op: operator, value };
}

function testOf({ fields }: SubscriptionDefinition, filter: Filter, name: string): Test | Refusal {
  const { field, op, value } = filter;
  const kind = fields[field] ?? "json";
  const given = op === "in" ? value : [value];
  if (!Array.isArray(given) || given.length > IN_MAX)
    return badValue(name, `an array of at most ${String(IN_MAX)}`);
  const values = new Set<Comparable>();
  for (const one of given as readonly unknown[]) {
    const read = READ[kind](one);
    if (read === undefined || (typeof read === "string" && read.length > TEXT_CHARS_MAX))
      return badValue(name, EXPECTED[kind]);
    values.add(read);
  }
  const [bound = ""] = values;
  switch (op) {
    case "eq":
    case "in":
      return { field, values, holds: (held) => values.has(held) };
    case "gte":
      return { field, holds: (held) => held >= bound };
    case "lte":
      return { field, holds: (held) => held <= bound };
    case "icontains": {
      const needle = String(bound).toLowerCase();
      return { field, holds: (held) => String(held).toLowerCase().includes(needle) };
    }
  }
}

const EXPECTED: Readonly<Record<FieldKind, string>> = {
  uuid: "text",
  mac: "a MAC address",
  text: `text of at most ${String(TEXT_CHARS_MAX)} characters`,
  number: "a number",
  time: "an RFC 3339 time",
  json: "nothing",
};

function badValue(filter: string, expected: string): Refusal {
  return refuse("invalid", "subscription.bad_value", `The value of this filter must be ${expected}.`, {
    filter,
  });
}

function guardTest({ fields, guard }: SubscriptionDefinition, caller: Caller): Equality | undefined {
  const allowed = guard.allowed(caller);
  if (allowed === "all") return undefined;
  const read = READ[fields[guard.field] ?? "json"];
  const values = new Set(allowed.map(read).filter((value) => value !== undefined));
  return { field: guard.field, values, holds: (held) => values.has(held) };
}

/** Whether a filter names only what the guard keeps away; where it names other fields, that shows message by message. */
function foreign(guard: Equality, tests: readonly Test[]): boolean {
  return tests.some(
    ({ field, values }) =>
      field === guard.field &&
      values !== undefined &&
      values.size > 0 &&
      ![...values].some((value) => guard.values.has(value)),
  );
}

function notYours(field: string): Refusal {
  return refuse("forbidden", "subscription.not_yours", `Your token does not allow this ${field}.`);
}

function lookupOf({ filters, guard }: SubscriptionDefinition, tests: readonly Test[]): Lookup | undefined {
  for (const field of [...Object.keys(filters), guard.field])
    for (const test of tests)
      if (test.field === field && test.values !== undefined) return { field, values: test.values };
  return undefined;
}
