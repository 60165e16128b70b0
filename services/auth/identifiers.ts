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
