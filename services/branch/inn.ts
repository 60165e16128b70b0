/** Weights of the check digits of a Russian taxpayer number: one for companies, two for sole traders. */
const COMPANY = [2, 4, 10, 3, 5, 9, 4, 6, 8];
const TRADER_FIRST = [7, ...COMPANY];
const TRADER_SECOND = [3, ...TRADER_FIRST];

/** Whether the check digits of an INN (10 or 12 digits) are right. */
export function isInn(text: string): boolean {
  if (!/^(\d{10}|\d{12})$/.test(text)) return false;
  const digits = Array.from(text, Number);
  return digits.length === 10
    ? fits(digits, COMPANY)
    : fits(digits, TRADER_FIRST) && fits(digits, TRADER_SECOND);
}

function fits(digits: readonly number[], weights: readonly number[]): boolean {
  const sum = weights.reduce((total, weight, at) => total + weight * (digits[at] ?? 0), 0);
  return (sum % 11) % 10 === digits[weights.length];
}
