import { refuse, type Refusal } from "../../mixins/contract/refusal";
import { EMPTY_MENU } from "./menu.board";
import { changedIds, diffMenus } from "./menu.diff";
import { applyDrafts, type Draft, type Drafted, type LiveItems } from "./menu.drafts";
import { MENU_STREAM, type MenuCause, type MenuDocument, type VersionInfo } from "./menu.events";
import { contentOf, itemsOf, type MenuContent, type Problem } from "./menu.item";
import type { MenuItem } from "./menu.schemas";
import * as store from "./menu.store";
import type { MenuChange, Sign } from "./menu.change";

/**
 * Ways in which a new version comes into force. Each runs inside a transaction, takes the menu's lock first, so that
 * writers take turns, and either makes one version together with its event or changes nothing.
 */

/** Applies every draft to the live rows. The second of two publishes at once finds nothing left to publish. */
export async function publishDrafts(
  tx: store.Queryable,
  note: string | null,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  const { head, before } = await lockMenu(tx);
  const drafts = await store.readDrafts(tx);
  if (drafts.length === 0)
    return refuse("conflict", "menu.nothing_to_publish", "There are no drafts: all edits are published.");
  const { items: live, broken } = await store.readLiveItems(tx);
  const mended = new Set(drafts.filter(({ change }) => change !== "change").map(({ item_id }) => item_id));
  const { items, problems } = applyDrafts(live, drafts);
  const wrong = [
    ...broken.filter(({ item_id }) => !mended.has(item_id)).flatMap((row) => row.problems),
    ...problems,
  ];
  if (wrong.length > 0) return invalidRows(wrong, "Nothing was published");
  await store.deleteItems(
    tx,
    drafts.filter(({ change }) => change === "delete").map(({ item_id }) => item_id),
  );
  await store.writeItems(tx, touched(items, drafts));
  await store.deleteDrafts(
    tx,
    drafts.map(({ item_id }) => item_id),
  );
  return putInForce(
    tx,
    head,
    before,
    contentOf(items),
    { cause: "publish", note, restored_from: null },
    sign,
  );
}

/** Reads the live rows as they are now; undefined when they say what is in force already. */
export async function reloadRows(tx: store.Queryable, sign: Sign): Promise<MenuChange | Refusal | undefined> {
  const { head, before } = await lockMenu(tx);
  const { items, broken } = await store.readLiveItems(tx);
  const { problems } = applyDrafts(items, []);
  const wrong = [...broken.flatMap((row) => row.problems), ...problems];
  if (wrong.length > 0) return invalidRows(wrong, `Version ${String(head.version)} stays in force`);
  const content = contentOf(items);
  const same = changedIds(diffMenus(before, content)).length === 0 && before.currency === head.currency;
  if (same) return undefined;
  return putInForce(tx, head, before, content, { cause: "reload", note: null, restored_from: null }, sign);
}

/**
 * Switches one item of the version in force, and its live row. Other rows are not looked at, so that a mistake made by hand
 * elsewhere never keeps a sold-out pizza on sale. Undefined when it is so already.
 */
export async function switchAvailability(
  tx: store.Queryable,
  item_id: string,
  available: boolean,
  sign: Sign,
): Promise<MenuChange | Refusal | undefined> {
  const { head, before } = await lockMenu(tx);
  const item = [...before.pizzas, ...before.extras, ...before.sets].find(({ id }) => id === item_id);
  if (item === undefined) return unknownItem(item_id);
  await store.switchLiveItem(tx, item_id, available);
  if (item.available === available) return undefined;
  const switched = <T extends { readonly id: string }>(list: readonly T[]): T[] =>
    list.map((one) => (one.id === item_id ? { ...one, available } : one));
  const content: MenuContent = {
    pizzas: switched(before.pizzas),
    extras: switched(before.extras),
    sets: switched(before.sets),
  };
  return putInForce(
    tx,
    { ...head, currency: before.currency },
    before,
    content,
    { cause: "availability", note: null, restored_from: null },
    sign,
  );
}

/** Makes the live rows what an older version was, hand-made changes overwritten. */
export async function restoreVersion(
  tx: store.Queryable,
  wanted: number,
  note: string | null,
  sign: Sign,
): Promise<MenuChange | Refusal> {
  const { head, before } = await lockMenu(tx);
  const old = await store.readVersion(tx, wanted);
  if (old === undefined) return unknownVersion(wanted);
  const { document } = old;
  await store.replaceItems(tx, itemsOf(document));
  const content = { pizzas: document.pizzas, extras: document.extras, sets: document.sets };
  return putInForce(
    tx,
    { ...head, currency: document.currency },
    before,
    content,
    { cause: "rollback", note, restored_from: wanted },
    sign,
  );
}

/** What customers would see after a publish, against what they see now. */
export function preview(inForce: MenuDocument | undefined, live: LiveItems, drafts: readonly Draft[]) {
  const drafted: Drafted = applyDrafts(live.items, drafts);
  return {
    base_version: inForce?.version ?? 0,
    drafts: drafts.length,
    diff: diffMenus(inForce ?? EMPTY_MENU, contentOf(drafted.items)),
    problems: [...live.broken.flatMap(({ problems }) => problems), ...drafted.problems],
  };
}

export function unknownItem(item_id: string): Refusal {
  return refuse("not_found", "menu.unknown_item", `The menu has no item ${item_id}.`);
}

export function unknownVersion(version: number): Refusal {
  return refuse("not_found", "menu.unknown_version", `The menu never had a version ${String(version)}.`);
}

async function lockMenu(tx: store.Queryable): Promise<{ head: store.MenuHead; before: MenuDocument }> {
  const head = await store.lockHead(tx);
  const inForce = await store.readVersion(tx, head.version);
  return { head, before: inForce?.document ?? { ...EMPTY_MENU, currency: head.currency } };
}

async function putInForce(
  tx: store.Queryable,
  head: store.MenuHead,
  before: MenuDocument,
  content: MenuContent,
  why: { readonly cause: MenuCause; readonly note: string | null; readonly restored_from: number | null },
  { by, at }: Sign,
): Promise<MenuChange> {
  const version = head.version + 1;
  const changed = changedIds(diffMenus(before, content));
  const info: VersionInfo = { version, published_at: at, published_by: by, ...why, changed };
  const document: MenuDocument = { version, currency: head.currency, updated_at: at, ...content };
  await store.insertVersion(tx, { ...info, document });
  return {
    stream_id: MENU_STREAM,
    stream_type: "menu",
    // One event a version: the stream counts along with the menu.
    expected_version: head.version,
    events: [{ type: "menu.published", data: info }],
    answer: info,
  };
}

function invalidRows(problems: readonly Problem[], outcome: string): Refusal {
  const names = [...new Set(problems.map(({ item }) => item))];
  const rows = Map.groupBy(problems, ({ item_id }) => item_id);
  return refuse(
    "unprocessable",
    "menu.invalid_rows",
    `${outcome}: mend ${names.join(", ")} first; see rows.`,
    {
      rows: [...rows].map(([item_id, found]) => ({
        item_id,
        item: found[0]?.item ?? item_id,
        problems: found.map(({ code, path, message }) => ({ code, path, message })),
      })),
    },
  );
}

/** The items that drafts created or changed. */
function touched(items: readonly MenuItem[], drafts: readonly Draft[]): MenuItem[] {
  const ids = new Set(drafts.map(({ item_id }) => item_id));
  return items.filter(({ item_id }) => ids.has(item_id));
}
