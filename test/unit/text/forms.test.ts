import fc from "fast-check";
import {
  codeOf,
  digitsOf,
  displayIdOf,
  emailOf,
  FORMS,
  nameKey,
  usernameOf,
} from "../../../mixins/text/forms";
import { normalMac } from "../../../mixins/text/mac-address";

const DECOMPOSED = "Й".normalize("NFD");

describe("the same text in another form is the same", () => {
  it.each([
    [
      "WELCOME-10",
      "welcome-10",
      " Welcome‑10 ",
      "welcome—10",
      "WEL\u200bCOME−10",
      "ｗｅｌｃｏｍｅ－１０",
      "wel\u00adcome-10",
    ],
    ["ЙОД", "йод", `${DECOMPOSED}од`, `${DECOMPOSED.toLowerCase()}О\u2060Д`, "й\u200bо\u200dд "],
  ])("promo code %s", (code, ...typed) => {
    for (const one of typed) expect(codeOf(one)).toBe(code);
  });

  it.each([
    ["M-2339", "m-2339", "М-2339", "м–2339", " М 2339", "М2339", "№ M‑2339", "M\u00a0-\u200b2339"],
    ["KP-12", "КР-12", "кр 12", "KР12"],
    ["2339", " 2339 ", "№2339", "#2339"],
  ])("number on the receipt %s", (id, ...typed) => {
    for (const one of typed) expect(displayIdOf(one)).toBe(id);
  });

  it.each([
    "aa:bb:cc:dd:ee:ff",
    "АА‑ВВ‑СС‑DD‑ЕЕ‑FF",
    "aabb.ccdd.eeff",
    "\ufeffAABBCCDDEEFF ",
    "aa bb cc dd ee ff",
  ])("hardware address %j", (typed) => {
    expect(normalMac(typed)).toBe("AA:BB:CC:DD:EE:FF");
  });

  it("taxpayer number, email, username, name of a dish", () => {
    expect(digitsOf("7707 083\u00a0893")).toBe("7707083893");
    expect(digitsOf("77‑07‑083893\u200b")).toBe("7707083893");
    for (const typed of [" Anna@Example.COM", "ａnna@example.com", "anna@\u200bexample.com"])
      expect(emailOf(typed)).toBe("anna@example.com");
    expect(usernameOf("Anna‑K")).toBe("anna-k");
    for (const typed of ["  New   YORK ", "new york", "New\u00a0York", "NEW\u200b YORK"])
      expect(nameKey(typed)).toBe("new york");
    expect(nameKey(`Кури${"й".normalize("NFD")}`)).toBe(nameKey("КУРИЙ"));
  });

  it("what is not the same stays apart", () => {
    expect(codeOf("WELCOME10")).not.toBe(codeOf("WELCOME-10"));
    expect(displayIdOf("K-2339")).not.toBe(displayIdOf("M-2339"));
    expect(nameKey("Сырный")).not.toBe(nameKey("Сырный бортик"));
  });

  it("a form is its own form, whatever was typed", () => {
    const typed = fc.string({ unit: "binary", maxLength: 12 }).filter((text) => text.isWellFormed());
    for (const form of [...Object.values(FORMS), nameKey])
      fc.assert(
        fc.property(typed, (text) => {
          expect(form(form(text))).toBe(form(text));
        }),
      );
  });
});
