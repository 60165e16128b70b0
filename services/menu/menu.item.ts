import type { FieldError } from "../../mixins/contract/refusal";
import { validatorOf } from "../../mixins/contract/validation";
import type { MenuDocument, MenuExtra, MenuPizza, MenuSet } from "./menu.events";
import { MenuItemSchema, type MenuItem, type MenuKind } from "./menu.schemas";

/** What a version's document says about the goods themselves. */
export type MenuContent = Pick<MenuDocument, "pizzas" | "extras" | "sets">;

/** Something wrong with one item; `code` is the refusal that an edit which causes it gets. */
export interface Problem {
  readonly code: "menu.invalid_item" | "menu.name_taken" | "menu.unknown_reference" | "menu.draft_orphaned";
  readonly item_id: string;
  /** Name of the item, or its id where that is broken. */
  readonly item: string;
  /** JSON pointer into the item. */
  readonly path: string;
  readonly message: string;
}

export type Parsed = { readonly item: MenuItem } | { readonly problems: readonly Problem[] };

const fits = validatorOf(MenuItemSchema);

/** Reads an item that a person may have edited by hand; names every field that does not fit. */
export function parseItem(raw: Readonly<Record<string, unknown>>): Parsed {
  const refusal = fits(raw);
  if (refusal === undefined) return { item: tidy(raw as unknown as MenuItem) };
  const errors = refusal.data?.["errors"] as FieldError[];
  const item_id = String(raw["item_id"]);
  const item = nameOf(raw) ?? item_id;
  const problems = errors.map(({ path, message }): Problem => ({
    code: "menu.invalid_item",
    item_id,
    item,
    path,
    message,
  }));
  return { problems };
}

/** Ids are compared as text, so they are kept in the one form that PostgreSQL writes them in. */
function tidy(item: MenuItem): MenuItem {
  return {
    item_id: item.item_id.toLowerCase(),
    kind: item.kind,
    name: tidyName(item.name),
    price_minor: item.price_minor,
    available: item.available,
    image: item.image,
    sort_order: item.sort_order,
    ingredients: item.ingredients.map(({ name, grams }) => ({ name: tidyName(name), grams })),
    extras: item.extras.map((id) => id.toLowerCase()),
    items: item.items.map(({ pizza_id, quantity }) => ({ pizza_id: pizza_id.toLowerCase(), quantity })),
  };
}

const tidyName = (name: MenuItem["name"]): MenuItem["name"] => ({ ru: name.ru.trim(), en: name.en.trim() });

function nameOf(raw: Readonly<Record<string, unknown>>): string | undefined {
  const name = raw["name"] as { ru?: unknown } | null | undefined;
  return typeof name?.ru === "string" && name.ru !== "" ? name.ru : undefined;
}

/** What customers get to see of the items, in the order of the list. */
export function contentOf(items: readonly MenuItem[]): MenuContent {
  const sorted = items.toSorted((a, b) => a.sort_order - b.sort_order || (a.item_id < b.item_id ? -1 : 1));
  return {
    pizzas: sorted.filter(({ kind }) => kind === "pizza").map(pizzaOf),
    extras: sorted.filter(({ kind }) => kind === "extra").map(extraOf),
    sets: sorted.filter(({ kind }) => kind === "set").map(setOf),
  };
}

function pizzaOf({ item_id, name, price_minor, ingredients, extras, available, image }: MenuItem): MenuPizza {
  return { id: item_id, name, price_minor, ingredients, extras, available, image };
}
function extraOf({ item_id, name, price_minor, available }: MenuItem): MenuExtra {
  return { id: item_id, name, price_minor, available };
}
function setOf({ item_id, name, price_minor, items, available, image }: MenuItem): MenuSet {
  return { id: item_id, name, price_minor, items, available, image };
}

/** Leaves room between two neighbours for a row inserted by hand. */
const SORT_STEP = 10;

/** The items that make exactly this content: how an older version comes back. */
export function itemsOf(content: MenuContent): MenuItem[] {
  const bare = { image: null, ingredients: [], extras: [], items: [] };
  const item =
    (kind: MenuKind) =>
    ({ id, ...rest }: MenuPizza | MenuExtra | MenuSet, index: number): MenuItem => ({
      ...bare,
      ...rest,
      item_id: id,
      kind,
      sort_order: (index + 1) * SORT_STEP,
    });
  return [
    ...content.pizzas.map(item("pizza")),
    ...content.extras.map(item("extra")),
    ...content.sets.map(item("set")),
  ];
}
