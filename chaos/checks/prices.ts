import { operationsOf } from "../history";
import { differences } from "../model/digest";
import { toldOf, type Line, type MenuDocument, type Placed } from "../model/events";
import { discountBy, PriceBook, salePrice, type Window } from "../model/prices";
import type { Evidence, Violation } from "./evidence";

/** An order is placed at prices of the last three seconds; a node that was cut off knows those of when that began. */
const PRICES_LAST_MS = 3_000;
/** Clocks of nodes are held to the database's within two seconds. */
const CLOCKS_DIFFER_MS = 2_000;

/**
 * Every order costs what the menu asked while it was ordered: by a version that was in force then, line by line as that version
 * says, in a sale that was on for the item, less what its code takes off, with the branch's fee, and all of it adds up.
 */
export function prices(
  evidence: Pick<Evidence, "events" | "menus" | "operations" | "load_began_ms" | "disturbances">,
): Violation[] {
  const book = new PriceBook(evidence.events, evidence.menus);
  const asked = new Map(
    operationsOf(evidence.operations, "place").map(({ key, start_ms }) => [key, start_ms]),
  );
  return toldOf(evidence.events, "order.placed").flatMap(({ data, position, recorded_at }) => {
    const start_ms = asked.get(data.notes ?? "");
    // What nobody asked for is named by others.
    if (start_ms === undefined) return [];
    const asked_ms = evidence.load_began_ms + start_ms;
    const recorded_ms = Date.parse(recorded_at);
    const window = { since_ms: knownSince(asked_ms, recorded_ms, evidence.disturbances), position };
    return wrongIn(data, book, window, recorded_ms, asked_ms).map(([promise, what]) => ({
      promise,
      detail: `${data.order_id} ${what}, at position ${position}`,
    }));
  });
}

/** From when on what a node knew of prices may be. */
function knownSince(asked_ms: number, recorded_ms: number, disturbances: Evidence["disturbances"]): number {
  const since_ms = asked_ms - PRICES_LAST_MS;
  const meanwhile = disturbances.filter(
    ({ began_ms, ended_ms }) => began_ms <= recorded_ms && ended_ms + PRICES_LAST_MS >= since_ms,
  );
  return Math.min(since_ms, ...meanwhile.map(({ began_ms }) => began_ms - PRICES_LAST_MS));
}

type Wrong = readonly [promise: string, what: string];

function wrongIn(
  order: Placed,
  book: PriceBook,
  window: Window,
  recorded_ms: number,
  asked_ms: number,
): Wrong[] {
  const { menu_version, placed_at } = order;
  const versions = book.versions(window);
  const menu = book.menu(menu_version);
  const placed_ms = Date.parse(placed_at);
  const isInTime = placed_ms >= asked_ms - CLOCKS_DIFFER_MS && placed_ms <= recorded_ms + CLOCKS_DIFFER_MS;
  return [
    ...(isInTime ? [] : [["order.placed_at", `says ${placed_at}`] as const]),
    ...(versions.includes(menu_version)
      ? []
      : [
          ["price.old_menu", `has prices of menu ${menu_version}, in force: ${versions.join(", ")}`] as const,
        ]),
    ...order.items.flatMap((line) => [
      ...unlikeMenu(line, menu),
      ...wrongSale(line, book, window, recorded_ms),
    ]),
    ...wrongSums(order, book, window),
  ];
}

/** A line as the version that its order names has it. */
function unlikeMenu(
  { kind, menu_item_id, name, list_price_minor, extras }: Line,
  menu: MenuDocument | undefined,
): Wrong[] {
  const items = kind === "set" ? menu?.sets : menu?.pizzas;
  const item = items?.find(({ id }) => id === menu_item_id);
  const wanted = {
    ...{ name: item?.name, list_price_minor: item?.price_minor },
    extras: extras.map(({ extra_id }) => {
      const extra = menu?.extras.find(({ id }) => id === extra_id);
      return { extra_id, name: extra?.name, price_minor: extra?.price_minor };
    }),
  };
  const wrong = differences({ name, list_price_minor, extras }, wanted);
  return wrong.length === 0 ? [] : [["price.unlike_menu", `(${menu_item_id}): ${wrong.join(", ")}`]];
}

function wrongSale(line: Line, book: PriceBook, window: Window, recorded_ms: number): Wrong[] {
  const { menu_item_id, flash_sale_id, unit_price_minor, list_price_minor } = line;
  const said = `(${menu_item_id}) at ${unit_price_minor}, by the menu ${list_price_minor}`;
  const certain = book
    .certainSales(menu_item_id, window, recorded_ms)
    .map((sale) => salePrice(sale, list_price_minor));
  if (Math.min(...certain) < unit_price_minor) return [["price.sale_missed", said]];
  if (flash_sale_id === null)
    return unit_price_minor === list_price_minor ? [] : [["price.without_sale", said]];
  const fits = book
    .sale(flash_sale_id, window)
    .some(
      (sale) =>
        sale.item_ids.includes(menu_item_id) &&
        salePrice(sale, list_price_minor) === unit_price_minor &&
        unit_price_minor < list_price_minor &&
        Date.parse(sale.starts_at) <= recorded_ms + CLOCKS_DIFFER_MS &&
        Date.parse(sale.ends_at) > window.since_ms,
    );
  return fits ? [] : [["price.sale", `${said}, in sale ${flash_sale_id}`]];
}

function wrongSums(order: Placed, book: PriceBook, window: Window): Wrong[] {
  const { items, fulfilment, branch_id, promo_code } = order;
  const { items_total_minor, delivery_fee_minor, discount_minor, total_minor } = order;
  const lines = items.map(({ quantity, unit_price_minor, extras }) =>
    extras.reduce((sum, { price_minor }) => sum + quantity * price_minor, quantity * unit_price_minor),
  );
  const items_minor = lines.reduce((sum, line) => sum + line, 0);
  const fee_minor = fulfilment === "pickup" ? 0 : book.fee(branch_id, items_minor, window.position);
  const sums = { items_total_minor, delivery_fee_minor, total_minor };
  const wrong = [
    ...differences(
      items.map(({ line_total_minor }) => line_total_minor),
      lines,
      "line totals",
    ),
    ...differences(sums, {
      items_total_minor: items_minor,
      delivery_fee_minor: fee_minor,
      total_minor: items_minor + fee_minor - discount_minor,
    }),
  ];
  const discounts =
    promo_code === null ? [0] : book.promo(promo_code, window).map((promo) => discountBy(promo, items_minor));
  return [
    ...(wrong.length === 0 ? [] : [["price.sum", wrong.join(", ")] as const]),
    ...(discounts.includes(discount_minor)
      ? []
      : [["price.discount", `has ${discount_minor} off by ${promo_code ?? "no code"}`] as const]),
  ];
}
