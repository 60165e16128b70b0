/**
 * Reads a phone number as people type it and gives it in E.164 where that is possible: `8 (923) 123-45-67` and
 * `9231234567` are Russian habits for `+79231234567`. Anything else keeps its digits, and its plus if it had one, so that
 * a search by the last digits finds it all the same.
 */
export function normalisePhone(typed: string): string {
  const digits = typed.replace(/\D/g, "");
  if (typed.trim().startsWith("+")) return `+${digits}`;
  if (/^00[1-9]\d{7,}$/.test(digits)) return `+${digits.slice(2)}`;
  if (/^[78]\d{10}$/.test(digits)) return `+7${digits.slice(1)}`;
  if (/^9\d{9}$/.test(digits)) return `+7${digits}`;
  return digits;
}

/** What a search looks for at the end of stored numbers: the digits as they were normalised, without the plus. */
export function phoneSuffix(typed: string): string {
  return normalisePhone(typed).replace(/^\+/, "");
}
