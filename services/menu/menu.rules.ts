import { nameKey } from "../../mixins/text/forms";
import type { Problem } from "./menu.item";
import type { MenuItem } from "./menu.schemas";

/** Everything that is wrong between the items of one menu, each complaint at the item that has to change. Empty: publishable. */
export function problemsOf(items: readonly MenuItem[]): Problem[] {
  return [...items.flatMap(problemsOfKind), ...problemsOfNames(items), ...problemsOfReferences(items)];
}

/** Who would be left pointing at nothing if an item went away: sets of a pizza, pizzas of an extra. */
export function usersOf(item_id: string, items: readonly MenuItem[]): MenuItem[] {
  return items.filter(
    (item) => item.extras.includes(item_id) || item.items.some(({ pizza_id }) => pizza_id === item_id),
  );
}

function problem(code: Problem["code"], item: MenuItem, path: string, message: string): Problem {
  return { code, item_id: item.item_id, item: item.name.ru, path, message };
}

function problemsOfKind(item: MenuItem): Problem[] {
  const wrong = (path: string, message: string): Problem => problem("menu.invalid_item", item, path, message);
  const found: Problem[] = [];
  if (item.kind !== "pizza" && item.ingredients.length > 0)
    found.push(wrong("/ingredients", "only a pizza has ingredients"));
  if (item.kind !== "pizza" && item.extras.length > 0)
    found.push(wrong("/extras", "only a pizza has extras"));
  if (item.kind !== "set" && item.items.length > 0) found.push(wrong("/items", "only a set has items"));
  if (item.kind === "set" && item.items.length === 0)
    found.push(wrong("/items", "a set has at least one pizza"));
  if (item.kind === "extra" && item.image !== null) found.push(wrong("/image", "an extra has no image"));
  for (const [field, keys] of [
    ["ingredients", item.ingredients.map(({ name }) => nameKey(name.ru))],
    ["ingredients", item.ingredients.map(({ name }) => nameKey(name.en))],
    ["extras", item.extras],
    ["items", item.items.map(({ pizza_id }) => pizza_id)],
  ] as const) {
    const twice = keys.find((key, index) => keys.indexOf(key) !== index);
    if (twice !== undefined) found.push(wrong(`/${field}`, `names ${twice} twice`));
  }
  return found;
}

/** A name in either language leads to one item, because an order may give nothing but a name. */
function problemsOfNames(items: readonly MenuItem[]): Problem[] {
  const owners = new Map<string, MenuItem>();
  return items.flatMap((item) => {
    const found: Problem[] = [];
    for (const language of ["ru", "en"] as const) {
      const key = nameKey(item.name[language]);
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, item);
      else if (owner !== item)
        found.push(
          problem(
            "menu.name_taken",
            item,
            `/name/${language}`,
            `is also a name of ${owner.item_id} (${owner.name.ru})`,
          ),
        );
    }
    return found;
  });
}

function problemsOfReferences(items: readonly MenuItem[]): Problem[] {
  const kinds = new Map(items.map(({ item_id, kind }) => [item_id, kind]));
  return items.flatMap((item) => [
    ...item.extras
      .filter((id) => kinds.get(id) !== "extra")
      .map((id) => problem("menu.unknown_reference", item, "/extras", `${id} is not an extra of the menu`)),
    ...item.items
      .filter(({ pizza_id }) => kinds.get(pizza_id) !== "pizza")
      .map(({ pizza_id }) =>
        problem("menu.unknown_reference", item, "/items", `${pizza_id} is not a pizza of the menu`),
      ),
  ]);
}
