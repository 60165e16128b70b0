import { Type } from "@sinclair/typebox";
import { AsYouType, parsePhoneNumberFromString, type CountryCode } from "libphonenumber-js/min";
import { refuse, type Refusal } from "../contract/refusal";
import { asTyped } from "./typed-text";

/** What stands between digits: brackets, dots, slashes, spaces and dashes of any kind, marks that show nothing. */
const BETWEEN =
  "[ ()./~\u00a0\u00ad\u2000-\u2015\u202a-\u202f\u205f-\u2069\u2212\u3000\ufeff\uff08\uff09\uff0d-]*";
/** What may stand before the plus cannot be taken for what may stand behind it: a long run of spaces is walked through once. */
const digits = (min: number): string => `^${BETWEEN}(\\+${BETWEEN})?([0-9]${BETWEEN}){${String(min)},20}$`;
const TYPED_MAX = 60;

/** A phone number as people type it; {@link phoneOf} reads it. */
export const Phone = Type.String({
  pattern: digits(5),
  maxLength: TYPED_MAX,
  description: "As people type it, e.g. 8 (923) 123-45-67; kept in E.164",
});

/** A number that is looked for, or its first or last digits; {@link soughtPhone} reads it. */
export const PartOfPhone = Type.String({
  pattern: digits(4),
  maxLength: TYPED_MAX,
  description: "As people type it: the whole number, or its first or last digits, four at least",
});

const E164 = /^\+[1-9]\d{6,14}$/;
/** Abroad by the international prefix of most countries; that of the caller's own country is known to the library. */
const INTERNATIONAL = /^00(?=[ -]*[1-9])/;

/**
 * The one form of a phone number, E.164 (`+79231234567`); undefined when nobody can be reached by it.
 * @param country whose habits hold where no country code was typed: `8 (923) 123-45-67` in Russia
 */
export function phoneOf(typed: string, country: CountryCode): string | undefined {
  if (E164.test(typed) && isPossible(typed, country)) return typed;
  const text = asTyped(typed).replace(INTERNATIONAL, "+");
  const number = read(text, country);
  // Whether a number is in use is not asked: the tables of the library are older than the newest numbers.
  if (number?.isPossible() === true) return number.number;
  // "+8 923 …": somebody was asked for a plus and put it before the habit. No country's code begins so, hence the strict look.
  const habit = text.startsWith("+") ? read(text.slice(1), country) : undefined;
  return habit?.isValid() === true ? habit.number : undefined;
}

/**
 * A wish with its phone, where it has one, in the one form.
 * @param code of the refusal of a number that is none: whoever gave one wants to be called
 */
export function withPhone<W extends { readonly phone?: string | null }>(
  wish: W,
  country: CountryCode,
  code: string,
): W | Refusal {
  if (typeof wish.phone !== "string") return wish;
  const phone = phoneOf(wish.phone, country);
  return phone === undefined
    ? refuse(
        "unprocessable",
        code,
        "Nobody has this phone; give it with its country code, e.g. +79231234567.",
      )
    : { ...wish, phone };
}

const read = (text: string, country: CountryCode) =>
  parsePhoneNumberFromString(text, { defaultCountry: country, extract: false });
const isPossible = (text: string, country: CountryCode): boolean =>
  read(text, country)?.isPossible() === true;

/** Orders of old hold what Russian habits could not read as the digits that were typed. */
const COUNTRY_OF_OLD = "RU";

/** A number that was kept before all were read as E.164: the one form of it where it has one, else what was kept. */
export function phoneKept(kept: string): string {
  return E164.test(kept) ? kept : (phoneOf(kept, COUNTRY_OF_OLD) ?? kept);
}

/** Where a number that is looked for may stand in one in E.164. */
export interface SoughtPhone {
  /** Digits that it may end with. */
  readonly ends: string;
  /** What it may begin with. */
  readonly begins: readonly string[];
}

/** Reads what was typed to find a number: `8 923 …`, `+7 923 …`, `7923 …` and `923 …` are its beginning, `45-67` its end. */
export function soughtPhone(typed: string, country: CountryCode): SoughtPhone {
  const text = asTyped(typed).replace(INTERNATIONAL, "+");
  const ends = text.replaceAll(/\D/g, "");
  const typing = new AsYouType(country);
  typing.input(text);
  const begins = new Set([`+${ends}`, phoneOf(typed, country) ?? typing.getNumberValue() ?? `+${ends}`]);
  return { ends, begins: [...begins] };
}
