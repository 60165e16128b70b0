import { changedIds, diffMenus } from "../../../../services/menu/menu.diff";
import { applyDrafts, deskItems, newProblems, type Draft } from "../../../../services/menu/menu.drafts";
import { contentOf } from "../../../../services/menu/menu.item";
import type { MenuItem } from "../../../../services/menu/menu.schemas";
import { SEED_ITEMS } from "../../../../services/menu/menu.seed-data";

const id = (ru: string): string => SEED_ITEMS.find(({ name }) => name.ru === ru)?.item_id ?? "";
const draft = (ru: string, terms: Partial<Draft>): Draft => ({
  item_id: id(ru),
  kind: "pizza",
  change: "change",
  fields: {},
  edited_by: null,
  edited_at: "2026-03-02T12:00:00.000Z",
  ...terms,
});
const NEW: Draft = draft("", {
  item_id: "01941f29-7c00-7000-8000-000000000001",
  change: "create",
  fields: { ...SEED_ITEMS[0], name: { ru: "Новая", en: "New" } },
});

describe("drafts over live items", () => {
  it("change what they name, with false and 0, and nothing else", () => {
    const { items, problems } = applyDrafts(SEED_ITEMS, [
      draft("Мясная", { fields: { available: false, price_minor: 0 } }),
    ]);
    expect(problems).toEqual([]);
    const before = SEED_ITEMS.find(({ name }) => name.ru === "Мясная");
    expect(items.find(({ item_id }) => item_id === id("Мясная"))).toEqual({
      ...before,
      available: false,
      price_minor: 0,
    });
    expect(items.filter(({ item_id }) => item_id !== id("Мясная"))).toEqual(
      SEED_ITEMS.filter(({ item_id }) => item_id !== id("Мясная")),
    );
  });

  it("keep what happened to the other fields since", () => {
    const live = SEED_ITEMS.map((item) => (item.name.ru === "Мясная" ? { ...item, available: false } : item));
    const { items } = applyDrafts(live, [draft("Мясная", { fields: { price_minor: 1 } })]);
    expect(items.find(({ item_id }) => item_id === id("Мясная"))).toMatchObject({
      price_minor: 1,
      available: false,
    });
  });

  it("add, and remove what is there or already gone", () => {
    const gone = draft("", { item_id: "01941f29-7c00-7000-8000-000000000002", change: "delete" });
    const { items, problems } = applyDrafts(SEED_ITEMS, [
      NEW,
      draft("Курица и Грибы", { change: "delete" }),
      gone,
    ]);
    expect(problems).toEqual([]);
    expect(items).toHaveLength(SEED_ITEMS.length);
    expect(items.map(({ name }) => name.ru)).toContain("Новая");
    expect(items.map(({ name }) => name.ru)).not.toContain("Курица и Грибы");
  });

  it("complain about a change of an item that is gone", () => {
    const orphan = draft("", { item_id: "01941f29-7c00-7000-8000-000000000002", fields: { price_minor: 1 } });
    expect(applyDrafts(SEED_ITEMS, [orphan]).problems).toMatchObject([{ code: "menu.draft_orphaned" }]);
  });

  it("answer for what they break only", () => {
    const broken = SEED_ITEMS.map((item): MenuItem =>
      item.name.ru === "Семейный" ? { ...item, items: [] } : item,
    );
    const before = applyDrafts(broken, []);
    expect(before.problems).toHaveLength(1);
    expect(
      newProblems(before, applyDrafts(broken, [draft("Мясная", { fields: { price_minor: 1 } })])),
    ).toEqual([]);
    const taken = draft("Мясная", { fields: { name: { ru: "Маргарита", en: "Meat" } } });
    expect(newProblems(before, applyDrafts(broken, [taken])).map(({ code }) => code)).toEqual([
      "menu.name_taken",
    ]);
  });

  it("show on the desk what they will do", () => {
    const removal = draft("Курица и Грибы", { change: "delete" });
    const broken = { item_id: "01941f29-7c00-7000-8000-000000000003", kind: "set" as const, problems: [] };
    const desk = deskItems({ items: SEED_ITEMS, broken: [broken] }, [
      NEW,
      removal,
      draft("Мясная", { fields: { price_minor: 1 } }),
    ]);
    const states = new Map(desk.map((item) => [item.item?.name.ru ?? "broken", item.state]));
    expect(states.get("Новая")).toBe("create");
    expect(states.get("Курица и Грибы")).toBe("delete");
    expect(states.get("Мясная")).toBe("change");
    expect(states.get("Маргарита")).toBe("live");
    expect(states.get("broken")).toBe("invalid");
    expect(desk.map(({ item_id }) => item_id)).toEqual(desk.map(({ item_id }) => item_id).toSorted());
  });
});

describe("the difference of two menus", () => {
  const before = contentOf(SEED_ITEMS);
  const after = (drafts: Draft[]) => contentOf(applyDrafts(SEED_ITEMS, drafts).items);

  it("is nothing between a menu and itself, also after a trip through JSON", () => {
    const same = diffMenus(before, JSON.parse(JSON.stringify(before)) as typeof before);
    expect(same).toEqual({ added: [], removed: [], changed: [] });
  });

  it("says field by field what was and what is", () => {
    const diff = diffMenus(
      before,
      after([
        draft("Мясная", {
          fields: { price_minor: 0, available: false, name: { ru: "Мясная", en: "Meaty" } },
        }),
      ]),
    );
    expect(diff).toEqual({
      added: [],
      removed: [],
      changed: [
        {
          item_id: id("Мясная"),
          kind: "pizza",
          name: { ru: "Мясная", en: "Meaty" },
          fields: [
            { field: "name.en", before: "Meat", after: "Meaty" },
            { field: "price_minor", before: 74_900, after: 0 },
            { field: "available", before: true, after: false },
          ],
        },
      ],
    });
  });

  it("lists what came and what went, and does not call the rest moved", () => {
    const first = { ...NEW, fields: { ...NEW.fields, sort_order: 0 } };
    const diff = diffMenus(before, after([first, draft("Курица и Грибы", { change: "delete" })]));
    expect(diff.added.map(({ name }) => name.ru)).toEqual(["Новая"]);
    expect(diff.removed.map(({ name }) => name.ru)).toEqual(["Курица и Грибы"]);
    expect(diff.changed).toEqual([]);
    expect(changedIds(diff)).toEqual([NEW.item_id, id("Курица и Грибы")]);
  });

  it("sees two items that changed places", () => {
    const moved = after([draft("Пепперони", { fields: { sort_order: 5 } })]);
    expect(diffMenus(before, moved).changed.map(({ name, fields }) => [name.ru, fields])).toEqual([
      ["Пепперони", [{ field: "position", before: 2, after: 1 }]],
      ["Классическая", [{ field: "position", before: 1, after: 2 }]],
    ]);
  });
});
