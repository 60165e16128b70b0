import type { PoolClient } from "pg";
import type { Ctx } from "../../mixins/contract/caller";
import type { ParamsOf } from "../../mixins/contract/contract";
import { eventMetaOf } from "../../mixins/contract/event-meta";
import { callerOf, commandOf, type CommandOutcome } from "../../mixins/contract/implement";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import { changeRows, type RowChange } from "../../mixins/crud/row-change";
import type { StreamAppend } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import type { changePost, createPost } from "./post.contract";
import { postStream, type Post, type PostEvent } from "./post.events";
import * as store from "./post.store";

export const UNKNOWN_POST = refuse("not_found", "post.unknown", "There is no such post.");

type Outcome = Promise<CommandOutcome | Refusal>;
/** What is written of a post and said of it; undefined: there is no such post. */
type Work = (tx: PoolClient, at: string) => Promise<Omit<RowChange, "meta"> | undefined>;

/** Writing posts: rows whose changes are in the log. */
export class Posts {
  constructor(private readonly runtime: Pick<Runtime, "pool" | "log" | "clock" | "ids">) {}

  create(ctx: Ctx<ParamsOf<typeof createPost>>): Outcome {
    const { title, body, image = null, status = "draft" } = ctx.params;
    const post_id = this.runtime.ids.uuid();
    return this.#change(ctx, async (tx, at) => {
      const post = {
        ...{ post_id, author_id: callerOf(ctx).user_id, title, body, image, status },
        ...{ published_at: status === "published" ? at : null, created_at: at, updated_at: at },
      };
      await store.writePost(tx, post, 1);
      return { streams: [appendOf(post_id, 0, { type: "post.created", data: { post } })], answer: { post } };
    });
  }

  /** Refusal: `post.unknown`. */
  change(ctx: Ctx<ParamsOf<typeof changePost>>): Outcome {
    const { post_id, ...wish } = ctx.params;
    return this.#change(ctx, async (tx, at) => {
      const found = await store.lockPost(tx, post_id);
      if (found === undefined) return undefined;
      const changed: Post = { ...found.post, ...wish, updated_at: at };
      const post =
        changed.status === "published" ? { ...changed, published_at: changed.published_at ?? at } : changed;
      await store.writePost(tx, post, found.version + 1);
      const event: PostEvent = { type: "post.changed", data: { post } };
      return { streams: [appendOf(post.post_id, found.version, event)], answer: { post } };
    });
  }

  /** Its views are removed behind the answer. Refusal: `post.unknown`. */
  delete(ctx: Ctx<{ post_id: string }>): Outcome {
    return this.#change(ctx, async (tx) => {
      const found = await store.lockPost(tx, ctx.params.post_id);
      if (found === undefined) return undefined;
      const { post_id } = found.post;
      await store.deletePost(tx, post_id);
      const event: PostEvent = { type: "post.deleted", data: { post_id } };
      return { streams: [appendOf(post_id, found.version, event)], answer: { post_id } };
    });
  }

  #change(ctx: Ctx<unknown>, work: Work): Outcome {
    return changeRows(this.runtime, commandOf(ctx), async (tx) => {
      const change = await work(tx, new Date(this.runtime.clock.now()).toISOString());
      return change === undefined ? UNKNOWN_POST : { ...change, meta: eventMetaOf(ctx, "views") };
    });
  }
}

/** What the log is given of a change. */
export function appendOf(post_id: string, expected_version: number, event: PostEvent): StreamAppend {
  return { stream_id: postStream(post_id), stream_type: "post", expected_version, events: [event] };
}
