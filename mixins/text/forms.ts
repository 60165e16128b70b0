import { asTyped } from "./typed-text";

/** Cyrillic capitals that look like Latin ones, as they come from a keyboard that was left in Russian. */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  ...{ А: "A", В: "B", Е: "E", Ё: "E", К: "K", М: "M", Н: "H", О: "O", Р: "P" },
  ...{ С: "C", Т: "T", У: "Y", Х: "X", І: "I", Ј: "J", Ѕ: "S" },
};
const inLatin = (text: string): string =>
  text.replaceAll(/\p{Script=Cyrillic}/gu, (one) => LOOK_ALIKES[one] ?? one);
/** What comes to stand side by side is composed anew. */
const without = (what: RegExp, text: string): string => asTyped(text.replaceAll(what, ""));
const inCapitals = (text: string): string => asTyped(asTyped(text).toUpperCase());

/** The one form of a promo code: in capitals. A space inside is part of it, and of no code that there is. */
export const codeOf = inCapitals;

const SHORT_NUMBER = /^([A-Z]{1,2})-?(\d+)$/;

/** The one form of an order's number on the receipt, `M-2339`; where somebody typed its digits alone, these. */
export function displayIdOf(typed: string): string {
  const id = without(/[ #]/g, inLatin(inCapitals(without(/№/g, typed))));
  return id.replace(SHORT_NUMBER, "$1-$2");
}

/** The one form of a number that people group by spaces and dashes, as taxpayer numbers. */
export const digitsOf = (typed: string): string => without(/[ -]/g, asTyped(typed));

/** The one form of an email: one mailbox, one spelling. */
export const emailOf = (typed: string): string => asTyped(typed).toLowerCase();

/** The one form of a name that people sign in with. */
export const usernameOf = (typed: string): string => asTyped(typed).toLowerCase();

/** One password, one spelling, whatever keyboard composed its accents; what shows nothing is part of it. */
export const passwordOf = (typed: string): string => typed.normalize("NFKC");

/** The form in which names of dishes and ingredients are compared; they are shown as they were written. */
export const nameKey = (name: string): string => asTyped(asTyped(name).toLowerCase());

/** The spelling of hardware addresses in which letters and what stands between the pairs are as the contract wants them. */
export const macAsTyped = (typed: string): string => inLatin(inCapitals(typed)).replaceAll(" ", ":");

/** Kinds of text of which there is one form, by the name that a schema gives them in `x-read-as`. */
export const FORMS = {
  code: codeOf,
  "display-id": displayIdOf,
  digits: digitsOf,
  email: emailOf,
  mac: macAsTyped,
  username: usernameOf,
  uuid: (typed: string) => typed.toLowerCase(),
} as const satisfies Readonly<Record<string, (typed: string) => string>>;

/**
 * For the schema of a text: what comes in is brought to its one form before anything else of the schema is looked at, and
 * that is what the action gets. The schema tells the form; whoever reads the document is told the kind.
 */
export const readAs = (kind: keyof typeof FORMS): { readonly "x-read-as": keyof typeof FORMS } => ({
  "x-read-as": kind,
});
