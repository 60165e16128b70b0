import type { CommandIdentity } from "../../mixins/contract/caller";
import { isRefusal, refuse } from "../../mixins/contract/refusal";
import { changeRows } from "../../mixins/crud/row-change";
import type { Runtime } from "../../mixins/runtime";
import type { Post } from "./post.events";
import { SEED_POSTS } from "./post.seed-data";
import { anyPosts, writePost } from "./post.store";
import { appendOf } from "./posts";

const DAY_MS = 86_400_000;
/** Never leaves this file: the chain writes its own posts by now. */
const ALREADY = refuse("conflict", "post.already_seeded", "There are posts already.");

/** Publishes the first posts, a day apart, in nobody's name; does nothing where there are any. */
export async function seedPosts(
  runtime: Pick<Runtime, "pool" | "log" | "clock">,
  identity: CommandIdentity,
): Promise<void> {
  const now_ms = runtime.clock.now();
  const outcome = await changeRows(runtime, identity, async (tx) => {
    if (await anyPosts(tx)) return ALREADY;
    const posts = SEED_POSTS.map((draft, index): Post => {
      const at = new Date(now_ms - (SEED_POSTS.length - 1 - index) * DAY_MS).toISOString();
      return {
        ...draft,
        author_id: null,
        status: "published",
        published_at: at,
        created_at: at,
        updated_at: at,
      };
    });
    for (const post of posts) await writePost(tx, post, 1);
    const streams = posts.map((post) => appendOf(post.post_id, 0, { type: "post.created", data: { post } }));
    return { streams, answer: {}, meta: { actor: "system:seed" } };
  });
  if (isRefusal(outcome) && outcome !== ALREADY)
    throw new Error(`The first posts were refused: ${outcome.code} ${outcome.detail}`);
}
