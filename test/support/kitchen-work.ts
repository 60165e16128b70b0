/** What of an order's lines says how much of a slot they take. */
export interface WorkedLine {
  readonly quantity: number;
  readonly list_price_minor?: number;
  readonly extras: readonly { readonly price_minor?: number }[];
}

/**
 * What an order takes of its slot by the documents: its lines at the menu's prices with their extras, whatever sale or promo
 * code lowered the sum; minor units. Counted here anew, so that a test does not ask the code that it judges.
 */
export function kitchenWorkOf({ items }: { readonly items: readonly WorkedLine[] }): number {
  let work = 0;
  for (const { quantity, list_price_minor, extras } of items) {
    const prices = [list_price_minor, ...extras.map(({ price_minor }) => price_minor)];
    for (const price of prices) {
      if (price === undefined) throw new Error("The order is shown without its prices: ask as staff.");
      work += quantity * price;
    }
  }
  return work;
}
