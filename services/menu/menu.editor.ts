import { refuse, type Refusal } from "../../mixins/contract/refusal";
import type { MenuChange, Sign } from "./menu.change";
import { applyDrafts, newProblems, type Draft, type Drafted, type LiveItems } from "./menu.drafts";
import { MENU_DRAFTS_STREAM } from "./menu.events";
import type { Problem } from "./menu.item";
import { unknownItem } from "./menu.publisher";
import { usersOf } from "./menu.rules";
import type { ItemChange, MenuItem, MenuKind } from "./menu.schemas";
import * as store from "./menu.store";

/** Edits of drafts. Each runs inside a transaction and is checked against the menu as it would be with all drafts. */

/** Far above a real menu; keeps one publish and one public document small. */
const ITEMS_MAX = 2_000;
const SORT_STEP = 10;
const NEW_ITEM = { available: true, image: null, ingredients: [], extras: [], items: [] } as const;

interface Desk {
  readonly head: store.MenuHead;
  readonly live: LiveItems;
  readonly drafts: readonly Draft[];
  readonly drafted: Drafted;
}

export async function draftItem(
  tx: store.Queryable,
  item_id: string,
  kind: MenuKind,
  named: ItemChange,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  const desk = await openDesk(tx);
  if (desk.drafted.items.length >= ITEMS_MAX)
    return refuse("unprocessable", "menu.too_many_items", `A menu has at most ${String(ITEMS_MAX)} items.`);
  const last = desk.drafted.items
    .filter((item) => item.kind === kind)
    .reduce((max, { sort_order }) => Math.max(max, sort_order), 0);
  const fields = { ...NEW_ITEM, sort_order: last + SORT_STEP, ...named };
  return saveDraft(tx, desk, { item_id, kind, change: "create", fields }, sign);
}

/** Changes what is named. A second edit of an item adds to its first one. */
export async function draftChange(
  tx: store.Queryable,
  item_id: string,
  named: ItemChange,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  if (Object.keys(named).length === 0)
    return refuse("invalid", "menu.nothing_named", "Name at least one field that shall change.");
  const desk = await openDesk(tx);
  const earlier = desk.drafts.find((draft) => draft.item_id === item_id);
  if (earlier?.change === "delete")
    return refuse(
      "conflict",
      "menu.drafted_for_deletion",
      "This item waits for its removal: discard that draft first.",
    );
  const item = desk.drafted.items.find((one) => one.item_id === item_id);
  if (item === undefined) return brokenRow(desk, item_id) ?? unknownItem(item_id);
  const fields = { ...earlier?.fields, ...named };
  return saveDraft(
    tx,
    desk,
    { item_id, kind: item.kind, change: earlier?.change ?? "change", fields },
    sign,
    named,
  );
}

export async function draftRemoval(
  tx: store.Queryable,
  item_id: string,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  const desk = await openDesk(tx);
  const users = usersOf(item_id, desk.drafted.items);
  if (users.length > 0) return stillReferenced(users);
  const earlier = desk.drafts.find((draft) => draft.item_id === item_id);
  if (earlier?.change === "create") return dropDraft(tx, desk.head, item_id, { item_id, draft: null }, sign);
  const kind = [...desk.live.items, ...desk.live.broken].find((row) => row.item_id === item_id)?.kind;
  if (kind === undefined) return unknownItem(item_id);
  const draft: Draft = {
    item_id,
    kind,
    change: "delete",
    fields: {},
    edited_by: sign.by,
    edited_at: sign.at,
  };
  await store.writeDraft(tx, draft);
  return changed(tx, desk.head, draft, { item_id, draft }, sign);
}

export async function discardDraft(
  tx: store.Queryable,
  item_id: string,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  return dropDraft(tx, await store.lockHead(tx), item_id, { item_id }, sign);
}

async function dropDraft(
  tx: store.Queryable,
  head: store.MenuHead,
  item_id: string,
  answer: object,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  const dropped = await store.deleteDrafts(tx, [item_id]);
  if (dropped === 0)
    return refuse("not_found", "menu.unknown_draft", `There is no draft of item ${item_id}.`);
  return changed(tx, head, { change: "discard", item_id, fields: {} }, answer, sign);
}

async function openDesk(tx: store.Queryable): Promise<Desk> {
  const head = await store.lockHead(tx);
  const live = await store.readLiveItems(tx);
  const drafts = await store.readDrafts(tx);
  return { head, live, drafts, drafted: applyDrafts(live.items, drafts) };
}

async function saveDraft(
  tx: store.Queryable,
  desk: Desk,
  edit: Pick<Draft, "item_id" | "kind" | "change" | "fields">,
  sign: Sign,
  named: ItemChange = edit.fields,
): Promise<MenuChange | Refusal> {
  const draft: Draft = { ...edit, edited_by: sign.by, edited_at: sign.at };
  const others = desk.drafts.filter(({ item_id }) => item_id !== draft.item_id);
  const after = applyDrafts(desk.live.items, [...others, draft]);
  const [problem, ...more] = newProblems(desk.drafted, after);
  if (problem !== undefined) return refuseEdit([problem, ...more]);
  await store.writeDraft(tx, draft);
  const item = after.items.find(({ item_id }) => item_id === draft.item_id);
  return changed(tx, desk.head, { ...draft, fields: named }, { item_id: draft.item_id, item, draft }, sign);
}

async function changed(
  tx: store.Queryable,
  { draft_edits }: store.MenuHead,
  {
    item_id,
    change,
    fields,
  }: Pick<Draft, "item_id" | "fields"> & { readonly change: Draft["change"] | "discard" },
  answer: object,
  { by, at }: Sign,
): Promise<MenuChange> {
  await store.countDraftEdit(tx);
  const data = { item_id, change, fields: { ...fields }, by, at };
  return {
    stream_id: MENU_DRAFTS_STREAM,
    stream_type: "menu-drafts",
    expected_version: draft_edits,
    events: [{ type: "menu.draft_changed", data }],
    answer,
  };
}

function refuseEdit(problems: readonly [Problem, ...Problem[]]): Refusal {
  const [{ code, item, path, message }] = problems;
  return refuse("unprocessable", code, `${item}: ${path} ${message}.`, {
    errors: problems.map((one) => ({ path: one.path, message: one.message })),
  });
}

function stillReferenced(users: readonly MenuItem[]): Refusal {
  const names = users.map(({ name }) => name.ru);
  return refuse(
    "conflict",
    "menu.still_referenced",
    `Still part of ${names.join(", ")}: change that first.`,
    {
      referenced_by: users.map(({ item_id, kind, name }) => ({ item_id, kind, name })),
    },
  );
}

function brokenRow({ live }: Desk, item_id: string): Refusal | undefined {
  const broken = live.broken.find((row) => row.item_id === item_id);
  return broken === undefined
    ? undefined
    : refuse(
        "unprocessable",
        "menu.invalid_rows",
        "This row was broken by hand: mend it in the database, or remove the item.",
        {
          rows: [broken],
        },
      );
}
