import { isDeepStrictEqual } from "node:util";
import type { LocalizedName } from "./menu.events";
import type { MenuContent } from "./menu.item";
import type { MenuKind } from "./menu.schemas";

/** One field of an item, before and after. `position` is the place among the items that both menus have. */
interface FieldDiff {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

interface ItemRef {
  readonly item_id: string;
  readonly kind: MenuKind;
  readonly name: LocalizedName;
}

/** What leads from one menu to another. */
export interface MenuDiff {
  readonly added: readonly ItemRef[];
  readonly removed: readonly ItemRef[];
  readonly changed: readonly (ItemRef & { readonly fields: readonly FieldDiff[] })[];
}

type Listed = { readonly id: string; readonly name: LocalizedName };

/** Field by field, what has to change in `before` to make it `after`. */
export function diffMenus(before: MenuContent, after: MenuContent): MenuDiff {
  const parts = [
    diffLists("pizza", before.pizzas, after.pizzas),
    diffLists("set", before.sets, after.sets),
    diffLists("extra", before.extras, after.extras),
  ];
  return {
    added: parts.flatMap(({ added }) => added),
    removed: parts.flatMap(({ removed }) => removed),
    changed: parts.flatMap(({ changed }) => changed),
  };
}

/** Ids of everything that a diff touches. */
export function changedIds({ added, removed, changed }: MenuDiff): string[] {
  return [...added, ...removed, ...changed].map(({ item_id }) => item_id);
}

function diffLists(kind: MenuKind, before: readonly Listed[], after: readonly Listed[]): MenuDiff {
  const ref = ({ id, name }: Listed): ItemRef => ({ item_id: id, kind, name });
  const old = new Map(before.map((item) => [item.id, item]));
  const young = new Map(after.map((item) => [item.id, item]));
  const oldPlace = placesOf(before, young);
  const youngPlace = placesOf(after, old);
  const changed = after.flatMap((item) => {
    const was = old.get(item.id);
    if (was === undefined) return [];
    const fields = diffFields(
      { ...flat(was), position: oldPlace.get(item.id) },
      { ...flat(item), position: youngPlace.get(item.id) },
    );
    return fields.length === 0 ? [] : [{ ...ref(item), fields }];
  });
  return {
    added: after.filter(({ id }) => !old.has(id)).map(ref),
    removed: before.filter(({ id }) => !young.has(id)).map(ref),
    changed,
  };
}

/** Places are counted among the common items only: adding one on top moves nobody. */
function placesOf(list: readonly Listed[], other: ReadonlyMap<string, Listed>): Map<string, number> {
  return new Map(list.filter(({ id }) => other.has(id)).map(({ id }, index) => [id, index + 1]));
}

function flat({ name, ...rest }: Listed): Record<string, unknown> {
  return { "name.ru": name.ru, "name.en": name.en, ...rest };
}

function diffFields(before: Record<string, unknown>, after: Record<string, unknown>): FieldDiff[] {
  return Object.keys(after)
    .filter((field) => !isDeepStrictEqual(before[field], after[field]))
    .map((field) => ({ field, before: before[field], after: after[field] }));
}
