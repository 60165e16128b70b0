import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import {
  PageParams,
  pageOf,
  PositionSchema,
  strictObject,
  Timestamp,
  Uuid,
} from "../../mixins/contract/schemas";
import type { DeskItem, Draft } from "./menu.drafts";
import { ItemKind, itemFields, MenuItemSchema, nullable } from "./menu.schemas";

/** The menu desk: drafts of items are edited here, a publish brings them to the customers. */

const DraftSchema = Type.Unsafe<Draft>(
  strictObject({
    item_id: Uuid,
    kind: ItemKind,
    change: Type.Union([Type.Literal("create"), Type.Literal("change"), Type.Literal("delete")]),
    fields: Type.Record(Type.String(), Type.Unknown(), {
      description: "The named fields with their new values",
    }),
    edited_by: nullable(Type.String()),
    edited_at: Timestamp,
  }),
);

/** What is wrong with an item. */
export const ProblemSchema = strictObject({
  code: Type.String(),
  item_id: Type.String(),
  item: Type.String({ description: "Name of the item" }),
  path: Type.String({ description: "JSON pointer into the item" }),
  message: Type.String(),
});

/** An item as it will be when published. */
const DeskItemSchema = Type.Unsafe<DeskItem>(
  strictObject({
    item_id: Uuid,
    kind: ItemKind,
    state: Type.Union(
      [
        Type.Literal("live"),
        Type.Literal("create"),
        Type.Literal("change"),
        Type.Literal("delete"),
        Type.Literal("invalid"),
      ],
      {
        description:
          "live: as published; invalid: the row was broken by hand, see problems; else what its draft will do",
      },
    ),
    item: nullable(MenuItemSchema),
    problems: Type.Array(ProblemSchema),
  }),
);

const edit = { kind: "command", permission: "menu.edit", reach: "chain" } as const;
const look = { kind: "query", permission: "menu.edit" } as const;
const editRefusals = ["menu.invalid_item", "menu.name_taken", "menu.unknown_reference"] as const;
const DraftAnswer = strictObject({
  item_id: Uuid,
  item: MenuItemSchema,
  draft: DraftSchema,
  position: PositionSchema,
});
const { name, price_minor, ...optionalFields } = itemFields;
const changeable = {
  name: Type.Optional(name),
  price_minor: Type.Optional(price_minor),
  available: Type.Optional(optionalFields.available),
  image: Type.Optional(optionalFields.image),
  sort_order: Type.Optional(optionalFields.sort_order),
  ingredients: Type.Optional(optionalFields.ingredients),
  extras: Type.Optional(optionalFields.extras),
  items: Type.Optional(optionalFields.items),
};

/** Every item, drafts laid over the live rows. */
export const listItems = contract({
  ...look,
  name: "menu.list_items",
  summary: "Items of the menu with their drafts",
  rest: [{ method: "GET", path: "/api/v1/menu/items" }],
  params: strictObject({ ...PageParams, kind: Type.Optional(ItemKind) }),
  result: pageOf(DeskItemSchema),
});

export const getItem = contract({
  ...look,
  name: "menu.get_item",
  summary: "One item with its draft",
  rest: [{ method: "GET", path: "/api/v1/menu/items/:item_id" }],
  params: strictObject({ item_id: Uuid }),
  result: DeskItemSchema,
  refusals: ["menu.unknown_item"],
});

export const createItem = contract({
  ...edit,
  name: "menu.create_item",
  summary: "Draft a new item",
  rest: [{ method: "POST", path: "/api/v1/menu/items", status: 201 }],
  params: strictObject({ ...changeable, kind: ItemKind, name, price_minor }),
  result: DraftAnswer,
  refusals: [...editRefusals, "menu.too_many_items"],
});

/** Changes what it names and nothing else; false, 0, null and empty lists are values like any other. */
export const changeItem = contract({
  ...edit,
  name: "menu.change_item",
  summary: "Draft a change of an item",
  rest: [{ method: "PUT", path: "/api/v1/menu/items/:item_id" }],
  params: strictObject({ item_id: Uuid, ...changeable }),
  result: DraftAnswer,
  refusals: [...editRefusals, "menu.unknown_item", "menu.nothing_named", "menu.drafted_for_deletion"],
});

/** Takes an item off the menu with the next publish; an item that was only drafted goes at once (`draft` is null then). */
export const deleteItem = contract({
  ...edit,
  name: "menu.delete_item",
  summary: "Draft the removal of an item",
  rest: [{ method: "DELETE", path: "/api/v1/menu/items/:item_id" }],
  params: strictObject({ item_id: Uuid }),
  result: strictObject({ item_id: Uuid, draft: nullable(DraftSchema), position: PositionSchema }),
  refusals: ["menu.unknown_item", "menu.still_referenced"],
});

/** Takes effect at once, without a publish: the kitchen has run out, or has it again. */
export const switchItem = contract({
  ...edit,
  permission: "menu.publish",
  reach: "chain",
  name: "menu.switch_item",
  summary: "Switch an item off or on at once",
  rest: [{ method: "PUT", path: "/api/v1/menu/items/:item_id/available" }],
  params: strictObject({ item_id: Uuid, available: Type.Boolean() }),
  result: strictObject({
    item_id: Uuid,
    available: Type.Boolean(),
    version: Type.Integer(),
    position: PositionSchema,
  }),
  refusals: ["menu.unknown_item"],
});

export const listDrafts = contract({
  ...look,
  name: "menu.list_drafts",
  summary: "Drafts that wait for a publish",
  rest: [{ method: "GET", path: "/api/v1/menu/drafts" }],
  params: strictObject({ ...PageParams }),
  result: pageOf(DraftSchema),
});

export const discardDraft = contract({
  ...edit,
  name: "menu.discard_draft",
  summary: "Discard the draft of an item",
  rest: [{ method: "DELETE", path: "/api/v1/menu/drafts/:item_id" }],
  params: strictObject({ item_id: Uuid }),
  result: strictObject({ item_id: Uuid, position: PositionSchema }),
  refusals: ["menu.unknown_draft"],
});

export const menuDeskContracts = [
  listItems,
  getItem,
  createItem,
  changeItem,
  deleteItem,
  switchItem,
  listDrafts,
  discardDraft,
] as const;
