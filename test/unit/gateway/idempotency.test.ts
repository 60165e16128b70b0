import fc from "fast-check";
import { canonicalJson, commandIdentity } from "../../../services/gateway/http/idempotency";

const anna = () => ({ name: "01890a5d-ac96-774b-bcce-b302099a8057" });
const boris = () => ({ name: "01890a5d-ac96-774b-bcce-b302099a8058" });
const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("the identity of a command", () => {
  it("is the same for the same holder, key and contract, and another otherwise", () => {
    const id = (key: string, holder: typeof anna, name: string) => commandIdentity(key, holder, name, {}).id;
    expect(id("k", anna, "a.b")).toBe(id("k", anna, "a.b"));
    expect(id("k", anna, "a.b")).toMatch(UUID_V8);
    const all = [id("k", anna, "a.b"), id("k2", anna, "a.b"), id("k", boris, "a.b"), id("k", anna, "a.c")];
    expect(new Set(all).size).toBe(4);
  });

  it("has a fingerprint that follows the parameters, not their order", () => {
    const print = (params: object, name = "a.b") => commandIdentity("k", anna, name, params).fingerprint;
    expect(print({ a: 1, b: { c: [1], d: 2 } })).toBe(print({ b: { d: 2, c: [1] }, a: 1 }));
    expect(print({ a: 1 })).toMatch(/^[0-9a-f]{32}$/);
    expect(
      new Set([print({ a: 1 }), print({ a: "1" }), print({ a: [1] }), print({}), print({ a: 1 }, "a.c")])
        .size,
    ).toBe(5);
  });

  it("has a fingerprint that nobody can make who does not know the key", () => {
    const params = { customer: { phone: "+79007654321" } };
    const [one, other] = ["k", "k2"].map((key) => commandIdentity(key, anna, "a.b", params).fingerprint);
    expect(one).not.toBe(other);
  });

  it("is fresh each time without a key", () => {
    const [one, two] = [
      commandIdentity(undefined, anna, "a.b", {}),
      commandIdentity(undefined, anna, "a.b", {}),
    ];
    expect(one.fresh).toBe(true);
    expect(one.id).not.toBe(two.id);
  });

  it.each(["", " ", "a b", "ключ", "x".repeat(256), "a\n"])("refuses the key %j", (key) => {
    expect(() => commandIdentity(key, anna, "a.b", {})).toThrow("Idempotency-Key");
  });
});

describe("canonical JSON", () => {
  it("says the same as the JSON that it came from", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__"));
        expect(JSON.parse(canonicalJson(JSON.parse(text)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("does not change when keys change places", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue()), (fields) => {
        const turned = Object.fromEntries(Object.entries(fields).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(fields));
      }),
    );
  });
});
