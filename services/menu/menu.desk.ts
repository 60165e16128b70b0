import type { ServiceSchema } from "moleculer";
import { cachedAction } from "../../mixins/cache-tags/cached-action";
import { implement, implementCommand } from "../../mixins/contract/implement";
import { orThrow } from "../../mixins/contract/refusal";
import { keyOf, pageFrom } from "../../mixins/crud/page";
import { readsOf } from "../../mixins/replica/reads";
import type { Runtime } from "../../mixins/runtime";
import {
  changeItem,
  createItem,
  deleteItem,
  discardDraft,
  getItem,
  listDrafts,
  listItems,
  switchItem,
} from "./menu-desk.contract";
import {
  diffVersions,
  getVersion,
  listVersions,
  previewMenu,
  publishMenu,
  rollbackMenu,
} from "./menu-version.contract";
import { changeMenu, withPosition, type ChangeWork } from "./menu.change";
import { diffMenus } from "./menu.diff";
import { deskItems, type DeskItem } from "./menu.drafts";
import { discardDraft as discard, draftChange, draftItem, draftRemoval } from "./menu.editor";
import type { MenuFollower } from "./menu.follower";
import {
  preview,
  publishDrafts,
  restoreVersion,
  switchAvailability,
  unknownItem,
  unknownVersion,
} from "./menu.publisher";
import * as store from "./menu.store";

const PAGE = 50;

/** Actions of the menu desk. `show` puts a change on this node's board before its caller hears of it. */
export function deskActions(
  runtime: Runtime,
  follower: MenuFollower,
  show: () => Promise<void>,
): NonNullable<ServiceSchema["actions"]> {
  return {
    ...itemReads(runtime),
    ...itemEdits(runtime),
    ...publishing(runtime, follower, show),
    ...versionReads(runtime),
  };
}

function itemReads({ pool }: Runtime) {
  const readDesk = async (): Promise<DeskItem[]> =>
    deskItems(await store.readLiveItems(pool), await store.readDrafts(pool));
  return {
    list_items: implement(listItems, async ({ params }) => {
      const { limit = PAGE, cursor, kind } = params;
      const after = orThrow(keyOf(cursor, "id"));
      const items = await readDesk();
      const wanted = items.filter(
        (item) => (kind === undefined || item.kind === kind) && (after === null || item.item_id > after),
      );
      return pageFrom(wanted.slice(0, limit + 1), limit, ({ item_id }) => item_id);
    }),
    get_item: implement(getItem, async ({ params }) => {
      const item_id = params.item_id.toLowerCase();
      return orThrow((await readDesk()).find((item) => item.item_id === item_id) ?? unknownItem(item_id));
    }),
    list_drafts: implement(listDrafts, async ({ params }) => {
      const { limit = PAGE, cursor } = params;
      const drafts = await store.pageDrafts(pool, orThrow(keyOf(cursor, "id")), limit + 1);
      return pageFrom(drafts, limit, ({ item_id }) => item_id);
    }),
    preview: implement(previewMenu, async () => {
      const { version } = await store.readHead(pool);
      const inForce = await store.readVersion(pool, version);
      return preview(inForce?.document, await store.readLiveItems(pool), await store.readDrafts(pool));
    }),
  };
}

function itemEdits(runtime: Runtime) {
  const { log, ids } = runtime;
  return {
    create_item: implementCommand(log, createItem, {
      run: (ctx) => {
        const { kind, ...named } = ctx.params;
        return changeMenu(runtime, ctx, (tx, sign) => draftItem(tx, ids.uuid(), kind, named, sign));
      },
      respond: withPosition,
    }),
    change_item: implementCommand(log, changeItem, {
      run: (ctx) => {
        const { item_id, ...named } = ctx.params;
        return changeMenu(runtime, ctx, (tx, sign) => draftChange(tx, item_id.toLowerCase(), named, sign));
      },
      respond: withPosition,
    }),
    delete_item: implementCommand(log, deleteItem, {
      run: (ctx) =>
        changeMenu(runtime, ctx, (tx, sign) => draftRemoval(tx, ctx.params.item_id.toLowerCase(), sign)),
      respond: withPosition,
    }),
    discard_draft: implementCommand(log, discardDraft, {
      run: (ctx) =>
        changeMenu(runtime, ctx, (tx, sign) => discard(tx, ctx.params.item_id.toLowerCase(), sign)),
      respond: withPosition,
    }),
  };
}

function publishing(runtime: Runtime, follower: MenuFollower, show: () => Promise<void>) {
  const { log, pool } = runtime;
  const shown = async (
    ctx: Parameters<typeof changeMenu>[1],
    work: ChangeWork,
    asWanted?: () => Promise<object>,
  ) => {
    const outcome = await changeMenu(runtime, ctx, work, asWanted);
    await show();
    return outcome;
  };
  return {
    publish: implementCommand(log, publishMenu, {
      run: (ctx) => shown(ctx, (tx, sign) => publishDrafts(tx, ctx.params.note ?? null, sign)),
      respond: withPosition,
    }),
    rollback: implementCommand(log, rollbackMenu, {
      run: (ctx) =>
        shown(ctx, (tx, sign) => restoreVersion(tx, ctx.params.version, ctx.params.note ?? null, sign)),
      respond: withPosition,
    }),
    switch_item: implementCommand(log, switchItem, {
      run(ctx) {
        const { available } = ctx.params;
        const item_id = ctx.params.item_id.toLowerCase();
        return shown(
          ctx,
          async (tx, sign) => {
            const change = await switchAvailability(tx, item_id, available, sign);
            if (change === undefined || "refused" in change) return change;
            const { version } = change.answer as { version: number };
            return { ...change, answer: { item_id, available, version } };
          },
          async () => {
            await store.switchLiveItem(pool, item_id, available);
            return { item_id, available, version: follower.board.document.version };
          },
        );
      },
      respond: withPosition,
    }),
  };
}

/** Versions never change: from a replica they are as good as from the primary, which is asked for those that are not there yet. */
function versionReads(runtime: Runtime) {
  const reads = readsOf(runtime);
  const versionOf = async (version: number): Promise<store.MenuVersion> =>
    orThrow(
      (await reads.read("products", (from) => store.readVersion(from, version))) ?? unknownVersion(version),
    );
  return {
    list_versions: implement(listVersions, async ({ params }) => {
      const { limit = PAGE, cursor, after } = params;
      const before = orThrow(keyOf(cursor, "version"));
      const versions = await reads.read(
        "products",
        (from) => store.pageVersions(from, before === null ? null : Number(before), limit + 1),
        { after },
      );
      return pageFrom(versions, limit, ({ version }) => version);
    }),
    get_version: cachedAction(
      runtime,
      getVersion,
      { key: ({ version }) => String(version), ttl_s: 3_600 },
      ({ params: { version } }) => versionOf(version),
    ),
    diff: cachedAction(
      runtime,
      diffVersions,
      { key: ({ from, to }) => `${String(from)}:${String(to)}`, ttl_s: 3_600 },
      async ({ params: { from, to } }) => {
        const [before, after] = [await versionOf(from), await versionOf(to)];
        return { from, to, diff: diffMenus(before.document, after.document) };
      },
    ),
  };
}
