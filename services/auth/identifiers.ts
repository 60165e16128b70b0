/** How the names that people sign in with are compared. */

/** Email as stored and searched: one mailbox, one spelling. */
export function normalisedEmail(email: string): string {
  return email.normalize("NFKC").trim().toLowerCase();
}

export function normalisedUsername(username: string): string {
  return username.normalize("NFKC").trim().toLowerCase();
}

/** One password, one spelling, whatever keyboard composed its accents. */
export function normalisedPassword(password: string): string {
  return password.normalize("NFKC");
}

const E164_DIGITS = /^[1-9]\d{6,14}$/;
/** `8 (923) 123-45-67` and `923 123-45-67` are Russian habits for `+7 923 …`. */
const RUSSIAN_HABIT = /^(?:8(?=\d{10}$))?([3-9]\d{9})$/;

/** Phone as E.164; undefined when it cannot be a phone number. */
export function normalisedPhone(phone: string): string | undefined {
  const digits = phone.replace(/\D/g, "");
  const international = phone.trim().startsWith("+") ? digits : digits.replace(RUSSIAN_HABIT, "7$1");
  return E164_DIGITS.test(international) ? `+${international}` : undefined;
}
