/** One atom, quantifier or bracket that all engines read alike (JavaScript, Python, Java, .NET, PCRE, RE2, Rust). */
const SAFE =
  /^(?:\\x[0-9a-f]{2}|\\[.+*?()[\]{}|^$\\/-]|\[\^?(?:\\x[0-9a-f]{2}|\\[\]\\^-]|[^[\]\\])+\]|\(\?:|\((?!\?)|\)|\{\d{1,4}(?:,\d{0,4})?\}|[^\\[\](){}])/iu;

/**
 * What of a pattern is read in one engine otherwise than in another: letters of `\d`, `\s` and `\w`, properties of
 * Unicode, looking ahead and behind, references backwards. Undefined: nothing.
 */
export function unportablePart(pattern: string): string | undefined {
  let rest = pattern;
  while (rest !== "") {
    const [atom] = SAFE.exec(rest) ?? [];
    if (atom === undefined) return rest.slice(0, 20);
    rest = rest.slice(atom.length);
  }
  return undefined;
}
