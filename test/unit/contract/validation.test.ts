import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { LocalDate, nullable, Timestamp, Uuid, strictObject } from "../../../mixins/contract/schemas";
import { findUnstorableText } from "../../../mixins/contract/storable-text";
import { readAs } from "../../../mixins/text/forms";
import { validatorOf } from "../../../mixins/contract/validation";

const pathsOf = (refusal: ReturnType<ReturnType<typeof validatorOf>>): unknown =>
  (refusal?.data?.["errors"] as { path: string }[] | undefined)?.map(({ path }) => path);

describe("text that PostgreSQL cannot store", () => {
  const check = validatorOf(strictObject({ name: Type.String(), more: Type.Optional(Type.Any()) }));

  it.each([
    ["the NUL character", { name: "a\0b" }, "/name"],
    ["the first half of a surrogate pair", { name: "a\ud83c" }, "/name"],
    ["the second half of a surrogate pair", { name: "\udf55a" }, "/name"],
    ["it in a list", { name: "a", more: ["b", "\0"] }, "/more/1"],
    ["it deep inside", { name: "a", more: { b: [{ c: "\0" }] } }, "/more/b/0/c"],
    ["it as a name", { name: "a", more: { "b\0": 1 } }, "/more/b\0"],
  ])("is refused where it stands: %s", (_, value, path) => {
    const refusal = check(value);
    expect(refusal).toMatchObject({ refused: "invalid", code: "input.invalid" });
    expect(pathsOf(refusal)).toEqual([path]);
  });

  it("is refused in text that is coerced as well", () => {
    const params = strictObject({ name: Type.String(), count: Type.Integer() });
    expect(pathsOf(validatorOf(params, "coerce")({ name: "\0", count: "1" }))).toEqual(["/name"]);
  });

  it("is nothing else: whole pairs, every other control character, bytes", () => {
    expect(check({ name: "🍕 Ёж \u0001\u001f\ufffe", more: Buffer.from("\0") })).toBeUndefined();
  });

  it("is found however deep it lies", () => {
    const nested = (text: string): unknown => {
      let value: unknown = text;
      for (let level = 0; level < 100_000; level++) value = level % 2 === 0 ? [value] : { a: value };
      return value;
    };
    expect(findUnstorableText(nested("b"))).toBeUndefined();
    expect(findUnstorableText(nested("\0"))).toBe("/a/0".repeat(50_000));
  });

  it("is found wherever JSON can have it", () => {
    const unit = fc.constantFrom("a", "Ё", "🍕", "\0", "\ud800", "\udfff");
    const json = fc.jsonValue({ stringUnit: unit, maxDepth: 4 });
    // Surrogates that meet in one text make a pair; JSON.stringify escapes only those that stand alone.
    const isBad = (value: unknown): boolean => /\\u(0000|d[89a-f]..)/.test(JSON.stringify(value));
    fc.assert(fc.property(json, (value) => (findUnstorableText(value) !== undefined) === isBad(value)));
  });
});

describe("text of which there is one form", () => {
  const Code = Type.String({ ...readAs("code"), maxLength: 5, pattern: "^[A-Z0-9-]+$" });
  const schema = strictObject({
    code: Type.Optional(nullable(Code)),
    codes: Type.Optional(Type.Array(strictObject({ code: Code, id: Type.Optional(Uuid) }))),
  });
  const check = validatorOf(schema);

  it("is in it before anything else is asked of it, wherever it stands", () => {
    const given = {
      code: "  ab\u200b\u200b\u2010c ",
      codes: [{ code: "x‑1", id: "018F0000-0000-7000-8000-00000000000A" }],
    };
    expect(check(given)).toBeUndefined();
    expect(given).toEqual({
      code: "AB-C",
      codes: [{ code: "X-1", id: "018f0000-0000-7000-8000-00000000000a" }],
    });
  });

  it("is refused where its form does not fit", () => {
    expect(pathsOf(check({ codes: [{ code: "ABCDEF" }] }))).toEqual(["/codes/0/code"]);
    expect(pathsOf(check({ codes: [{ code: "\u200b" }] }))).toEqual(["/codes/0/code"]);
    expect(check({ code: null })).toBeUndefined();
  });

  it("may be frozen when it has its form already", () => {
    expect(check(Object.freeze({ codes: Object.freeze([Object.freeze({ code: "X-1" })]) }))).toBeUndefined();
  });

  it("is brought to it in paths and queries as well", () => {
    const params = { code: "x‑1" };
    expect(validatorOf(strictObject({ code: Code }), "coerce")(params)).toBeUndefined();
    expect(params).toEqual({ code: "X-1" });
  });
});

describe("a timestamp", () => {
  const isTimestamp = (text: string): boolean => validatorOf(Timestamp)(text) === undefined;

  it.each([
    "2026-01-31T23:59:59Z",
    "2024-02-29T00:00:00.123456789+07:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999Z",
    "2026-01-01t12:00:00z",
    "2026-01-01T12:00:00-12:00",
  ])("may be %s", (text) => {
    expect(isTimestamp(text)).toBe(true);
    expect(Date.parse(text)).not.toBeNaN();
  });

  it.each([
    ["a leap second", "2016-12-31T23:59:60Z"],
    ["the year 0", "0000-06-01T00:00:00Z"],
    ["in the year 0 in UTC", "0001-01-01T00:00:00+01:00"],
    ["in the year 10000 in UTC", "9999-12-31T23:59:59-01:00"],
    ["further from UTC than PostgreSQL reads", "2026-01-01T00:00:00+16:00"],
    ["finer than a nanosecond", "2026-01-01T00:00:00.1234567891Z"],
    ["without a zone", "2026-01-01T00:00:00"],
    ["with a space", "2026-01-01 00:00:00Z"],
    ["at 24 o'clock", "2026-01-01T24:00:00Z"],
    ["on the 30th of February", "2026-02-30T00:00:00Z"],
    ["on the 29th of February of a common year", "2026-02-29T00:00:00Z"],
    ["with a line break", "2026-01-01T00:00:00Z\n"],
    ["of six digits", "+002026-01-01T00:00:00Z"],
  ])("may not be %s", (_, text) => {
    expect(isTimestamp(text)).toBe(false);
  });

  it("is whatever JavaScript writes, in the years that both can hold", () => {
    const years = { min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59.999Z") };
    fc.assert(
      fc.property(fc.date({ ...years, noInvalidDate: true }), (date) => isTimestamp(date.toISOString())),
    );
  });
});

describe("a calendar date", () => {
  it.each([
    ["2026-12-31", true],
    ["2024-02-29", true],
    ["0001-01-01", true],
    ["0000-01-01", false],
    ["2026-02-29", false],
    ["2026-13-01", false],
    ["2026-1-1", false],
    ["2026-01-01T00:00:00Z", false],
  ])("%s: %s", (text, fits) => {
    expect(validatorOf(LocalDate)(text) === undefined).toBe(fits);
  });
});

it("a UUID has no prefix", () => {
  const uuid = "01990000-0000-7000-8000-00000000000A";
  expect(validatorOf(Uuid)(uuid)).toBeUndefined();
  expect(validatorOf(Uuid)(`urn:uuid:${uuid}`)).toMatchObject({ code: "input.invalid" });
  expect(validatorOf(Uuid)(`{${uuid}}`)).toMatchObject({ code: "input.invalid" });
});
