import type { ActionSchema, ServiceSchema } from "moleculer";
import { cachedAction } from "../../mixins/cache-tags/cached-action";
import type { Ctx } from "../../mixins/contract/caller";
import { callerOf, implement } from "../../mixins/contract/implement";
import { orThrow, RefusedError, refuse } from "../../mixins/contract/refusal";
import { healthProbesOf } from "../../mixins/health/health-probes";
import type { ProcessHost } from "../../mixins/process/process";
import { startJob, type JobHandle } from "../../mixins/process/start-job";
import { startProcess } from "../../mixins/process/start-process";
import type { Runtime } from "../../mixins/runtime";
import { postActions } from "./post.actions";
import { readPost } from "./post.store";
import { UNKNOWN_POST } from "./posts";
import * as contracts from "./views.contract";
import { forgetErasedViewers } from "./views.process";
import { ViewCounter } from "./views.counter";
import { inboxProbe, showFigures } from "./views.health";
import { ViewsMemory } from "./views.memory";
import { readDays, readTop, spanOf } from "./views.reads";
import { ViewsStore } from "./views.store";
import { purgeViews, syncViews } from "./views.sync";

const SYNC_EVERY_MS = 300_000;
const TOP = 10;
const TOP_KEPT_S = 30;
const REQUIRED = refuse("unauthorized", "auth.required", "Sign in first: a view is somebody's.");

/** Posts, and who has viewed them: each user once for each post, for ever. See docs/views.md. */
export function createViewsService(runtime: Runtime): ServiceSchema {
  const { broker, pool, log, feed } = runtime;
  const logger = broker.getLogger("views");
  const store = new ViewsStore(pool, log);
  let counter: ViewCounter | undefined;
  let sync: JobHandle | undefined;
  let forgetting: ProcessHost | undefined;
  const withdrawals: (() => void)[] = [];
  const started = (): ViewCounter => {
    if (counter === undefined) throw new Error("The views service was asked before it had started.");
    return counter;
  };
  showFigures(runtime, () => counter);
  return {
    name: "views",
    version: 1,
    settings: { $noVersionPrefix: true },
    async started() {
      const memory = runtime.redis && new ViewsMemory(runtime.redis, () => log.lineage.name);
      counter = new ViewCounter({
        store,
        clock: runtime.clock,
        logger,
        ...(memory === undefined ? {} : { memory }),
      });
      const { warm } = counter;
      if (memory !== undefined) withdrawals.push(memory.onUp(() => void warm()));
      sync = startJob(
        { pool, logger },
        {
          name: "views-sync",
          every_ms: SYNC_EVERY_MS,
          async run(stopping) {
            await syncViews(pool, stopping);
            await purgeViews(pool, stopping);
          },
        },
      );
      withdrawals.push(healthProbesOf(broker).add(inboxProbe(pool)));
      forgetting = await startProcess({ pool, feed, log, logger, broker }, forgetErasedViewers);
    },
    async stopped() {
      for (const withdraw of withdrawals.splice(0)) withdraw();
      await forgetting?.stop();
      await counter?.close();
      await sync?.runNow();
      await sync?.stop();
    },
    actions: {
      ...postActions(runtime, (post_id) => started().forget(post_id)),
      ...viewActions(started),
      ...readActions(runtime, store),
      forget_viewer: implement(contracts.forgetViewer, async ({ params: { user_id } }) => {
        const post_ids = await store.forgetViewer(user_id);
        await started().forget(...post_ids);
        return { posts: post_ids.length };
      }),
      sync: implement(contracts.syncViews, async () => {
        const synced_posts = await syncViews(pool);
        return {
          message: `Counts by day are up to date; ${String(synced_posts)} posts had new views.`,
          synced_posts,
        };
      }),
    },
  };
}

function viewActions(counter: () => ViewCounter): Record<string, ActionSchema> {
  return {
    add: implement(contracts.addView, async (ctx) => {
      const post_id = ctx.params.post_id.toLowerCase();
      const viewed = (await counter().view(viewerOf(ctx), [post_id])).get(post_id);
      if (viewed === undefined) throw new RefusedError(UNKNOWN_POST);
      const message = viewed.own ? "Authors' own views do not count." : "The view is counted.";
      return { message, views_count: viewed.views };
    }),
    add_batch: implement(contracts.addViews, async (ctx) => {
      const asked = [...new Set(ctx.params.post_ids.map((post_id) => post_id.toLowerCase()))];
      const viewed = await counter().view(viewerOf(ctx), asked);
      const [known, unknown] = [
        asked.filter((post_id) => viewed.has(post_id)),
        asked.filter((post_id) => !viewed.has(post_id)),
      ];
      return {
        message: `Views processed: ${String(known.length)}.`,
        ...{ processed_count: known.length, post_ids: known, unknown_post_ids: unknown },
      };
    }),
  };
}

/** @throws RefusedError `auth.required`: guests, and Forno itself, are nobody who could view twice. */
function viewerOf(ctx: Ctx<unknown>): string {
  const { user_id } = callerOf(ctx);
  if (user_id === null) throw new RefusedError(REQUIRED);
  return user_id;
}

function readActions(runtime: Runtime, store: ViewsStore): Record<string, ActionSchema> {
  const { pool, clock } = runtime;
  return {
    count: implement(contracts.countViews, async ({ params: { post_ids } }) => {
      const posts = await store.read(post_ids);
      return { items: posts.map(({ post_id, views }) => ({ post_id, views_count: views })) };
    }),
    top: cachedAction(
      runtime,
      contracts.topPosts,
      {
        key: ({ window = "all", limit = TOP }) => `${window} ${String(limit)}`,
        ttl_s: TOP_KEPT_S,
      },
      async ({ params: { window = "all", limit = TOP } }) => ({
        window,
        items: await readTop(pool, window, limit, clock.now()),
      }),
    ),
    by_day: implement(contracts.viewsByDay, async ({ params: { post_id, ...wish } }) => {
      const span = orThrow(spanOf(wish, clock.now()));
      const post = orThrow((await readPost(pool, post_id)) ?? UNKNOWN_POST);
      const days = await readDays(pool, post_id, span);
      return { post_id: post.post_id, ...span, views_count: post.views_count, days };
    }),
  };
}
