import type { ServiceSchema } from "moleculer";
import type { ProjectionHost } from "../../mixins/projection/projection";
import { startProjection } from "../../mixins/projection/start-projection";
import type { Runtime } from "../../mixins/runtime";
import { reviewActions } from "./review.actions";
import { reviewLists } from "./review.lists";
import { cacheActions, followInvalidations } from "./shop.cache";
import { pairsProjection } from "./shop.pairs.projection";
import { rankingActions } from "./shop.rankings";

/** What the shop shows beside the menu: what sells, what goes together, what people say; and the caches of all that. */
export function createShopService(runtime: Runtime): ServiceSchema {
  const { broker, feed, log, pool } = runtime;
  const logger = broker.getLogger("shop");
  let pairs: ProjectionHost | undefined;
  let unfollow: (() => Promise<void>) | undefined;
  return {
    name: "shop",
    version: 1,
    settings: { $noVersionPrefix: true },
    actions: {
      ...rankingActions(runtime),
      ...reviewLists(runtime),
      ...reviewActions(runtime),
      ...cacheActions(runtime),
    },
    async started() {
      pairs = await startProjection({ pool, feed, log, logger }, pairsProjection);
      unfollow = await followInvalidations(runtime);
    },
    async stopped() {
      await unfollow?.();
      await pairs?.stop();
    },
  };
}
