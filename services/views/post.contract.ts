import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import {
  literals,
  nullable,
  PageParams,
  pageOf,
  PositionSchema,
  strictObject,
  Timestamp,
  Uuid,
} from "../../mixins/contract/schemas";
import { Address, Line } from "../../mixins/text/lines";

const Title = Line(200);
const Body = Type.String({ minLength: 1, maxLength: 20_000 });
const Image = nullable(Address(500));
const Status = literals("draft", "published", "archived");

const content = {
  title: strictObject({ ru: Title, en: Title }),
  body: strictObject({ ru: Body, en: Body }),
};
/** All of a post but its body, which lists leave out. */
const summary = {
  post_id: Uuid,
  title: content.title,
  image: nullable(Type.String()),
  status: Status,
  author_id: nullable(Uuid),
  published_at: nullable(Timestamp),
  created_at: Timestamp,
  updated_at: Timestamp,
};
const Post = strictObject({ ...summary, body: content.body });
const ViewsCount = Type.Integer({ minimum: 0, description: "Different people who have viewed it" });
const Saved = strictObject({ post: Post, position: PositionSchema });

const edit = { kind: "command", permission: "post.edit" } as const;
const look = { kind: "query", permission: "post.read" } as const;

/** Readers see published posts, and so does everybody who names no status; the content roles may ask for others. */
export const listPosts = contract({
  ...look,
  name: "views.post_list",
  summary: "Posts, the newest first",
  rest: [{ method: "GET", path: "/posts" }],
  params: strictObject({ ...PageParams, status: Type.Optional(Status) }),
  result: pageOf(strictObject({ ...summary, views_count: ViewsCount })),
  refusals: ["post.drafts_forbidden", "input.cursor_malformed"],
});

export const getPost = contract({
  ...look,
  name: "views.post_get",
  summary: "One post; who may edit posts sees drafts as well",
  rest: [{ method: "GET", path: "/posts/:post_id" }],
  params: strictObject({ post_id: Uuid }),
  result: strictObject({ ...summary, body: content.body, views_count: ViewsCount }),
  refusals: ["post.unknown"],
});

export const createPost = contract({
  ...edit,
  name: "views.post_create",
  summary: "Write a post; a draft unless said",
  rest: [{ method: "POST", path: "/posts", status: 201 }],
  params: strictObject({ ...content, image: Type.Optional(Image), status: Type.Optional(Status) }),
  result: Saved,
});

export const changePost = contract({
  ...edit,
  name: "views.post_change",
  summary: "Change what is named of a post",
  rest: [{ method: "PUT", path: "/posts/:post_id" }],
  params: strictObject({
    post_id: Uuid,
    title: Type.Optional(content.title),
    body: Type.Optional(content.body),
    image: Type.Optional(Image),
    status: Type.Optional(Status),
  }),
  result: Saved,
  refusals: ["post.unknown"],
});

export const deletePost = contract({
  ...edit,
  name: "views.post_delete",
  summary: "Remove a post with its views",
  rest: [{ method: "DELETE", path: "/posts/:post_id" }],
  params: strictObject({ post_id: Uuid }),
  result: strictObject({ post_id: Uuid, position: PositionSchema }),
  refusals: ["post.unknown"],
});

export const postContracts = [listPosts, getPost, createPost, changePost, deletePost] as const;
