import fc from "fast-check";
import type { Caller } from "../../../mixins/contract/caller";
import { isRefusal } from "../../../mixins/contract/refusal";
import { defineSubscription, type SubscriptionDefinition } from "../../../mixins/messaging/subscription";
import { compileSubscription, rowOf } from "../../../mixins/messaging/subscription-filter";
import { SubscriptionIndex } from "../../../mixins/messaging/subscription-index";

const doors = defineSubscription({
  entity: "Doors",
  channels: ["doors"],
  fields: {
    id: "uuid",
    lock: "mac",
    name: "text",
    floor: "number",
    at: "time",
    house: "text",
    extra: "json",
  },
  filters: {
    id: ["eq", "in"],
    lock: ["eq", "in"],
    name: ["eq", "in", "icontains"],
    floor: ["eq", "in", "gte", "lte"],
    at: ["gte", "lte"],
  },
  guard: { field: "house", allowed: ({ branch_ids }) => branch_ids ?? "all" },
});

const everybody: Caller = { role: "super_admin", user_id: "u", branch_ids: null };
const ofHouse = (...branch_ids: string[]): Caller => ({ ...everybody, role: "manager", branch_ids });
const ID = "0198f1c2-0000-7000-8000-00000000ABCD";
const door = {
  id: ID,
  lock: "AA:BB:CC:DD:EE:01",
  name: "Кухня",
  floor: 3,
  at: "2026-03-02T12:00:00+07:00",
  house: "h1",
  extra: { a: 1 },
};

const compiled = (filters: Record<string, unknown>, caller = everybody, fields: string[] = []) => {
  const made = compileSubscription(doors, { filters, fields }, caller);
  if (isRefusal(made)) throw new Error(made.code);
  return made;
};
const matches = (filters: Record<string, unknown>, message: object = door, caller = everybody): boolean =>
  compiled(filters, caller).matches(rowOf(doors, message));

describe("a subscription's filters", () => {
  it.each<[Record<string, unknown>, boolean]>([
    [{}, true],
    [{ name: "Кухня" }, true],
    [{ name__eq: "кухня" }, false],
    [{ name__icontains: "КУХ" }, true],
    [{ name__icontains: "зал" }, false],
    [{ name__in: ["Зал", "Кухня"] }, true],
    [{ name__in: [] }, false],
    [{ id__eq: ID.toLowerCase() }, true],
    [{ lock__in: ["aa-bb-cc-dd-ee-01"] }, true],
    [{ lock__eq: "aabb.ccdd.ee02" }, false],
    [{ floor__gte: 3, floor__lte: 3 }, true],
    [{ floor__gte: 4 }, false],
    [{ floor__in: [1, 2] }, false],
    [{ floor__eq: 3, name__eq: "Зал" }, false],
    [{ at__gte: "2026-03-02T05:00:00Z" }, true],
    [{ at__gte: "2026-03-02T05:00:01Z" }, false],
    [{ at__lte: "2026-03-02T08:00:00+03:00" }, true],
  ])("%j holds: %p", (filters, holds) => {
    expect(matches(filters)).toBe(holds);
  });

  it.each([{}, { name: null }, { name: 7 }, { name: ["Кухня"] }, { name: { toString: null } }])(
    "never hold for a value that is missing or of another kind: %j",
    (message) => {
      for (const filters of [{ name__eq: "Кухня" }, { name__icontains: "" }, { name__in: ["null", "7"] }])
        expect(matches(filters, { ...message, house: "h1" })).toBe(false);
    },
  );

  it.each<[string, Record<string, unknown>]>([
    ["subscription.unknown_filter", { color: 1 }],
    ["subscription.unknown_filter", { extra__eq: {} }],
    ["subscription.unknown_filter", { constructor: 1 }],
    ["subscription.unknown_filter", { ["__proto__"]: 1 }],
    ["subscription.unknown_filter", { house__eq: "h1" }],
    ["subscription.unknown_operator", { id__icontains: "a" }],
    ["subscription.unknown_operator", { name__regex: ".*" }],
    ["subscription.unknown_operator", { name__: "x" }],
    ["subscription.bad_value", { name__eq: 7 }],
    ["subscription.bad_value", { name__eq: null }],
    ["subscription.bad_value", { name__in: "Кухня" }],
    ["subscription.bad_value", { name__in: ["a", 7] }],
    ["subscription.bad_value", { name__in: Array.from({ length: 257 }, (_, n) => String(n)) }],
    ["subscription.bad_value", { name__icontains: "x".repeat(201) }],
    ["subscription.bad_value", { floor__gte: "3" }],
    ["subscription.bad_value", { floor__gte: Infinity }],
    ["subscription.bad_value", { at__gte: "yesterday" }],
    ["subscription.bad_value", { at__gte: "1" }],
    ["subscription.bad_value", { lock__eq: "AA:BB" }],
  ])("are refused as %s (%#)", (code, filters) => {
    expect(compileSubscription(doors, { filters }, everybody)).toMatchObject({ code });
  });

  it("show the fields that are asked for, and refuse others", () => {
    expect(compiled({}).fields).toEqual(["id", "lock", "name", "floor", "at", "house", "extra"]);
    expect(compiled({}, everybody, ["at", "id"]).fields).toEqual(["id", "at"]);
    expect(compileSubscription(doors, { fields: ["id", "secret"] }, everybody)).toMatchObject({
      code: "subscription.unknown_field",
      data: { field: "secret" },
    });
  });

  it("never throw, whatever a message holds", () => {
    const filters = { name__icontains: "a", floor__gte: 1, at__lte: "2026-03-02T05:00:00Z" };
    const { matches: holds } = compiled(filters, ofHouse("h1"));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(door)), fc.anything()), (message) => {
        expect(typeof holds(rowOf(doors, message))).toBe("boolean");
      }),
    );
  });
});

describe("a subscription's guard", () => {
  it("lets through what the caller may hear of, and nothing without the field", () => {
    expect(matches({}, door, ofHouse("h1", "h2"))).toBe(true);
    expect(matches({}, door, ofHouse("h2"))).toBe(false);
    expect(matches({}, door, ofHouse())).toBe(false);
    expect(matches({}, { ...door, house: null }, ofHouse("h1"))).toBe(false);
    expect(matches({}, { ...door, house: null })).toBe(true);
  });

  it("refuses a filter that names only what is not the caller's", () => {
    const shown = defineSubscription({
      ...{ entity: "Doors", channels: ["doors"], fields: { house: "text" } },
      filters: { house: ["eq", "in"] },
      guard: { field: "house", allowed: ({ branch_ids }) => branch_ids ?? "all" },
    } as const);
    const ask = (filters: Record<string, unknown>) =>
      compileSubscription(shown, { filters }, ofHouse("h1", "h2"));
    expect(ask({ house__eq: "h3" })).toMatchObject({ code: "subscription.not_yours", refused: "forbidden" });
    const partly = ask({ house__in: ["h1", "h3"] });
    if (isRefusal(partly)) throw new Error(partly.code);
    expect(partly.matches(rowOf(shown, { house: "h1" }))).toBe(true);
    expect(partly.matches(rowOf(shown, { house: "h3" }))).toBe(false);
  });
});

describe("a declaration", () => {
  const declare = (change: Partial<SubscriptionDefinition>) => () =>
    defineSubscription({ ...doors, ...change });

  it("is refused when it makes no sense", () => {
    expect(declare({ filters: { color: ["eq"] } })).toThrow("Doors filters by color");
    expect(declare({ filters: { id: ["icontains"] } })).toThrow("icontains does not suit");
    expect(declare({ filters: { extra: ["eq"] } })).toThrow("eq does not suit");
    expect(declare({ guard: { field: "floor", allowed: () => "all" } })).toThrow("guard of Doors");
  });
});

describe("the index of subscriptions", () => {
  it("finds by the field that tells most, else by the guard, else asks every time", () => {
    const lookups = [
      compiled({ name__in: ["a"], id__eq: ID }, ofHouse("h1")),
      compiled({ floor__gte: 3 }, ofHouse("h1")),
      compiled({ floor__gte: 3 }),
    ].map(({ lookup }) => lookup?.field);
    expect(lookups).toEqual(["id", "house", undefined]);
  });

  it("finds exactly what asking all would find, also after changes", () => {
    const name = fc.constantFrom("a", "b", "c");
    const wish = fc.record({
      filters: fc.record(
        { name__in: fc.array(name, { maxLength: 3 }), floor__eq: fc.nat(2), floor__gte: fc.nat(2) },
        { requiredKeys: [] },
      ),
      caller: fc.constantFrom(everybody, ofHouse("h1"), ofHouse("h1", "h2"), ofHouse()),
      stays: fc.boolean(),
    });
    const message = fc.record({ name, floor: fc.nat(2), house: fc.constantFrom("h1", "h2", null) });
    fc.assert(
      fc.property(fc.array(wish), fc.array(message, { minLength: 1 }), (wishes, messages) => {
        const index = new SubscriptionIndex<{ compiled: ReturnType<typeof compiled> }>();
        const made = wishes.map(({ filters, caller, stays }) => ({
          stays,
          subscription: { compiled: compiled(filters, caller) },
        }));
        for (const { subscription } of made) index.add(subscription);
        for (const { subscription, stays } of made) if (!stays) index.delete(subscription);
        for (const each of messages) {
          const row = rowOf(doors, each);
          const candidates = index.candidates(row);
          expect(new Set(candidates).size).toBe(candidates.length);
          const asked = made.filter(({ stays }) => stays).map(({ subscription }) => subscription);
          expect(new Set(candidates.filter((one) => one.compiled.matches(row)))).toEqual(
            new Set(asked.filter((one) => one.compiled.matches(row))),
          );
        }
      }),
    );
  });
});
