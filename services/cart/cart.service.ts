import type { ActionSchema, ServiceSchema } from "moleculer";
import { actorMixin } from "../../mixins/actor/actor-mixin";
import type { Ctx } from "../../mixins/contract/caller";
import { act, implement } from "../../mixins/contract/implement";
import { isRefusal, orThrow, refusalOf, refuse } from "../../mixins/contract/refusal";
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
import { cartEmpty, UNKNOWN_LINE } from "./cart.decider";
import type { CartContents, CartLine } from "./cart.events";
import { startExpiry, startSettling, takeWhatWasGiven } from "./cart.jobs";
import { cartProjection } from "./cart.projection";
import { CartRoom, type CartRef, type Order } from "./cart.room";
import { cartView, priced, problemView, wishOf, type Priced, type Wish } from "./cart.view";

/** What runs beside the actions, from start to stop. */
interface Background {
  readonly projection: ProjectionHost;
  readonly taking: ProcessHost;
  readonly jobs: readonly JobHandle[];
}

const NOTHING: CartContents = { lines: [], promo_code: null };

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
    actions: { ...edits(runtime, room), ...orders(runtime, room), ...inside(room) },
    async started() {
      background = {
        projection: await startProjection({ pool, feed, log, logger }, cartProjection),
        taking: await startProcess({ pool, feed, log, logger, broker }, takeWhatWasGiven),
        jobs: [startExpiry(runtime), startSettling(runtime)],
      };
    },
    async stopped() {
      await Promise.all(background?.jobs.map((job) => job.stop()) ?? []);
      await background?.taking.stop();
      await background?.projection.stop();
    },
  };
}

type View = contracts.CartView;

/** The cart as it is now; a guest without one sees an empty one. */
async function shown(
  room: CartRoom,
  ctx: Ctx<unknown>,
  cart: CartRef | undefined,
  branch_id?: string,
): Promise<View> {
  if (cart === undefined) return cartView(ctx, NOTHING, 0, branch_id);
  const { state, position } = await room.look(ctx, cart);
  return cartView(ctx, state, position, branch_id);
}

/** Edits the caller's cart and shows it. A repetition shows it as it is by then: prices have no "first answer". */
async function edited(room: CartRoom, ctx: Ctx<unknown>, order: Order): Promise<View> {
  const cart = await room.meant(ctx);
  if (cart !== undefined) orThrow(await room.edit(ctx, cart, order));
  else if ("line_id" in order || order.type === "cart.remove") orThrow<never>(UNKNOWN_LINE);
  return shown(room, ctx, cart);
}

/** Puts lines into the caller's cart; a guest without one, or whose cart is over, gets a new one. */
async function added(room: CartRoom, ctx: Ctx<unknown>, wishes: readonly CartLine[]): Promise<View> {
  const cart = await room.meant(ctx);
  if (cart !== undefined) {
    const may_open = cart.user_id !== null;
    const outcome = await room.edit(ctx, cart, { type: "cart.add", wishes, may_open });
    if (!isRefusal(outcome) || outcome.code !== "cart.unknown") {
      orThrow(outcome);
      return shown(room, ctx, cart);
    }
  }
  const fresh = room.forGuest(ctx);
  orThrow(await room.tell(ctx, fresh, { type: "cart.add", wishes, may_open: true }));
  return shown(room, ctx, fresh);
}

/** What the menu could price, in its form, as lines of their own. */
function linesOf({ quote }: Priced, ids: Runtime["ids"]): CartLine[] {
  return (quote?.items ?? []).map(({ menu_item_id, quantity, extras, exclude_ingredients }) => ({
    ...{ line_id: ids.uuid(), menu_item_id, quantity },
    ...{ extras: extras.map(({ extra_id }) => extra_id), exclude_ingredients },
  }));
}

/** One wish in the menu's form. @throws RefusedError when the menu does not have it; `menu.unknown_item` as not found */
async function lineOf({ ids }: Runtime, ctx: Ctx<unknown>, wish: Wish): Promise<CartLine> {
  const offer = await priced(ctx, [wish], null);
  const problem = offer.problems.get(0);
  const [line] = linesOf(offer, ids);
  if (line !== undefined) return line;
  if (problem === undefined) throw new Error("The menu neither priced a wish nor refused it.");
  const { code, detail, data } = problem;
  return orThrow<never>(code === "menu.unknown_item" ? refuse("not_found", code, detail, data) : problem);
}

function edits(runtime: Runtime, room: CartRoom): Record<string, ActionSchema> {
  return {
    get: implement(contracts.getCart, async (ctx) =>
      shown(room, ctx, await room.meant(ctx), ctx.params.branch_id),
    ),
    add: implement(contracts.addToCart, async (ctx) => {
      const { menu_item_id, quantity = 1, extras = [], exclude_ingredients = [] } = ctx.params;
      const wish = { menu_item_id, quantity, extras, exclude_ingredients };
      return added(room, ctx, [await lineOf(runtime, ctx, wish)]);
    }),
    update: updateAction(runtime, room),
    remove: implement(contracts.removeFromCart, (ctx) =>
      edited(room, ctx, { type: "cart.remove", id: ctx.params.id.toLowerCase() }),
    ),
    clear: implement(contracts.clearCart, (ctx) => edited(room, ctx, { type: "cart.clear" })),
    set_promo: implement(contracts.setCartPromo, async (ctx) => {
      const cart = orThrow((await room.meant(ctx)) ?? cartEmpty(null));
      const { state } = await room.look(ctx, cart);
      if (state.lines.length === 0) return orThrow<never>(cartEmpty(state.last_order_id));
      const { quote, promo_problem, problems } = await priced(ctx, state.lines.map(wishOf), ctx.params.code);
      const refusal = promo_problem ?? [...problems.values()][0];
      if (promo_problem !== null || quote === null) return orThrow<never>(refusal ?? cartEmpty(null));
      return edited(room, ctx, { type: "cart.set_promo", promo_code: quote.promo_code });
    }),
    remove_promo: implement(contracts.removeCartPromo, (ctx) =>
      edited(room, ctx, { type: "cart.set_promo", promo_code: null }),
    ),
    merge: implement(contracts.mergeCart, async (ctx) => shown(room, ctx, await room.meant(ctx))),
  };
}

function updateAction(runtime: Runtime, room: CartRoom): ActionSchema {
  return implement(contracts.updateCart, async (ctx) => {
    const { quantity, extras, exclude_ingredients } = ctx.params;
    const line_id = ctx.params.line_id.toLowerCase();
    const order = { type: "cart.update" as const, line_id, ...(quantity === undefined ? {} : { quantity }) };
    if ((extras === undefined && exclude_ingredients === undefined) || quantity === 0)
      return edited(room, ctx, order);
    const cart = orThrow((await room.meant(ctx)) ?? UNKNOWN_LINE);
    const { state } = await room.peek(ctx, cart);
    const line = orThrow(state.lines.find((one) => one.line_id === line_id) ?? UNKNOWN_LINE);
    const wish = {
      ...wishOf(line),
      ...(extras && { extras }),
      ...(exclude_ingredients && { exclude_ingredients }),
    };
    const wanted = await lineOf(runtime, ctx, { ...wish, quantity: 1 });
    return edited(room, ctx, {
      ...order,
      ...(extras && { extras: wanted.extras }),
      ...(exclude_ingredients && { exclude_ingredients: wanted.exclude_ingredients }),
    });
  });
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
      const { items } = await act(ctx, getMyOrder, { order_id: ctx.params.order_id });
      const wishes = items.map(({ menu_item_id, quantity, extras, exclude_ingredients }) => ({
        ...{ menu_item_id, quantity, exclude_ingredients },
        extras: extras.map(({ extra_id }) => extra_id),
      }));
      const offer = await priced(ctx, wishes, null);
      const missing = items.flatMap(({ menu_item_id, name }, place) => {
        const problem = offer.problems.get(place);
        return problem === undefined ? [] : [{ menu_item_id, name, ...problemView(problem) }];
      });
      const lines = linesOf(offer, runtime.ids);
      if (lines.length === 0) return orThrow<never>(nothingToReorder(missing));
      return { cart: await added(room, ctx, lines), missing };
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
    expire: implement(contracts.expireCart, async (ctx) => {
      const { cart_id, unless_after } = ctx.params;
      orThrow(await room.tell(ctx, { cart_id, user_id: null }, { type: "cart.expire", unless_after }));
      return {};
    }),
  };
}
