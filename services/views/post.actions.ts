import type { ActionSchema } from "moleculer";
import type { ResultOf } from "../../mixins/contract/contract";
import { callerOf, implement, implementCommand } from "../../mixins/contract/implement";
import { allows } from "../../mixins/contract/permissions";
import { isRefusal, orThrow, RefusedError, refuse } from "../../mixins/contract/refusal";
import type { Runtime } from "../../mixins/runtime";
import * as contracts from "./post.contract";
import { decodeCursor, encodeCursor } from "./post.cursor";
import * as store from "./post.store";
import { Posts, UNKNOWN_POST } from "./posts";

const PAGE = 50;
const DRAFTS_FORBIDDEN = refuse(
  "forbidden",
  "post.drafts_forbidden",
  "Only who edits posts sees those that are not published.",
);

/** Actions on posts. `hidden` hears of each post that may be read no more. */
export function postActions(
  runtime: Runtime,
  hidden: (post_id: string) => Promise<void>,
): Record<string, ActionSchema> {
  const { log } = runtime;
  const posts = new Posts(runtime);
  return {
    ...postReads(runtime),
    post_create: implementCommand(log, contracts.createPost, {
      run: (ctx) => posts.create(ctx),
      respond: (answer, position) => ({ ...(answer as Saved), position }),
    }),
    post_change: implementCommand(log, contracts.changePost, {
      async run(ctx) {
        const { status, post_id } = ctx.params;
        const outcome = await posts.change(ctx);
        if (!isRefusal(outcome) && status !== undefined && status !== "published")
          await hidden(post_id.toLowerCase());
        return outcome;
      },
      respond: (answer, position) => ({ ...(answer as Saved), position }),
    }),
    post_delete: implementCommand(log, contracts.deletePost, {
      async run(ctx) {
        const outcome = await posts.delete(ctx);
        if (!isRefusal(outcome)) await hidden(ctx.params.post_id.toLowerCase());
        return outcome;
      },
      respond: (answer, position) => ({ ...(answer as { post_id: string }), position }),
    }),
  };
}

type Saved = Omit<ResultOf<typeof contracts.createPost>, "position">;

function postReads({ pool }: Runtime): Record<string, ActionSchema> {
  return {
    post_list: implement(contracts.listPosts, async (ctx) => {
      const { limit = PAGE, cursor, status = "published" } = ctx.params;
      if (status !== "published" && !allows("post.edit", callerOf(ctx).role))
        throw new RefusedError(DRAFTS_FORBIDDEN);
      const after = cursor === undefined ? undefined : orThrow(decodeCursor(cursor));
      const found = await store.pageOfPosts(pool, status, after, limit + 1);
      const items = found.slice(0, limit);
      const last = found.length > limit ? items.at(-1) : undefined;
      return { items, next_cursor: last === undefined ? null : cursorOf(last) };
    }),
    post_get: implement(contracts.getPost, async (ctx) => {
      const post = await store.readPost(pool, ctx.params.post_id);
      const isShown = post?.status === "published" || allows("post.edit", callerOf(ctx).role);
      return orThrow(isShown && post !== undefined ? post : UNKNOWN_POST);
    }),
  };
}

function cursorOf({ post_id, published_at, created_at }: store.PostSummary): string {
  return encodeCursor({ at_ms: Date.parse(published_at ?? created_at), post_id });
}
