import fc from "fast-check";
import type { CountryCode } from "libphonenumber-js/min";
import { validatorOf } from "../../../mixins/contract/validation";
import { strictObject } from "../../../mixins/contract/schemas";
import { PartOfPhone, Phone, phoneKept, phoneOf, soughtPhone } from "../../../mixins/text/phone";

const ANNA = "+79231234567";
const anyDigits = fc.stringMatching(/^[0-9]{5,12}$/);

describe("a phone number", () => {
  it.each([
    "+7 (923) 123-45-67",
    "8 923 123 45 67",
    "8 (923) 123-45-67",
    "8(923)1234567",
    "8.923.123.45.67",
    "8/923/1234567",
    "79231234567",
    "9231234567",
    "0079231234567",
    "+8 923 123-45-67",
    "8\u00a0923\u202f123\u200945\u00a067",
    "8‑923‒123–45—67",
    "8−923−123−45－67",
    "８（923）１２３４５６７",
    "\u202a+79231234567\u202c",
    "8\u200b923\u00ad123\ufeff4567",
    "  8 923 123-45-67 ",
  ])("%j is Anna's", (typed) => {
    expect(phoneOf(typed, "RU")).toBe(ANNA);
  });

  it.each<[string, CountryCode, string]>([
    ["030 901820", "DE", "+4930901820"],
    ["0049 30 901820", "RU", "+4930901820"],
    ["8~10 49 30 901820", "RU", "+4930901820"],
    ["(202) 555-0143", "US", "+12025550143"],
    ["+1 202 555 0143", "RU", "+12025550143"],
    ["8 (727) 123-45-67", "KZ", "+77271234567"],
    ["8 800 555-35-35", "RU", "+78005553535"],
    ["4951234567", "RU", "+74951234567"],
  ])("%s in %s is %s", (typed, country, kept) => {
    expect(phoneOf(typed, country)).toBe(kept);
  });

  it.each(["12 34", "2-12-85-06", "+0 123 456 789", "1234567890123456", "+8 800 555", "", "+", "pizza"])(
    "%j is none",
    (typed) => {
      expect(phoneOf(typed, "RU")).toBeUndefined();
    },
  );

  it("is itself in its one form, however often it is read", () => {
    fc.assert(
      fc.property(fc.constantFrom("+7", "8", "7", "", "+49", "00375", "+"), anyDigits, (code, rest) => {
        const kept = phoneOf(`${code} ${rest}`, "RU");
        if (kept === undefined) return;
        expect(phoneOf(kept, "RU")).toBe(kept);
        expect(phoneKept(kept)).toBe(kept);
      }),
    );
  });

  it.each([
    ["4951234567", "+74951234567"],
    ["+79231234567", "+79231234567"],
    ["2128506", "2128506"],
  ])("%s of an old order is %s", (kept, now) => {
    expect(phoneKept(kept)).toBe(now);
  });
});

describe("what is typed to find a number", () => {
  const finds = (typed: string, stored: string): boolean => {
    const { ends, begins } = soughtPhone(typed, "RU");
    return stored.endsWith(ends) || begins.some((begin) => stored.startsWith(begin));
  };

  it.each([
    ...[
      "8 923",
      "8 (923) 12",
      "+7 923 1",
      "7923",
      "923 123",
      "8 923 123-45-67",
      "9231234567",
      "45-67",
      "4567",
    ],
    ...["1234567", "8‑923‑123", "8\u00a0923\u00a0123", "\u202a+7923", "007 923"],
  ])("%j finds Anna's", (typed) => {
    expect(finds(typed, ANNA)).toBe(true);
  });

  it.each(["8 924", "4568", "1234", "+8923", "9231234568"])("%j does not", (typed) => {
    expect(finds(typed, ANNA)).toBe(false);
  });

  it("a foreign number is found with its plus and without", () => {
    expect(finds("+375 29 123", "+375291234567")).toBe(true);
    expect(finds("375291234567", "+375291234567")).toBe(true);
  });
});

describe("the contract", () => {
  const complaint = (schema: typeof Phone, typed: string): unknown =>
    validatorOf(strictObject({ phone: schema }))({ phone: typed })?.code;

  it("takes what people type", () => {
    for (const typed of ["8\u00a0923\u202f123‑45−67", "\u202a+7 (923) 123-45-67\u202c", "12345"])
      expect(complaint(Phone, typed)).toBeUndefined();
    expect(complaint(PartOfPhone, "45‑67")).toBeUndefined();
  });

  it("and nothing that holds no number", () => {
    for (const typed of ["()  --", "1234", "8 923 abc 45 67", "8923\n1234567", "++79231234567", ""])
      expect(complaint(Phone, typed)).toBe("input.invalid");
    expect(complaint(PartOfPhone, "123")).toBe("input.invalid");
  });
});
