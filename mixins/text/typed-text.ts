/** Letters, digits and signs of ASCII without a space at either end: nothing to do, which is what nearly all text is. */
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$/;
/** Show nothing: soft hyphens, zero-width spaces and joiners, marks of direction, byte order marks. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
/** Hyphens that do not break, en and em dashes, minus signs. */
const DASHES = /\p{Dash}/gu;

/**
 * Text as somebody meant it, whatever their keyboard, messenger or spreadsheet made of it: one composition of accents and one
 * width of letters (NFKC), no characters that show nothing, one kind of dash, one space between words and none around them.
 * For comparing numbers, codes and names; text for people is kept as they wrote it, since emoji are joined by what shows nothing.
 */
export function asTyped(text: string): string {
  if (PLAIN.test(text) && !text.includes("  ")) return text;
  return text
    .replaceAll(INVISIBLE, "")
    .normalize("NFKC")
    .replaceAll(DASHES, "-")
    .replaceAll(/\s+/g, " ")
    .trim();
}
