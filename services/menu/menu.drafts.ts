import { parseItem, type Problem } from "./menu.item";
import { problemsOf } from "./menu.rules";
import type { ItemChange, MenuItem, MenuKind } from "./menu.schemas";

/** One edit of one item that waits for a publish. */
export interface Draft {
  readonly item_id: string;
  readonly kind: MenuKind;
  readonly change: "create" | "change" | "delete";
  /** Everything for `create`, only what was named for `change`, nothing for `delete`. */
  readonly fields: ItemChange;
  readonly edited_by: string | null;
  readonly edited_at: string;
}

/** Live rows: those that read as items, and what is wrong with the others. */
export interface LiveItems {
  readonly items: readonly MenuItem[];
  readonly broken: readonly BrokenRow[];
}
export interface BrokenRow {
  readonly item_id: string;
  readonly kind: MenuKind;
  readonly problems: readonly Problem[];
}

/** The menu as it would be with the drafts, and what is wrong with it. */
export interface Drafted {
  readonly items: readonly MenuItem[];
  readonly problems: readonly Problem[];
}

/**
 * Lays drafts over the live items. A change touches the fields that it names, on the item as it is now; a removal of an
 * item that is already gone is fulfilled; a change of one is a problem, and somebody has to discard it.
 */
export function applyDrafts(live: readonly MenuItem[], drafts: readonly Draft[]): Drafted {
  const items = new Map(live.map((item) => [item.item_id, item]));
  const problems: Problem[] = [];
  for (const draft of drafts) {
    const result = applyDraft(items.get(draft.item_id), draft);
    if (result === undefined) items.delete(draft.item_id);
    else if ("item" in result) items.set(draft.item_id, result.item);
    else problems.push(...result.problems);
  }
  const drafted = [...items.values()];
  return { items: drafted, problems: [...problems, ...problemsOf(drafted)] };
}

function applyDraft(
  live: MenuItem | undefined,
  { item_id, kind, change, fields }: Draft,
): ReturnType<typeof parseItem> | undefined {
  switch (change) {
    case "create":
      return parseItem({ ...fields, item_id, kind });
    case "change":
      return live === undefined ? { problems: [orphaned(item_id)] } : parseItem({ ...live, ...fields });
    case "delete":
      return undefined;
  }
}

function orphaned(item_id: string): Problem {
  const message = "the item of this draft is no longer on the menu; discard the draft";
  return { code: "menu.draft_orphaned", item_id, item: item_id, path: "/", message };
}

/** Problems that were not there before: an edit answers for what it breaks, not for what it finds broken. */
export function newProblems(before: Drafted, after: Drafted): Problem[] {
  const known = new Set(before.problems.map(keyOf));
  return after.problems.filter((problem) => !known.has(keyOf(problem)));
}

const keyOf = ({ code, item_id, path, message }: Problem): string =>
  JSON.stringify([code, item_id, path, message]);

/** One item as the desk shows it: as it will be, and what its draft or its broken row is about. */
export interface DeskItem {
  readonly item_id: string;
  readonly kind: MenuKind;
  readonly state: "live" | "invalid" | Draft["change"];
  readonly item: MenuItem | null;
  readonly problems: readonly Problem[];
}

/** All items of the desk in the order of their ids. */
export function deskItems(live: LiveItems, drafts: readonly Draft[]): DeskItem[] {
  const { items, problems } = applyDrafts(live.items, drafts);
  const problemsFor = Map.groupBy(problems, ({ item_id }) => item_id);
  const after = new Map(items.map((item) => [item.item_id, item]));
  const before = new Map(live.items.map((item) => [item.item_id, item]));
  const drafted = new Map(drafts.map((draft) => [draft.item_id, draft]));
  const ids = new Map([...live.items, ...live.broken, ...drafts].map(({ item_id, kind }) => [item_id, kind]));
  const broken = new Map(live.broken.map((row) => [row.item_id, row.problems]));
  return [...ids]
    .map(([item_id, kind]): DeskItem => ({
      item_id,
      kind,
      state: drafted.get(item_id)?.change ?? (broken.has(item_id) ? "invalid" : "live"),
      item: after.get(item_id) ?? before.get(item_id) ?? null,
      problems: [...(broken.get(item_id) ?? []), ...(problemsFor.get(item_id) ?? [])],
    }))
    .sort((a, b) => (a.item_id < b.item_id ? -1 : 1));
}
