import type { MenuDocument } from "../../../../services/menu/menu.events";
import {
  getMenu,
  menuDocuments,
  menuStatus,
  quoteCart,
  reloadMenu,
} from "../../../../services/menu/menu.contract";
import {
  changeItem,
  createItem,
  deleteItem,
  discardDraft,
  getItem,
  listDrafts,
  listItems,
  switchItem,
} from "../../../../services/menu/menu-desk.contract";
import {
  diffVersions,
  getVersion,
  listVersions,
  previewMenu,
  publishMenu,
  rollbackMenu,
} from "../../../../services/menu/menu-version.contract";
import { SEED_ITEMS } from "../../../../services/menu/menu.seed-data";
import { seedMenu } from "../../../../services/menu/menu.seed";
import { hotDocumentsOf } from "../../../../mixins/rest/hot-documents";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { freshCommand, keyedCommand, MANAGER, MenuNode } from "./menu-node";

jest.setTimeout(60_000);

let database: TestDatabase;
let node: MenuNode;

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());
beforeEach(async () => {
  await database.pool.query(`
    truncate menu_items, menu_drafts, menu_versions, flash_sales, promo_codes;
    update menu_head set version = 0, draft_edits = 0;`);
  await database.pool.query("truncate es.event, es.stream, es.command; update es.lane set head = 0");
  node = await MenuNode.start(database, (runtime) => seedMenu(runtime, freshCommand()));
});
afterEach(() => node.stop());

const id = (ru: string): string => SEED_ITEMS.find(({ name }) => name.ru === ru)?.item_id ?? "";
const menu = (): Promise<MenuDocument> => node.ask(getMenu, {});
const pizza = async (ru: string) => (await menu()).pizzas.find(({ name }) => name.ru === ru);
const rowOf = async (ru: string): Promise<Record<string, unknown> | undefined> =>
  (
    await database.pool.query<Record<string, unknown>>("select * from menu_items where item_id = $1", [
      id(ru),
    ])
  ).rows[0];
const publishedEvents = async () =>
  (await node.runtime.log.readAll(0, 1_000)).filter(({ type }) => type === "menu.published");

describe("the first menu", () => {
  it("is in force when the node is ready", async () => {
    const document = await menu();
    expect(document).toMatchObject({ version: 1, currency: "RUB" });
    expect([document.pizzas.length, document.sets.length, document.extras.length]).toEqual([9, 3, 1]);
    expect(await node.ask(menuStatus, {})).toMatchObject({
      version: 1,
      pizzas_count: 9,
      sets_count: 3,
      extras_count: 1,
      last_update: document.updated_at,
      nodes: [{ node_id: node.runtime.broker.nodeID, version: 1 }],
    });
  });

  it("changes nothing when it is seeded twice, also over what people changed since", async () => {
    await node.ask(changeItem, { item_id: id("Мясная"), price_minor: 1 });
    await node.ask(publishMenu, {});
    const head = await node.runtime.log.head();
    expect(await seedMenu(node.runtime, freshCommand())).toBe(false);
    expect(await node.runtime.log.head()).toBe(head);
    expect((await pizza("Мясная"))?.price_minor).toBe(1);
  });

  it("is made once by two nodes that start together", async () => {
    await database.pool.query(
      "truncate menu_items, menu_versions, flash_sales, promo_codes; update menu_head set version = 0",
    );
    await database.pool.query("truncate es.event, es.stream, es.command; update es.lane set head = 0");
    const made = await Promise.all([
      seedMenu(node.runtime, freshCommand()),
      seedMenu(node.runtime, freshCommand()),
    ]);
    expect(made.toSorted()).toEqual([false, true]);
    expect((await database.pool.query("select version from menu_versions")).rows).toEqual([{ version: 1 }]);
  });
});

describe("a draft", () => {
  it("is seen at the desk and by nobody else until it is published", async () => {
    const { item, draft } = await node.ask(changeItem, { item_id: id("Мясная"), price_minor: 80_000 });
    expect(item).toMatchObject({ price_minor: 80_000, available: true });
    expect(draft).toMatchObject({
      change: "change",
      fields: { price_minor: 80_000 },
      edited_by: MANAGER.user_id,
    });
    expect((await pizza("Мясная"))?.price_minor).toBe(74_900);
    expect(await node.ask(getItem, { item_id: id("Мясная") })).toMatchObject({
      state: "change",
      item: { price_minor: 80_000 },
    });

    const published = await node.ask(publishMenu, { note: "dearer" });
    expect(published).toMatchObject({
      version: 2,
      cause: "publish",
      note: "dearer",
      published_by: MANAGER.user_id,
      changed: [id("Мясная")],
    });
    expect((await pizza("Мясная"))?.price_minor).toBe(80_000);
    expect((await node.ask(listDrafts, {})).items).toEqual([]);
    expect(await rowOf("Мясная")).toMatchObject({ price_minor: 80_000 });
  });

  it("can set false, 0, null and an empty list, and leaves alone what it does not name", async () => {
    const before = await pizza("Мясная");
    await node.ask(changeItem, {
      item_id: id("Мясная"),
      available: false,
      price_minor: 0,
      extras: [],
      sort_order: 0,
    });
    await node.ask(publishMenu, {});
    expect(await pizza("Мясная")).toEqual({ ...before, available: false, price_minor: 0, extras: [] });
    expect((await menu()).pizzas[0]?.name.ru).toBe("Мясная");
  });

  it("adds to the draft before it", async () => {
    await node.ask(changeItem, { item_id: id("Мясная"), price_minor: 1 });
    const { draft } = await node.ask(changeItem, { item_id: id("Мясная"), available: false });
    expect(draft.fields).toEqual({ price_minor: 1, available: false });
  });

  it("makes a new pizza, which a set can use before either is published", async () => {
    const { item_id, item } = await node.ask(createItem, {
      kind: "pizza",
      name: { ru: "Гавайская", en: "Hawaiian" },
      price_minor: 65_000,
    });
    expect(item).toMatchObject({ available: true, image: null, extras: [], sort_order: 100 });
    await node.ask(createItem, {
      kind: "set",
      name: { ru: "Летний", en: "Summer" },
      price_minor: 100_000,
      items: [{ pizza_id: item_id, quantity: 2 }],
    });
    expect((await node.ask(previewMenu, {})).diff.added.map(({ name }) => name.en)).toEqual([
      "Hawaiian",
      "Summer",
    ]);
    await node.ask(publishMenu, {});
    expect(await node.ask(quoteCart, { items: [{ name: "summer", quantity: 2 }] })).toMatchObject({
      items_total_minor: 200_000,
    });
  });

  it("can be discarded", async () => {
    await node.ask(changeItem, { item_id: id("Мясная"), price_minor: 1 });
    await node.ask(discardDraft, { item_id: id("Мясная") });
    expect(await node.refused(discardDraft, { item_id: id("Мясная") })).toMatchObject({
      code: "menu.unknown_draft",
    });
    expect(await node.refused(publishMenu, {})).toMatchObject({
      refused: "conflict",
      code: "menu.nothing_to_publish",
    });
  });

  it("of a new item is gone when the item is deleted again", async () => {
    const { item_id } = await node.ask(createItem, {
      kind: "extra",
      name: { ru: "Соус", en: "Sauce" },
      price_minor: 5_000,
    });
    expect(await node.ask(deleteItem, { item_id })).toMatchObject({ draft: null });
    expect(await node.refused(getItem, { item_id })).toMatchObject({ code: "menu.unknown_item" });
  });

  it("takes an item off the menu", async () => {
    await node.ask(deleteItem, { item_id: id("Семейный") });
    expect(await node.refused(changeItem, { item_id: id("Семейный"), price_minor: 1 })).toMatchObject({
      code: "menu.drafted_for_deletion",
    });
    expect((await node.ask(publishMenu, {})).changed).toEqual([id("Семейный")]);
    expect((await menu()).sets.map(({ name }) => name.ru)).toEqual(["Мясной", "Пицца-пати"]);
    expect(await rowOf("Семейный")).toBeUndefined();
  });

  it("is answered from the log when its command comes again", async () => {
    const command = keyedCommand();
    const wish = { kind: "extra" as const, name: { ru: "Соус", en: "Sauce" }, price_minor: 5_000 };
    const first = await node.ask(createItem, wish, command);
    expect(await node.ask(createItem, wish, command)).toEqual(first);
    expect((await node.ask(listDrafts, {})).items).toHaveLength(1);
  });

  it.each([
    [
      "an unknown item",
      () => node.refused(changeItem, { item_id: id("Мясная").replace(/.$/, "0"), price_minor: 1 }),
      "menu.unknown_item",
    ],
    ["nothing named", () => node.refused(changeItem, { item_id: id("Мясная") }), "menu.nothing_named"],
    [
      "a name that is taken",
      () => node.refused(changeItem, { item_id: id("Мясная"), name: { ru: "маргарита", en: "Meat" } }),
      "menu.name_taken",
    ],
    [
      "an extra that does not exist",
      () => node.refused(changeItem, { item_id: id("Мясная"), extras: [id("Маргарита")] }),
      "menu.unknown_reference",
    ],
    [
      "a set without pizzas",
      () => node.refused(createItem, { kind: "set", name: { ru: "Пусто", en: "Empty" }, price_minor: 1 }),
      "menu.invalid_item",
    ],
    [
      "an extra in use",
      () => node.refused(deleteItem, { item_id: id("Сырный бортик") }),
      "menu.still_referenced",
    ],
    [
      "a pizza of a set",
      () => node.refused(deleteItem, { item_id: id("Маргарита") }),
      "menu.still_referenced",
    ],
    [
      "a negative price",
      () => node.refused(changeItem, { item_id: id("Мясная"), price_minor: -1 }),
      "input.invalid",
    ],
    [
      "half a kopeck",
      () => node.refused(changeItem, { item_id: id("Мясная"), price_minor: 0.5 }),
      "input.invalid",
    ],
    [
      "a name that PostgreSQL cannot hold",
      () => node.refused(changeItem, { item_id: id("Мясная"), name: { ru: "a\u0000", en: "b" } }),
      "input.invalid",
    ],
    [
      "half a surrogate pair",
      () => node.refused(changeItem, { item_id: id("Мясная"), name: { ru: "a\ud800", en: "b" } }),
      "input.invalid",
    ],
  ])("is refused with %s, and nothing is kept of it", async (_, refused, code) => {
    const refusal = await refused();
    expect(refusal.code).toBe(code);
    expect((await node.ask(listDrafts, {})).items).toEqual([]);
    expect(await node.runtime.log.readStream("menu-drafts")).toEqual([]);
  });

  it("of a removal names who still uses the item", async () => {
    const refusal = await node.refused(deleteItem, { item_id: id("Маргарита") });
    expect(refusal.detail).toContain("Семейный, Пицца-пати");
    expect(refusal.data?.["referenced_by"]).toHaveLength(2);
  });
});

describe("a publish", () => {
  it("writes rows, version and event together, or nothing", async () => {
    await node.ask(changeItem, { item_id: id("Мясная"), price_minor: 1 });
    const failing = jest.spyOn(node.runtime.log, "appendIn").mockRejectedValueOnce(new Error("power cut"));
    await expect(node.ask(publishMenu, {})).rejects.toThrow("power cut");
    expect(failing).toHaveBeenCalledTimes(1);
    failing.mockRestore();
    expect(await rowOf("Мясная")).toMatchObject({ price_minor: 74_900 });
    expect((await node.ask(listVersions, {})).items).toHaveLength(1);
    expect((await node.ask(listDrafts, {})).items).toHaveLength(1);
    expect((await menu()).version).toBe(1);

    const { version, position } = await node.ask(publishMenu, {});
    const events = await publishedEvents();
    expect(events.map((event) => [event.stream_id, event.version, event.position])).toEqual([
      ["menu", 1, expect.any(Number)],
      ["menu", version, position],
    ]);
  });

  it("of two at once, one wins and the other finds nothing left", async () => {
    await node.ask(changeItem, { item_id: id("Мясная"), price_minor: 1 });
    const other = await MenuNode.start(database);
    const both = await Promise.allSettled([node.ask(publishMenu, {}), other.ask(publishMenu, {})]);
    await other.stop();
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(both.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { type: "menu.nothing_to_publish" },
    });
    expect((await publishedEvents()).map(({ data }) => (data as { version: number }).version)).toEqual([
      1, 2,
    ]);
  });

  it("beside edits and switches at once loses none of them", async () => {
    const names = ["Мясная", "Охотничья", "Пепперони", "Маргарита"];
    await Promise.all([
      ...names.map((ru, index) => node.ask(changeItem, { item_id: id(ru), price_minor: 1000 + index })),
      ...names.map((ru) => node.ask(switchItem, { item_id: id(ru), available: false })),
      node.ask(publishMenu, {}).catch(() => undefined),
    ]);
    await node.ask(publishMenu, {}).catch(() => undefined);
    const { pizzas, version } = await menu();
    expect(names.map((ru) => pizzas.find(({ name }) => name.ru === ru))).toMatchObject(
      names.map((_, index) => ({ price_minor: 1000 + index, available: false })),
    );
    expect(await publishedEvents()).toHaveLength(version);
  });

  it("does not bring back what was switched off after the draft", async () => {
    await node.ask(changeItem, { item_id: id("Мясная"), price_minor: 1 });
    await node.ask(switchItem, { item_id: id("Мясная"), available: false });
    await node.ask(publishMenu, {});
    expect(await pizza("Мясная")).toMatchObject({ price_minor: 1, available: false });
  });

  it("is refused when a discarded draft left another one pointing at nothing", async () => {
    const { item_id } = await node.ask(createItem, {
      kind: "extra",
      name: { ru: "Соус", en: "Sauce" },
      price_minor: 5_000,
    });
    await node.ask(changeItem, { item_id: id("Мясная"), extras: [item_id] });
    await node.ask(discardDraft, { item_id });
    expect((await node.ask(previewMenu, {})).problems).toMatchObject([
      { code: "menu.unknown_reference", item: "Мясная" },
    ]);
    expect(await node.refused(publishMenu, {})).toMatchObject({
      code: "menu.invalid_rows",
      data: { rows: [{ item: "Мясная" }] },
    });
    expect((await menu()).version).toBe(1);
  });

  it("reaches another node, which a reader can wait for", async () => {
    const other = await MenuNode.start(database);
    await node.ask(changeItem, { item_id: id("Мясная"), price_minor: 1 });
    const { position } = await node.ask(publishMenu, {});
    expect((await other.ask(getMenu, { after: position })).version).toBe(2);
    expect((await other.ask(menuStatus, { after: position })).nodes).toMatchObject([{ version: 2 }]);
    await other.stop();
  });

  it("never shows a reader half a menu", async () => {
    let reading = true;
    let torn = 0;
    let reads = 0;
    const reader = async (): Promise<void> => {
      while (reading) {
        const { body } = await node.ask(menuDocuments.menu, {});
        const { version, pizzas, sets } = JSON.parse(body.toString()) as MenuDocument;
        const prices = new Set([...pizzas, ...sets].map(({ price_minor }) => price_minor));
        if (version > 1 && (prices.size !== 1 || !prices.has(version))) torn += 1;
        reads += 1;
        await new Promise(setImmediate);
      }
    };
    const readers = Promise.all([reader(), reader()]);
    for (const version of [2, 3, 4, 5]) {
      for (const { item_id, kind } of SEED_ITEMS)
        if (kind !== "extra") await node.ask(changeItem, { item_id, price_minor: version });
      expect(await node.ask(publishMenu, {})).toMatchObject({ version });
    }
    reading = false;
    await readers;
    expect(reads).toBeGreaterThan(100);
    expect(torn).toBe(0);
  });
});

describe("the switch", () => {
  it("takes effect at once, for quotes, documents and sets", async () => {
    const before = await node.ask(menuDocuments.pizzas, {});
    expect(await node.ask(switchItem, { item_id: id("Маргарита"), available: false })).toMatchObject({
      available: false,
      version: 2,
    });
    expect(await node.refused(quoteCart, { items: [{ name: "Маргарита", quantity: 1 }] })).toMatchObject({
      code: "menu.unavailable",
    });
    expect(await node.refused(quoteCart, { items: [{ name: "Семейный", quantity: 1 }] })).toMatchObject({
      code: "menu.unavailable",
    });
    expect((await node.ask(menuDocuments.pizzas, {})).etag).not.toBe(before.etag);
    expect(await rowOf("Маргарита")).toMatchObject({ available: false });
    expect((await publishedEvents()).at(-1)?.data).toMatchObject({
      cause: "availability",
      changed: [id("Маргарита")],
    });
    expect((await node.ask(switchItem, { item_id: id("Маргарита"), available: true })).version).toBe(3);
    expect(await node.ask(quoteCart, { items: [{ name: "Семейный", quantity: 1 }] })).toMatchObject({
      menu_version: 3,
    });
  });

  it("makes no version when nothing changes", async () => {
    expect((await node.ask(switchItem, { item_id: id("Маргарита"), available: true })).version).toBe(1);
    expect(await publishedEvents()).toHaveLength(1);
  });

  it("works while other rows are broken by hand, and does not publish them", async () => {
    await database.pool.query("update menu_items set price_minor = -1 where item_id = $1", [id("Мясная")]);
    await node.ask(switchItem, { item_id: id("Маргарита"), available: false });
    expect(await pizza("Мясная")).toMatchObject({ price_minor: 74_900 });
    expect(await pizza("Маргарита")).toMatchObject({ available: false });
  });

  it("refuses what is not on the menu", async () => {
    expect(await node.refused(switchItem, { item_id: MANAGER.user_id ?? "", available: true })).toMatchObject(
      { code: "menu.unknown_item" },
    );
  });
});

describe("a reload", () => {
  it("picks up what was changed by hand in SQL", async () => {
    await database.pool.query(
      "update menu_items set price_minor = 55555, available = false where item_id = $1",
      [id("Мясная")],
    );
    await database.pool.query(
      "insert into menu_items (kind, name_ru, name_en, price_minor) values ('extra', 'Халапеньо', 'Jalapeño', 7900)",
    );
    expect((await menu()).version).toBe(1);
    const answer = await node.ask(reloadMenu, {});
    expect(answer).toMatchObject({
      version: 2,
      method: "event_log",
      last_update: "2026-03-02T12:00:00.000Z",
    });
    expect(await pizza("Мясная")).toMatchObject({ price_minor: 55_555, available: false });
    expect((await menu()).extras.map(({ name }) => name.en)).toContain("Jalapeño");
  });

  it("makes no version when nothing differs", async () => {
    expect(await node.ask(reloadMenu, {})).toMatchObject({ version: 1, message: "The menu is up to date." });
    expect(await publishedEvents()).toHaveLength(1);
  });

  it("refuses broken rows by name, and the menu in force stays", async () => {
    await database.pool.query("update menu_items set price_minor = -100 where item_id = $1", [id("Мясная")]);
    await database.pool.query(`update menu_items set ingredients = '{"cheese": 150}' where item_id = $1`, [
      id("Маргарита"),
    ]);
    await database.pool.query("update menu_items set price_minor = 9000000000000000000 where item_id = $1", [
      id("Пепперони"),
    ]);
    await database.pool.query("delete from menu_items where item_id = $1", [id("Сырный бортик")]);
    const refusal = await node.refused(reloadMenu, {});
    expect(refusal).toMatchObject({ refused: "unprocessable", code: "menu.invalid_rows" });
    for (const name of ["Мясная", "Маргарита", "Пепперони", "Классическая"])
      expect(refusal.detail).toContain(name);
    const rows = refusal.data?.["rows"] as { item_id: string; problems: { path: string }[] }[];
    expect(rows.find(({ item_id }) => item_id === id("Мясная"))?.problems).toMatchObject([
      { path: "/price_minor" },
    ]);
    expect((await menu()).version).toBe(1);
    expect(
      (await node.ask(listItems, { limit: 200 })).items.filter(({ state }) => state === "invalid"),
    ).toHaveLength(3);

    const restarted = await MenuNode.start(database);
    expect((await restarted.ask(getMenu, {})).pizzas).toHaveLength(9);
    await restarted.stop();
  });

  it("mends broken rows by a rollback", async () => {
    await database.pool.query("update menu_items set price_minor = -100");
    await node.ask(rollbackMenu, { version: 1 });
    expect(await rowOf("Мясная")).toMatchObject({ price_minor: 74_900 });
    expect(await node.ask(reloadMenu, {})).toMatchObject({ version: 2 });
  });
});

describe("versions", () => {
  const publishPrice = async (price_minor: number): Promise<void> => {
    await node.ask(changeItem, { item_id: id("Мясная"), price_minor });
    await node.ask(publishMenu, {});
  };

  it("come in pages, newest first", async () => {
    for (const price of [1, 2, 3]) await publishPrice(price);
    const first = await node.ask(listVersions, { limit: 3 });
    expect(first.items.map(({ version }) => version)).toEqual([4, 3, 2]);
    const second = await node.ask(listVersions, { limit: 3, cursor: first.next_cursor ?? "" });
    expect(second.items).toMatchObject([
      { version: 1, cause: "publish", note: "First menu", published_by: null },
    ]);
    expect(second.next_cursor).toBeNull();
    expect(await node.refused(listVersions, { cursor: "nonsense" })).toMatchObject({
      code: "input.cursor_malformed",
    });
  });

  it("differ field by field, in either direction", async () => {
    await publishPrice(1);
    await publishPrice(2);
    const fields = async (from: number, to: number) =>
      (await node.ask(diffVersions, { from, to })).diff.changed[0]?.fields;
    expect(await fields(1, 3)).toEqual([{ field: "price_minor", before: 74_900, after: 2 }]);
    expect(await fields(3, 2)).toEqual([{ field: "price_minor", before: 2, after: 1 }]);
    expect((await node.ask(diffVersions, { from: 2, to: 2 })).diff).toEqual({
      added: [],
      removed: [],
      changed: [],
    });
    expect(await node.refused(diffVersions, { from: 1, to: 9 })).toMatchObject({
      code: "menu.unknown_version",
    });
  });

  it("come back by a rollback, as a new version that says where it is from", async () => {
    const { document } = await node.ask(getVersion, { version: 1 });
    await node.ask(deleteItem, { item_id: id("Семейный") });
    await node.ask(createItem, { kind: "extra", name: { ru: "Соус", en: "Sauce" }, price_minor: 5_000 });
    await publishPrice(1);
    await node.ask(changeItem, { item_id: id("Пепперони"), price_minor: 7 });
    expect(await node.ask(rollbackMenu, { version: 1, note: "oops" })).toMatchObject({
      version: 3,
      restored_from: 1,
      cause: "rollback",
      note: "oops",
    });
    expect(await menu()).toEqual({ ...document, version: 3, updated_at: expect.any(String) as string });
    expect((await node.ask(diffVersions, { from: 1, to: 3 })).diff).toEqual({
      added: [],
      removed: [],
      changed: [],
    });
    expect(await node.ask(reloadMenu, {})).toMatchObject({ version: 3 });
    expect((await node.ask(listDrafts, {})).items).toHaveLength(1);
    expect(await node.refused(rollbackMenu, { version: 99 })).toMatchObject({ code: "menu.unknown_version" });
  });

  it("stay what they were", async () => {
    await publishPrice(1);
    expect(
      (await node.ask(getVersion, { version: 1 })).document.pizzas.find(({ name }) => name.ru === "Мясная")
        ?.price_minor,
    ).toBe(74_900);
  });
});

it("the public documents stand ready for the HTTP server while the node runs, the same bytes until the menu changes", async () => {
  const hot = hotDocumentsOf(node.runtime.broker);
  const ready = await hot.at("/api/v1/menu/sets");
  expect(JSON.parse(String(ready?.body))).toMatchObject({ version: 1, sets: expect.any(Array) as unknown[] });
  expect(hot.at("/api/v1/menu/sets")).toBe(ready);
  await node.ask(switchItem, { item_id: id("Маргарита"), available: false });
  expect((await hot.at("/api/v1/menu/sets"))?.etag).not.toBe(ready?.etag);
  await node.runtime.broker.stop();
  expect(hot.at("/api/v1/menu")).toBeUndefined();
});
