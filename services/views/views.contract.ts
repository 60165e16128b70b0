import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { literals, LocalDate, nullable, strictObject, Timestamp, Uuid } from "../../mixins/contract/schemas";
import { postContracts } from "./post.contract";

/** Posts that one request may name. */
const POSTS_MAX = 100;

const Count = Type.Integer({ minimum: 0 });
const PostIds = Type.Array(Uuid, { minItems: 1, maxItems: POSTS_MAX });
const Message = Type.String({ description: "One sentence for a person" });

/**
 * The caller has viewed a post. Counts once for each user and post, for ever, and never for the author; to say it again does
 * no harm and gives the count of that moment, with or without an Idempotency-Key. Answered when it is durable.
 */
export const addView = contract({
  name: "views.add",
  summary: "I have viewed this post",
  kind: "command",
  permission: "views.add",
  rest: [{ method: "POST", path: "/posts/view" }],
  params: strictObject({ post_id: Uuid }),
  result: strictObject({ message: Message, views_count: Count }),
  refusals: ["post.unknown"],
});

/** The same for many. Those that there are count; those that there are not are named in `unknown_post_ids`. */
export const addViews = contract({
  name: "views.add_batch",
  summary: "I have viewed these posts",
  kind: "command",
  permission: "views.add",
  rest: [{ method: "POST", path: "/posts/views-batch" }],
  params: strictObject({ post_ids: PostIds }),
  result: strictObject({
    message: Message,
    processed_count: Count,
    post_ids: Type.Array(Uuid, { description: "Posts that were processed, each once" }),
    unknown_post_ids: Type.Array(Uuid, { description: "Not published, or not there" }),
  }),
});

export const syncViews = contract({
  name: "views.sync",
  summary: "Bring the counts by day up to date now, not only every five minutes",
  kind: "command",
  permission: "views.sync",
  rest: [{ method: "POST", path: "/posts/sync-views" }],
  params: strictObject({}),
  result: strictObject({ message: Message, synced_posts: Count }),
});

/** For other services. Unknown posts are left out. */
export const countViews = contract({
  name: "views.count",
  summary: "How many people have viewed these posts",
  kind: "query",
  permission: "post.read",
  params: strictObject({ post_ids: PostIds }),
  result: strictObject({ items: Type.Array(strictObject({ post_id: Uuid, views_count: Count })) }),
});

/** Views count for ever, so they stay; whose they were is forgotten. */
export const forgetViewer = contract({
  name: "views.forget_viewer",
  summary: "Make somebody's views nobody's",
  kind: "command",
  permission: "internal",
  params: strictObject({ user_id: Uuid }),
  result: strictObject({ posts: Count }),
});

/** `views` are those of the window, `views_count` all. May be half a minute old. */
export const topPosts = contract({
  name: "views.top",
  summary: "Posts viewed most: today, in the last seven days (UTC), or ever",
  kind: "query",
  permission: "post.read",
  rest: [{ method: "GET", path: "/posts/top" }],
  params: strictObject({
    window: Type.Optional(literals("day", "week", "all")),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10 })),
  }),
  result: strictObject({
    window: literals("day", "week", "all"),
    items: Type.Array(
      strictObject({
        post_id: Uuid,
        title: strictObject({ ru: Type.String(), en: Type.String() }),
        image: nullable(Type.String()),
        published_at: nullable(Timestamp),
        views: Count,
        views_count: Count,
      }),
    ),
  }),
});

export const viewsByDay = contract({
  name: "views.by_day",
  summary: "New views of a post by day (UTC); the last 30 days unless said",
  kind: "query",
  permission: "views.read",
  rest: [{ method: "GET", path: "/posts/:post_id/views" }],
  params: strictObject({ post_id: Uuid, from: Type.Optional(LocalDate), to: Type.Optional(LocalDate) }),
  result: strictObject({
    post_id: Uuid,
    from: LocalDate,
    to: LocalDate,
    views_count: Count,
    days: Type.Array(strictObject({ day: LocalDate, views: Count }), {
      description: "Days with views, in order",
    }),
  }),
  refusals: ["post.unknown", "views.invalid_interval"],
});

export const viewsContracts = [
  ...postContracts,
  addView,
  addViews,
  syncViews,
  countViews,
  topPosts,
  viewsByDay,
] as const;
