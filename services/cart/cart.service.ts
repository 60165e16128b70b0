import type { ActionSchema, ServiceSchema } from "moleculer";
import { actorMixin } from "../../mixins/actor/actor-mixin";
import type { ResultOf } from "../../mixins/contract/contract";
import { act, implement } from "../../mixins/contract/implement";
import { orThrow, refusalOf, refuse } from "../../mixins/contract/refusal";
import { metricsOf } from "../../mixins/metrics/metrics";
import type { ProcessHost } from "../../mixins/process/process";
import type { JobHandle } from "../../mixins/process/start-job";
import { startProcess } from "../../mixins/process/start-process";
import type { ProjectionHost } from "../../mixins/projection/projection";
import { startProjection } from "../../mixins/projection/start-projection";
import type { Runtime } from "../../mixins/runtime";
import { getMyOrder } from "../order/order.contract";
import { checkout } from "./cart.checkout";
import * as contracts from "./cart.contract";
import { added, editActions, linesOf } from "./cart.edits";
import { closeWhenErased, startExpiry, startSettling, takeWhatWasGiven } from "./cart.jobs";
import { cartProjection } from "./cart.projection";
import { CartRoom } from "./cart.room";
import { priced, problemView, wishBehind } from "./cart.view";

/** What runs beside the actions, from start to stop. */
interface Background {
  readonly projection: ProjectionHost;
  readonly processes: readonly ProcessHost[];
  readonly jobs: readonly JobHandle[];
}

/** Carts of customers and guests: what they want, at the prices of the moment, until it is ordered. */
export function createCartService(runtime: Runtime): ServiceSchema {
  const { log, pool, feed, broker } = runtime;
  const logger = broker.getLogger("cart");
  const room = new CartRoom(runtime);
  let background: Background | undefined;
  return {
    name: "cart",
    version: 1,
    settings: { $noVersionPrefix: true },
    mixins: [actorMixin(room.host)],
    actions: { ...editActions(runtime, room), ...orders(runtime, room), ...inside(room) },
    async started() {
      background = {
        projection: await startProjection({ pool, feed, log, logger }, cartProjection),
        processes: [
          await startProcess({ pool, feed, log, logger, broker }, takeWhatWasGiven),
          await startProcess({ pool, feed, log, logger, broker }, closeWhenErased),
        ],
        jobs: [startExpiry(runtime), startSettling(runtime)],
      };
    },
    async stopped() {
      await Promise.all(background?.jobs.map((job) => job.stop()) ?? []);
      await Promise.all(background?.processes.map((process) => process.stop()) ?? []);
      await background?.projection.stop();
    },
  };
}

function orders(runtime: Runtime, room: CartRoom): Record<string, ActionSchema> {
  const checkouts = metricsOf(runtime.broker).counter(
    "forno_cart_checkouts_total",
    "Answers to checkouts, by outcome",
    ["outcome"],
  );
  return {
    checkout: implement(contracts.checkoutCart, async (ctx) => {
      try {
        const placed = await checkout(runtime, room, ctx);
        checkouts.inc({ outcome: ctx.meta.replayed === true ? "repeated" : "ordered" });
        return placed;
      } catch (error) {
        checkouts.inc({ outcome: refusalOf(error) === undefined ? "failed" : "refused" });
        throw error;
      }
    }),
    reorder: implement(contracts.reorder, async (ctx) => {
      let missing: ResultOf<typeof contracts.reorder>["missing"] = [];
      const cart = await added(room, ctx, async () => {
        const { items } = await act(ctx, getMyOrder, { order_id: ctx.params.order_id });
        const offer = await priced(ctx, items.map(wishBehind), null);
        missing = items.flatMap(({ menu_item_id, name }, place) => {
          const problem = offer.problems.get(place);
          return problem === undefined ? [] : [{ menu_item_id, name, ...problemView(problem) }];
        });
        const lines = linesOf(offer, runtime.ids);
        return lines.length === 0 ? orThrow<never>(nothingToReorder(missing)) : lines;
      });
      return { cart, missing };
    }),
  };
}

const nothingToReorder = (missing: readonly object[]) =>
  refuse("unprocessable", "cart.nothing_to_reorder", "Nothing of this order can be had today.", { missing });

/** What Forno does by itself. */
function inside(room: CartRoom): Record<string, ActionSchema> {
  return {
    tell_cart: room.tellCart(),
    take: implement(contracts.takeGuestsCart, async (ctx) => {
      const { user_id, from_cart_id, contents } = ctx.params;
      orThrow(await room.take(ctx, user_id, from_cart_id, contents));
      return {};
    }),
    settle: implement(contracts.settleCart, async (ctx) => {
      await room.look(ctx, ctx.params);
      return {};
    }),
    close: implement(contracts.closeCart, async (ctx) => {
      const { user_id } = ctx.params;
      orThrow(await room.tell(ctx, { cart_id: user_id, user_id }, { type: "cart.close" }));
      return {};
    }),
    expire: implement(contracts.expireCart, async (ctx) => {
      const { cart_id, unless_after } = ctx.params;
      orThrow(await room.tell(ctx, { cart_id, user_id: null }, { type: "cart.expire", unless_after }));
      return {};
    }),
  };
}
