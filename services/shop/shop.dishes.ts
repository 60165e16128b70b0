import type { Ctx } from "../../mixins/contract/caller";
import { act } from "../../mixins/contract/implement";
import { refusalOf, refuse, type Refusal } from "../../mixins/contract/refusal";
import { getMenu, quoteCart, type CartQuote } from "../menu/menu.contract";
import type { LocalizedName, MenuDocument, MenuPizza, MenuSet } from "../menu/menu.events";

/** A pizza or a set as it is offered at this moment. */
interface Dish {
  readonly item_id: string;
  readonly kind: "pizza" | "set";
  readonly name: LocalizedName;
  readonly image: string | null;
  readonly available: boolean;
  readonly price_minor: number;
  readonly list_price_minor: number;
  readonly flash_sale_id: string | null;
}

type OnMenu = (MenuPizza | MenuSet) & { readonly kind: Dish["kind"] };

/** Which of the named dishes a list shows. */
interface Shown {
  readonly limit: number;
  /** Only what can be ordered now. */
  readonly orderable?: true;
}

/**
 * The first ones of these dishes that are on the menu in force, with the prices that an order of each would have now: what
 * is kept of a ranking are ids, so that a sale changes prices in it at its second.
 */
export async function dishesOf<T extends { readonly item_id: string }>(
  ctx: Ctx<unknown>,
  ranked: readonly T[],
  { limit, orderable }: Shown,
): Promise<{ currency: string; items: (T & Dish)[] }> {
  const menu = await act(ctx, getMenu, {});
  const offered = new Map(pizzasAndSets(menu).map((each) => [each.id, each]));
  const shown = ranked
    .flatMap((one) => {
      const dish = offered.get(one.item_id);
      return dish === undefined || (orderable === true && !dish.available) ? [] : [{ one, dish }];
    })
    .slice(0, limit);
  const available = shown.flatMap(({ dish }) => (dish.available ? [dish.id] : []));
  const prices = await pricesOf(ctx, available);
  const items = shown.map(({ one, dish }) => ({ ...one, ...dishOf(dish, prices.get(dish.id)) }));
  return { currency: menu.currency, items };
}

function dishOf({ id, kind, name, image, available, price_minor }: OnMenu, line: Line | undefined): Dish {
  return {
    ...{ item_id: id, kind, name, image, available },
    price_minor: line?.unit_price_minor ?? price_minor,
    list_price_minor: line?.list_price_minor ?? price_minor,
    flash_sale_id: line?.flash_sale_id ?? null,
  };
}

/** Names by id of whatever the menu in force has. */
export async function namesOnMenu(ctx: Ctx<unknown>): Promise<ReadonlyMap<string, LocalizedName>> {
  const menu = await act(ctx, getMenu, {});
  return new Map(pizzasAndSets(menu).map(({ id, name }) => [id, name]));
}

/** Ids come from outside: only those of the menu may become keys of the cache. */
export function unknownDish(item_id: string): Refusal {
  return refuse("not_found", "menu.unknown_item", `The menu has no pizza or set ${item_id}.`, { item_id });
}

function pizzasAndSets(menu: MenuDocument): OnMenu[] {
  return [
    ...menu.pizzas.map((pizza) => ({ ...pizza, kind: "pizza" as const })),
    ...menu.sets.map((set) => ({ ...set, kind: "set" as const })),
  ];
}

type Line = CartQuote["items"][number];

async function pricesOf(ctx: Ctx<unknown>, item_ids: readonly string[]): Promise<ReadonlyMap<string, Line>> {
  if (item_ids.length === 0) return new Map();
  try {
    const lines = await quoted(ctx, item_ids);
    // The last units of a sale went to the first dishes of this list; whoever orders another one alone still gets them.
    const short = lines.some(({ flash_sale_id }) => flash_sale_id !== null)
      ? lines.filter(({ flash_sale_id }) => flash_sale_id === null)
      : [];
    const alone = await Promise.all(short.map(({ menu_item_id }) => quoted(ctx, [menu_item_id])));
    return new Map([...lines, ...alone.flat()].map((line) => [line.menu_item_id, line]));
  } catch (error) {
    // One of them has left the menu since it was read a moment ago: the list shows menu prices once.
    if (refusalOf(error) === undefined) throw error;
    return new Map();
  }
}

async function quoted(ctx: Ctx<unknown>, item_ids: readonly string[]): Promise<readonly Line[]> {
  const items = item_ids.map((menu_item_id) => ({ menu_item_id, quantity: 1 }));
  return (await act(ctx, quoteCart, { items })).items;
}
