import { Type, type TString } from "@sinclair/typebox";

// Patterns go to clients with the document, and not all of them read regular expressions as JavaScript does: no `\p{…}`, `\d`,
// `\s` or `\w`, whose letters differ from engine to engine, and nothing that looks ahead or back.

/** Control characters: PostgreSQL cannot hold NUL, and a receipt no line break. */
const CONTROL = "\\x00-\\x1f\\x7f-\\x9f";
/** Spaces of any width, and what shows nothing at all. */
const BLANK = " \u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff";

/** Text in one line; may be blank. */
export const LINE = `[^${CONTROL}]*`;
const VISIBLE = `[^${CONTROL}${BLANK}]`;

/** One line that is not blank. */
export const Line = (maxLength: number, description?: string): TString =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: `^ *${VISIBLE}${LINE}$`,
    ...(description === undefined ? {} : { description }),
  });

/** Text in any number of lines that is not blank. */
export const Lines = (maxLength: number): TString => Type.String({ maxLength, pattern: VISIBLE });

/** An address of the Web, or an absolute path on this server. */
export const Address = (maxLength: number): TString =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: `^(https?://|/)${LINE}$`,
    description: "URL or absolute path",
  });
