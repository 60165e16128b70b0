import { nameKey } from "../../mixins/text/forms";
import { LINES_MAX, QUANTITY_MAX, type CartLine, type LineContent } from "./cart.events";

/** The same for two wishes that are one line; names as the menu compares them, since it may spell one differently by now. */
function contentKey({ menu_item_id, extras, exclude_ingredients }: LineContent): string {
  const left_out = new Set(exclude_ingredients.map(nameKey));
  return JSON.stringify([menu_item_id, [...extras].sort(), [...left_out].sort()]);
}

const same = (wanted: LineContent): ((line: LineContent) => boolean) => {
  const key = contentKey(wanted);
  return (line) => contentKey(line) === key;
};

/** The lines with one more wish: a line of the same content becomes larger, else there is a new one at the end. */
export function withAdded(lines: readonly CartLine[], wish: CartLine): CartLine[] {
  const at = lines.findIndex(same(wish));
  const line = lines[at];
  if (line === undefined) return [...lines, wish];
  return lines.with(at, { ...line, quantity: line.quantity + wish.quantity });
}

/** The lines with one in another shape; another line of that content is taken into it. */
export function withChanged(lines: readonly CartLine[], changed: CartLine): CartLine[] {
  const isTwin = same(changed);
  const twin = lines.find((line) => line.line_id !== changed.line_id && isTwin(line));
  const quantity = changed.quantity + (twin?.quantity ?? 0);
  return lines
    .filter((line) => line !== twin)
    .map((line) => (line.line_id === changed.line_id ? { ...changed, quantity } : line));
}

/** Two carts as one, within the limits: of what does not fit, the guest's part is left out. */
export function merged(own: readonly CartLine[], guests: readonly CartLine[]): CartLine[] {
  return guests
    .reduce(withAdded, [...own])
    .map((line) => ({ ...line, quantity: Math.min(line.quantity, QUANTITY_MAX) }))
    .slice(0, Math.max(LINES_MAX, own.length));
}

/** What is left when an order has taken its part; what was added meanwhile stays. */
export function withoutOrdered(
  lines: readonly CartLine[],
  ordered: readonly (LineContent & { readonly quantity: number })[],
): CartLine[] {
  const taken = new Map<string, number>();
  for (const one of ordered) taken.set(contentKey(one), (taken.get(contentKey(one)) ?? 0) + one.quantity);
  const left: CartLine[] = [];
  for (const line of lines) {
    const pieces = taken.get(contentKey(line)) ?? 0;
    taken.set(contentKey(line), Math.max(0, pieces - line.quantity));
    if (line.quantity > pieces) left.push({ ...line, quantity: line.quantity - pieces });
  }
  return left;
}
