import type { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { AccountFields } from "./account";
import { passwordOf } from "../../mixins/text/forms";

/** What somebody who guesses knows of an account. */
export type PasswordOwner = Pick<AccountFields, "role"> &
  Partial<Pick<AccountFields, "name" | "email" | "username" | "phone">>;

/** Why a password was refused, in one word that clients can translate. */
export type Weakness = "common" | "personal" | "repeated" | "sequence" | "keyboard" | "date" | "guessable";

/**
 * The estimate's scale of guesses: 1 is fewer than a million, 2 fewer than a hundred million, 3 more. Staff see the phones of others and give
 * money back, so theirs have to be better.
 */
const SCORE_MIN = { customer: 2, staff: 3 } as const;
/** What comes after these cannot make up for them. The time of an estimate grows with the square of the length: 5 ms at this one. */
const JUDGED_CHARS_MAX = 32;
/** Ways in which signs may stand for letters (`p@$$w0rd`) that are tried; a hundred, the library's own choice, cost 50 ms. */
const LEET_MAX = 4;
/** What everybody knows of the house. */
const HOUSE_WORDS = ["forno", "pizza", "pizzeria", "пицца", "пиццерия"];

/** `йцукен` is typed by the keys of `qwerty`: the lists of common passwords know it by those. */
const RUSSIAN_KEYS = "йцукенгшщзхъфывапролджэячсмитьбюё";
const LATIN_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`";

const WEAKNESS: Readonly<Record<string, Weakness>> = {
  topTen: "common",
  topHundred: "common",
  common: "common",
  similarToCommon: "common",
  wordByItself: "common",
  userInputs: "personal",
  simpleRepeat: "repeated",
  extendedRepeat: "repeated",
  sequences: "sequence",
  straightRow: "keyboard",
  keyPattern: "keyboard",
  dates: "date",
  recentYears: "date",
};

const DETAIL: Readonly<Record<Weakness, string>> = {
  common: "it is, or is like, one of those that everybody tries first",
  personal: "it is made of your name, address or number, or of ours",
  repeated: "it repeats itself",
  sequence: "it is a sequence of letters or digits",
  keyboard: "it is a row of keys",
  date: "it is a date",
  guessable: "it can be guessed",
};

let estimator: Promise<ZxcvbnFactory> | undefined;

/** Read when the first password is chosen: 25 MB that a node which serves orders does without. */
async function loadEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import("@zxcvbn-ts/core"),
    import("@zxcvbn-ts/language-common"),
  ]);
  return new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs, l33tMaxSubstitutions: LEET_MAX });
}

/**
 * Why nobody should have this password; undefined when it will do. Refusal: `auth.password_weak`, with the reason.
 * Only for passwords that are chosen: those that are typed at a login only have to be compared.
 */
export async function passwordRefusal(password: string, owner: PasswordOwner): Promise<Refusal | undefined> {
  const estimate = await (estimator ??= loadEstimator());
  const judged = passwordOf(password).slice(0, JUDGED_CHARS_MAX);
  const known = wordsAbout(owner);
  const verdicts = [judged, byLatinKeys(judged)].map((form) => estimate.check(form, known));
  const worst = verdicts.reduce((one, other) => (other.score < one.score ? other : one));
  if (worst.score >= SCORE_MIN[owner.role === "customer" ? "customer" : "staff"]) return undefined;
  const reason = WEAKNESS[worst.feedback.warning ?? ""] ?? "guessable";
  return refuse(
    "unprocessable",
    "auth.password_weak",
    `Choose another password: ${DETAIL[reason]}. A few words that do not belong together are good.`,
    { reason },
  );
}

/** The text as the same keys give it on a Latin keyboard. */
function byLatinKeys(text: string): string {
  return Array.from(text, (letter) => {
    const key = RUSSIAN_KEYS.indexOf(letter.toLowerCase());
    return key < 0 ? letter : LATIN_KEYS.charAt(key);
  }).join("");
}

function wordsAbout({ name, email, username, phone }: PasswordOwner): string[] {
  const texts = [name, email, email?.split("@")[0], username].filter((text) => typeof text === "string");
  const words = texts.flatMap((text) => {
    const parts = text.split(/[^\p{L}\p{N}]+/u);
    return [text, parts.join(""), ...parts];
  });
  const digits = phone?.replaceAll(/\D/g, "") ?? "";
  const numbers = digits === "" ? [] : [digits, digits.slice(-10), digits.slice(-7)];
  const about = [...words, ...numbers, ...HOUSE_WORDS].filter((word) => word.length > 2);
  return [...new Set(about.flatMap((word) => [word, byLatinKeys(word)]))];
}
