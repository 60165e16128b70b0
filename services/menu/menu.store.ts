import type { PoolClient } from "pg";
import type { BrokenRow, Draft, LiveItems } from "./menu.drafts";
import type { MenuDocument, VersionInfo } from "./menu.events";
import { parseItem } from "./menu.item";
import type { MenuItem, MenuKind } from "./menu.schemas";

/** The statements of the menu's tables. */
export type Queryable = Pick<PoolClient, "query">;

/** Number of the version in force (0: none yet), the currency of its prices, and how many edits of drafts there were. */
export interface MenuHead {
  readonly version: number;
  readonly currency: string;
  readonly draft_edits: number;
}

/** A version with what it was made of. */
export type MenuVersion = VersionInfo & { readonly document: MenuDocument };

const HEAD = "select version, currency, draft_edits from menu_head";

/** Takes the menu's write lock for the rest of the transaction. */
export async function lockHead(tx: Queryable): Promise<MenuHead> {
  const { rows } = await tx.query<MenuHead>(`${HEAD} for update`);
  return theOne(rows);
}

export async function readHead(db: Queryable): Promise<MenuHead> {
  const { rows } = await db.query<MenuHead>(HEAD);
  return theOne(rows);
}

/** Prices come as text, because a hand-made one may be larger than a JavaScript number. */
const LIVE = `
  select item_id, kind, json_build_object('ru', name_ru, 'en', name_en) as name, price_minor::text as price_text,
         available, image, sort_order, ingredients, extras, items
  from menu_items`;

type LiveRow = Record<string, unknown> & { item_id: string; kind: MenuKind; price_text: string };

export async function readLiveItems(db: Queryable): Promise<LiveItems> {
  const { rows } = await db.query<LiveRow>(LIVE);
  const items: MenuItem[] = [];
  const broken: BrokenRow[] = [];
  for (const { price_text, ...row } of rows) {
    const parsed = parseItem({ ...row, price_minor: Number(price_text) });
    if ("item" in parsed) items.push(parsed.item);
    else broken.push({ item_id: row.item_id, kind: row.kind, problems: parsed.problems });
  }
  return { items, broken };
}

/** Writes whole rows, new ones and old ones. */
export async function writeItems(tx: Queryable, items: readonly MenuItem[]): Promise<void> {
  const rows = items.map(({ name, ...item }) => ({ ...item, name_ru: name.ru, name_en: name.en }));
  await tx.query(
    `insert into menu_items (item_id, kind, name_ru, name_en, price_minor, available, image, sort_order, ingredients, extras, items)
     select item_id, kind, name_ru, name_en, price_minor, available, image, sort_order, ingredients,
            array(select jsonb_array_elements_text(extras)::uuid), items
     from jsonb_to_recordset($1::jsonb) as item (item_id uuid, kind text, name_ru text, name_en text, price_minor bigint,
       available boolean, image text, sort_order integer, ingredients jsonb, extras jsonb, items jsonb)
     on conflict (item_id) do update set
       kind = excluded.kind, name_ru = excluded.name_ru, name_en = excluded.name_en, price_minor = excluded.price_minor,
       available = excluded.available, image = excluded.image, sort_order = excluded.sort_order,
       ingredients = excluded.ingredients, extras = excluded.extras, items = excluded.items`,
    [JSON.stringify(rows)],
  );
}

export async function deleteItems(tx: Queryable, item_ids: readonly string[]): Promise<void> {
  await tx.query("delete from menu_items where item_id = any ($1::uuid[])", [item_ids]);
}

/** Leaves exactly these items live. */
export async function replaceItems(tx: Queryable, items: readonly MenuItem[]): Promise<void> {
  await tx.query("delete from menu_items where item_id <> all ($1::uuid[])", [
    items.map(({ item_id }) => item_id),
  ]);
  await writeItems(tx, items);
}

export async function switchLiveItem(tx: Queryable, item_id: string, available: boolean): Promise<void> {
  await tx.query("update menu_items set available = $2 where item_id = $1", [item_id, available]);
}

const DRAFT = "select item_id, kind, change, fields, edited_by, edited_at from menu_drafts";
type DraftRow = Omit<Draft, "edited_at"> & { readonly edited_at: Date };
const draftOf = (row: DraftRow): Draft => ({ ...row, edited_at: row.edited_at.toISOString() });

/** In the order of their ids. */
export async function readDrafts(db: Queryable): Promise<Draft[]> {
  const { rows } = await db.query<DraftRow>(`${DRAFT} order by item_id`);
  return rows.map(draftOf);
}

export async function pageDrafts(db: Queryable, after: string | null, limit: number): Promise<Draft[]> {
  const { rows } = await db.query<DraftRow>(
    `${DRAFT} where $1::uuid is null or item_id > $1 order by item_id limit $2`,
    [after, limit],
  );
  return rows.map(draftOf);
}

export async function writeDraft(tx: Queryable, draft: Draft): Promise<void> {
  const { item_id, kind, change, fields, edited_by, edited_at } = draft;
  await tx.query(
    `insert into menu_drafts (item_id, kind, change, fields, edited_by, edited_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (item_id) do update set
       change = excluded.change, fields = excluded.fields, edited_by = excluded.edited_by, edited_at = excluded.edited_at`,
    [item_id, kind, change, JSON.stringify(fields), edited_by, edited_at],
  );
}

export async function countDraftEdit(tx: Queryable): Promise<void> {
  await tx.query("update menu_head set draft_edits = draft_edits + 1");
}

export async function deleteDrafts(tx: Queryable, item_ids: readonly string[]): Promise<number> {
  const { rowCount } = await tx.query("delete from menu_drafts where item_id = any ($1::uuid[])", [item_ids]);
  return rowCount ?? 0;
}

const INFO = "version, published_at, published_by, note, cause, restored_from, changed";
type WithDate<V extends VersionInfo> = Omit<V, "published_at"> & { readonly published_at: Date };

function versionOf<V extends VersionInfo>(row: WithDate<V>): V {
  return { ...row, published_at: row.published_at.toISOString() } as unknown as V;
}

export async function readVersion(db: Queryable, version: number): Promise<MenuVersion | undefined> {
  const { rows } = await db.query<WithDate<MenuVersion>>(
    `select ${INFO}, document from menu_versions where version = $1`,
    [version],
  );
  return rows.map((row) => versionOf<MenuVersion>(row))[0];
}

/** The document in force when it is newer than `than`. */
export async function readDocumentNewer(db: Queryable, than: number): Promise<MenuDocument | undefined> {
  const { rows } = await db.query<{ document: MenuDocument }>(
    "select document from menu_versions join menu_head using (version) where version > $1",
    [than],
  );
  return rows[0]?.document;
}

/** Newest first; `before` is exclusive. */
export async function pageVersions(
  db: Queryable,
  before: number | null,
  limit: number,
): Promise<VersionInfo[]> {
  const { rows } = await db.query<WithDate<VersionInfo>>(
    `select ${INFO} from menu_versions where $1::integer is null or version < $1 order by version desc limit $2`,
    [before, limit],
  );
  return rows.map((row) => versionOf<VersionInfo>(row));
}

/** Puts a new version in force. Needs the lock of {@link lockHead}. */
export async function insertVersion(tx: Queryable, version: MenuVersion): Promise<void> {
  await tx.query(
    `insert into menu_versions (version, document, published_at, published_by, note, cause, restored_from, changed)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      version.version,
      JSON.stringify(version.document),
      version.published_at,
      version.published_by,
      version.note,
      version.cause,
      version.restored_from,
      version.changed,
    ],
  );
  await tx.query("update menu_head set version = $1", [version.version]);
}

function theOne<T>(rows: readonly T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error("The table menu_head has lost its row.");
  return row;
}
