import type { TSchema } from "@sinclair/typebox";
import { validatorOf } from "../../../mixins/contract/validation";
import { Address, Line, Lines } from "../../../mixins/text/lines";
import { strictObject } from "../../../mixins/contract/schemas";
import { CONTRACTS } from "../../support/contracts";
import { unportablePart } from "../../support/portable-pattern";

/** Every pattern below a schema, with where it stands. */
function patternsOf(schema: unknown, at: string): [string, string][] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([name, inner]): [string, string][] =>
    name === "pattern" && typeof inner === "string" ? [[at, inner]] : patternsOf(inner, `${at}/${name}`),
  );
}
const patterns = CONTRACTS.flatMap(({ name, params, result }) => [
  ...patternsOf(params, `${name}/params`),
  ...patternsOf(result, `${name}/result`),
]);

describe("the patterns of all contracts", () => {
  it("are read alike by every engine of regular expressions", () => {
    expect(patterns.length).toBeGreaterThan(20);
    expect(patterns.filter(([, pattern]) => unportablePart(pattern) !== undefined)).toEqual([]);
  });

  it("walk through a text once, however long it is and wherever it ceases to fit", () => {
    const long = ["0", "a", " ", "-", "A:", "1 ", "+ "].map((part) => part.repeat(100_000));
    for (const pattern of new Set(patterns.map(([, one]) => one)))
      for (const text of long) expect(typeof new RegExp(pattern, "u").test(`${text}\n`)).toBe("boolean");
  });

  it("are told apart from those that are not", () => {
    for (const odd of [
      "\\p{Cc}",
      "[\\s]",
      "\\d",
      "(?=a)",
      "(?<!a)b",
      "\\u0041",
      "(a)\\1",
      "[a-z&&[b]]",
      "a{2}\\b",
    ])
      expect(unportablePart(odd)).toBeDefined();
    for (const plain of ["^[A-Z]{1,2}-[0-9]+$", "^(?:a|b)*\\.c?$", "[^\\x00-\\x1f]", "^(https?://|/)x$"])
      expect(unportablePart(plain)).toBeUndefined();
  });
});

describe("text", () => {
  const takes = (schema: TSchema, text: string): boolean =>
    validatorOf(strictObject({ text: schema }))({ text }) === undefined;

  it.each(["Anna", " Anna", "Ёж 🍕", "a\u200bb"])("%j is a line", (text) => {
    expect(takes(Line(20), text)).toBe(true);
  });
  it.each(["", " ", "\u00a0", "\u200b\ufeff", "a\nb", "a\0", "a\u0085b", "a\u007f", "x".repeat(21)])(
    "%j is none",
    (text) => {
      expect(takes(Line(20), text)).toBe(false);
    },
  );

  it("may break where it may, but not be blank", () => {
    expect(takes(Lines(20), "a\nb")).toBe(true);
    expect(takes(Lines(20), " \n\u3000")).toBe(false);
    expect(takes(Address(20), "https://a/b")).toBe(true);
    expect(takes(Address(20), "/a\nb")).toBe(false);
    expect(takes(Address(20), "javascript:x")).toBe(false);
  });
});
