import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import {
  AfterParam,
  PageParams,
  pageOf,
  PositionSchema,
  strictObject,
  Timestamp,
  Uuid,
} from "../../mixins/contract/schemas";
import { ProblemSchema } from "./menu-desk.contract";
import type { MenuDiff } from "./menu.diff";
import type { MenuDocument, VersionInfo } from "./menu.events";
import { ItemKind, ItemName, LineOfText, MenuDocumentSchema, nullable } from "./menu.schemas";

/** Versions of the menu: how one comes into force, and what the earlier ones were. */

const ItemRef = { item_id: Uuid, kind: ItemKind, name: ItemName };
const DiffSchema = Type.Unsafe<MenuDiff>(
  strictObject({
    added: Type.Array(strictObject(ItemRef)),
    removed: Type.Array(strictObject(ItemRef)),
    changed: Type.Array(
      strictObject({
        ...ItemRef,
        fields: Type.Array(
          strictObject({ field: Type.String(), before: Type.Unknown(), after: Type.Unknown() }),
        ),
      }),
    ),
  }),
);

const VersionFields = {
  version: Type.Integer({ minimum: 1 }),
  published_at: Timestamp,
  published_by: nullable(Type.String()),
  note: nullable(Type.String()),
  cause: Type.Union([
    Type.Literal("publish"),
    Type.Literal("reload"),
    Type.Literal("availability"),
    Type.Literal("rollback"),
  ]),
  restored_from: nullable(Type.Integer({ minimum: 1 })),
  changed: Type.Array(Uuid, { description: "Items added, removed or changed" }),
};
const VersionSchema = Type.Unsafe<VersionInfo>(strictObject(VersionFields));

const VersionNumber = Type.Integer({ minimum: 1, maximum: 2_147_483_647 });
const Note = Type.Optional(LineOfText);
const look = { kind: "query", permission: "menu.edit" } as const;
const publishing = { kind: "command", permission: "menu.publish", reach: "chain" } as const;

/** What a publish would change for customers, and what stands in its way. */
export const previewMenu = contract({
  ...look,
  name: "menu.preview",
  summary: "What a publish would change",
  rest: [{ method: "GET", path: "/api/v1/menu/preview" }],
  params: strictObject({}),
  result: strictObject({
    base_version: Type.Integer({ description: "The version in force" }),
    drafts: Type.Integer(),
    diff: DiffSchema,
    problems: Type.Array(ProblemSchema),
  }),
});

const PublishResult = Type.Unsafe<VersionInfo & { position: number }>(
  strictObject({ ...VersionFields, position: PositionSchema }),
);

/** Applies all drafts to the live rows and puts the result in force, whole or not at all. */
export const publishMenu = contract({
  ...publishing,
  name: "menu.publish",
  summary: "Publish all drafts",
  rest: [{ method: "POST", path: "/api/v1/menu/publish" }],
  params: strictObject({ note: Note }),
  result: PublishResult,
  refusals: ["menu.nothing_to_publish", "menu.invalid_rows"],
});

/** May come from a replica, a moment old; with `after` it shows at least everything up to there. */
export const listVersions = contract({
  ...look,
  name: "menu.list_versions",
  summary: "Versions, newest first",
  rest: [{ method: "GET", path: "/api/v1/menu/versions" }],
  params: strictObject({ ...PageParams, ...AfterParam }),
  result: pageOf(VersionSchema),
});

export const getVersion = contract({
  ...look,
  name: "menu.get_version",
  summary: "One version with its document",
  rest: [{ method: "GET", path: "/api/v1/menu/versions/:version" }],
  params: strictObject({ version: VersionNumber }),
  result: Type.Unsafe<VersionInfo & { document: MenuDocument }>(
    strictObject({ ...VersionFields, document: MenuDocumentSchema }),
  ),
  refusals: ["menu.unknown_version"],
});

export const diffVersions = contract({
  ...look,
  name: "menu.diff",
  summary: "What differs between two versions",
  rest: [{ method: "GET", path: "/api/v1/menu/diff" }],
  params: strictObject({ from: VersionNumber, to: VersionNumber }),
  result: strictObject({ from: Type.Integer(), to: Type.Integer(), diff: DiffSchema }),
  refusals: ["menu.unknown_version"],
});

/** Puts an older version in force again exactly as it was, availability included, as a new version. Drafts stay drafts. */
export const rollbackMenu = contract({
  ...publishing,
  name: "menu.rollback",
  summary: "Bring an older version back",
  rest: [{ method: "POST", path: "/api/v1/menu/versions/:version/rollback" }],
  params: strictObject({ version: VersionNumber, note: Note }),
  result: PublishResult,
  refusals: ["menu.unknown_version"],
});

export const menuVersionContracts = [
  previewMenu,
  publishMenu,
  listVersions,
  getVersion,
  diffVersions,
  rollbackMenu,
] as const;
